//! The JSON Schema of the settings file, for editors, made from the table of settings and that of
//! daemon.json's keys.
//!
//! It is no stricter than `settings check`, which knows more: values, files, and what goes together.

use serde_json::{Map, Value, json};

use super::table::{Setting, ValueType, table};
use super::value;
use crate::daemon_config::Severity;
use crate::daemon_config::schema::{self as daemon_config, Entries, Support};

/// The schema, by the draft of 2020-12.
pub fn schema() -> Value {
    let properties = table().into_iter().map(|setting| {
        let mut schema = of_kind(&setting.kind);
        let pattern = value::PATTERNS.iter().find(|(key, _)| *key == setting.key);
        if let Some((_, pattern)) = pattern {
            add_pattern(&mut schema, pattern);
        }
        let Setting { key, about, .. } = setting;
        (key.to_owned(), described(schema, &about))
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of dockstrap",
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

fn of_kind(kind: &ValueType) -> Value {
    match kind {
        ValueType::Switch => json!({ "type": "boolean" }),
        ValueType::Text => json!({ "type": "string" }),
        ValueType::Number { least } => json!({ "type": "integer", "minimum": least }),
        ValueType::Choice(values) => json!({ "enum": values }),
        ValueType::List(entries) => json!({ "type": "array", "items": of_kind(entries) }),
        ValueType::Daemon => daemon(),
        ValueType::Registries => json!({
            "type": "object",
            "propertyNames": { "pattern": value::REGISTRY },
            "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "required": ["ca"],
                "properties": {
                    "ca": { "type": "string", "description": "The file (PEM) with its authority" },
                },
            },
        }),
    }
}

/// The keys that dockerd takes.
fn daemon() -> Value {
    let known = daemon_config::keys().filter(|key| key.is_accepted());
    let properties = known.map(|key| {
        let mut schema = described(of_key(key.kind), key.about);
        if matches!(key.support, Support::Ignored { .. }) {
            schema["deprecated"] = json!(true);
        }
        (key.name.to_owned(), schema)
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

/// No stricter than what judges the value: texts have forms that are not told here.
fn of_key(kind: daemon_config::ValueKind) -> Value {
    use daemon_config::ValueKind;
    match kind {
        ValueKind::Bool => json!({ "type": "boolean" }),
        // Earlier engines go on without a port that there cannot be.
        ValueKind::Int | ValueKind::Mtu | ValueKind::Port => json!({ "type": "integer" }),
        ValueKind::Count => json!({ "type": "integer", "minimum": 0 }),
        ValueKind::Word(words) => {
            // Empty text stands for none.
            let words: Vec<&str> = words.iter().copied().chain([""]).collect();
            json!({ "enum": words })
        }
        ValueKind::AnyCaseWord(words) => {
            let words: Vec<String> = words.iter().copied().map(in_any_case).collect();
            json!({ "type": "string", "pattern": format!("^({}|)$", words.join("|")) })
        }
        ValueKind::List(entries) => json!({ "type": "array", "items": of_key(*entries) }),
        ValueKind::Map(entries) => {
            json!({ "type": "object", "additionalProperties": of_key(*entries) })
        }
        ValueKind::Object(entries) => of_entries(entries),
        ValueKind::Any => json!({}),
        _ => json!({ "type": "string" }),
    }
}

/// A pattern for a word in any case: patterns of JSON Schema have no flag for that.
fn in_any_case(word: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphabetic() {
            format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase())
        } else {
            c.to_string()
        }
    };
    word.chars().map(letter).collect()
}

fn of_entries(entries: &Entries) -> Value {
    let known = entries.known.iter();
    let properties = known.map(|(name, kind)| ((*name).to_owned(), of_key(*kind)));
    let is_closed = entries.unknown == Some(Severity::Error) && !entries.any_case;
    json!({
        "type": "object",
        "additionalProperties": !is_closed,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

/// The schema with a description before it, where there is one.
fn described(schema: Value, about: &str) -> Value {
    let mut described = Map::new();
    if !about.is_empty() {
        described.insert("description".to_owned(), json!(about));
    }
    if let Value::Object(schema) = schema {
        described.extend(schema);
    }
    Value::Object(described)
}

/// Texts must be of the pattern, in a list each of them.
fn add_pattern(schema: &mut Value, pattern: &str) {
    match schema.get_mut("items") {
        Some(entries) => add_pattern(entries, pattern),
        None => schema["pattern"] = json!(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{check, sample};

    /// Whether a validator that knows nothing of us takes the file.
    fn is_valid(text: &str) -> bool {
        let value: Value = toml::from_str(text).unwrap();
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema())
            .unwrap();
        validator.is_valid(&value)
    }

    fn is_right(text: &str) -> bool {
        let problems = check(text);
        !problems.iter().any(|it| it.severity == Severity::Error)
    }

    #[test]
    fn the_schema_is_one() {
        assert!(jsonschema::meta::is_valid(&schema()));
    }

    #[test]
    fn the_sample_is_valid_with_and_without_its_settings() {
        assert!(is_valid(&sample()));
        assert!(is_valid(&sample::uncommented()));
    }

    #[test]
    fn what_the_schema_refuses_the_check_refuses() {
        for wrong in [
            "miror = 'https://mirror.example'",
            "mirror = 1",
            "mirror = 'http://mirror.example'",
            "mirror = 'https://me:word@mirror.example'",
            "key-fingerprint = '0EBFCD88'",
            "suite = 'Noble'",
            "engine-version = 'latest'",
            "engine-version = 29",
            "users = 'alice'",
            "users = ['root']",
            "users = ['-rf']",
            "users = ['a b']",
            "proxy-for = ['snap']",
            "preset = 'hard'",
            "lock-wait = -1",
            "lock-wait = '5'",
            "max-index-age = 0",
            "stale = 'ignore'",
            "stale = true",
            "replace = 'yes'",
            "daemon = 5",
            "[daemon]\nmtu = '1400'",
            "[daemon]\nlabel = ['a=1']",
            "[daemon]\ngraph = '/srv'",
            "[daemon]\nlabels = [1]",
            "[daemon]\ndns = [5]",
            "[daemon]\nlog-level = 'loud'",
            "[daemon]\nmax-concurrent-downloads = -1",
            "[daemon]\nlog-opts = { max-size = 5 }",
            "[registries.'https://registry.example']\nca = '/dev/null'",
            "[registries.'registry.example']",
            "[registries.'registry.example']\nca = 5",
            "[registries.'registry.example']\nca = '/no/such'\nuser = 'me'",
        ] {
            assert!(!is_valid(wrong), "the schema takes {wrong}");
            assert!(!is_right(wrong), "the check takes {wrong}");
        }
    }

    #[test]
    fn what_the_check_takes_the_schema_takes() {
        for right in [
            "mirror = 'https://mirror.example:8443/docker/'",
            "mirror = 'HTTPS://mirror.example'",
            "key-fingerprint = '9dc858229fc7dd38854ae2d88d81803c0ebfcd88'",
            "engine-version = '5:29.5.3-1~ubuntu.24.04~noble'",
            "users = []",
            "users = ['alice@example.com', 'DOMAIN\\bob', 'machine$']",
            "proxy-for = []",
            "lock-wait = 0",
            "stale = 'refuse'",
            "replace = false",
            "[daemon]\ndns = ['10.0.0.1', 'fd00::1']\nmtu = 1400\nicc = false\nlog-level = ''",
            "[daemon]\ndefault-ulimits = { nofile = { Name = 'nofile', Soft = 1, Hard = 2 } }",
            "[registries.'registry.example:5000']\nca = '/no/such'",
            "[registries.localhost]\nca = '/no/such'",
        ] {
            assert!(
                is_right(right),
                "the check refuses {right}: {:?}",
                check(right)
            );
            assert!(is_valid(right), "the schema refuses {right}");
        }
    }
}
