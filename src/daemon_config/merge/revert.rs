//! Changes taken back out of a configuration that others may have edited since.
//!
//! Owns the question what is still ours. It must not touch what is not.
//!
//! Where a merge only added keys or entries to a file that had some, its revert gives back the
//! same bytes. A value that was replaced comes back equal, but written in our own style.

use serde_json::{Map, Value};

use super::change::Change;
use crate::daemon_config::document::Document;
use crate::daemon_config::schema::Rule;

/// The configuration after a revert.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RevertedDocument {
    /// Empty when all there was came from us: then a file that was not there before can go.
    pub document: Document,
    /// The keys, and entries of maps as `KEY.ENTRY`, that were edited since and so are kept.
    pub kept: Vec<String>,
}

/// Undoes the changes, the last one first, as far as the values are still as we set them.
pub(crate) fn revert(current: Document, changes: &[Change]) -> RevertedDocument {
    let mut reverted = RevertedDocument {
        document: current,
        kept: Vec::new(),
    };
    for change in changes.iter().rev() {
        reverted.undo(change);
    }
    reverted
}

impl RevertedDocument {
    fn undo(&mut self, change: &Change) {
        let now = self.document.get(&change.key).cloned();
        let rule = Rule::of(&change.key);
        let target = match (rule, &now, &change.after) {
            _ if now == change.before => return,
            _ if now == change.after => change.before.clone(),
            (Rule::Union, Some(Value::Array(now)), Some(Value::Array(after))) => {
                without_ours(now, after, change.before.as_ref())
            }
            (Rule::Entries, Some(Value::Object(now)), Some(Value::Object(after))) => {
                self.entries_before(now, after, change)
            }
            _ => {
                self.keep(change.key.clone());
                return;
            }
        };
        match target {
            Some(value) => self.document.set(&change.key, &value),
            None => self.document.remove(&change.key),
        }
    }

    /// The map with our entries undone that are still ours; `None` when that was all of it.
    fn entries_before(
        &mut self,
        now: &Map<String, Value>,
        after: &Map<String, Value>,
        change: &Change,
    ) -> Option<Value> {
        let none = Map::new();
        let before = change.before.as_ref().and_then(Value::as_object);
        let mut target = now.clone();
        for (name, ours) in after {
            let earlier = before.unwrap_or(&none).get(name);
            if now.get(name) == earlier || earlier == Some(ours) {
                continue;
            }
            match (now.get(name) == Some(ours), earlier) {
                (true, Some(earlier)) => drop(target.insert(name.clone(), earlier.clone())),
                (true, None) => drop(target.shift_remove(name)),
                (false, _) => self.keep(format!("{}.{name}", change.key)),
            }
        }
        let all_ours = target.is_empty() && change.before.is_none();
        (!all_ours).then_some(Value::Object(target))
    }

    fn keep(&mut self, key: String) {
        if !self.kept.contains(&key) {
            self.kept.push(key);
        }
    }
}

