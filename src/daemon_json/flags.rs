//! Keys that the unit already sets with a flag of dockerd.
//!
//! Owns how a flag is written. It must not read the unit.

use std::collections::HashSet;

use super::check::Findings;
use super::document::Document;
use super::meant::key_of_flag;
use crate::redact::redact;

/// dockerd refuses to start when a value is given twice; runtimes alone may come from both.
pub(super) fn check(findings: &mut Findings<'_>, document: &Document, flags: &[String]) {
    let mut seen = HashSet::from(["runtimes"]);
    for flag in flags {
        let Some(key) = flag_name(flag).and_then(key_of_flag) else {
            continue;
        };
        let path: Vec<&str> = key.split('.').collect();
        if document.value_at(&path).is_none() || !seen.insert(key) {
            continue;
        }
        findings.error(
            &path,
            format!(
                "the unit passes {} to dockerd, which takes this from one place only, even when \
                 both are equal; remove the key, or the flag: systemctl edit docker.service",
                redact(flag)
            ),
        );
    }
}

/// Whether the unit says by a flag what this key would say.
pub fn is_said_by_flag(key: &str, flags: &[String]) -> bool {
    let said = flags
        .iter()
        .filter_map(|flag| flag_name(flag).and_then(key_of_flag));
    said.into_iter().any(|said| said == key)
}

/// What the unit says by flags for this key, in their order: `--name=value`, `--name value`, `-nvalue`
/// or `-n value`. A flag without a value is `true`.
pub fn said_by_flag<'a>(key: &str, flags: &'a [String]) -> Vec<&'a str> {
    let mut said = Vec::new();
    for (number, flag) in flags.iter().enumerate() {
        if flag_name(flag).and_then(key_of_flag) != Some(key) {
            continue;
        }
        let attached = match flag.strip_prefix("--") {
            Some(long) => long.split_once('=').map(|(_, value)| value),
            None => flag.get(2..).filter(|value| !value.is_empty()),
        };
        let next = flags.get(number + 1).map(String::as_str);
        let apart = next.filter(|next| !next.starts_with('-'));
        said.push(attached.or(apart).unwrap_or("true"));
    }
    said
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
    use crate::daemon_json::check::tests::{problems, problems_under};

    #[test]
    fn hosts_and_containerd_conflict_with_the_unit_that_passes_them() {
        let text = r#"{"hosts": ["fd://"], "containerd": "/run/containerd/containerd.sock"}"#;
        let flags = [
            "-H",
            "fd://",
            "--containerd=/run/containerd/containerd.sock",
        ];
        let found = problems_under(text, &flags);
        assert_eq!(found.lines().count(), 2);
        assert!(found.contains("hosts: the unit passes -H to dockerd"));
        assert!(found.contains("remove the key, or the flag: systemctl edit docker.service"));
        assert_eq!(problems(text), "");
    }

    #[test]
    fn any_other_flag_of_the_unit_conflicts_too() {
        let runtimes = r#"{"runtimes": {"a": {"path": "/a"}}}"#;
        assert_eq!(problems_under(runtimes, &["--add-runtime=b=/b"]), "");
        assert!(problems_under(r#"{"labels": ["a=b"]}"#, &["--label=a=b"]).contains("--label=a=b"));
        assert!(problems_under(r#"{"hosts": []}"#, &["-Hfd://"]).contains("-Hfd://"));
        assert_eq!(
            problems_under(r#"{"debug": true}"#, &["--log-level", "debug"]),
            ""
        );
        let proxies = r#"{"proxies": {"http-proxy": "http://proxy.example"}}"#;
        let found = problems_under(proxies, &["--http-proxy=http://me:word@proxy.example"]);
        assert!(found.contains("proxies.http-proxy: the unit passes --http-proxy=http://***@"));
    }
}
