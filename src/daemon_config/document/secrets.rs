//! The secrets of a configuration, found by the keys under which they stand.
//!
//! The table of log drivers names those that dockerd knows; for what no table has, the words are in
//! `redact`. It must not know how anything is shown.

use std::cell::RefCell;
use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::Document;
use crate::redact::{STARS, has_password_named, is_secret, is_secret_name, redact, star_out_named};

/// How a value begins that the journal keeps as its hash only.
pub(crate) const SEAL: &str = "sha256:";

/// A shorter text is a part of many words, and is starred out in quotes only.
const SHORTEST_WORD: usize = 4;

/// The value with something else for each secret in it.
pub(super) fn redacted(name: &str, value: &Value, stars: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) if text.starts_with(SEAL) => stars(text).into(),
        Value::String(text) => star_out_named(name, text, stars).into(),
        Value::Number(number) if is_secret_name(name) => stars(&number.to_string()).into(),
        Value::Array(_) | Value::Object(_) => {
            let shown =
                below(name, value).map(|(of, key, value)| (key, redacted(of, value, stars)));
            match value {
                Value::Array(_) => shown.map(|(_, value)| value).collect(),
                _ => shown
                    .map(|(key, value)| (redact(&key).into_owned(), value))
                    .collect(),
            }
        }
        other => other.clone(),
    }
}

/// The texts with a secret in the value of a key.
pub(crate) fn secrets<'a>(key: &'a str, value: &'a Value) -> Vec<&'a str> {
    named_texts(key, value)
        .into_iter()
        .filter(|(name, text)| is_secret(name, text))
        .map(|(_, text)| text)
        .collect()
}

/// Every text in a value, with the name under which it stands.
fn named_texts<'a>(name: &'a str, value: &'a Value) -> Vec<(&'a str, &'a str)> {
    match value {
        Value::String(text) => vec![(name, text)],
        _ => below(name, value)
            .flat_map(|(name, _, value)| named_texts(name, value))
            .collect(),
    }
}

/// What stands in a list or an object: each with the name that tells whether it is a secret, and
/// with its own. All that stands under the name of a secret is one, and so is what follows in a
/// list on the flag of one.
pub(crate) fn below<'a>(
    name: &'a str,
    value: &'a Value,
) -> Box<dyn Iterator<Item = (&'a str, String, &'a Value)> + 'a> {
    let is_secret = is_secret_name(name);
    match value {
        Value::Array(list) => {
            let flag = |index: usize| {
                let before = list.get(index.checked_sub(1)?)?.as_str()?;
                (before.starts_with('-') && !before.contains('=')).then_some(before)
            };
            Box::new(list.iter().enumerate().map(move |(index, value)| {
                let flag = flag(index).filter(|flag| is_secret_name(flag));
                (flag.unwrap_or(name), index.to_string(), value)
            }))
        }
        Value::Object(map) => Box::new(map.iter().map(move |(key, value)| {
            let of = if is_secret { name } else { key.as_str() };
            (of, key.clone(), value)
        })),
        _ => Box::new(std::iter::empty()),
    }
}

/// The secrets of a configuration, to star them out of what others say about it.
#[derive(Default)]
pub(crate) struct Secrets {
    texts: Vec<String>,
}

impl Secrets {
    /// Those of the file, and of the flags of the engine's unit.
    pub(crate) fn of(document: &Document, flags: &[String]) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.find("", &flags.iter().map(String::as_str).collect());
        for (key, value) in document.root() {
            secrets.find(key, value);
        }
        // One that is a part of another goes after it.
        let order = |text: &String| (Reverse(text.len()), text.clone());
        secrets.texts.sort_by_cached_key(order);
        secrets.texts.dedup();
        secrets
    }

    fn find(&mut self, name: &str, value: &Value) {
        let texts = RefCell::new(Vec::new());
        redacted(name, value, &|text| {
            texts.borrow_mut().push(text.to_owned());
            String::new()
        });
        for text in texts.into_inner() {
            // Of the user and the password of a URL, the engine may name one alone.
            let password = text.split_once(':').map(|(_, password)| password);
            self.texts
                .extend(password.filter(|it| !it.is_empty()).map(str::to_owned));
            self.texts.push(text);
        }
    }

    /// The text without them, however they are quoted in it.
    pub(crate) fn star_out(&self, text: &str) -> String {
        let mut shown = redact(text).into_owned();
        for secret in &self.texts {
            let quoted = Value::from(secret.as_str()).to_string();
            for quoted in [quoted, format!("{secret:?}"), format!("'{secret}'")] {
                shown = shown.replace(&quoted, &format!("\"{STARS}\""));
            }
            if secret.len() >= SHORTEST_WORD {
                shown = shown.replace(secret, STARS);
            }
        }
        shown
    }
}

