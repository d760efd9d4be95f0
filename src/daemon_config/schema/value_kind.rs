//! The types of values, down to the words and forms that each may have.
//!
//! Owns their names for people. Whether a text has its form is judged in `values`.

use std::fmt;
use std::net::IpAddr;

use serde_json::Value;

use crate::daemon_config::finding::Severity;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
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
    Ip(IpFamily),
    /// An address with the length of its prefix.
    Network(IpFamily),
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
    List(&'static ValueKind),
    /// An object with any names.
    Map(&'static ValueKind),
    /// An object with names of its own.
    Object(&'static Entries),
    /// More than one type is taken.
    Any,
}

/// Which addresses are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpFamily {
    V4,
    V6,
    Either,
}

/// What may stand in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entries {
    pub known: &'static [(&'static str, ValueKind)],
    /// How bad any other is; `None` where the runtime may know it.
    pub unknown: Option<Severity>,
    /// Whether `KNOWN` is read as `known`, which dockerd does but for names that are flags as well.
    pub any_case: bool,
}

impl ValueKind {
    /// Whether the value is of this type; entries of lists and maps are of [`ValueKind::entries`], and
    /// texts have a form beside.
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            ValueKind::Bool => value.is_boolean(),
            ValueKind::Int | ValueKind::Count | ValueKind::Port | ValueKind::Mtu => value.is_i64(),
            ValueKind::Ip(family) => value.as_str().is_some_and(|text| family.has(text)),
            ValueKind::List(_) => value.is_array(),
            ValueKind::Map(_) | ValueKind::Object(_) => value.is_object(),
            ValueKind::Any => true,
            _ => value.is_string(),
        }
    }

    /// The type of each entry, where all are of one.
    pub fn entries(self) -> Option<ValueKind> {
        match self {
            ValueKind::List(kind) | ValueKind::Map(kind) => Some(*kind),
            _ => None,
        }
    }

    /// Whether its values are texts.
    pub fn is_text(self) -> bool {
        self.accepts(&Value::from("")) && self != ValueKind::Any
    }

    /// As a word for several of them.
    fn several(self) -> &'static str {
        match self {
            ValueKind::Ip(_) => "IP addresses",
            ValueKind::Listener => "addresses to listen on, such as \"unix:///run/docker.sock\"",
            ValueKind::CgroupDriver => {
                "\"native.cgroupdriver=systemd\" or \"native.cgroupdriver=cgroupfs\""
            }
            ValueKind::Domain => "domains",
            ValueKind::Pair => "strings such as \"name=value\"",
            ValueKind::Mirror => "URLs such as \"https://mirror.example\"",
            ValueKind::Registry => "hosts such as \"registry.example:5000\", or networks",
            ValueKind::Path => "absolute paths",
            ValueKind::Bool => "true or false",
            ValueKind::Map(_) | ValueKind::Object(_) => "objects",
            _ => "strings",
        }
    }
}

impl Entries {
    /// The type of the entry of this name.
    pub(crate) fn kind(&self, name: &str) -> Option<ValueKind> {
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

impl IpFamily {
    /// Whether a text is an address of this family. An empty one is no address given, and a zone
    /// may follow: `fe80::1%eth0`.
    fn has(self, text: &str) -> bool {
        let address = text.split('%').next().unwrap_or(text);
        text.is_empty() || address.parse().is_ok_and(|address| self.includes(address))
    }

    pub(crate) fn includes(self, address: IpAddr) -> bool {
        match self {
            IpFamily::V4 => address.is_ipv4(),
            IpFamily::V6 => address.is_ipv6(),
            IpFamily::Either => true,
        }
    }
}

/// As it follows on "must be".
impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            ValueKind::Bool => "true or false",
            ValueKind::Int => "a whole number",
            ValueKind::Count => "a whole number, 0 or more",
            ValueKind::Port => "a port, 0 to 65535",
            ValueKind::Mtu => "a whole number, 68 to 65535, or 0",
            ValueKind::Word(words) | ValueKind::AnyCaseWord(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                return write!(f, "one of {}", words.join(", "));
            }
            ValueKind::Size => "a string with a size such as \"64m\"",
            ValueKind::SizeOrShare => "a string with a size such as \"20GB\" or \"10%\"",
            ValueKind::Path => "an absolute path",
            ValueKind::Ip(IpFamily::Either) => "a string with an IP address",
            ValueKind::Ip(IpFamily::V4) => "a string with an IPv4 address",
            ValueKind::Ip(IpFamily::V6) => "a string with an IPv6 address",
            ValueKind::Network(IpFamily::V6) => "a string with a network such as \"fd00:12::1/64\"",
            ValueKind::Network(IpFamily::V4) => "a string with a network such as \"172.17.0.1/16\"",
            ValueKind::Network(IpFamily::Either) => {
                "a string with a network such as \"172.17.0.1/16\" or \"fd00:12::1/64\""
            }
            ValueKind::Mark => "a string with a mark such as \"0x1\" or \"0x1/0xff\"",
            ValueKind::HostPort => "a string such as \"127.0.0.1:9323\"",
            ValueKind::Proxy => "a URL such as \"http://proxy.example:3128\"",
            ValueKind::List(kind) => return write!(f, "a list of {}", kind.several()),
            ValueKind::Map(kind) => return write!(f, "an object of {}", kind.several()),
            ValueKind::Object(_) => "an object",
            ValueKind::Any => "anything",
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
        assert!(ValueKind::Int.accepts(&json!(-1)) && ValueKind::Int.accepts(&json!(i64::MAX)));
        assert!(!ValueKind::Int.accepts(&json!(u64::MAX)));
        assert!(!ValueKind::Int.accepts(&json!(1.0)));
        assert!(!ValueKind::Int.accepts(&json!("1")));
    }

    #[test]
    fn an_address_is_of_its_family() {
        assert!(ValueKind::Ip(IpFamily::Either).accepts(&json!("fe80::1%eth0")));
        assert!(ValueKind::Ip(IpFamily::V4).accepts(&json!("")));
        assert!(!ValueKind::Ip(IpFamily::V4).accepts(&json!("fd00::1")));
        assert!(!ValueKind::Ip(IpFamily::V6).accepts(&json!("10.0.0.1")));
    }

    #[test]
    fn a_kind_says_what_it_takes() {
        assert_eq!(
            ValueKind::Word(&["a", "b"]).to_string(),
            r#"one of "a", "b""#
        );
        assert_eq!(
            ValueKind::List(&ValueKind::Str).to_string(),
            "a list of strings"
        );
        let nested = ValueKind::Map(&ValueKind::Map(&ValueKind::Str));
        assert_eq!(nested.to_string(), "an object of objects");
    }
}
