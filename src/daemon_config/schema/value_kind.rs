//! The types of values, down to the words and forms that each may have.
//!
//! Owns their names for people. Whether a text has its form is judged in `values`.

use std::fmt;
use std::net::IpAddr;

use serde_json::Value;

use crate::daemon_config::finding::Severity;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    /// A whole number that is not negative.
    Count,
    Port,
    /// The size of a packet, in bytes; 0 stands for dockerd's own choice.
    Mtu,
    Str,
    /// One of these; empty text stands for none.
    Word(&'static [&'static str]),
    /// The same, read in any case.
    AnyCaseWord(&'static [&'static str]),
    /// A string such as `64m`.
    Size,
    /// The same, or a share of the disk such as `10%`.
    SizeOrShare,
    /// A path from `/`.
    Path,
    Ip(Family),
    /// An address with the length of its prefix.
    Network(Family),
    /// `native.cgroupdriver=` with a driver.
    CgroupDriver,
    /// A mark of packets, with or without a mask.
    Mark,
    /// Where to listen for clients.
    Listener,
    /// Where to serve figures.
    HostPort,
    /// A search domain.
    Domain,
    /// `name=value`.
    Pair,
    /// The URL of a mirror.
    Mirror,
    /// A registry's host, or the network that it is in.
    Registry,
    /// The URL of a proxy.
    Proxy,
    List(&'static Kind),
    /// An object with any names.
    Map(&'static Kind),
    /// An object with names of its own.
    Object(&'static Entries),
    /// More than one type is taken.
    Any,
}

/// Which addresses are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
    Either,
}

/// What may stand in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entries {
    pub known: &'static [(&'static str, Kind)],
    /// How bad any other is; `None` where the runtime may know it.
    pub unknown: Option<Severity>,
    /// Whether `KNOWN` is read as `known`, which dockerd does but for names that are flags as well.
    pub any_case: bool,
}

impl Kind {
    /// Whether the value is of this type; entries of lists and maps are of [`Kind::entries`], and
    /// texts have a form beside.
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Kind::Bool => value.is_boolean(),
            Kind::Int | Kind::Count | Kind::Port | Kind::Mtu => value.is_i64(),
            Kind::Ip(family) => value.as_str().is_some_and(|text| family.has(text)),
            Kind::List(_) => value.is_array(),
            Kind::Map(_) | Kind::Object(_) => value.is_object(),
            Kind::Any => true,
            _ => value.is_string(),
        }
    }

    /// The type of each entry, where all are of one.
    pub fn entries(self) -> Option<Kind> {
        match self {
            Kind::List(kind) | Kind::Map(kind) => Some(*kind),
            _ => None,
        }
    }

    /// Whether its values are texts.
    pub fn is_text(self) -> bool {
        self.accepts(&Value::from("")) && self != Kind::Any
    }

    /// As a word for several of them.
    fn several(self) -> &'static str {
        match self {
            Kind::Ip(_) => "IP addresses",
            Kind::Listener => "addresses to listen on, such as \"unix:///run/docker.sock\"",
            Kind::CgroupDriver => {
                "\"native.cgroupdriver=systemd\" or \"native.cgroupdriver=cgroupfs\""
            }
            Kind::Domain => "domains",
            Kind::Pair => "strings such as \"name=value\"",
            Kind::Mirror => "URLs such as \"https://mirror.example\"",
            Kind::Registry => "hosts such as \"registry.example:5000\", or networks",
            Kind::Path => "absolute paths",
            Kind::Bool => "true or false",
            Kind::Map(_) | Kind::Object(_) => "objects",
            _ => "strings",
        }
    }
}

impl Entries {
    /// The type of the entry of this name.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        let is_it = |known: &str| {
            if self.any_case {
                known.eq_ignore_ascii_case(name)
            } else {
                known == name
            }
        };
        let mut known = self.known.iter();
        known.find(|(known, _)| is_it(known)).map(|(_, kind)| *kind)
    }
}

impl Family {
    /// Whether a text is an address of this family. An empty one is no address given, and a zone
    /// may follow: `fe80::1%eth0`.
    fn has(self, text: &str) -> bool {
        let address = text.split('%').next().unwrap_or(text);
        text.is_empty() || address.parse().is_ok_and(|address| self.includes(address))
    }

    pub(crate) fn includes(self, address: IpAddr) -> bool {
        match self {
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
            Family::Either => true,
        }
    }
}

/// As it follows on "must be".
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Kind::Bool => "true or false",
            Kind::Int => "a whole number",
            Kind::Count => "a whole number, 0 or more",
            Kind::Port => "a port, 0 to 65535",
            Kind::Mtu => "a whole number, 68 to 65535, or 0",
            Kind::Word(words) | Kind::AnyCaseWord(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                return write!(f, "one of {}", words.join(", "));
            }
            Kind::Size => "a string with a size such as \"64m\"",
            Kind::SizeOrShare => "a string with a size such as \"20GB\" or \"10%\"",
            Kind::Path => "an absolute path",
            Kind::Ip(Family::Either) => "a string with an IP address",
            Kind::Ip(Family::V4) => "a string with an IPv4 address",
            Kind::Ip(Family::V6) => "a string with an IPv6 address",
            Kind::Network(Family::V6) => "a string with a network such as \"fd00:12::1/64\"",
            Kind::Network(Family::V4) => "a string with a network such as \"172.17.0.1/16\"",
            Kind::Network(Family::Either) => {
                "a string with a network such as \"172.17.0.1/16\" or \"fd00:12::1/64\""
            }
            Kind::Mark => "a string with a mark such as \"0x1\" or \"0x1/0xff\"",
            Kind::HostPort => "a string such as \"127.0.0.1:9323\"",
            Kind::Proxy => "a URL such as \"http://proxy.example:3128\"",
            Kind::List(kind) => return write!(f, "a list of {}", kind.several()),
            Kind::Map(kind) => return write!(f, "an object of {}", kind.several()),
            Kind::Object(_) => "an object",
            Kind::Any => "anything",
            _ => "a string",
        };
        f.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_whole_number_is_neither_a_fraction_nor_a_string() {
        assert!(Kind::Int.accepts(&json!(-1)) && Kind::Int.accepts(&json!(i64::MAX)));
        assert!(!Kind::Int.accepts(&json!(u64::MAX)));
        assert!(!Kind::Int.accepts(&json!(1.0)));
        assert!(!Kind::Int.accepts(&json!("1")));
    }

    #[test]
    fn an_address_is_of_its_family() {
        assert!(Kind::Ip(Family::Either).accepts(&json!("fe80::1%eth0")));
        assert!(Kind::Ip(Family::V4).accepts(&json!("")));
        assert!(!Kind::Ip(Family::V4).accepts(&json!("fd00::1")));
        assert!(!Kind::Ip(Family::V6).accepts(&json!("10.0.0.1")));
    }

    #[test]
    fn a_kind_says_what_it_takes() {
        assert_eq!(Kind::Word(&["a", "b"]).to_string(), r#"one of "a", "b""#);
        assert_eq!(Kind::List(&Kind::Str).to_string(), "a list of strings");
        let nested = Kind::Map(&Kind::Map(&Kind::Str));
        assert_eq!(nested.to_string(), "an object of objects");
    }
}
