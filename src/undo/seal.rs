//! Secrets kept out of the journal: a value with a password stands there as its hash.
//!
//! The hash suffices to tell whether a value is still the one that was set.

use serde_json::Value;

use crate::daemon_config::{Change, Document, SEAL, below};
use crate::redact::{is_secret, is_secret_name};
use crate::trust::sha256_hex;

/// The changes as the journal may hold them.
pub(crate) fn seal(changes: &[Change]) -> Vec<Change> {
    let sealed = |change: &Change| Change {
        key: change.key.clone(),
        before: change.before.as_ref().map(|it| seal_value(&change.key, it)),
        after: change.after.as_ref().map(|it| seal_value(&change.key, it)),
    };
    changes.iter().map(sealed).collect()
}

/// Whether something in the value is sealed, so that nobody knows what it was.
pub(crate) fn is_sealed(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with(SEAL),
        Value::Array(values) => values.iter().any(is_sealed),
        Value::Object(entries) => entries.values().any(is_sealed),
        _ => false,
    }
}

/// The changes as they were made, as far as the document still holds what was sealed.
pub(crate) fn unseal(changes: &[Change], document: &Document) -> Vec<Change> {
    let unsealed = |change: &Change| {
        let now = document.get(&change.key);
        let unsealed = |value: &Value| unseal_value(&change.key, value, now);
        Change {
            key: change.key.clone(),
            before: change.before.as_ref().map(unsealed),
            after: change.after.as_ref().map(unsealed),
        }
    };
    changes.iter().map(unsealed).collect()
}

/// The value of a key with what is sealed in it taken from `now`, where it still is the same.
fn unseal_value(key: &str, value: &Value, now: Option<&Value>) -> Value {
    match (value, now) {
        (Value::String(_), Some(now)) if seal_value(key, now) == *value => now.clone(),
        (Value::Array(values), Some(now @ Value::Array(_))) => {
            let unsealed = |value: &Value| {
                let mut now = below(key, now).map(|(name, _, now)| (name, now));
                let same = now.find(|(name, now)| seal_value(name, now) == *value);
                same.map_or(value, |(_, now)| now).clone()
            };
            values.iter().map(unsealed).collect()
        }
        (Value::Object(_), Some(Value::Object(now))) => below(key, value)
            .map(|(name, entry, value)| {
                let value = unseal_value(name, value, now.get(&entry));
                (entry, value)
            })
            .collect(),
        (other, _) => other.clone(),
    }
}

fn seal_value(key: &str, value: &Value) -> Value {
    let seal = |text: &str| Value::String(format!("{SEAL}{}", sha256_hex(text.as_bytes())));
    let sealed = below(key, value).map(|(name, entry, value)| (entry, seal_value(name, value)));
    match value {
        Value::String(text) if is_secret(key, text) => seal(text),
        Value::Number(number) if is_secret_name(key) => seal(&number.to_string()),
        Value::Array(_) => sealed.map(|(_, value)| value).collect(),
        Value::Object(_) => sealed.collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::revert;
    use serde_json::json;

    fn proxies(proxy: &str) -> Value {
        json!({"https-proxy": proxy, "no-proxy": "localhost"})
    }

    fn document(proxy: &str) -> Document {
        Document::parse(json!({"proxies": proxies(proxy)}).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn fault_13_a_sealed_change_hides_the_password_and_is_still_taken_back() {
        for proxy in ["http://me:s3cret@proxy:3128", "me:s3cret@proxy:3128"] {
            let made = vec![Change {
                key: "proxies".to_owned(),
                before: None,
                after: Some(proxies(proxy)),
            }];
            let sealed = seal(&made);
            let journaled = serde_json::to_string(&sealed).unwrap();
            assert!(!journaled.contains("s3cret"), "{journaled}");
            assert!(journaled.contains("localhost"), "{journaled}");
            assert_eq!(unseal(&sealed, &document(proxy)), made);
            let reverted = revert(document(proxy), &unseal(&sealed, &document(proxy)));
            assert!(reverted.document.is_empty() && reverted.kept.is_empty());
        }
    }

    #[test]
    fn a_password_beside_what_was_set_is_hidden_too_and_comes_back() {
        let text = json!({"log-opts": {"splunk-url": "https://me:s3cret@logs", "tag": "x"},
            "registry-mirrors": ["https://me:s3cret@mirror", "https://other"]});
        let after = Document::parse(text.to_string().as_bytes()).unwrap();
        let changed = |key: &str, before: Value| Change {
            key: key.to_owned(),
            before: Some(before),
            after: after.get(key).cloned(),
        };
        let made = vec![
            changed("log-opts", json!({"splunk-url": "https://me:s3cret@logs"})),
            changed("registry-mirrors", json!(["https://me:s3cret@mirror"])),
        ];
        let sealed = seal(&made);
        let journaled = serde_json::to_string(&sealed).unwrap();
        assert!(!journaled.contains("s3cret"), "{journaled}");
        assert!(
            sealed
                .iter()
                .all(|change| is_sealed(change.before.as_ref().unwrap()))
        );
        assert_eq!(unseal(&sealed, &after), made);
        let reverted = revert(after.clone(), &unseal(&sealed, &after));
        let expected = json!({"log-opts": {"splunk-url": "https://me:s3cret@logs"},
            "registry-mirrors": ["https://me:s3cret@mirror"]});
        assert_eq!(Value::Object(reverted.document.root().clone()), expected);
    }

    #[test]
    fn a_secret_under_its_key_is_sealed_wherever_it_stands() {
        let values = json!({
            "log-opts": {"splunk-token": "s3cret", "x-api-key": 73313, "tag": "x"},
            "runtimes": {"x": {"path": "/x", "runtimeArgs": ["--token", "s3cret", "-v"],
                "options": {"Password": {"value": ["s3cret", "b"]}}}},
        });
        let after = Document::parse(values.to_string().as_bytes()).unwrap();
        let made: Vec<Change> = ["log-opts", "runtimes"]
            .map(|key| Change {
                key: key.to_owned(),
                before: None,
                after: after.get(key).cloned(),
            })
            .into();
        let sealed = seal(&made);
        let journaled = serde_json::to_string(&sealed).unwrap();
        assert!(
            !journaled.contains("s3cret") && !journaled.contains("73313"),
            "{journaled}"
        );
        assert_eq!(unseal(&sealed, &after), made);
        assert!(
            revert(after.clone(), &unseal(&sealed, &after))
                .document
                .is_empty()
        );
    }

    #[test]
    fn a_value_edited_since_is_kept() {
        let made = vec![Change {
            key: "proxies".to_owned(),
            before: None,
            after: Some(proxies("http://me:s3cret@proxy:3128")),
        }];
        let edited = document("http://me:other@proxy:3128");
        let reverted = revert(edited.clone(), &unseal(&seal(&made), &edited));
        assert_eq!(reverted.kept, ["proxies"]);
    }
}
