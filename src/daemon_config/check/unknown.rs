//! Names at the root of the file that are no keys: those that dockerd passes over, and those that
//! stop it.
//!
//! Source: `findConfigurationConflicts` of dockerd, which takes the name of any flag for a key, and
//! looks for keys one level down as well.

use serde_json::{Map, Value};

use super::findings::Findings;
use crate::daemon_config::document::Document;
use crate::daemon_config::finding::Severity;
use crate::daemon_config::schema::suggestion::{key_meant_by, key_of_flag};
use crate::daemon_config::schema::{Engine, key};

/// Flags of dockerd that no key is named after, with the first engine that has each.
const FLAGS: &[(&str, Engine)] = &[
    ("add-runtime", Engine(1, 12)),
    ("authorization-plugin", Engine(1, 12)),
    ("cdi-spec-dir", Engine(25, 0)),
    ("config-file", Engine(1, 12)),
    ("default-address-pool", Engine(18, 6)),
    ("default-network-opt", Engine(24, 0)),
    ("default-ulimit", Engine(1, 12)),
    ("dns-opt", Engine(1, 12)),
    ("exec-opt", Engine(1, 12)),
    ("feature", Engine(27, 0)),
    ("help", Engine(1, 12)),
    ("host", Engine(1, 12)),
    ("http-proxy", Engine(23, 0)),
    ("https-proxy", Engine(23, 0)),
    ("insecure-registry", Engine(1, 12)),
    ("label", Engine(1, 12)),
    ("log-opt", Engine(1, 12)),
    ("no-proxy", Engine(23, 0)),
    ("node-generic-resource", Engine(17, 9)),
    ("registry-mirror", Engine(1, 12)),
    ("storage-opt", Engine(1, 12)),
    ("validate", Engine(23, 0)),
    ("version", Engine(1, 12)),
];

/// Judges a name that is none of the table's.
pub(super) fn check(findings: &mut Findings<'_>, name: &str, value: &Value) {
    if is_flag(name, findings.engine) {
        return check_flag(findings, name, value);
    }
    let cure = match key_meant_by(name) {
        Some(meant) => format!("write {meant}"),
        None => "remove it".to_owned(),
    };
    let engine = findings.engine;
    let (severity, message) = match value {
        Value::Object(group) => match stranger(group, engine) {
            None => (
                Severity::Warning,
                "is no key: dockerd takes only switches out of it; write what is in it at the \
                 root"
                    .to_owned(),
            ),
            Some(child) => (
                Severity::Error,
                format!("dockerd knows no such key, and none named {child}; {cure}"),
            ),
        },
        _ => (
            Severity::Error,
            format!("dockerd knows no such key; {cure}"),
        ),
    };
    findings.add(severity, &[name], message);
}

fn check_flag(findings: &mut Findings<'_>, name: &str, value: &Value) {
    if name == "validate" && value == &Value::Bool(true) {
        let message = "dockerd would look at its file and end; remove it";
        return findings.error(&[name], message);
    }
    let cure = match key_of_flag(name) {
        Some(meant) => format!("write {meant}"),
        None => "remove it".to_owned(),
    };
    findings.warn(
        &[name],
        format!("is the name of a flag and has no effect in the file; {cure}"),
    );
}

/// Whether dockerd passes over an entry of this name in a group, which it takes for a key.
pub(super) fn is_passed_over(name: &str, engine: Engine) -> bool {
    let has_flag = name != "proxies"; // it is a group itself
    let is_key = key(name).is_some_and(|key| key.is_taken_by(engine));
    has_flag && (is_key || is_flag(name, engine))
}

/// Where the key stands, at the root or in a group that is no key.
pub(super) fn place<'a>(document: &'a Document, path: &[&'a str]) -> Option<Vec<&'a str>> {
    if document.value_at(path).is_some() {
        return Some(path.to_vec());
    }
    let [name] = path else { return None };
    let mut groups = document.root().iter();
    let (group, _) =
        groups.find(|(group, value)| key(group).is_none() && value.get(name).is_some())?;
    Some(vec![group.as_str(), *name])
}

fn is_flag(name: &str, engine: Engine) -> bool {
    let mut flags = FLAGS.iter();
    flags.any(|(flag, since)| *flag == name && engine >= *since)
}

/// The first name in a group that dockerd does not know.
fn stranger(group: &Map<String, Value>, engine: Engine) -> Option<&String> {
    group.keys().find(|name| !is_passed_over(name, engine))
}

#[cfg(test)]
mod tests {
    use crate::daemon_config::check::tests::{problems, problems_of, problems_under};
    use crate::daemon_config::{Context, Engine};

    #[test]
    fn a_flags_name_has_no_effect_and_stops_nothing() {
        for (text, cure) in [
            (r#"{"log-opt": ["max-size=1m"]}"#, "write log-opts"),
            (r#"{"host": []}"#, "write hosts"),
            (r#"{"label": 5}"#, "write labels"),
            (r#"{"add-runtime": null}"#, "write runtimes"),
            (r#"{"http-proxy": "x"}"#, "write proxies.http-proxy"),
            (r#"{"validate": false}"#, "remove it"),
        ] {
            let found = problems(text);
            assert!(found.starts_with("warning"), "{text}: {found}");
            let effect = format!("is the name of a flag and has no effect in the file; {cure}");
            assert!(found.ends_with(&effect), "{text}: {found}");
        }
        assert!(problems(r#"{"validate": true}"#).starts_with("error"));
        let older = Context {
            engine: Some(Engine(26, 1)),
            ..Context::default()
        };
        let found = problems_of(r#"{"feature": ["a=true"]}"#, &older);
        assert!(found.starts_with("error") && found.ends_with("write features"));
    }

    #[test]
    fn a_group_of_known_keys_stops_nothing_and_any_other_does() {
        for text in [
            r#"{"mine": {}}"#,
            r#"{"mine": {"debug": true, "log-opt": 1}}"#,
        ] {
            let found = problems(text);
            assert!(found.starts_with("warning"), "{text}: {found}");
            assert!(found.contains("write what is in it at the root"), "{found}");
        }
        for text in [
            r#"{"mine": {"colour": 1}}"#,
            r#"{"mine": {"proxies": {}}}"#,
            r#"{"mine": []}"#,
            r#"{"cluster-store-opts": {}}"#,
        ] {
            assert!(problems(text).starts_with("error"), "{text}");
        }
        let hosts = r#"{"mine": {"hosts": ["fd://"]}}"#;
        let found = problems_under(hosts, &["-H", "fd://"]);
        assert!(found.contains("mine.hosts: the unit passes -H"), "{found}");
    }
}
