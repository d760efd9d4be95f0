//! Configurations worth having, each value with its reason.
//!
//! Owns the values. It must not know how they get into a file.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Weight;
use crate::daemon_config::check::host_facts::HostFacts;
use crate::daemon_config::check::networks::free_pools;
use crate::daemon_config::document::Document;

/// How many files a process in a container may have open: by itself, and when it asks for more.
/// The upper one is what systemd gives to any service.
const OPEN_FILES: (u64, u64) = (65_536, 524_288);

/// A named set of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Nothing
    None,
    /// What most hosts want, where nothing else is set
    #[default]
    Recommended,
    /// The same, and what the CIS Docker Benchmark asks for without breaking common use
    Hardened,
}

/// One key of a preset.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetValue {
    pub key: &'static str,
    pub value: Value,
    /// Whether it stands over what is there.
    pub weight: Weight,
    /// Why, in one line; what the CIS Docker Benchmark asks for begins with its number.
    pub reason: &'static str,
}

impl Preset {
    /// The values for a host like this.
    pub fn entries(self, host: &HostFacts) -> Vec<PresetValue> {
        match self {
            Preset::None => Vec::new(),
            Preset::Recommended => recommended(host),
            Preset::Hardened => [recommended(host), hardened()].concat(),
        }
    }
}

fn recommended(host: &HostFacts) -> Vec<PresetValue> {
    let entry = |key, value, reason| PresetValue {
        key,
        value,
        weight: Weight::Default,
        reason,
    };
    let mut entries = vec![
        entry(
            "log-driver",
            json!("local"),
            "CIS 2.13: compressed and rotated logs; dockerd's own default grows without end",
        ),
        entry(
            "log-opts",
            json!({"max-size": "20m", "max-file": "5"}),
            "CIS 2.13: a container's logs take 100 MB at most",
        ),
        entry(
            "live-restore",
            json!(true),
            "CIS 2.15: containers keep running while the engine is upgraded or restarted; for \
             `docker swarm init` set live-restore = false under [daemon]",
        ),
    ];
    // Where the engine may not have as many, no container would start.
    if host.most_open_files.is_none_or(|most| most >= OPEN_FILES.1) {
        let (soft, hard) = OPEN_FILES;
        entries.push(entry(
            "default-ulimits",
            json!({"nofile": {"Name": "nofile", "Hard": hard, "Soft": soft}}),
            "CIS 2.8: open files enough for servers, and an end that programs can count to",
        ));
    }
    if let Some(pools) = free_pools(&host.routes) {
        entries.push(entry(
            "default-address-pools",
            pools,
            "1024 networks instead of 31, out of the way of this host's routes",
        ));
    }
    entries
}

/// Left out, since each breaks what is common: user namespaces (2.9; the files of volumes and
/// images change owners), and plug-ins for authorization (2.12).
fn hardened() -> Vec<PresetValue> {
    let entry = |key, value, reason| PresetValue {
        key,
        value,
        weight: Weight::Set,
        reason,
    };
    vec![
        entry(
            "icc",
            json!(false),
            "CIS 2.2: containers on the default network do not reach each other; those of one \
             network of their own, such as compose makes, still do",
        ),
        entry(
            "log-level",
            json!("info"),
            "CIS 2.3: enough for an audit, without secrets that debug logs may show",
        ),
        entry(
            "no-new-privileges",
            json!(true),
            "CIS 2.14: nothing in a container gains rights by a setuid program such as sudo; \
             docker run --security-opt no-new-privileges=false lets one off",
        ),
        entry(
            "userland-proxy",
            json!(false),
            "CIS 2.16: published ports are served by the kernel, not by a program for each",
        ),
    ]
}

/// What in a configuration goes against the benchmark and is the user's to decide, with the key.
pub(crate) fn objections(document: &Document) -> Vec<(&'static str, &'static str)> {
    let is = |key: &str, value: Value| document.get(key) == Some(&value);
    let list = |key: &str| document.get(key).and_then(Value::as_array);
    let entry_begins = |key: &str, start: &str| {
        let texts = list(key).into_iter().flatten().filter_map(Value::as_str);
        texts.into_iter().any(|text| text.starts_with(start))
    };
    let driver = document.get("log-driver").and_then(Value::as_str);
    let unrotated = matches!(driver, None | Some("" | "json-file"))
        && document.value_at(&["log-opts", "max-size"]).is_none();
    let found = [
        (
            is("iptables", json!(false)),
            "iptables",
            "CIS 2.4: the engine does not guard its networks; write true, or guard them yourself",
        ),
        (
            list("insecure-registries").is_some_and(|list| !list.is_empty()),
            "insecure-registries",
            "CIS 2.5: images from there can be exchanged on their way; give the registry a \
             certificate",
        ),
        (
            entry_begins("hosts", "tcp://") && !is("tlsverify", json!(true)),
            "hosts",
            "CIS 2.7: anyone who reaches this port is root here; write tlsverify",
        ),
        (
            unrotated,
            "log-driver",
            "CIS 2.13: logs grow without end; write max-size among log-opts",
        ),
        (
            is("live-restore", json!(false)),
            "live-restore",
            "CIS 2.15: containers stop when the engine does; write true",
        ),
        (
            is("seccomp-profile", json!("unconfined")),
            "seccomp-profile",
            "CIS 2.17: containers may make any system call; remove it",
        ),
        (
            is("experimental", json!(true)),
            "experimental",
            "CIS 2.18: features that are not finished; remove it",
        ),
    ];
    let found = found.into_iter().filter(|(applies, _, _)| *applies);
    found.map(|(_, key, text)| (key, text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::{Context, DesiredConfig, check};

    fn made(preset: Preset) -> Document {
        let desired = DesiredConfig::new(preset.entries(&HostFacts::default()), Default::default());
        desired.merged_into(Document::new()).document
    }

    #[test]
    fn every_preset_passes_our_own_check() {
        for preset in [Preset::None, Preset::Recommended, Preset::Hardened] {
            assert_eq!(check(&made(preset), &Context::default()), []);
        }
        assert!(made(Preset::None).is_empty());
    }

    #[test]
    fn a_host_that_may_not_open_so_many_files_is_not_told_to() {
        let keys = |most_open_files| {
            let host = HostFacts {
                most_open_files,
                ..HostFacts::default()
            };
            let entries = Preset::Recommended.entries(&host);
            let mut keys = entries.iter().map(|entry| entry.key);
            keys.any(|key| key == "default-ulimits")
        };
        assert!(keys(None) && keys(Some(1_048_576)));
        assert!(!keys(Some(20_000)));
    }

    #[test]
    fn the_hardened_preset_meets_what_it_objects_to() {
        assert_eq!(objections(&made(Preset::Hardened)), []);
        assert_eq!(objections(&Document::new())[0].0, "log-driver");
        let text = r#"{"iptables": false, "insecure-registries": ["a"], "live-restore": false,
            "hosts": ["tcp://0.0.0.0:2375"], "seccomp-profile": "unconfined",
            "experimental": true}"#;
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(objections(&document).len(), 7);
    }

    #[test]
    fn every_hardened_value_names_its_item_of_the_benchmark() {
        for entry in hardened() {
            assert!(entry.reason.starts_with("CIS 2."), "{}", entry.key);
        }
    }
}
