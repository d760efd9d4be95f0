//! How Ansible calls a module, and what its options mean: they are the flags of `install` and
//! `uninstall`, under the names that their settings have in code.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::Result;
use clap::{Arg, ArgAction, CommandFactory};
use serde_json::{Map, Value};

use crate::cli::{Cli, CliCommand, InstallArgs, UninstallArgs};
use crate::error::Failure;
use crate::reading;
use crate::settings::Origin;

/// Flags that are no options of a task: nobody is there to be asked or to read, and `verify` says
/// the last.
const NOT_OPTIONS: &[&str] = &["yes", "help", "output", "no_verify"];
/// Options that are no flags.
const NOT_FLAGS: &[&str] = &["state", "verify", "daemon", "registries"];

/// More than any task's arguments.
const ARGUMENTS_LIMIT: u64 = 16 * 1024 * 1024;

/// A call of this program as a module.
pub(crate) struct Call {
    is_facts: bool,
    /// Whether only to tell what would be done.
    pub is_check: bool,
    pub wants_diff: bool,
    options: Map<String, Value>,
}

/// What a task wants.
pub(crate) enum Task {
    Present(Box<InstallArgs>),
    Absent(UninstallArgs),
    Facts,
}

impl Call {
    /// The call, if these are the words of one: the program, and the path of a file in which
    /// Ansible names a module.
    pub(crate) fn of(words: impl IntoIterator<Item = OsString>) -> Option<Call> {
        let mut words = words.into_iter().skip(1);
        let (path, None) = (words.next()?, words.next()) else {
            return None;
        };
        let path = Path::new(&path);
        let metadata = path.is_absolute().then(|| fs::metadata(path).ok())??;
        if !metadata.is_file() || metadata.len() > ARGUMENTS_LIMIT {
            return None;
        }
        Call::read(&reading::read(path, ARGUMENTS_LIMIT).ok()?)
    }

    fn read(arguments: &[u8]) -> Option<Call> {
        let mut options: Map<String, Value> = serde_json::from_slice(arguments).ok()?;
        let module = options.get("_ansible_module_name")?.as_str()?.to_owned();
        let is_set = |name: &str| options.get(name) == Some(&Value::Bool(true));
        let (is_check, wants_diff) = (is_set("_ansible_check_mode"), is_set("_ansible_diff"));
        options.retain(|name, value| !name.starts_with("_ansible_") && !value.is_null());
        Some(Call {
            is_facts: module.ends_with("_facts"),
            is_check,
            wants_diff,
            options,
        })
    }

    /// # Errors
    /// [`Failure::Usage`] for options that there are not, and values that cannot be meant.
    pub(crate) fn task(self) -> Result<Task> {
        if let Some(name) = self.options.keys().find(|name| !self.knows(name)) {
            return Err(unknown(name, &self.known()).into());
        }
        if self.is_facts {
            return Ok(Task::Facts);
        }
        let state = self.options.get("state").map_or("present".into(), text_of);
        match state.as_str() {
            "present" => self.present(),
            "absent" => match self.parse("uninstall", Vec::new())? {
                CliCommand::Uninstall(uninstall) => Ok(Task::Absent(uninstall)),
                _ => Err(wrong("state", "cannot be absent").into()),
            },
            other => Err(wrong("state", &format!("is {other}; give present or absent")).into()),
        }
    }

    fn present(self) -> Result<Task> {
        let verify = self.options.get("verify");
        let verify = verify.map_or(Ok(true), |value| truth("verify", value))?;
        let no_verify = (!verify).then(|| "--no-verify".to_owned());
        let command = self.parse("install", no_verify.into_iter().collect())?;
        let CliCommand::Install(mut install) = command else {
            return Err(wrong("state", "cannot be present").into());
        };
        let settings = &mut install.settings;
        let is_empty = |name: &str| self.options.get(name).is_some_and(is_empty_list);
        if is_empty("users") {
            settings.layer.users = Some(Vec::new());
        }
        if is_empty("proxy_for") {
            settings.layer.proxy_for = Some(Vec::new());
        }
        for (name, value) in &self.options {
            match (name.as_str(), value) {
                ("daemon", value) => settings.layer.daemon = dictionary(name, value)?.into(),
                ("registries", value) => {
                    let registries = Value::Object(dictionary(name, value)?);
                    settings.layer.registries = serde_json::from_value(registries)
                        .map_err(|error| wrong(name, &format!("is not right: {error}")))?;
                }
                ("restore", _) => continue, // no setting
                (_, value) if is_empty_list(value) => {}
                _ => continue,
            }
            let given = &mut settings.given;
            given.insert(name.replace('_', "-"), Origin::Flag);
        }
        Ok(Task::Present(Box::new(install)))
    }

