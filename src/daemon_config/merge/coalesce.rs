//! What several runs did to a configuration, made into what there is to go back to.
//!
//! Owns the question which change only put back what an earlier one had set.

use serde_json::Value;

use super::change::Change;
use crate::daemon_config::schema::Rule;

/// Of the changes of several runs, the oldest run first, leaves out what only put back what an
/// earlier one had set: the value that somebody gave it meanwhile is not one to go back to.
pub(crate) fn coalesce(runs: &mut [&mut Vec<Change>]) {
    for run in 1..runs.len() {
        let (earlier, later) = runs.split_at_mut(run);
        later[0].retain_mut(|change| !is_put_back(earlier, change));
    }
}

/// Whether a change leads back to where an earlier one had led; those in between then go. Entries
/// of a map that it puts back count as being there before.
fn is_put_back(earlier: &mut [&mut Vec<Change>], change: &mut Change) -> bool {
    let of_key = |it: &Change| it.key == change.key;
    let leads_there = |run: &&mut Vec<Change>| {
        let mut changes = run.iter();
        changes.any(|it| of_key(it) && it.after == change.after)
    };
    if let Some(place) = earlier.iter().rposition(leads_there) {
        for run in &mut earlier[place + 1..] {
            run.retain(|it| !of_key(it));
        }
        return true;
    }
    let (Some(Value::Object(before)), Some(Value::Object(after)), Rule::Entries) =
        (&mut change.before, &change.after, Rule::of(&change.key))
    else {
        return false;
    };
    let key = &change.key;
    for known in earlier
        .iter()
        .flat_map(|run| run.iter())
        .filter(|it| it.key == *key)
    {
        let entry = |value: &Option<Value>, name: &str| value.as_ref()?.get(name).cloned();
        for (name, value) in after {
            let was_ours = entry(&known.after, name).as_ref() == Some(value);
            if was_ours && entry(&known.before, name).as_ref() != Some(value) {
                before.insert(name.clone(), value.clone());
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::document::Document;
    use crate::daemon_config::merge::revert::{RevertedDocument, revert};
    use crate::daemon_config::merge::{Weight, merge};
    use serde_json::json;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    fn root(reverted: &RevertedDocument) -> Value {
        Value::Object(reverted.document.root().clone())
    }

    /// Merges one after the other, each into what somebody made of the one before, and takes all
    /// back.
    fn after_runs(runs: &[(&str, Value)]) -> RevertedDocument {
        let (mut now, mut changes) = (Document::new(), Vec::new());
        for (found, wanted) in runs {
            let merged = merge(document(found), wanted.as_object().unwrap(), Weight::Set);
            changes.push(merged.changes);
            now = merged.document;
        }
        coalesce(&mut changes.iter_mut().collect::<Vec<_>>());
        revert(now, &changes.concat())
    }

    #[test]
    fn what_was_put_back_is_taken_out_and_not_made_what_it_was_meanwhile() {
        let on = || json!({"live-restore": true});
        let one = after_runs(&[("{}", on()), (r#"{"live-restore": false}"#, on())]);
        assert!(one.document.is_empty() && one.kept.is_empty(), "{one:?}");

        let sized = || json!({"log-opts": {"max-size": "20m", "max-file": "5"}});
        let edited = r#"{"log-opts": {"max-size": "50m", "max-file": "5", "tag": "x"}}"#;
        let entry = after_runs(&[("{}", sized()), (edited, sized())]);
        assert_eq!(root(&entry), json!({"log-opts": {"tag": "x"}}));
        assert!(entry.kept.is_empty(), "{:?}", entry.kept);

        let mtu = |mtu: u32| json!({ "mtu": mtu });
        let there_and_back = [
            ("{}", mtu(1)),
            (r#"{"mtu": 1}"#, mtu(2)),
            (r#"{"mtu": 9}"#, mtu(1)),
        ];
        let back = after_runs(&there_and_back);
        assert!(back.document.is_empty() && back.kept.is_empty(), "{back:?}");
    }

    #[test]
    fn a_value_that_was_edited_and_then_set_to_another_is_the_one_to_go_back_to() {
        let runs = [
            ("{}", json!({"mtu": 1})),
            (r#"{"mtu": 9}"#, json!({"mtu": 2})),
        ];
        let reverted = after_runs(&runs);
        assert_eq!(root(&reverted), json!({"mtu": 9}));
        assert_eq!(reverted.kept, ["mtu"]);
    }
}
