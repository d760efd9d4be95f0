//! Wanted keys put into a configuration, by the rule that the table has for each.
//!
//! Owns what the rules do. It must not judge the values.

pub(super) mod change;
pub(super) mod coalesce;
pub(super) mod desired;
pub(super) mod drift;
pub(super) mod edited;
pub(super) mod effective;
pub(super) mod preset;
pub(super) mod revert;

use serde_json::{Map, Value};

use crate::daemon_config::check::logging;
use crate::daemon_config::document::Document;
use crate::daemon_config::schema::Rule;
use change::Change;

/// How much weight the wanted values have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// They win over what is there.
    Set,
    /// They fill what is absent.
    Default,
}

/// The configuration after a merge, and what the merge changed, in the order wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Merged {
    pub document: Document,
    pub changes: Vec<Change>,
}

/// Puts the wanted keys into the document. Keys that are not wanted keep value and place.
///
/// As defaults, logging is filled with care: options belong to one driver. A driver is not
/// filled in over options that are there, nor options under another driver than the wanted one.
#[cfg(test)]
pub(crate) fn merge(current: Document, wanted: &Map<String, Value>, weight: Weight) -> Merged {
    let found = current.root().clone();
    merge_over(&found, current, wanted, weight)
}

/// The same where `current` is the file as it was `found` with other values merged into it: options
/// that came with those are no sign of the driver that the file's owner has in mind.
pub(super) fn merge_over(
    found: &Map<String, Value>,
    current: Document,
    wanted: &Map<String, Value>,
    weight: Weight,
) -> Merged {
    let mut document = current;
    let mut changes = Vec::new();
    let fitting = |(key, _): &(&String, &Value)| {
        weight == Weight::Set || fits_logging(found, document.root(), wanted, key)
    };
    let fitting: Vec<(&String, &Value)> = wanted.iter().filter(fitting).collect();
    for (key, value) in fitting {
        let before = document.get(key).cloned();
        let after = joined(Rule::of(key), before.as_ref(), value, weight);
        if before.as_ref() == Some(&after) {
            continue;
        }
        document.set(key, &after);
        changes.push(Change {
            key: key.clone(),
            before,
            after: Some(after),
        });
    }
    Merged { document, changes }
}

fn fits_logging(
    found: &Map<String, Value>,
    current: &Map<String, Value>,
    wanted: &Map<String, Value>,
    key: &str,
) -> bool {
    match key {
        "log-driver" => !found.contains_key("log-opts"),
        "log-opts" => driver_after(found, current, wanted) == logging::driver(wanted),
        _ => true,
    }
}

/// The driver in force once the defaults are in.
fn driver_after<'a>(
    found: &Map<String, Value>,
    current: &'a Map<String, Value>,
    wanted: &'a Map<String, Value>,
) -> &'a str {
    let silent = !current.contains_key("log-driver") && !found.contains_key("log-opts");
    logging::driver(if silent { wanted } else { current })
}

fn joined(rule: Rule, before: Option<&Value>, value: &Value, weight: Weight) -> Value {
    match (rule, before, value) {
        (Rule::Entries, Some(Value::Object(before)), Value::Object(value)) => {
            Value::Object(with_entries(before, value, weight))
        }
        (_, Some(before), _) if weight == Weight::Default => before.clone(),
        (Rule::Union, Some(Value::Array(before)), Value::Array(value)) => {
            let lacking = value.iter().filter(|entry| !before.contains(entry));
            before.iter().chain(lacking).cloned().collect()
        }
        _ => value.clone(),
    }
}

