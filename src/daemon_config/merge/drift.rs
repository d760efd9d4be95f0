//! What was set once and is not so any more.
//!
//! Owns the question what of ours is lost. It must not say who changed it: nobody knows.

use serde_json::{Map, Value};

use super::change::Change;
use crate::daemon_config::document::Document;
use crate::daemon_config::schema::Rule;

/// Of the changes, oldest first, what no longer holds: the keys with what to merge to have it
/// again. Of lists and maps that are merged by entries, only the entries that are lost.
pub(crate) fn drifted(document: &Document, changes: &[Change]) -> Map<String, Value> {
    let ours = ours(changes).into_iter();
    let lost = ours.filter_map(|(key, ours)| {
        let lost = missing(&key, ours, document.get(&key))?;
        Some((key, lost))
    });
    lost.collect()
}

/// Of the changes, oldest first, what still holds: the keys with what we gave them, or the entries.
pub(crate) fn unchanged(document: &Document, changes: &[Change]) -> Map<String, Value> {
    let mut standing = ours(changes);
    for (key, lost) in drifted(document, changes) {
        match (standing.get_mut(&key), lost) {
            (Some(Value::Array(ours)), Value::Array(lost)) => ours.retain(|it| !lost.contains(it)),
            (Some(Value::Object(ours)), Value::Object(lost)) => {
                ours.retain(|name, _| !lost.contains_key(name));
            }
            _ => drop(standing.shift_remove(&key)),
        }
    }
    standing
}

/// What of ours a key lacks by now.
fn missing(key: &str, ours: Value, now: Option<&Value>) -> Option<Value> {
    match (Rule::of(key), ours, now) {
        (Rule::Union, Value::Array(mut ours), Some(Value::Array(now))) => {
            ours.retain(|entry| !now.contains(entry));
            (!ours.is_empty()).then_some(Value::Array(ours))
        }
        (Rule::Entries, Value::Object(mut ours), Some(Value::Object(now))) => {
            ours.retain(|name, entry| now.get(name) != Some(entry));
            (!ours.is_empty()).then_some(Value::Object(ours))
        }
        (_, ours, now) => (Some(&ours) != now).then_some(ours),
    }
}

/// What all changes together added or replaced, and none of them took out again.
pub(super) fn ours(changes: &[Change]) -> Map<String, Value> {
    let mut ours = Map::new();
    for change in changes {
        let earlier = ours.shift_remove(&change.key);
        if let Some(part) = with_change(earlier, change) {
            ours.insert(change.key.clone(), part);
        }
    }
    ours
}