/// The list without the entries we added; `None` when that was all of it.
fn without_ours(now: &[Value], after: &[Value], before: Option<&Value>) -> Option<Value> {
    let earlier = before
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let is_ours = |entry: &Value| after.contains(entry) && !earlier.contains(entry);
    let target: Vec<Value> = now.iter().filter(|e| !is_ours(e)).cloned().collect();
    let all_ours = target.is_empty() && before.is_none();
    (!all_ours).then_some(Value::Array(target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::check::host_facts::HostFacts;
    use crate::daemon_config::merge::desired::DesiredConfig;
    use crate::daemon_config::merge::preset::Preset;
    use crate::daemon_config::merge::{Merged, Weight, merge};
    use crate::daemon_config::samples::any_text;
    use proptest::prelude::{TestCaseError, prop_assert, prop_assert_eq, proptest};
    use serde_json::json;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    /// Merges into `text`, lets someone edit one key of the result, and reverts.
    fn after_edit(text: &str, wanted: Value, key: &str, edited: Option<Value>) -> RevertedDocument {
        let merged = merge(document(text), wanted.as_object().unwrap(), Weight::Set);
        let mut now = merged.document;
        match edited {
            Some(value) => now.set(key, &value),
            None => now.remove(key),
        }
        revert(now, &merged.changes)
    }

    fn root(reverted: &RevertedDocument) -> Value {
        Value::Object(reverted.document.root().clone())
    }

    #[test]
    fn what_only_we_wrote_leaves_an_empty_object() {
        let desired =
            DesiredConfig::new(Preset::Hardened.entries(&HostFacts::default()), Map::new());
        let merged = desired.merged_into(Document::new());
        let reverted = revert(merged.document, &merged.changes);
        assert!(reverted.document.is_empty());
        assert!(reverted.kept.is_empty());
    }

    #[test]
    fn keys_that_were_there_before_keep_their_bytes() {
        let text = "{\n\t\"mtu\" : 1400 ,\n\t\"labels\": [ \"a\",\"b\" ]}";
        let wanted = json!({"labels": ["c"], "log-opts": {"max-size": "1m"}, "debug": true});
        let merged = merge(document(text), wanted.as_object().unwrap(), Weight::Set);
        assert_eq!(merged.changes.len(), 3);
        assert_eq!(
            revert(merged.document, &merged.changes).document.text(),
            text
        );
    }

    #[test]
    fn a_replaced_value_comes_back() {
        let merged = merge(
            document("{\"mtu\": 9000}"),
            json!({"mtu": 1400}).as_object().unwrap(),
            Weight::Set,
        );
        let reverted = revert(merged.document, &merged.changes);
        assert_eq!(reverted.document.text(), "{\"mtu\": 9000}");
    }

    #[test]
    fn an_edited_key_is_kept_and_reported() {
        let reverted = after_edit("{}", json!({"mtu": 1400}), "mtu", Some(json!(1300)));
        assert_eq!(root(&reverted), json!({"mtu": 1300}));
        assert_eq!(reverted.kept, ["mtu"]);
    }

    #[test]
    fn a_key_someone_removed_stays_removed() {
        let ours = after_edit("{}", json!({"mtu": 1400}), "mtu", None);
        assert!(ours.document.is_empty() && ours.kept.is_empty());
        let theirs = after_edit("{\"mtu\": 9000}", json!({"mtu": 1400}), "mtu", None);
        assert!(theirs.document.is_empty());
        assert_eq!(theirs.kept, ["mtu"]);
    }

    #[test]
    fn only_our_entries_leave_a_list_that_grew() {
        let wanted = json!({"labels": ["ours", "both"]});
        let text = r#"{"labels": ["both"]}"#;
        let edited = json!(["both", "ours", "theirs"]);
        let reverted = after_edit(text, wanted, "labels", Some(edited));
        assert_eq!(root(&reverted), json!({"labels": ["both", "theirs"]}));
        assert!(reverted.kept.is_empty());
    }

    #[test]
    fn only_our_entries_leave_a_map_that_was_edited() {
        let wanted = json!({"log-opts": {"max-size": "20m", "max-file": "5"}});
        let edited = json!({"max-size": "50m", "max-file": "5", "compress": "true"});
        let reverted = after_edit("{}", wanted, "log-opts", Some(edited));
        let left = json!({"log-opts": {"max-size": "50m", "compress": "true"}});
        assert_eq!(root(&reverted), left);
        assert_eq!(reverted.kept, ["log-opts.max-size"]);
    }

    #[test]
    fn changes_of_two_merges_are_undone_from_the_last_to_the_first() {
        let first = merge(
            document("{\"mtu\": 1}"),
            json!({"mtu": 2, "features": {"a": true}})
                .as_object()
                .unwrap(),
            Weight::Set,
        );
        let second = merge(
            first.document,
            json!({"mtu": 3, "features": {"b": true}})
                .as_object()
                .unwrap(),
            Weight::Set,
        );
        let changes = [first.changes, second.changes].concat();
        let reverted = revert(second.document, &changes);
        assert_eq!(reverted.document.text(), "{\"mtu\": 1}");
    }

    /// Whether a change only added to something that was not empty.
    fn only_adds(change: &Change) -> bool {
        match (Rule::of(&change.key), &change.before, &change.after) {
            (_, None, _) => true,
            (Rule::Union, Some(Value::Array(before)), Some(Value::Array(_))) => !before.is_empty(),
            (Rule::Entries, Some(Value::Object(before)), Some(Value::Object(after))) => {
                let same = |(name, entry)| after.get(name) == Some(entry);
                !before.is_empty() && before.iter().all(same)
            }
            _ => false,
        }
    }

    /// Reverts what was merged, which must give back what was there: in the same order, and in the
    /// same bytes where nothing was replaced.
    fn comes_back(
        merged: Merged,
        old: &Map<String, Value>,
        text: &str,
    ) -> Result<(), TestCaseError> {
        let same_bytes = !old.is_empty() && merged.changes.iter().all(only_adds);
        let reverted = revert(merged.document, &merged.changes);
        prop_assert_eq!(reverted.document.root(), old);
        prop_assert!(
            reverted.document.root().keys().eq(old.keys()),
            "in another order"
        );
        prop_assert!(reverted.kept.is_empty());
        if same_bytes {
            prop_assert_eq!(reverted.document.text(), text);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn a_revert_undoes_its_merge((old, text) in any_text(), (wanted, _) in any_text()) {
            for weight in [Weight::Set, Weight::Default] {
                comes_back(merge(document(&text), &wanted, weight), &old, &text)?;
            }
        }

        /// All layers over each other, as they are for a host.
        #[test]
        fn a_revert_undoes_all_wishes((old, text) in any_text(), (settings, _) in any_text()) {
            let preset = Preset::Hardened.entries(&HostFacts::default());
            let desired = DesiredConfig::new(preset, settings);
            let merged = desired.merged_into(document(&text));
            let again = desired.merged_into(merged.document.clone());
            prop_assert!(again.changes.is_empty(), "{:?}", again.changes);
            comes_back(merged, &old, &text)?;
        }
    }
}
