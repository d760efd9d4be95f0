//! What a key of the configuration is: its type, since when it is known, whether it can be reloaded.
//!
//! Owns the questions one can ask of the table in `keys`. It must not judge a file.

use std::fmt;
use std::net::IpAddr;

use serde_json::Value;

pub use super::keys::KEYS;

/// One key that dockerd knows, or once knew, at the root of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub name: &'static str,
    /// What it is for, in a few words; empty for keys without effect.
    pub about: &'static str,
    pub kind: Kind,
    pub since: Engine,
    pub reload: Reload,
    pub standing: Standing,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Str,
    /// A string such as `64m`.
    Size,
    Ip,
    StrList,
    IpList,
    ObjectList,
    StrMap,
    BoolMap,
    ObjectMap,
    /// A map with entries of its own types.
    Object,
    /// More than one type is taken.
    Any,
}

/// The engine release that introduced a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Engine(pub u8, pub u8);

/// What makes the daemon take a changed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// Only a restart.
    Restart,
    /// SIGHUP; a key taken out of the file keeps its value until a restart.
    Reload,
    /// SIGHUP; a key taken out of the file goes back to its default.
    Resets,
}

/// Whether today's dockerd takes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Known,
    /// Taken without effect.
    Ignored,
    /// Refused, although the name looks right.
    Rejected {
        cure: &'static str,
    },
    /// Refused, although it was known once.
    Gone {
        since: Engine,
        cure: &'static str,
    },
}

/// The key of this exact name.
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// Whether dockerd starts with this key in its file.
    pub fn is_accepted(&self) -> bool {
        matches!(self.standing, Standing::Known | Standing::Ignored)
    }

    /// Whether `systemctl reload docker` is enough after a change of its value.
    pub fn is_reloadable(&self) -> bool {
        self.reload != Reload::Restart
    }
}

impl Engine {
    /// The engine of a version such as `29.6.1` or, as packages have it, `5:29.6.1-1~ubuntu`.
    pub fn of(version: &str) -> Option<Engine> {
        let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
        let mut numbers = upstream.split(['.', '-', '~', '+']);
        let mut number = || numbers.next()?.parse().ok();
        Some(Engine(number()?, number()?))
    }
}

impl Kind {
    /// Whether the value is of this type; entries of lists and maps are of [`Kind::entries`].
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Kind::Bool => value.is_boolean(),
            Kind::Int => value.is_i64() || value.is_u64(),
            Kind::Str | Kind::Size => value.is_string(),
            Kind::Ip => value.as_str().is_some_and(is_ip),
            Kind::StrList | Kind::IpList | Kind::ObjectList => value.is_array(),
            Kind::StrMap | Kind::BoolMap | Kind::ObjectMap | Kind::Object => value.is_object(),
            Kind::Any => true,
        }
    }

    /// The type of each entry, where all are of one.
    pub fn entries(self) -> Option<Kind> {
        match self {
            Kind::StrList | Kind::StrMap => Some(Kind::Str),
            Kind::IpList => Some(Kind::Ip),
            Kind::BoolMap => Some(Kind::Bool),
            Kind::ObjectList | Kind::ObjectMap => Some(Kind::Object),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Bool => "true or false",
            Kind::Int => "a whole number",
            Kind::Str => "a string",
            Kind::Size => "a string with a size such as \"64m\"",
            Kind::Ip => "a string with an IP address",
            Kind::StrList => "a list of strings",
            Kind::IpList => "a list of IP addresses",
            Kind::ObjectList => "a list of objects",
            Kind::StrMap => "an object of strings",
            Kind::BoolMap => "an object of true or false",
            Kind::ObjectMap => "an object of objects",
            Kind::Object => "an object",
            Kind::Any => "anything",
        })
    }
}

/// As the engine writes itself: `17.06` in the years of calendar versions, `1.12` and `28.2` else.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Engine(major, minor) = self;
        match major {
            17..=20 => write!(f, "{major}.{minor:02}"),
            _ => write!(f, "{major}.{minor}"),
        }
    }
}

/// Empty text is no address given, and a zone may follow: `fe80::1%eth0`.
fn is_ip(text: &str) -> bool {
    let address = text.split('%').next().unwrap_or(text);
    text.is_empty() || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_name_is_there_once() {
        let mut names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_key_is_found_by_its_exact_name_only() {
        assert_eq!(key("log-opts").unwrap().kind, Kind::StrMap);
        assert!(key("Log-Opts").is_none());
        assert!(key("log-opt").is_none());
    }

    #[test]
    fn live_restore_reloads_and_data_root_restarts() {
        assert!(key("live-restore").unwrap().is_reloadable());
        assert!(!key("data-root").unwrap().is_reloadable());
    }

    #[test]
    fn graph_is_gone_and_says_what_replaced_it() {
        let graph = key("graph").unwrap();
        assert!(!graph.is_accepted());
        assert!(
            matches!(graph.standing, Standing::Gone { cure, .. } if cure.contains("data-root"))
        );
    }

    #[test]
    fn a_whole_number_is_neither_a_fraction_nor_a_string() {
        assert!(Kind::Int.accepts(&json!(-1)));
        assert!(!Kind::Int.accepts(&json!(1.0)));
        assert!(!Kind::Int.accepts(&json!("1")));
    }

    #[test]
    fn an_engine_is_read_from_a_version() {
        assert_eq!(Engine::of("29.6.1"), Some(Engine(29, 6)));
        assert_eq!(
            Engine::of("5:20.10.24~3-0~ubuntu-jammy"),
            Some(Engine(20, 10))
        );
        assert_eq!(Engine::of("latest"), None);
    }

    #[test]
    fn engines_are_ordered_and_written_as_they_write_themselves() {
        assert!(Engine(1, 13) < Engine(17, 6) && Engine(20, 10) < Engine(23, 0));
        let written = [Engine(1, 12), Engine(17, 6), Engine(28, 2)].map(|e| e.to_string());
        assert_eq!(written, ["1.12", "17.06", "28.2"]);
    }
}
