//! Every setting with its names, its type and its meaning, read off [`Layer`], which describes it.
//!
//! clap knows the flags, the variables and what they are for, serde the keys.

use std::any::TypeId;
use std::fmt;
use std::num::NonZeroU32;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Args};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::Layer;

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// In the file.
    pub key: &'static str,
    /// With its dashes; `None` for what only a file can say.
    pub flag: Option<String>,
    pub variable: Option<String>,
    /// What it does, in a sentence.
    pub about: String,
    pub kind: ValueType,
}

/// The type of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueType {
    Switch,
    Text,
    /// A whole number that is no smaller.
    Number {
        least: u64,
    },
    /// One of these.
    Choice(Vec<String>),
    List(Box<ValueType>),
    /// Keys of daemon.json.
    Daemon,
    /// Registries by their hosts.
    Registries,
}

/// All settings, in the order in which [`Layer`] describes them.
pub fn table() -> Vec<Setting> {
    let command = Layer::augment_args(clap::Command::new("settings"));
    let setting = |key: &&'static str| {
        let argument = command
            .get_arguments()
            .find(|argument| argument.get_id().as_str().replace('_', "-") == **key);
        match argument {
            Some(argument) => by_argument(key, argument),
            None => in_the_file_only(key),
        }
    };
    keys().iter().map(setting).collect()
}

/// The keys that the settings file may have.
pub(crate) fn keys() -> &'static [&'static str] {
    match Layer::deserialize(Asking) {
        Err(FieldNames(keys)) => keys,
        Ok(_) => &[],
    }
}

fn by_argument(key: &'static str, argument: &Arg) -> Setting {
    let variable = argument.get_env();
    let about = argument.get_long_help().or(argument.get_help());
    Setting {
        key,
        flag: argument.get_long().map(|long| format!("--{long}")),
        variable: variable.map(|name| name.to_string_lossy().into_owned()),
        about: about.map(ToString::to_string).unwrap_or_default(),
        kind: kind(argument),
    }
}

/// clap passes over these.
fn in_the_file_only(key: &'static str) -> Setting {
    let (about, kind) = match key {
        "daemon" => (
            "Keys for daemon.json, which override the preset and what is there",
            ValueType::Daemon,
        ),
        _ => (
            "Private registries, by host or host and port, each with the file (PEM) of the authority \
             that vouches for it",
            ValueType::Registries,
        ),
    };
    Setting {
        key,
        flag: None,
        variable: None,
        about: about.to_owned(),
        kind,
    }
}

fn kind(argument: &Arg) -> ValueType {
    let parser: &ValueParser = argument.get_value_parser();
    let is = |id: TypeId| parser.type_id() == id;
    let choices = argument.get_possible_values();
    let one = if is(TypeId::of::<bool>()) {
        ValueType::Switch
    } else if is(TypeId::of::<u64>()) {
        ValueType::Number { least: 0 }
    } else if is(TypeId::of::<NonZeroU32>()) {
        ValueType::Number { least: 1 }
    } else if !choices.is_empty() {
        ValueType::Choice(choices.iter().map(|it| it.get_name().to_owned()).collect())
    } else {
        ValueType::Text
    };
    match argument.get_action() {
        ArgAction::Append => ValueType::List(Box::new(one)),
        _ => one,
    }
}

/// A deserializer that has nothing to give, and only listens to which fields are asked for.
struct Asking;

/// The fields that were asked for.
#[derive(Debug)]
struct FieldNames(&'static [&'static str]);

impl<'de> Deserializer<'de> for Asking {
    type Error = FieldNames;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, FieldNames> {
        Err(FieldNames(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, FieldNames> {
        Err(FieldNames(fields))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl serde::de::Error for FieldNames {
    fn custom<T: fmt::Display>(_: T) -> FieldNames {
        FieldNames(&[])
    }
}

impl std::error::Error for FieldNames {}

impl fmt::Display for FieldNames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} fields", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &str) -> Setting {
        let mut table = table();
        table.retain(|setting| setting.key == key);
        table.remove(0)
    }

    #[test]
    fn every_flag_is_a_setting_and_every_setting_says_what_it_does() {
        let flags = Layer::augment_args(clap::Command::new("settings"));
        let table = table();
        let of_flags = table.iter().filter(|it| it.flag.is_some()).count();
        assert_eq!(of_flags, flags.get_arguments().count());
        assert_eq!(
            table.len(),
            of_flags + 2,
            "daemon and registries are in the file only"
        );
        for Setting {
            key,
            about,
            flag,
            variable,
            ..
        } in table
        {
            assert!(!about.is_empty(), "{key}");
            assert_eq!(flag.is_some(), variable.is_some(), "{key}");
        }
    }

    #[test]
    fn every_setting_is_in_the_table_of_the_readme() {
        let readme = include_str!("../../README.md");
        let rows: Vec<&str> = readme
            .lines()
            .filter(|line| line.starts_with('|'))
            .collect();
        for Setting {
            key,
            flag,
            variable,
            ..
        } in table()
        {
            let Some((flag, variable)) = flag.zip(variable) else {
                let row = rows
                    .iter()
                    .find(|row| row.starts_with(&format!("| | | `[{key}")));
                assert!(row.is_some(), "no row for [{key}]");
                continue;
            };
            let is_row = |row: &&&str| {
                let cells: Vec<&str> = row.split(" | ").collect();
                cells[0].starts_with(&format!("| `{flag}"))
                    && cells[1].starts_with(&format!("`{variable}"))
                    && cells[2].starts_with(&format!("`{key} = "))
            };
            assert_eq!(
                rows.iter().filter(is_row).count(),
                1,
                "{key}, {flag}, {variable}"
            );
        }
    }

    #[test]
    fn types_are_those_of_the_fields() {
        for (key, kind) in [
            ("mirror", ValueType::Text),
            ("bundle", ValueType::Text),
            ("proxy", ValueType::Text),
            ("replace", ValueType::Switch),
            ("lock-wait", ValueType::Number { least: 0 }),
            ("max-index-age", ValueType::Number { least: 1 }),
            ("users", ValueType::List(Box::new(ValueType::Text))),
            ("daemon", ValueType::Daemon),
        ] {
            assert_eq!(setting(key).kind, kind, "{key}");
        }
        let presets = ["none", "recommended", "hardened"].map(str::to_owned);
        assert_eq!(setting("preset").kind, ValueType::Choice(presets.to_vec()));
        let users = setting("users");
        assert_eq!(users.flag.as_deref(), Some("--user"));
        assert_eq!(users.variable.as_deref(), Some("DOCKSTRAP_USERS"));
    }
}
