//! What was set once and is not so any more.
//!
//! Owns the question what of ours is lost. It must not say who changed it: nobody knows.

use serde_json::{Map, Value};

use super::change::Change;
use super::document::Document;
use super::merge::Rule;

/// Of the changes, oldest first, what no longer holds: the keys with what to merge to have it
/// again. Of lists and maps that are merged by entries, only the entries that are lost.
pub fn lost(document: &Document, changes: &[Change]) -> Map<String, Value> {
    let mut lost = Map::new();
    for change in changes {
        let Some(ours) = ours(change) else {
            lost.shift_remove(&change.key);
            continue;
        };
        let now = document.get(&change.key);
        let missing = match (Rule::of(&change.key), ours, now) {
            (Rule::Union, Value::Array(ours), Some(Value::Array(now))) => {
                let missing = ours.into_iter().filter(|entry| !now.contains(entry));
                Value::Array(missing.collect())
            }
            (Rule::Entries, Value::Object(ours), Some(Value::Object(now))) => {
                let missing = ours
                    .into_iter()
                    .filter(|(name, entry)| now.get(name) != Some(entry));
                Value::Object(missing.collect())
            }
            (_, ours, Some(now)) if ours == *now => Value::Null,
            (_, ours, _) => ours,
        };
        let nothing = match &missing {
            Value::Null => true,
            Value::Array(list) => list.is_empty() && now.is_some(),
            Value::Object(map) => map.is_empty() && now.is_some(),
            _ => false,
        };
        match nothing {
            true => drop(lost.shift_remove(&change.key)),
            false => drop(lost.insert(change.key.clone(), missing)),
        }
    }
    lost
}

/// The part of a change that it added or replaced; `None` when it took the key out.
fn ours(change: &Change) -> Option<Value> {
    let after = change.after.clone()?;
    Some(match (Rule::of(&change.key), after, &change.before) {
        (Rule::Union, Value::Array(after), Some(Value::Array(before))) => Value::Array(
            after
                .into_iter()
                .filter(|entry| !before.contains(entry))
                .collect(),
        ),
        (Rule::Entries, Value::Object(after), Some(Value::Object(before))) => Value::Object(
            after
                .into_iter()
                .filter(|(name, entry)| before.get(name) != Some(entry))
                .collect(),
        ),
        (_, after, _) => after,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_json::merge::{Wanted, merge};
    use crate::daemon_json::samples::{any_object, any_text};
    use proptest::prelude::{prop_assert_eq, proptest};
    use serde_json::json;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    /// What is lost when `wanted` was merged into `text` and somebody then wrote `now`.
    fn lost_after(text: &str, wanted: Value, now: &str) -> Value {
        let merged = merge(document(text), wanted.as_object().unwrap(), Wanted::Set);
        Value::Object(lost(&document(now), &merged.changes))
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
        assert_eq!(lost(&document(r#"{"mtu": 2}"#), &changes), Map::new());
        assert_eq!(lost(&document(r#"{"mtu": 1}"#), &changes)["mtu"], 2);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_by_a_merge_itself((_, text) in any_text(), wanted in any_object()) {
            let merged = merge(document(&text), &wanted, Wanted::Set);
            prop_assert_eq!(lost(&merged.document, &merged.changes), Map::new());
        }

        #[test]
        fn merging_what_is_lost_brings_it_back(
            (_, text) in any_text(), wanted in any_object(), (_, now) in any_text()
        ) {
            let merged = merge(document(&text), &wanted, Wanted::Set);
            let missing = lost(&document(&now), &merged.changes);
            let back = merge(document(&now), &missing, Wanted::Set);
            prop_assert_eq!(lost(&back.document, &merged.changes), Map::new());
        }
    }
}
