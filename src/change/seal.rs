//! Secrets kept out of the journal: a value with a password stands there as its hash.
//!
//! The hash suffices to tell whether a value is still the one that was set.

use serde_json::Value;

use crate::daemon_json::{Change, Document};
use crate::redact::has_credentials;
use crate::trust::sha256_hex;

const SEAL: &str = "sha256:";

/// The changes as the journal may hold them.
pub(super) fn seal(changes: &[Change]) -> Vec<Change> {
    let sealed = |change: &Change| Change {
        after: change.after.as_ref().map(seal_value),
        ..change.clone()
    };
    changes.iter().map(sealed).collect()
}

/// The changes as they were made, as far as the document still holds what was sealed.
pub(super) fn unseal(changes: &[Change], document: &Document) -> Vec<Change> {
    let unsealed = |change: &Change| {
        let now = document.get(&change.key);
        let after = match now {
            Some(now) if Some(seal_value(now)) == change.after => Some(now.clone()),
            _ => change.after.clone(),
        };
        Change {
            after,
            ..change.clone()
        }
    };
    changes.iter().map(unsealed).collect()
}

fn seal_value(value: &Value) -> Value {
    match value {
        Value::String(text) if has_credentials(text) => {
            Value::String(format!("{SEAL}{}", sha256_hex(text.as_bytes())))
        }
        Value::Array(values) => values.iter().map(seal_value).collect(),
        Value::Object(entries) => {
            let sealed = |(name, value): (&String, &Value)| (name.clone(), seal_value(value));
            Value::Object(entries.iter().map(sealed).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_json::revert;
    use serde_json::json;

    fn proxies(proxy: &str) -> Value {
        json!({"https-proxy": proxy, "no-proxy": "localhost"})
    }

    fn document(proxy: &str) -> Document {
        Document::parse(json!({"proxies": proxies(proxy)}).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn fault_13_a_sealed_change_hides_the_password_and_is_still_taken_back() {
        let proxy = "http://me:s3cret@proxy:3128";
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