/// Our part of a key after one more change.
fn with_change(earlier: Option<Value>, change: &Change) -> Option<Value> {
    let after = change.after.as_ref()?;
    let rule = Rule::of(&change.key);
    let (none, nothing) = (Value::Array(Vec::new()), Value::Object(Map::new()));
    // A value of another kind has no entries that could be there before.
    let before = change.before.as_ref();
    let before = before.filter(|before| before.is_array() == after.is_array());
    let before = before.filter(|before| before.is_object() == after.is_object());
    let part = match (rule, before.unwrap_or(&none), before.unwrap_or(&nothing)) {
        (Rule::Union, Value::Array(before), _) if after.is_array() => {
            let after = after.as_array()?;
            let mut part = match earlier {
                Some(Value::Array(earlier)) => earlier,
                _ => Vec::new(),
            };
            part.retain(|entry| after.contains(entry) || !before.contains(entry));
            let added: Vec<Value> = after
                .iter()
                .filter(|entry| !before.contains(entry))
                .filter(|it| !part.contains(it))
                .cloned()
                .collect();
            part.extend(added);
            Value::Array(part)
        }
        (Rule::Entries, _, Value::Object(before)) if after.is_object() => {
            let after = after.as_object()?;
            let mut part = match earlier {
                Some(Value::Object(earlier)) => earlier,
                _ => Map::new(),
            };
            part.retain(|name, _| after.contains_key(name) || !before.contains_key(name));
            let set = after
                .iter()
                .filter(|(name, entry)| before.get(*name) != Some(*entry));
            part.extend(set.map(|(name, entry)| (name.clone(), entry.clone())));
            Value::Object(part)
        }
        _ => return Some(after.clone()),
    };
    let is_empty =
        part.as_array().is_some_and(Vec::is_empty) || part.as_object().is_some_and(Map::is_empty);
    (!is_empty || before.is_none()).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::merge::{Weight, merge};
    use crate::daemon_config::samples::{any_object, any_text};
    use proptest::prelude::{prop_assert_eq, proptest};
    use serde_json::json;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    /// What is lost when `wanted` was merged into `text` and somebody then wrote `now`.
    fn lost_after(text: &str, wanted: Value, now: &str) -> Value {
        let merged = merge(document(text), wanted.as_object().unwrap(), Weight::Set);
        Value::Object(drifted(&document(now), &merged.changes))
    }

    #[test]
    fn a_key_that_was_edited_or_taken_out_is_lost() {
        let wanted = || json!({"mtu": 1400, "debug": true});
        assert_eq!(
            lost_after("{}", wanted(), r#"{"mtu": 1400, "debug": true}"#),
            json!({})
        );
        assert_eq!(lost_after("{}", wanted(), r#"{"mtu": 9000}"#), wanted());
    }

    #[test]
    fn of_lists_and_maps_only_our_entries_can_be_lost() {
        let now = r#"{"labels": ["a=1", "c=3"], "log-opts": {"max-size": "9m", "tag": "x"}}"#;
        let theirs = r#"{"labels": ["a=1"], "log-opts": {"tag": "y"}}"#;
        let wanted = json!({"labels": ["a=1", "b=2"], "log-opts": {"max-size": "20m"}});
        assert_eq!(
            lost_after(theirs, wanted, now),
            json!({"labels": ["b=2"], "log-opts": {"max-size": "20m"}})
        );
    }

    #[test]
    fn the_last_change_of_a_key_counts() {
        let changes =
            [(None, json!(1)), (Some(json!(1)), json!(2))].map(|(before, after)| Change {
                key: "mtu".to_owned(),
                before,
                after: Some(after),
            });
        assert_eq!(drifted(&document(r#"{"mtu": 2}"#), &changes), Map::new());
        assert_eq!(drifted(&document(r#"{"mtu": 1}"#), &changes)["mtu"], 2);
    }

    #[test]
    fn what_an_earlier_change_set_is_lost_after_a_later_one_too() {
        let wanted = json!({"log-opts": {"max-size": "20m", "max-file": "5"}, "labels": ["a=1"]});
        let first = merge(document("{}"), wanted.as_object().unwrap(), Weight::Set);
        let wanted = json!({"log-opts": {"max-size": "50m"}, "labels": ["b=2"]});
        let second = merge(first.document, wanted.as_object().unwrap(), Weight::Set);
        let changes = [first.changes, second.changes].concat();
        let now = document(r#"{"log-opts": {"max-size": "50m"}, "labels": ["b=2"]}"#);
        assert_eq!(
            Value::Object(drifted(&now, &changes)),
            json!({"log-opts": {"max-file": "5"}, "labels": ["a=1"]})
        );
        assert_eq!(
            Value::Object(unchanged(&now, &changes)),
            json!({"log-opts": {"max-size": "50m"}, "labels": ["b=2"]})
        );
    }

    proptest! {
        #[test]
        fn after_two_merges_nothing_is_lost_and_without_a_file_all_of_both_is(
            (_, text) in any_text(), first in any_object(), second in any_object()
        ) {
            let once = merge(document(&text), &first, Weight::Set);
            let twice = merge(once.document, &second, Weight::Set);
            let changes = [once.changes, twice.changes].concat();
            prop_assert_eq!(drifted(&twice.document, &changes), Map::new());

            let once = merge(Document::new(), &first, Weight::Set);
            let twice = merge(once.document, &second, Weight::Set);
            let changes = [once.changes, twice.changes].concat();
            prop_assert_eq!(&drifted(&Document::new(), &changes), twice.document.root());
        }

        #[test]
        fn nothing_is_lost_by_a_merge_itself((_, text) in any_text(), wanted in any_object()) {
            let merged = merge(document(&text), &wanted, Weight::Set);
            prop_assert_eq!(drifted(&merged.document, &merged.changes), Map::new());
        }

        #[test]
        fn merging_what_is_lost_brings_it_back(
            (_, text) in any_text(), wanted in any_object(), (_, now) in any_text()
        ) {
            let merged = merge(document(&text), &wanted, Weight::Set);
            let missing = drifted(&document(&now), &merged.changes);
            let back = merge(document(&now), &missing, Weight::Set);
            prop_assert_eq!(drifted(&back.document, &merged.changes), Map::new());
        }
    }
}
