//! Whether each value is of its key's type, and what was meant where it is not.
//!
//! It must not look at what a text of the right type says: its form is judged in `values`.

use serde_json::{Value, json};

use super::findings::Findings;
use super::unknown::is_passed_over;
use super::values;
use crate::daemon_config::document::entries::children;
use crate::daemon_config::finding::Severity;
use crate::daemon_config::schema::suggestion::cure;
use crate::daemon_config::schema::{EngineRelease, Entries, ValueKind};

/// Judges a value, and all that stands in it.
pub(super) fn check(findings: &mut Findings<'_>, path: &[&str], kind: ValueKind, value: &Value) {
    if value.is_null() {
        // Judged as a group of keys, see `inside`.
        if path != ["proxies"] {
            findings.warn(path, "null is the same to dockerd as no value; remove it");
        }
        return;
    }
    if !kind.accepts(value) {
        let cure = match corrected(kind, value) {
            Some(right) => format!("write {right}"),
            None => format!("{value} is not"),
        };
        findings.error(path, format!("must be {kind}; {cure}"));
        return;
    }
    if let ValueKind::Object(entries) = kind {
        return check_entries(findings, path, entries, value);
    }
    let Some(entries) = kind.entries() else {
        return values::check(findings, path, kind, value);
    };
    for (name, entry) in children(value) {
        let path = [path, &[name.as_str()]].concat();
        check(findings, &path, entries, entry);
        if entry.is_null() && matches!(kind, ValueKind::List(_)) && entries.is_text() {
            // In a list, it is the same as an empty text.
            values::check(findings, &path, entries, &json!(""));
        }
    }
}

/// Every entry must be known, or it is as bad as that is, and be of its type.
fn check_entries(findings: &mut Findings<'_>, path: &[&str], entries: &Entries, value: &Value) {
    for (name, entry) in children(value) {
        let path = [path, &[name.as_str()]].concat();
        if let Some(kind) = entries.kind(&name) {
            check(findings, &path, kind, entry);
        } else if let Some(severity) = severity_of(findings.engine, entries, &name, entry) {
            let names = || entries.known.iter().map(|(name, _)| *name);
            let message = format!("dockerd knows no such entry here; {}", cure(&name, names));
            findings.add(severity, &path, message);
        }
    }
}

/// How bad an entry is that is none of these. An empty list that is passed over does not matter, and
/// in a group of keys, those of the root are passed over.
fn severity_of(
    engine: EngineRelease,
    entries: &Entries,
    name: &str,
    value: &Value,
) -> Option<Severity> {
    match entries.unknown {
        Some(Severity::Warning) if value.as_array().is_some_and(Vec::is_empty) => None,
        Some(Severity::Error) if !entries.any_case && is_passed_over(name, engine) => {
            Some(Severity::Warning)
        }
        severity => severity,
    }
}

/// The value in the right type, where it is plain what was meant.
fn corrected(kind: ValueKind, value: &Value) -> Option<Value> {
    match (kind, value) {
        (_, Value::Number(_) | Value::Bool(_)) if kind.is_text() => Some(json!(value.to_string())),
        (ValueKind::Bool, Value::String(text)) => text.parse::<bool>().ok().map(Value::from),
        (
            ValueKind::Int | ValueKind::Count | ValueKind::Port | ValueKind::Mtu,
            Value::String(text),
        ) => text.parse::<i64>().ok().map(Value::from),
        (ValueKind::List(kind), Value::String(_)) if kind.is_text() => Some(json!([value])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::daemon_config::check::tests::findings;

    #[test]
    fn a_wrong_type_comes_with_the_right_value_where_it_is_plain() {
        let right =
            |text: &str, message: &str| assert!(findings(text).ends_with(message), "{text}");
        right(r#"{"debug": "true"}"#, "must be true or false; write true");
        right(
            r#"{"shutdown-timeout": "15"}"#,
            "must be a whole number; write 15",
        );
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
        assert_eq!(findings(text), expected);
    }

    #[test]
    fn null_is_no_value() {
        assert!(
            findings(r#"{"labels": null}"#).starts_with("warning: line 1, column 2: labels: null")
        );
        let entry = findings(r#"{"registry-mirrors": [null]}"#);
        assert!(
            entry.contains("error") && entry.contains("must start with https"),
            "{entry}"
        );
        assert!(!findings(r#"{"dns-opts": [null]}"#).contains("error"));
    }
}
