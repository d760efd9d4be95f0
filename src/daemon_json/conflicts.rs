//! Keys that do not go together, with each other or with what the host is.
//!
//! The table names them; this owns when each is the case. It must not judge a value by itself.

use std::collections::HashMap;

use serde_json::Value;

use super::DATA_ROOT;
use super::check::{Context, Findings};
use super::document::Document;
use super::schema::{self, Conflict, Engine, With};
use super::types::children;

/// Since this engine, images are kept by containerd unless there is data of an earlier one.
const CONTAINERD_STORE: Engine = Engine(29, 0);

/// The runtime that dockerd brings.
const STOCK_RUNTIME: &str = "runc";

pub(super) fn check(findings: &mut Findings<'_>, document: &Document, context: &Context<'_>) {
    let keys = document.root().keys().filter_map(|name| schema::key(name));
    for key in keys {
        for conflict in key.conflicts {
            if is_there(conflict, key.name, document, context) {
                let path: Vec<&str> = [Some(key.name), conflict.entry]
                    .into_iter()
                    .flatten()
                    .collect();
                findings.add(conflict.severity, &path, conflict.text);
            }
        }
    }
    check_labels(findings, document);
}

/// Whether the key, which is there, meets with the other side of the conflict.
///
/// Sources: `IsSwarmCompatible` and `verifyDaemonSettings` of dockerd.
fn is_there(conflict: &Conflict, key: &str, document: &Document, context: &Context<'_>) -> bool {
    let engine = context.engine.unwrap_or(Engine::NEWEST);
    let host = context.surroundings;
    let value = text(document, key);
    match conflict.with {
        With::Swarm => {
            let matters = match key {
                "firewall-backend" => value == "nftables" && !is_off(document, "iptables"),
                _ => is_on(document, key),
            };
            matters && host.is_some_and(|host| host.is_swarm_member)
        }
        // Of any key, and so told elsewhere.
        With::UnitFlag => false,
        With::NoRules => is_off(document, key) && !can_separate(document),
        With::OwnBridge => !value.is_empty() && !text(document, "bridge").is_empty(),
        With::UserNamespaces => {
            let entry = conflict.entry.and_then(|it| document.value_at(&[key, it]));
            entry == Some(&Value::Bool(true)) && is_remapped(document)
        }
        With::ContainerdStore => {
            let elsewhere = !["", DATA_ROOT].contains(&value);
            elsewhere && keeps_images_in_containerd(document, engine)
        }
        With::SystemdCgroups => {
            let is_slice = value.len() > ".slice".len() && value.ends_with(".slice");
            let driver = cgroup_driver(document);
            let systemd = match driver.as_deref() {
                Some(driver) => driver == "systemd",
                None => host.is_some_and(|host| host.has_systemd && host.has_cgroups_v2),
            };
            !value.is_empty() && !is_slice && systemd
        }
        With::CgroupsV2 => {
            let number = document.get(key).and_then(Value::as_i64);
            number.is_some_and(|it| it != 0) && host.is_some_and(|host| host.has_cgroups_v2)
        }
        With::PluginsNamespace => value == "plugins.moby",
        // A name with a dot is a shim of containerd's, which may be installed under any.
        With::Runtimes => {
            let is_known = document.value_at(&["runtimes", value]).is_some();
            !matches!(value, "" | STOCK_RUNTIME) && !value.contains('.') && !is_known
        }
        With::Key(other) => document.get(other).is_some(),
        With::Gone(words) => words
            .iter()
            .any(|(word, since)| *word == value && engine >= *since),
    }
}

fn is_on(document: &Document, key: &str) -> bool {
    document.get(key) == Some(&Value::Bool(true))
}

fn is_off(document: &Document, key: &str) -> bool {
    document.get(key) == Some(&Value::Bool(false))
}

fn text<'a>(document: &'a Document, key: &str) -> &'a str {
    let value = document.get(key).and_then(Value::as_str);
    value.unwrap_or_default()
}

/// Whether containers of the default network can be kept from each other: the rules of a firewall
/// do that.
pub fn can_separate(document: &Document) -> bool {
    let lacks_rules =
        is_off(document, "iptables") || (is_on(document, "ipv6") && is_off(document, "ip6tables"));
    !lacks_rules
}

fn is_remapped(document: &Document) -> bool {
    !matches!(text(document, "userns-remap"), "" | "host")
}

/// The driver of control groups that is asked for, if one is.
fn cgroup_driver(document: &Document) -> Option<String> {
    let options = document.get("exec-opts").map_or(vec![], children);
    let mut drivers = options.iter().filter_map(|(_, option)| {
        let (name, driver) = option.as_str()?.split_once('=')?;
        let is_driver = name.trim().eq_ignore_ascii_case("native.cgroupdriver");
        is_driver.then(|| driver.trim().to_owned())
    });
    drivers.next_back()
}

/// Whether a new host with this configuration has its images in containerd's folder.
pub(super) fn keeps_images_in_containerd(document: &Document, engine: Engine) -> bool {
    match document.value_at(&["features", "containerd-snapshotter"]) {
        Some(wish) => wish == &Value::Bool(true),
        None => {
            let named = !text(document, "storage-driver").is_empty();
            engine >= CONTAINERD_STORE && !named && !is_remapped(document)
        }
    }
}

