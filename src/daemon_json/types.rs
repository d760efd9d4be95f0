//! Whether each value is of its key's type, and what was meant where it is not.
//!
//! It must not look at what a value of the right type says.

use serde_json::{Value, json};

use super::check::Findings;
use super::schema::Kind;
use crate::redact::redact;

/// Judges a value, and its entries where all are of one type.
pub(super) fn check(findings: &mut Findings<'_>, path: &[&str], kind: Kind, value: &Value) {
    if value.is_null() {
        findings.warn(path, "null is the same to dockerd as no value; remove it");
        return;
    }
    if !kind.accepts(value) {
        let cure = match corrected(kind, value) {
            Some(right) => format!("write {right}"),
            None => format!("{} is not", redact(&value.to_string())),
        };
        findings.error(path, format!("must be {kind}; {cure}"));
        return;
    }
    let Some(entries) = kind.entries() else {
        return;
    };
    for (name, entry) in children(value) {
        check(findings, &[path, &[name.as_str()]].concat(), entries, entry);
    }
}

/// The entries of a list or a map, by index or name.
pub(super) fn children(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Array(list) => (0..).map(|n: usize| n.to_string()).zip(list).collect(),
        Value::Object(map) => map.iter().map(|(name, v)| (name.clone(), v)).collect(),
        _ => Vec::new(),
    }
}

/// The value in the right type, where it is plain what was meant.
fn corrected(kind: Kind, value: &Value) -> Option<Value> {
    match (kind, value) {
        (Kind::Str | Kind::Size, Value::Number(_) | Value::Bool(_)) => {
            Some(json!(value.to_string()))
        }
        (Kind::Bool, Value::String(text)) => text.parse::<bool>().ok().map(Value::from),
        (Kind::Int, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (Kind::StrList | Kind::IpList, Value::String(_)) => Some(json!([value])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::daemon_json::check::tests::problems;

    #[test]
    fn a_wrong_type_comes_with_the_right_value_where_it_is_plain() {
        let right =
            |text: &str, message: &str| assert!(problems(text).ends_with(message), "{text}");
        right(r#"{"debug": "true"}"#, "must be true or false; write true");
        right(r#"{"mtu": "1400"}"#, "must be a whole number; write 1400");
        right(
            r#"{"dns": "1.1.1.1"}"#,
            "must be a list of IP addresses; write [\"1.1.1.1\"]",
        );
        right(
            r#"{"log-opts": {"max-file": 5}}"#,
            r#"max-file: must be a string; write "5""#,
        );
        right(
            r#"{"ip": "here"}"#,
            r#"must be a string with an IP address; "here" is not"#,
        );
        right(
            r#"{"runtimes": {"a": 1}}"#,
            "runtimes.a: must be an object; 1 is not",
        );
    }

    #[test]
    fn an_entry_of_a_list_is_named_by_its_place() {
        let text = "{\"dns-opts\": [\"ndots:1\",\n 9]}";
        let expected = "error: line 2, column 2: dns-opts.1: must be a string; write \"9\"";
        assert_eq!(problems(text), expected);
    }

    #[test]
    fn null_is_no_value() {
        assert!(
            problems(r#"{"labels": null}"#).starts_with("warning: line 1, column 2: labels: null")
        );
    }
}
