//! Values of a configuration as they may be shown: each with its secrets starred out, by type, so
//! that nobody who prints one has to think of them.

use std::cell::RefCell;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use similar::TextDiff;

use super::Document;
use super::edit;
use super::secrets::{passwords, redacted};
use crate::daemon_config::PATH;
use crate::redact::STARS;

/// Around the number of a secret, until the stars take its place: two of them differ in a diff.
const MARKS: [char; 2] = ['\u{e000}', '\u{e001}'];

/// A value as it may be shown: secrets in it are starred out.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Redacted(Value);

impl Redacted {
    /// The value of this key.
    pub(crate) fn of(key: &str, value: &Value) -> Redacted {
        Redacted(redacted(key, value, &|_| STARS.to_owned()))
    }

    /// The value of this entry of a key.
    pub(crate) fn of_entry(key: &str, entry: &str, value: &Value) -> Redacted {
        let alone = Map::from_iter([(entry.to_owned(), value.clone())]);
        let Redacted(shown) = Redacted::of(key, &Value::Object(alone));
        let mut values = shown.as_object().into_iter().flat_map(Map::values);
        Redacted(values.next().cloned().unwrap_or_default())
    }

    /// All keys with their values.
    pub(crate) fn all(keys: &Map<String, Value>) -> Redacted {
        Redacted::of("", &Value::Object(keys.clone()))
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq<Value> for Redacted {
    fn eq(&self, other: &Value) -> bool {
        self.0 == *other
    }
}

/// Keys of a configuration with values that may be secret, which are not shown.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct DaemonKeys(Map<String, Value>);

impl DaemonKeys {
    /// The values themselves, which are not to be shown.
    pub fn exposed(&self) -> &Map<String, Value> {
        &self.0
    }

    /// These keys over others.
    pub(crate) fn over(self, below: DaemonKeys) -> DaemonKeys {
        DaemonKeys(below.0.into_iter().chain(self.0).collect())
    }

    /// Whether one of them holds a password, or another secret.
    pub(crate) fn holds_password(&self) -> bool {
        !passwords(&self.0).is_empty()
    }
}

impl From<Map<String, Value>> for DaemonKeys {
    fn from(keys: Map<String, Value>) -> DaemonKeys {
        DaemonKeys(keys)
    }
}

impl Serialize for DaemonKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Redacted::all(&self.0).serialize(serializer)
    }
}

impl fmt::Debug for DaemonKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Redacted::all(&self.0), f)
    }
}

/// The change of the file as a unified diff.
pub(crate) fn diff(old: Option<&Document>, new: &Document) -> String {
    let known = RefCell::new(Vec::new());
    let marked = |document: &Document| marked(document, &known);
    let (old, new) = (old.map(marked).unwrap_or_default(), marked(new));
    let diff = TextDiff::from_lines(&old, &new)
        .unified_diff()
        .header(PATH, PATH)
        .to_string();
    let [begin, end] = MARKS;
    let mut parts = diff.split(begin);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| {
        let rest = part.split_once(end).map_or(part, |(_, rest)| rest);
        shown + STARS + rest
    })
}

/// The text of a document with a number in the place of each secret.
fn marked(document: &Document, known: &RefCell<Vec<String>>) -> String {
    let number = |secret: &str| {
        let mut known = known.borrow_mut();
        let number = known.iter().position(|it| it == secret).unwrap_or_else(|| {
            known.push(secret.to_owned());
            known.len() - 1
        });
        let [begin, end] = MARKS;
        format!("{begin}{number}{end}")
    };
    match redacted("", &Value::Object(document.root().clone()), &number) {
        Value::Object(keys) => edit::rewrite(document.text(), &keys),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn whoever_prints_a_value_prints_stars() {
        let value = json!({"splunk-token": "s3cret", "tag": "x"});
        let shown = Redacted::of("log-opts", &value);
        let stars = r#"{"splunk-token":"***","tag":"x"}"#;
        assert_eq!(shown.to_string(), stars);
        assert_eq!(format!("{shown:?}"), stars);
        assert_eq!(serde_json::to_string(&shown).unwrap(), stars);
        let keys = DaemonKeys::from(Map::from_iter([("log-opts".to_owned(), value)]));
        let json = serde_json::to_string(&keys).unwrap();
        assert!(!format!("{keys:?}{json}").contains("s3cret"));
        assert_eq!(keys.exposed()["log-opts"]["splunk-token"], "s3cret");
    }

    #[test]
    fn a_diff_shows_that_a_secret_changes_and_not_the_secret() {
        let old = document("{\n  \"log-opts\": {\"splunk-token\":\n \"one\"},\n  \"mtu\": 1}\n");
        let new = document("{\n  \"log-opts\": {\"splunk-token\":\n \"two\"},\n  \"mtu\": 1}\n");
        let shown = diff(Some(&old), &new);
        assert!(shown.contains("\n- \"***\"},\n+ \"***\"},\n"), "{shown}");
        assert!(!shown.contains("one") && !shown.contains("two"), "{shown}");
        assert_eq!(diff(Some(&old), &old), "");
        let proxy = document(r#"{"proxies": {"http-proxy": "me:s3cret@proxy"}}"#);
        assert!(diff(None, &proxy).contains(r#"+{"proxies": {"http-proxy": "***@proxy"}}"#));
    }
}
