//! Keys that do not go together, with each other or with what the host is.
//!
//! Owns the pairs. It must not judge a value by itself.

use std::collections::HashMap;

use serde_json::Value;

use super::check::{Context, Findings};
use super::document::Document;
use super::schema::Engine;
use super::types::children;

/// Since this engine, images are kept by containerd unless there is data of an earlier one.
const CONTAINERD_STORE: Engine = Engine(29, 0);

/// The runtime that dockerd brings.
const STOCK_RUNTIME: &str = "runc";

/// Storage drivers that dockerd once had, and since which engine it does not.
const GONE_DRIVERS: &[(&str, Engine)] = &[
    ("aufs", Engine(24, 0)),
    ("devicemapper", Engine(25, 0)),
    ("overlay", Engine(24, 0)),
];

pub(super) fn check(findings: &mut Findings<'_>, document: &Document, context: &Context<'_>) {
    let engine = context.engine.unwrap_or(Engine(u8::MAX, u8::MAX));
    if context
        .surroundings
        .is_some_and(|host| host.is_swarm_member)
    {
        check_swarm(findings, document);
    }
    check_pairs(findings, document);
    check_image_store(findings, document, engine);
    check_labels(findings, document);
    check_default_runtime(findings, document);
    check_storage_driver(findings, document, engine);
}

fn is_on(document: &Document, key: &str) -> bool {
    document.get(key) == Some(&Value::Bool(true))
}

fn text<'a>(document: &'a Document, key: &str) -> &'a str {
    document
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Source: `IsSwarmCompatible` in dockerd's configuration.
fn check_swarm(findings: &mut Findings<'_>, document: &Document) {
    if is_on(document, "live-restore") {
        findings.error(
            &["live-restore"],
            "this host is a member of a swarm, and dockerd does not start as one with \
             live-restore; write false, or leave the swarm: docker swarm leave",
        );
    }
    let without_rules = document.get("iptables") == Some(&Value::Bool(false));
    if text(document, "firewall-backend") == "nftables" && !without_rules {
        findings.error(
            &["firewall-backend"],
            "this host is a member of a swarm, which works with iptables only; write \
             \"iptables\", or leave the swarm: docker swarm leave",
        );
    }
}

/// Whether containers of the default network can be kept from each other: the rules of a firewall
/// do that.
pub fn can_separate(document: &Document) -> bool {
    let is_off = |key: &str| document.get(key) == Some(&Value::Bool(false));
    let lacks_rules = is_off("iptables") || (is_on(document, "ipv6") && is_off("ip6tables"));
    !lacks_rules
}

/// Source: `verifyDaemonSettings` of dockerd.
fn check_pairs(findings: &mut Findings<'_>, document: &Document) {
    if document.get("icc") == Some(&Value::Bool(false)) && !can_separate(document) {
        findings.error(
            &["icc"],
            "dockerd does not start with false here and without the rules that do it; remove it, \
             or write iptables true, and with ipv6 also ip6tables",
        );
    }
    let has_bridge = !text(document, "bridge").is_empty();
    if has_bridge && !text(document, "bip").is_empty() {
        findings.error(
            &["bip"],
            "is the network of dockerd's own bridge, which there is none of beside a bridge of \
             yours: dockerd does not start; remove one of the two",
        );
    }
}

fn check_image_store(findings: &mut Findings<'_>, document: &Document, engine: Engine) {
    let wish = document.value_at(&["features", "containerd-snapshotter"]);
    let remapped = !matches!(text(document, "userns-remap"), "" | "host");
    if remapped && wish == Some(&Value::Bool(true)) {
        findings.warn(
            &["features", "containerd-snapshotter"],
            "engine 29 leaves this out by itself together with userns-remap, though earlier ones \
             take both; remove one of the two unless you know that they work together",
        );
        return;
    }
    let elsewhere = !matches!(text(document, "data-root"), "" | "/var/lib/docker");
    if elsewhere && keeps_images_in_containerd(document, engine) {
        findings.warn(
            &["data-root"],
            "does not hold for images where containerd keeps them, as engine 29 has it on new \
             hosts: they fill /var/lib/containerd. Move that as well (root in \
             /etc/containerd/config.toml), or write features {\"containerd-snapshotter\": false}",
        );
    }
}

/// Whether a new host with this configuration has its images in containerd's folder.
pub(super) fn keeps_images_in_containerd(document: &Document, engine: Engine) -> bool {
    match document.value_at(&["features", "containerd-snapshotter"]) {
        Some(wish) => wish == &Value::Bool(true),
        None => {
            let remapped = !matches!(text(document, "userns-remap"), "" | "host");
            let named = !text(document, "storage-driver").is_empty();
            engine >= CONTAINERD_STORE && !named && !remapped
        }
    }
}

/// dockerd wants `name=value`, and one value a name.
fn check_labels(findings: &mut Findings<'_>, document: &Document) {
    let mut values: HashMap<String, String> = HashMap::new();
    for (index, label) in document.get("labels").map_or(vec![], children) {
        let Some(label) = label.as_str() else {
            continue;
        };
        let path = ["labels", index.as_str()];
        let Some((name, value)) = label.split_once('=') else {
            findings.error(
                &path,
                format!("{label:?} is no label; write \"name=value\""),
            );
            continue;
        };
        let earlier = values.insert(name.to_owned(), value.to_owned());
        if earlier.is_some_and(|earlier| earlier != value) {
            findings.error(
                &path,
                format!("{name} has another value before; write one only"),
            );
        }
    }
}

/// A name with a dot is a shim of containerd's, which may be installed under any.
fn check_default_runtime(findings: &mut Findings<'_>, document: &Document) {
    let named = text(document, "default-runtime");
    let known = document.value_at(&["runtimes", named]).is_some();
    if named.is_empty() || named == STOCK_RUNTIME || named.contains('.') || known {
        return;
    }
    let message = format!("there is no {named:?} among runtimes; add it there, or write \"runc\"");
    findings.error(&["default-runtime"], message);
}

fn check_storage_driver(findings: &mut Findings<'_>, document: &Document, engine: Engine) {
    let named = text(document, "storage-driver");
    let gone = GONE_DRIVERS
        .iter()
        .find(|(driver, since)| *driver == named && engine >= *since);
    if let Some((_, since)) = gone {
        let message = format!("{named:?} is gone since engine {since}; write \"overlay2\"");
        findings.error(&["storage-driver"], message);
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
        assert!(problems(r#"{"labels": ["a"]}"#).contains("is no label"));
        let twice = problems(r#"{"labels": ["a=1", "a=2"]}"#);
        assert!(
            twice.contains("labels.1: a has another value before"),
            "{twice}"
        );
    }

    #[test]
    fn a_default_runtime_is_among_the_runtimes() {
        assert!(problems(r#"{"default-runtime": "crun"}"#).contains("no \"crun\" among runtimes"));
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
            found.contains("gone since engine 25.0; write \"overlay2\""),
            "{found}"
        );
    }
}