/// dockerd wants one value a name.
fn check_labels(findings: &mut Findings<'_>, document: &Document) {
    let mut values: HashMap<&str, &str> = HashMap::new();
    for (index, label) in document.get("labels").map_or(vec![], children) {
        let Some((name, value)) = label.as_str().and_then(|label| label.split_once('=')) else {
            continue;
        };
        let earlier = values.insert(name, value);
        if earlier.is_some_and(|earlier| earlier != value) {
            let message = format!("{name} has another value before; write one only");
            findings.error(&["labels", &index], message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::daemon_json::check::tests::{problems, problems_in};
    use crate::daemon_json::surroundings::Surroundings;
    use crate::daemon_json::{Context, Document, Engine, check};

    fn in_a_swarm(text: &str) -> String {
        let around = Surroundings {
            is_swarm_member: true,
            ..Surroundings::default()
        };
        problems_in(text, &around)
    }

    #[test]
    fn a_member_of_a_swarm_starts_neither_with_live_restore_nor_with_nftables() {
        assert!(in_a_swarm(r#"{"live-restore": true}"#).contains("error: line 1, column 2"));
        assert_eq!(in_a_swarm(r#"{"live-restore": false}"#), "");
        assert_eq!(problems(r#"{"live-restore": true}"#), "");
        let nftables = r#"{"firewall-backend": "nftables"}"#;
        assert!(in_a_swarm(nftables).contains("works with iptables only"));
        assert_eq!(
            in_a_swarm(r#"{"firewall-backend": "nftables", "iptables": false}"#),
            ""
        );
        assert_eq!(problems(nftables), "");
    }

    #[test]
    fn pairs_that_dockerd_does_not_start_with_are_errors() {
        for wrong in [
            r#"{"icc": false, "iptables": false}"#,
            r#"{"icc": false, "ipv6": true, "ip6tables": false}"#,
        ] {
            assert!(
                problems(wrong).contains("icc: dockerd does not start"),
                "{wrong}"
            );
        }
        assert!(problems(r#"{"bridge": "br0", "bip": "10.1.0.1/24"}"#).contains("bip: is"));
        for sound in [
            r#"{"icc": true, "iptables": false}"#,
            r#"{"icc": false, "ip6tables": false}"#,
            r#"{"bridge": "br0", "bip": ""}"#,
        ] {
            assert_eq!(problems(sound), "", "{sound}");
        }
    }

    #[test]
    fn user_namespaces_and_the_containerd_store_are_an_odd_pair() {
        let both = r#"{"userns-remap": "default", "features": {"containerd-snapshotter": true}}"#;
        assert!(
            problems(both).contains("features.containerd-snapshotter: engine 29 leaves this out")
        );
        assert_eq!(problems(r#"{"userns-remap": "default"}"#), "");
    }

    #[test]
    fn a_data_root_says_that_images_of_containerd_are_not_in_it() {
        let text = r#"{"data-root": "/srv"}"#;
        assert!(problems(text).contains("they fill /var/lib/containerd"));
        for covered in [
            r#"{"data-root": "/var/lib/docker"}"#,
            r#"{"data-root": "/srv", "features": {"containerd-snapshotter": false}}"#,
            r#"{"data-root": "/srv", "userns-remap": "default"}"#,
            r#"{"data-root": "/srv", "storage-driver": "overlay2"}"#,
        ] {
            assert_eq!(problems(covered), "", "{covered}");
        }
        let document = Document::parse(text.as_bytes()).unwrap();
        let context = Context {
            engine: Some(Engine(28, 5)),
            ..Context::default()
        };
        assert_eq!(check(&document, &context), []);
    }

    #[test]
    fn labels_have_one_value_each() {
        assert_eq!(problems(r#"{"labels": ["a=1", "b=1", "a=1"]}"#), "");
        assert!(problems(r#"{"labels": ["a"]}"#).contains("has no value; write \"name=value\""));
        let twice = problems(r#"{"labels": ["a=1", "a=2"]}"#);
        assert!(
            twice.contains("labels.1: a has another value before"),
            "{twice}"
        );
    }

    #[test]
    fn a_default_runtime_is_among_the_runtimes() {
        assert!(
            problems(r#"{"default-runtime": "crun"}"#).contains("one that is not among runtimes")
        );
        for sound in [
            r#"{"default-runtime": "runc"}"#,
            r#"{"default-runtime": "io.containerd.runsc.v1"}"#,
            r#"{"default-runtime": "crun", "runtimes": {"crun": {"path": "crun"}}}"#,
        ] {
            assert_eq!(problems(sound), "", "{sound}");
        }
    }

    #[test]
    fn a_storage_driver_that_is_gone_is_an_error() {
        let found = problems(r#"{"storage-driver": "devicemapper"}"#);
        assert!(
            found.contains("has it no more; write \"overlay2\""),
            "{found}"
        );
    }
}