fn with_entries(
    before: &Map<String, Value>,
    value: &Map<String, Value>,
    weight: Weight,
) -> Map<String, Value> {
    let mut after = before.clone();
    for (name, entry) in value {
        if weight == Weight::Set || !after.contains_key(name) {
            after.insert(name.clone(), entry.clone());
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::document::strict;
    use crate::daemon_config::samples::any_text;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn merged(text: &str, wanted: Value, weight: Weight) -> Merged {
        let document = Document::parse(text.as_bytes()).unwrap();
        merge(document, wanted.as_object().unwrap(), weight)
    }

    /// What a preset may want.
    fn logged() -> Value {
        json!({
            "log-driver": "local",
            "log-opts": {"max-size": "20m", "max-file": "5"},
            "live-restore": true,
        })
    }

    fn root_after(text: &str, wanted: Value, weight: Weight) -> Value {
        let merged = merged(text, wanted, weight);
        Value::Object(merged.document.root().clone())
    }

    #[test]
    fn foreign_keys_keep_value_place_and_bytes() {
        let text = "{\n  \"mtu\" : 1400,\n  \"dns\": [ \"1.1.1.1\" ]\n}\n";
        let after = merged(text, json!({"debug": true}), Weight::Set);
        let expected = "{\n  \"mtu\" : 1400,\n  \"dns\": [ \"1.1.1.1\" ],\n  \"debug\": true\n}\n";
        assert_eq!(after.document.text(), expected);
    }

    #[test]
    fn nothing_to_change_leaves_the_bytes() {
        let text = "{ \"labels\" : [\"a\" , \"b\"] }";
        let after = merged(text, json!({"labels": ["b"]}), Weight::Set);
        assert_eq!((after.document.text(), after.changes.len()), (text, 0));
    }

    #[test]
    fn lists_of_registries_and_labels_are_united() {
        let text = r#"{"labels": ["a"], "dns": ["1.1.1.1"]}"#;
        let wanted = json!({"labels": ["b", "a"], "dns": ["9.9.9.9"]});
        assert_eq!(
            root_after(text, wanted, Weight::Set),
            json!({"labels": ["a", "b"], "dns": ["9.9.9.9"]})
        );
    }

    #[test]
    fn maps_of_independent_entries_are_merged_entry_by_entry() {
        let text = r#"{"runtimes": {"a": {"path": "/a", "x": 1}}, "proxies": {"no-proxy": "x"}}"#;
        let wanted = json!({"runtimes": {"a": {"path": "/b"}}, "proxies": {"http-proxy": "y"}});
        assert_eq!(
            root_after(text, wanted, Weight::Set),
            json!({"runtimes": {"a": {"path": "/b"}}, "proxies": {"http-proxy": "y"}})
        );
    }

    #[test]
    fn a_default_fills_only_what_is_absent() {
        let text = r#"{"debug": false, "features": {"a": false}, "labels": []}"#;
        let wanted = json!({"debug": true, "features": {"a": true, "b": true}, "labels": ["x"]});
        assert_eq!(
            root_after(text, wanted, Weight::Default),
            json!({"debug": false, "features": {"a": false, "b": true}, "labels": []})
        );
    }

    #[test]
    fn default_log_options_are_not_given_to_another_driver() {
        let wanted = logged();
        let text = r#"{"log-driver": "syslog"}"#;
        let after = root_after(text, wanted.clone(), Weight::Default);
        assert_eq!(after, json!({"log-driver": "syslog", "live-restore": true}));
        let local = r#"{"log-driver": "local", "log-opts": {"max-file": "2"}}"#;
        let after = root_after(local, wanted, Weight::Default);
        assert_eq!(
            after["log-opts"],
            json!({"max-file": "2", "max-size": "20m"})
        );
    }

    #[test]
    fn a_default_driver_is_not_put_over_options_written_for_dockerds_own() {
        let text = r#"{"log-opts": {"tag": "x"}}"#;
        let after = root_after(text, logged(), Weight::Default);
        assert_eq!(
            after,
            json!({"log-opts": {"tag": "x"}, "live-restore": true})
        );
    }

    /// The bytes of each property, by its name.
    fn properties(text: &str) -> BTreeMap<String, &str> {
        let tree = strict::tree(text).unwrap();
        let properties = tree.as_object().unwrap().properties.iter().map(|it| {
            let bytes = &text[it.range.start..it.range.end];
            (strict::name_of(text, &it.name), bytes)
        });
        properties.collect()
    }

    proptest! {
        #[test]
        fn merging_twice_is_merging_once_and_foreign_keys_keep_their_place_and_bytes(
            (old, text) in any_text(),
            (_, wanted) in any_text(),
        ) {
            // Values as somebody may have written them.
            let wanted = Document::parse(wanted.as_bytes()).unwrap();
            let wanted = wanted.root();
            for weight in [Weight::Set, Weight::Default] {
                let document = Document::parse(text.as_bytes()).unwrap();
                let once = merge(document, wanted, weight).document;
                let twice = merge(once.clone(), wanted, weight);
                prop_assert_eq!(&twice.document, &once);
                prop_assert_eq!(twice.document.text(), once.text());
                prop_assert!(twice.changes.is_empty());
                let order: Vec<&String> = once.root().keys().take(old.len()).collect();
                prop_assert_eq!(order, old.keys().collect::<Vec<_>>(), "new keys go last");
                let (before, after) = (properties(&text), properties(once.text()));
                let foreign = before.iter().filter(|(key, _)| !wanted.contains_key(*key));
                for (key, bytes) in foreign {
                    prop_assert_eq!(after.get(key), Some(bytes));
                }
            }
        }
    }
}
