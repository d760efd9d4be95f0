//! Keys that the unit already sets with a flag of dockerd.
//!
//! Owns how a flag is written. It must not read the unit.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::findings::Findings;
use super::unknown;
use crate::daemon_config::PATH;
use crate::daemon_config::document::Document;
use crate::daemon_config::schema::suggestion::key_of_flag;
use crate::daemon_config::schema::{self, ValueKind};

/// dockerd refuses to start when a value is given twice; runtimes alone may come from both.
pub(super) fn check(findings: &mut Findings<'_>, document: &Document, flags: &[String]) {
    let mut seen = HashSet::from(["runtimes"]);
    for flag in flags {
        let Some(key) = flag_name(flag).and_then(key_of_flag) else {
            continue;
        };
        let path: Vec<&str> = key.split('.').collect();
        let Some(path) = unknown::place(document, &path).filter(|_| seen.insert(key)) else {
            continue;
        };
        findings.error(
            &path,
            format!(
                "the unit passes {} to dockerd, which takes this from one place only, even when \
                 both are equal; remove the key, or the flag: systemctl edit docker.service",
                flag
            ),
        );
    }
}

/// Whether the unit says by a flag what this key would say.
pub(crate) fn is_said_by_flag(key: &str, flags: &[String]) -> bool {
    let said = flags
        .iter()
        .filter_map(|flag| flag_name(flag).and_then(key_of_flag));
    said.into_iter().any(|said| said == key)
}

/// What the engine goes by: the file together with the flags of the unit, as far as they are known.
pub(crate) fn with_flags(document: &Document, flags: &[String]) -> Document {
    let mut all = document.clone();
    for (index, flag) in flags.iter().enumerate() {
        let Some(key) = flag_name(flag).and_then(key_of_flag).and_then(schema::key) else {
            continue;
        };
        let value = value_of(flag, key.kind, flags.get(index + 1));
        let before = all.get(key.name).cloned();
        let value = match (key.kind, before) {
            (ValueKind::Bool, _) => Value::Bool(value != "false"),
            (kind, _) if kind.is_text() => value.into(),
            (ValueKind::List(kind), before) if kind.is_text() => {
                let list = before
                    .as_ref()
                    .and_then(Value::as_array)
                    .cloned()
                    .into_iter()
                    .flatten()
                    .chain([value.into()]);
                list.collect()
            }
            // The name of a runtime or an option, and what belongs to it.
            (ValueKind::Map(&ValueKind::Str | &ValueKind::Object(_)), before) => {
                let Some((name, value)) = value.split_once('=') else {
                    continue;
                };
                let mut map = before
                    .as_ref()
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_default();
                let value = match key.kind {
                    ValueKind::Map(ValueKind::Str) => value.into(),
                    _ => json!({ "path": value }),
                };
                map.insert(name.to_owned(), value);
                Value::Object(map)
            }
            _ => continue,
        };
        all.set(key.name, &value);
    }
    all
}

/// The value of a flag, in the same argument or in the next; that of a switch is never apart.
fn value_of(flag: &str, kind: ValueKind, next: Option<&String>) -> String {
    let together = match flag.strip_prefix("--") {
        Some(long) => long.split_once('=').map(|(_, value)| value),
        None => flag.get(2..).filter(|rest| !rest.is_empty()),
    };
    let together = together.map(|value| value.trim_start_matches('='));
    let apart = next.filter(|_| kind != ValueKind::Bool).map(String::as_str);
    together.or(apart).unwrap_or_default().to_owned()
}

/// The files that these flags tell the engine to read in place of its own.
pub(crate) fn other_files(flags: &[String]) -> Vec<&str> {
    let files = flags.iter().enumerate().filter_map(|(index, flag)| {
        let rest = flag.strip_prefix("--config-file")?;
        let apart = flags.get(index + 1).map_or("", String::as_str);
        Some(rest.strip_prefix('=').unwrap_or(apart))
    });
    files.filter(|file| *file != PATH).collect()
}

/// `host` of `--host=fd://`, `H` of `-H` and `-Hfd://`; nothing of a value that stands apart.
fn flag_name(flag: &str) -> Option<&str> {
    match flag.strip_prefix("--") {
        Some(long) => long.split('=').next(),
        None => flag.strip_prefix('-')?.get(..1),
    }
}

#[cfg(test)]
mod tests {
    use super::other_files;
    use crate::daemon_config::check::tests::{findings, findings_under};

    #[test]
    fn hosts_and_containerd_conflict_with_the_unit_that_passes_them() {
        let text = r#"{"hosts": ["fd://"], "containerd": "/run/containerd/containerd.sock"}"#;
        let flags = [
            "-H",
            "fd://",
            "--containerd=/run/containerd/containerd.sock",
        ];
        let found = findings_under(text, &flags);
        assert_eq!(found.lines().count(), 2);
        assert!(found.contains("hosts: the unit passes -H to dockerd"));
        assert!(found.contains("remove the key, or the flag: systemctl edit docker.service"));
        assert_eq!(findings(text), "");
    }

    #[test]
    fn any_other_flag_of_the_unit_conflicts_too() {
        let runtimes = r#"{"runtimes": {"a": {"path": "/a"}}}"#;
        assert_eq!(findings_under(runtimes, &["--add-runtime=b=/b"]), "");
        assert!(findings_under(r#"{"labels": ["a=b"]}"#, &["--label=a=b"]).contains("--label=a=b"));
        assert!(findings_under(r#"{"hosts": []}"#, &["-Hfd://"]).contains("-Hfd://"));
        assert_eq!(
            findings_under(r#"{"debug": true}"#, &["--log-level", "debug"]),
            ""
        );
        let proxies = r#"{"proxies": {"http-proxy": "http://proxy.example"}}"#;
        let found = findings_under(proxies, &["--http-proxy=http://me:word@proxy.example"]);
        assert!(found.contains("proxies.http-proxy: the unit passes --http-proxy=http://***@"));
    }

    #[test]
    fn what_the_flags_say_counts_together_with_the_file() {
        let runtime = r#"{"default-runtime": "nvidia"}"#;
        assert!(findings(runtime).contains("among runtimes"));
        assert_eq!(
            findings_under(runtime, &["--add-runtime=nvidia=/usr/bin/nvidia"]),
            ""
        );
        assert_eq!(
            findings_under(runtime, &["--add-runtime", "nvidia=/usr/bin/nvidia"]),
            ""
        );
        let options = r#"{"log-opts": {"syslog-address": "udp://10.0.0.1"}}"#;
        assert!(findings(options).contains("syslog-address"));
        assert_eq!(findings_under(options, &["--log-driver=syslog"]), "");
        let alone = r#"{"icc": false}"#;
        assert_eq!(findings_under(alone, &["--iptables", "--ipv6"]), "");
        let found = findings_under(alone, &["--iptables=false"]);
        assert!(
            found.contains("icc: dockerd does not start with"),
            "{found}"
        );
    }

    #[test]
    fn only_another_file_than_the_usual_one_is_another() {
        let other = |flags: &[&str]| {
            let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
            other_files(&flags).join(" ")
        };
        assert_eq!(
            other(&["--config-file=/etc/docker/daemon.json", "--debug"]),
            ""
        );
        assert_eq!(other(&["--config-file", "/etc/docker/daemon.json"]), "");
        assert_eq!(other(&["--config-file=/etc/other.json"]), "/etc/other.json");
        assert_eq!(
            other(&["--config-file", "/etc/other.json"]),
            "/etc/other.json"
        );
    }
}
