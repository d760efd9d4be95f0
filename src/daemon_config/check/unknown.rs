//! Names at the root of the file that are no keys: those that dockerd passes over, and those that
//! stop it.
//!
//! Source: `findConfigurationConflicts` of dockerd, which takes the name of any flag for a key, and
//! looks for keys one level down as well.

use serde_json::{Map, Value};

use super::findings::Findings;
use crate::daemon_config::document::Document;
use crate::daemon_config::finding::Severity;
use crate::daemon_config::schema::suggestion::{key_of_flag, suggested_key};
use crate::daemon_config::schema::{EngineRelease, key};

/// Flags of dockerd that no key is named after, with the first engine that has each.
const FLAGS: &[(&str, EngineRelease)] = &[
    ("add-runtime", EngineRelease(1, 12)),
    ("authorization-plugin", EngineRelease(1, 12)),
    ("cdi-spec-dir", EngineRelease(25, 0)),
    ("config-file", EngineRelease(1, 12)),
    ("default-address-pool", EngineRelease(18, 6)),
    ("default-network-opt", EngineRelease(24, 0)),
    ("default-ulimit", EngineRelease(1, 12)),
    ("dns-opt", EngineRelease(1, 12)),
    ("exec-opt", EngineRelease(1, 12)),
    ("feature", EngineRelease(27, 0)),
    ("help", EngineRelease(1, 12)),
    ("host", EngineRelease(1, 12)),
    ("http-proxy", EngineRelease(23, 0)),
    ("https-proxy", EngineRelease(23, 0)),
    ("insecure-registry", EngineRelease(1, 12)),
    ("label", EngineRelease(1, 12)),
    ("log-opt", EngineRelease(1, 12)),
    ("no-proxy", EngineRelease(23, 0)),
    ("node-generic-resource", EngineRelease(17, 9)),
    ("registry-mirror", EngineRelease(1, 12)),
    ("storage-opt", EngineRelease(1, 12)),
    ("validate", EngineRelease(23, 0)),
    ("version", EngineRelease(1, 12)),
];

/// Judges a name that is none of the table's.
pub(super) fn check(findings: &mut Findings<'_>, name: &str, value: &Value) {
    if is_flag(name, findings.engine) {
        return check_flag(findings, name, value);
    }
    let cure = match suggested_key(name) {
        Some(suggestion) => format!("write {suggestion}"),
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
        let message = "dockerd would check its file and exit; remove it";
        return findings.error(&[name], message);
    }
    let cure = match key_of_flag(name) {
        Some(suggestion) => format!("write {suggestion}"),
        None => "remove it".to_owned(),
    };
    findings.warn(
        &[name],
        format!("is the name of a flag and has no effect in the file; {cure}"),
    );
}

/// Whether dockerd passes over an entry of this name in a group, which it takes for a key.
pub(super) fn is_passed_over(name: &str, engine: EngineRelease) -> bool {
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

fn is_flag(name: &str, engine: EngineRelease) -> bool {
    let mut flags = FLAGS.iter();
    flags.any(|(flag, since)| *flag == name && engine >= *since)
}

/// The first name in a group that dockerd does not know.
fn stranger(group: &Map<String, Value>, engine: EngineRelease) -> Option<&String> {
    group.keys().find(|name| !is_passed_over(name, engine))
}

#[cfg(test)]
mod tests {
    use crate::daemon_config::check::tests::{findings, findings_of, findings_under};
    use crate::daemon_config::{Context, EngineRelease};

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
            let found = findings(text);
            assert!(found.starts_with("warning"), "{text}: {found}");
            let effect = format!("is the name of a flag and has no effect in the file; {cure}");
            assert!(found.ends_with(&effect), "{text}: {found}");
        }
        assert!(findings(r#"{"validate": true}"#).starts_with("error"));
        let older = Context {
            engine: Some(EngineRelease(26, 1)),
            ..Context::default()
        };
        let found = findings_of(r#"{"feature": ["a=true"]}"#, &older);
        assert!(found.starts_with("error") && found.ends_with("write features"));
    }

    #[test]
    fn a_group_of_known_keys_stops_nothing_and_any_other_does() {
        for text in [
            r#"{"mine": {}}"#,
            r#"{"mine": {"debug": true, "log-opt": 1}}"#,
        ] {
            let found = findings(text);
            assert!(found.starts_with("warning"), "{text}: {found}");
            assert!(found.contains("write what is in it at the root"), "{found}");
        }
        for text in [
            r#"{"mine": {"colour": 1}}"#,
            r#"{"mine": {"proxies": {}}}"#,
            r#"{"mine": []}"#,
            r#"{"cluster-store-opts": {}}"#,
        ] {
            assert!(findings(text).starts_with("error"), "{text}");
        }
        let hosts = r#"{"mine": {"hosts": ["fd://"]}}"#;
        let found = findings_under(hosts, &["-H", "fd://"]);
        assert!(found.contains("mine.hosts: the unit passes -H"), "{found}");
    }
}
