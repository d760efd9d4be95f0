//! What a running engine tells of its configuration, held against the file.
//!
//! Owns which answer belongs to which key. It must not ask the engine.
//!
//! Only keys are here of which the engine says what it was told, in a form that can be told from
//! any other: a storage driver goes by other names with containerd, a folder by its real path.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::document::Document;
use super::types::children;

/// A key, and whether the answer to `GET /info` shows that this value of it is in force; `None`
/// when it does not tell.
type Seen = (&'static str, fn(&Value, &Value) -> Option<bool>);

const SEEN: &[Seen] = &[
    ("debug", |value, info| equals(value, &info["Debug"])),
    ("default-address-pools", has_pools),
    ("default-runtime", |value, info| {
        equals(value, &info["DefaultRuntime"])
    }),
    ("experimental", |value, info| {
        equals(value, &info["ExperimentalBuild"])
    }),
    ("labels", |value, info| {
        includes(&info["Labels"], children(value))
    }),
    ("live-restore", |value, info| {
        equals(value, &info["LiveRestoreEnabled"])
    }),
    ("log-driver", |value, info| {
        equals(value, &info["LoggingDriver"])
    }),
    ("no-new-privileges", has_no_new_privileges),
    ("registry-mirrors", has_mirrors),
    ("runtimes", has_runtimes),
];

/// The keys of the file that the engine has other values for, as far as it tells.
pub fn differing(document: &Document, info: &Value) -> Vec<&'static str> {
    let differs = |(key, is_in_force): &&Seen| {
        let value = document.get(key).filter(|value| !is_blank(value));
        value.and_then(|value| is_in_force(value, info)) == Some(false)
    };
    SEEN.iter().filter(differs).map(|(key, _)| *key).collect()
}

/// Blank values are no values to the engine.
fn is_blank(value: &Value) -> bool {
    value.is_null() || value == ""
}

fn equals(value: &Value, said: &Value) -> Option<bool> {
    (!said.is_null()).then(|| value == said)
}

fn includes(said: &Value, wanted: Vec<(String, &Value)>) -> Option<bool> {
    let said = said.as_array()?;
    Some(wanted.iter().all(|(_, value)| said.contains(value)))
}

fn has_pools(value: &Value, info: &Value) -> Option<bool> {
    let pools = |list: &Value, base: &str, size: &str| -> Option<Vec<(Value, Value)>> {
        let pools = list.as_array()?.iter();
        let pools = pools.map(|pool| (network(&pool[base]), pool[size].clone()));
        Some(pools.collect())
    };
    Some(pools(&info["DefaultAddressPools"], "Base", "Size")? == pools(value, "base", "size")?)
}

/// One network can be written in many ways: `fd00:0::/48`, `FD00::1/48`.
fn network(text: &Value) -> Value {
    let network = text.as_str().and_then(|text| text.parse::<IpNet>().ok());
    network.map_or(text.clone(), |network| network.trunc().to_string().into())
}

fn has_no_new_privileges(value: &Value, info: &Value) -> Option<bool> {
    let options = info["SecurityOptions"].as_array()?;
    let is_on = options.contains(&json!("name=no-new-privileges"));
    Some(value.as_bool()? == is_on)
}

/// The engine writes a slash at the end of each, and `null` for none.
fn has_mirrors(value: &Value, info: &Value) -> Option<bool> {
    let said = info["RegistryConfig"].as_object()?.get("Mirrors");
    let plain = |url: &Value| url.as_str().map(|url| url.trim_end_matches('/').to_owned());
    let said = said.and_then(Value::as_array).into_iter().flatten();
    let said: Vec<Option<String>> = said.map(plain).collect();
    let wanted = value.as_array()?;
    Some(wanted.iter().all(|url| said.contains(&plain(url))))
}

fn has_runtimes(value: &Value, info: &Value) -> Option<bool> {
    let said = info["Runtimes"].as_object()?;
    let names = value.as_object()?.keys();
    Some(names.into_iter().all(|name| said.contains_key(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_json::key;

    fn info() -> Value {
        json!({
            "Debug": false, "DefaultRuntime": "runc", "LiveRestoreEnabled": true,
            "LoggingDriver": "local", "Labels": ["b=2", "a=1"], "ExperimentalBuild": false,
            "SecurityOptions": ["name=seccomp,profile=builtin"],
            "RegistryConfig": {"Mirrors": ["https://mirror.example/"]},
            "Runtimes": {"runc": {"path": "runc"}},
            "DefaultAddressPools": [{"Base": "172.20.0.0/14", "Size": 24}],
        })
    }

    fn differing_in(text: &str) -> Vec<&'static str> {
        differing(&Document::parse(text.as_bytes()).unwrap(), &info())
    }

    #[test]
    fn an_engine_with_the_values_of_the_file_differs_in_nothing() {
        let text = r#"{"debug": false, "live-restore": true, "log-driver": "local",
            "labels": ["a=1", "b=2"], "registry-mirrors": ["https://mirror.example"],
            "default-address-pools": [{"base": "172.20.0.0/14", "size": 24}],
            "no-new-privileges": false, "runtimes": {}, "default-runtime": "", "mtu": 1400}"#;
        assert_eq!(differing_in(text), [""; 0]);
    }

    #[test]
    fn every_value_that_the_engine_shows_can_be_told_from_another() {
        let text = r#"{"debug": true, "live-restore": false, "log-driver": "journald",
            "labels": ["c=3"], "registry-mirrors": ["https://other.example"],
            "default-address-pools": [{"base": "10.0.0.0/8", "size": 24}],
            "no-new-privileges": true, "runtimes": {"a": {"path": "a"}},
            "default-runtime": "a", "experimental": true}"#;
        let names: Vec<&str> = SEEN.iter().map(|(key, _)| *key).collect();
        assert_eq!(differing_in(text), names);
        assert!(names.iter().all(|name| key(name).is_some()));
    }

    #[test]
    fn a_pool_is_the_same_however_its_network_is_written() {
        let info = json!({"DefaultAddressPools": [{"Base": "fd00:12::/48", "Size": 64}]});
        let differing = |base| {
            let pools = json!({"default-address-pools": [{"base": base, "size": 64}]});
            differing(
                &Document::parse(pools.to_string().as_bytes()).unwrap(),
                &info,
            )
        };
        assert_eq!(differing("FD00:0012:0::/48"), [""; 0]);
        assert_eq!(differing("fd00:13::/48"), ["default-address-pools"]);
    }

    #[test]
    fn an_engine_that_does_not_tell_does_not_differ() {
        let document = Document::parse(br#"{"debug": true, "labels": ["a=1"]}"#).unwrap();
        assert_eq!(differing(&document, &json!({})), [""; 0]);
    }
}
