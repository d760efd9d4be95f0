//! Keys that do not go together, with each other or with what the host is.
//!
//! The table names them; this owns when each is the case. It must not judge a value by itself.

use std::collections::HashMap;

use serde_json::Value;

use super::findings::{Context, Findings};
use crate::daemon_config::DATA_ROOT;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::children;
use crate::daemon_config::schema::{self, Conflict, EngineRelease, With};

/// Since this engine, images are kept by containerd unless there is data of an earlier one.
const CONTAINERD_STORE: EngineRelease = EngineRelease(29, 0);

/// Since this engine, a feature lets a swarm work with nftables.
const SWARM_NFTABLES: EngineRelease = EngineRelease(29, 6);

/// The runtime that dockerd brings.
const STOCK_RUNTIME: &str = "runc";

pub(super) fn check(findings: &mut Findings<'_>, document: &Document, context: &Context<'_>) {
    let keys = document.root().keys().filter_map(|name| schema::key(name));
    for key in keys {
        for conflict in key.conflicts {
            let matters = findings.engine >= conflict.since;
            if matters && is_there(conflict, key.name, document, context) {
                let path: Vec<&str> = [Some(key.name), conflict.entry]
                    .into_iter()
                    .flatten()
                    .collect();
                findings.add(conflict.severity, &path, conflict.text);
            }
        }
    }
    check_labels(findings, document);
    check_resources(findings, document);
}

/// Whether the key, which is there, meets with the other side of the conflict.
///
/// Sources: `IsSwarmCompatible` and `verifyDaemonSettings` of dockerd.
fn is_there(conflict: &Conflict, key: &str, document: &Document, context: &Context<'_>) -> bool {
    let engine = context.engine.unwrap_or(EngineRelease::NEWEST);
    let host = context.host;
    let value = text(document, key);
    match conflict.with {
        With::Swarm => {
            let matters = match key {
                "firewall-backend" => {
                    let serves_swarm =
                        engine >= SWARM_NFTABLES && has_feature(document, "swarm-nftables");
                    value == "nftables" && !is_off(document, "iptables") && !serves_swarm
                }
                _ => is_on(document, key),
            };
            matters && host.is_some_and(|host| host.is_swarm_member)
        }
        // Of any key, and so told elsewhere.
        With::UnitFlag => false,
        With::Root => is_on(document, key),
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
        With::Switch(other) => {
            let entry = conflict.entry.and_then(|it| document.value_at(&[key, it]));
            entry == Some(&Value::Bool(true)) && is_on(document, other)
        }
        With::Gone(words) => words
            .iter()
            .any(|(word, since)| *word == value && engine >= *since),
    }
}

fn has_feature(document: &Document, name: &str) -> bool {
    document.value_at(&["features", name]) == Some(&Value::Bool(true))
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
pub(crate) fn can_separate(document: &Document) -> bool {
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
pub(super) fn keeps_images_in_containerd(document: &Document, engine: EngineRelease) -> bool {
    match document.value_at(&["features", "containerd-snapshotter"]) {
        Some(chosen) => chosen == &Value::Bool(true),
        None => {
            let named = !text(document, "storage-driver").is_empty();
            engine >= CONTAINERD_STORE && !named && !is_remapped(document)
        }
    }
}

/// The namespaces of labels that are Docker's own.
const RESERVED: &[&str] = &["com.docker.", "io.docker.", "org.dockerproject."];

/// dockerd wants one value a name, and none in its own namespaces.
fn check_labels(findings: &mut Findings<'_>, document: &Document) {
    let mut values: HashMap<&str, &str> = HashMap::new();
    for (index, name, value) in pairs(document, "labels") {
        let lower = name.to_lowercase();
        if let Some(reserved) = RESERVED.iter().find(|it| lower.starts_with(*it)) {
            let message = format!("{reserved}* is reserved for Docker; write another name");
            findings.error(&["labels", &index], message);
        }
        let earlier = values.insert(name, value);
        if earlier.is_some_and(|earlier| earlier != value) {
            let message = format!("{name} has another value before; write one only");
            findings.error(&["labels", &index], message);
        }
    }
}

/// A resource is a number or a set of names, and dockerd wants to know which.
///
/// Source: `genericresource.Parse` of swarmkit.
fn check_resources(findings: &mut Findings<'_>, document: &Document) {
    let key = "node-generic-resources";
    let mut values: HashMap<&str, Vec<i64>> = HashMap::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (index, name, value) in pairs(document, key) {
        let (name, value) = (name.trim(), value.trim());
        let number: Option<i64> = value.parse().ok();
        let numbers = values.entry(name).or_default();
        numbers.extend(number);
        let count = counts.entry(name).or_default();
        *count += 1;
        let fault = if value.contains('=') {
            "has more than one value; write \"name=value\""
        } else if number.is_some_and(|number| number < 0) {
            "is less than nothing; write 0 or more"
        } else if *count > 1 && !numbers.is_empty() {
            "mixes a number with other values of the same name; write one number, or names only"
        } else {
            continue;
        };
        findings.error(&[key, &index], fault);
    }
}

/// The entries of a list that are `name=value`, each with its place.
fn pairs<'a>(document: &'a Document, key: &str) -> Vec<(String, &'a str, &'a str)> {
    let entries = document.get(key).map_or(vec![], children).into_iter();
    let pairs = entries.filter_map(|(index, entry)| {
        let (name, value) = entry.as_str()?.split_once('=')?;
        Some((index, name, value))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests;
