//! What somebody changed of the keys that dockstrap set: by name, with what it is now.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::change::Change;
use super::drift::ours;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::redacted::Redacted;
use crate::daemon_config::schema::Rule;

/// A key that was changed since it was set, or an entry of a key that is merged by entries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edited {
    pub key: String,
    pub entry: Option<String>,
    /// `None` where it was removed.
    pub now: Option<Redacted>,
}

impl Edited {
    /// All that has [`drifted`](super::drift::drifted) in the document.
    pub(crate) fn all(document: &Document, lost: &Map<String, Value>) -> Vec<Edited> {
        let mut all = Vec::new();
        for (key, set) in lost {
            let edited = |entry: Option<&String>, now: Option<Redacted>| Edited {
                key: key.clone(),
                entry: entry.cloned(),
                now,
            };
            let now = document.get(key);
            match (Rule::of(key), set, now) {
                (Rule::Entries, Value::Object(set), Some(Value::Object(now))) => {
                    all.extend(set.keys().map(|entry| {
                        let now = now.get(entry);
                        edited(
                            Some(entry),
                            now.map(|now| Redacted::of_entry(key, entry, now)),
                        )
                    }));
                }
                _ => all.push(edited(None, now.map(|now| Redacted::of(key, now)))),
            }
        }
        all
    }

    /// The key, or `KEY.ENTRY`.
    pub(crate) fn name(&self) -> String {
        match &self.entry {
            None => self.key.clone(),
            Some(entry) => format!("{}.{entry}", self.key),
        }
    }

    /// Whether both documents have the same here.
    pub(crate) fn is_same_in(&self, one: &Document, other: &Document) -> bool {
        let mut path = vec![self.key.as_str()];
        path.extend(self.entry.as_deref());
        one.value_at(&path) == other.value_at(&path)
    }
}

/// What is there now.
impl fmt::Display for Edited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.now {
            Some(now) => now.fmt(f),
            None => f.write_str("removed"),
        }
    }
}

/// The names of all that the changes set, oldest first: keys, and entries as `KEY.ENTRY`.
pub(crate) fn names_of(changes: &[Change]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (key, value) in ours(changes) {
        all.extend(names(&key, &value));
        all.insert(key);
    }
    all
}

/// The names of the entries of a value that is merged by entries, or the key's.
pub(crate) fn names(key: &str, value: &Value) -> impl Iterator<Item = String> {
    let entries = match (Rule::of(key), value) {
        (Rule::Entries, Value::Object(entries)) => Some(entries),
        _ => None,
    };
    let whole = entries.is_none().then(|| key.to_owned());
    let entries = entries.into_iter().flat_map(Map::keys);
    entries
        .map(move |entry| format!("{key}.{entry}"))
        .chain(whole)
}

/// What is lost, in two: what these names mean, and the rest.
pub(crate) fn split(
    lost: Map<String, Value>,
    is_named: impl Fn(&str) -> bool,
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut named, mut rest) = (Map::new(), Map::new());
    for (key, value) in lost {
        match (Rule::of(&key), value) {
            (Rule::Entries, Value::Object(entries)) if !is_named(&key) => {
                let is_named = |name: &String| is_named(&format!("{key}.{name}"));
                let (ours, theirs): (Map<_, _>, Map<_, _>) =
                    entries.into_iter().partition(|(name, _)| is_named(name));
                for (part, whole) in [(ours, &mut named), (theirs, &mut rest)] {
                    if !part.is_empty() {
                        whole.insert(key.clone(), Value::Object(part));
                    }
                }
            }
            (_, value) if is_named(&key) => drop(named.insert(key, value)),
            (_, value) => drop(rest.insert(key, value)),
        }
    }
    (named, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn drifted() -> Map<String, Value> {
        let lost = json!({"log-opts": {"max-size": "20m", "max-file": "5"}, "mtu": 1400});
        lost.as_object().unwrap().clone()
    }

    #[test]
    fn what_was_edited_is_told_by_name_with_what_it_is() {
        let now = br#"{"log-opts": {"max-size": "9m"}}"#;
        let edited = Edited::all(&Document::parse(now).unwrap(), &drifted());
        let told = edited.iter().map(|it| format!("{} ({it})", it.name()));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "log-opts.max-size (\"9m\")",
                "log-opts.max-file (removed)",
                "mtu (removed)"
            ]
        );
        let gone = Edited::all(&Document::new(), &drifted());
        assert_eq!(gone[0].name(), "log-opts", "a map that is gone is one fact");
        assert_eq!(gone.len(), 2);
    }

    #[test]
    fn secrets_of_an_entry_are_starred_out() {
        let now = br#"{"log-opts": {"splunk-token": "s3cret"}}"#;
        let lost = json!({"log-opts": {"splunk-token": "0ld"}});
        let edited = Edited::all(&Document::parse(now).unwrap(), lost.as_object().unwrap());
        let told = format!("{edited:?}{}", edited[0]);
        assert!(!told.contains("s3cret") && !told.contains("0ld"), "{told}");
        assert_eq!(edited[0].name(), "log-opts.splunk-token");
    }

    #[test]
    fn what_is_named_is_told_from_the_rest_by_key_and_by_entry() {
        let named = |names: &[&str]| split(drifted(), |name| names.contains(&name));
        let (all, none) = named(&["log-opts", "mtu"]);
        assert_eq!((all, none), (drifted(), Map::new()));
        let (size, rest) = named(&["log-opts.max-size"]);
        assert_eq!(
            Value::Object(size),
            json!({"log-opts": {"max-size": "20m"}})
        );
        let left = json!({"log-opts": {"max-file": "5"}, "mtu": 1400});
        assert_eq!(Value::Object(rest), left);
        assert_eq!(named(&[]).1, drifted());
    }

    #[test]
    fn all_names_are_those_of_keys_and_entries() {
        let changes: Vec<Change> = drifted()
            .into_iter()
            .map(|(key, after)| Change {
                key,
                before: None,
                after: Some(after),
            })
            .collect();
        let names = ["log-opts.max-size", "log-opts.max-file", "log-opts", "mtu"];
        assert_eq!(names_of(&changes), names.map(str::to_owned).into());
    }
}