impl Document {
    /// Whether there is a password in it, or another secret, so that other users must not read it.
    /// A URL that names no more than a user is none.
    pub(crate) fn holds_password(&self) -> bool {
        !self.passwords().is_empty()
    }

    /// Whether there is one in it that is not in the other.
    pub(crate) fn adds_password_to(&self, other: &Document) -> bool {
        let others = other.passwords();
        self.passwords().iter().any(|it| !others.contains(it))
    }

    /// The texts with a password, or another secret as a whole.
    pub(crate) fn passwords(&self) -> Vec<&str> {
        passwords(self.root())
    }
}

/// The texts of these keys with a password, or another secret as a whole.
pub(crate) fn passwords(keys: &Map<String, Value>) -> Vec<&str> {
    let texts = keys.iter().flat_map(|(key, value)| named_texts(key, value));
    let of_password = texts.filter(|(name, text)| has_password_named(name, text));
    of_password.map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::schema::keys;
    use crate::daemon_config::schema::log_drivers::{COMMON, DRIVERS, Form};
    use serde_json::json;

    fn document(value: Value) -> Document {
        Document::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_names_of_secrets_are_those_of_the_tables() {
        let options = DRIVERS.iter().flat_map(|driver| driver.options);
        for (name, form) in options.chain(COMMON) {
            assert_eq!(is_secret_name(name), *form == Form::Secret, "{name}");
        }
        for key in keys() {
            assert!(!is_secret_name(key.name), "{}", key.name);
        }
    }

    #[test]
    fn a_secret_is_found_by_its_key_wherever_it_stands() {
        let all = json!({
            "log-opts": {"splunk-token": "a-1", "tag": "no", "dd-api-key": "a-2"},
            "proxies": {"http-proxy": "me:a-3@proxy", "no-proxy": "no"},
            "registry-mirrors": ["https://me:a-4@mirror"],
            "labels": ["password=a-5", "tag=no"],
            "runtimes": {"x": {"path": "/x", "runtimeArgs": ["--token", "a-6", "--secret=a-7"],
                "options": {"ApiKey": {"value": ["a-8"]}}}},
            "default-network-opts": {"bridge": {"x.password": "a-9"}},
        });
        let all = document(all);
        let texts = all.passwords().join(" ");
        for number in 1..=9 {
            assert!(
                texts.contains(&format!("a-{number}")),
                "{number} in {texts}"
            );
        }
        assert_eq!(all.passwords().len(), 9, "{texts}");
        let shown = redacted("", &Value::Object(all.root().clone()), &|_| {
            "***".to_owned()
        });
        assert!(!shown.to_string().contains("a-"), "{shown}");
        assert_eq!(shown.to_string().matches("no").count(), 4, "{shown}");
    }

    #[test]
    fn only_a_password_is_one() {
        for value in [
            json!({"labels": ["contact=https://ops@example.com"]}),
            json!({"registry-mirrors": ["https://me@mirror"]}),
            json!({"log-opts": {"splunk-token": "", "awslogs-credentials-endpoint": "/x"}}),
        ] {
            assert!(!document(value.clone()).holds_password(), "{value}");
        }
        assert!(document(json!({"log-opts": {"splunk-token": "x"}})).holds_password());
    }

    #[test]
    fn what_others_say_is_rid_of_secrets_in_any_quotes() {
        let document = document(json!({
            "log-opts": {"splunk-token": "q\"uo te", "x-token": "ab"},
            "proxies": {"http-proxy": "http://me:pass-word@proxy"},
        }));
        let flags = ["--log-opt", "y-token=of-flag", "--token", "apart"].map(str::to_owned);
        let secrets = Secrets::of(&document, &flags);
        for (said, shown) in [
            (r#"got "q\"uo te" there"#, r#"got "***" there"#),
            ("got q\"uo te there", "got *** there"),
            ("user me with pass-word", "user me with ***"),
            ("got of-flag and apart", "got *** and ***"),
            ("about \"ab\", not 'ab'", "about \"***\", not \"***\""),
        ] {
            assert_eq!(secrets.star_out(said), shown);
        }
    }
}