    /// Reads the options as the flags of a command; those of other commands are passed over, so
    /// that one task can have either state.
    fn parse(&self, command: &str, more: Vec<String>) -> Result<CliCommand> {
        let mut words = vec!["dockstrap".to_owned(), command.to_owned()];
        words.extend(more);
        for flag in flags(command) {
            let name = flag.get_id().as_str();
            if let (Some(value), Some(long)) = (self.options.get(name), flag.get_long()) {
                words.extend(words_of(&flag, name, long, value)?);
            }
        }
        match Cli::read_from(words.into_iter().map(OsString::from)) {
            Ok(cli) => Ok(cli.command),
            Err(error) => Err(Failure::Usage(in_words(&error, command)).into()),
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.known().iter().any(|known| known == name)
    }

    fn known(&self) -> Vec<String> {
        if self.is_facts { Vec::new() } else { options() }
    }
}

/// The options of a task.
fn options() -> Vec<String> {
    let flags = ["install", "uninstall"]
        .into_iter()
        .flat_map(flags)
        .map(|flag| flag.get_id().to_string());
    let mut names: Vec<String> = flags
        .chain(NOT_FLAGS.iter().map(ToString::to_string))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn flags(command: &str) -> Vec<Arg> {
    let mut cli = Cli::command();
    cli.build(); // or the flags could not be shown
    let command = cli.find_subcommand(command);
    let arguments = command.into_iter().flat_map(clap::Command::get_arguments);
    let is_option = |flag: &&Arg| !NOT_OPTIONS.contains(&flag.get_id().as_str());
    arguments.filter(is_option).cloned().collect()
}

fn words_of(flag: &Arg, name: &str, long: &str, value: &Value) -> Result<Vec<String>, Failure> {
    let word = |value: &Value| Ok(format!("--{long}={}", scalar(name, value)?));
    match (flag.get_action(), value) {
        (ArgAction::SetTrue, value) => Ok(if truth(name, value)? {
            vec![format!("--{long}")]
        } else {
            Vec::new()
        }),
        (ArgAction::Append, Value::Array(values)) => values.iter().map(word).collect(),
        // A list that can also be a switch, for all that there is.
        (ArgAction::Append, value) if takes_no_value(flag) => Ok(match truth(name, value) {
            Ok(true) => vec![format!("--{long}")],
            Ok(false) => Vec::new(),
            Err(_) => vec![word(value)?],
        }),
        // A switch that is a setting can also be turned off.
        (_, value) if takes_no_value(flag) => Ok(vec![format!("--{long}={}", truth(name, value)?)]),
        (_, value) => Ok(vec![word(value)?]),
    }
}

/// Whether the flag may stand without a value.
fn takes_no_value(flag: &Arg) -> bool {
    let count = flag.get_num_args();
    count.is_some_and(|count| count.min_values() == 0)
}

/// A text, also where YAML or a template made a number of it.
fn scalar(name: &str, value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if number.is_f64() => Err(wrong(
            name,
            &format!("is the number {number}, in which 29.10 would be 29.1; put it into quotes"),
        )),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(wrong(name, "is neither a text nor a number")),
    }
}

/// The words that Ansible takes for yes and no.
fn truth(name: &str, value: &Value) -> Result<bool, Failure> {
    match text_of(value).to_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" | "1" => Ok(true),
        "false" | "no" | "off" | "n" | "f" | "0" => Ok(false),
        _ => Err(wrong(name, "is neither true nor false")),
    }
}

/// A dictionary, also as a text of JSON, which Ansible's own modules take as well: it is what
/// `-e NAME='{…}'` makes of one.
fn dictionary(name: &str, value: &Value) -> Result<Map<String, Value>, Failure> {
    let read = match value {
        Value::String(text) => serde_json::from_str(text).ok(),
        Value::Object(keys) => Some(keys.clone()),
        _ => None,
    };
    read.ok_or_else(|| wrong(name, "is no dictionary"))
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn wrong(name: &str, what: &str) -> Failure {
    Failure::Usage(format!("option {name} {what}; nothing was changed"))
}

fn unknown(name: &str, known: &[String]) -> Failure {
    let likeness = |known: &&String| (strsim::jaro_winkler(name, known) * 1000.0) as u32;
    let nearest = known.iter().max_by_key(likeness);
    Failure::Usage(match nearest.filter(|it| likeness(it) > 800) {
        Some(nearest) => format!("there is no option {name}; did you mean {nearest}?"),
        None => format!("there is no option {name}; there are: {}", known.join(", ")),
    })
}

/// What clap says, of the option instead of the flag.
fn in_words(error: &clap::Error, command: &str) -> String {
    let said = error.to_string();
    let mut said = said
        .split("\n\n")
        .next()
        .unwrap_or(&said)
        .trim_start_matches("error: ")
        .to_owned();
    for flag in flags(command) {
        let shown = format!("'{flag}'");
        said = said.replace(&shown, &format!("option {}", flag.get_id()));
    }
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests;
