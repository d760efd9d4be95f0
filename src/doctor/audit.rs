//! Whether auditd watches what is the engine's, as section 1.1 of the CIS Docker Benchmark has it.

use anyhow::Result;

use super::said;
use crate::daemon_config::DATA_ROOT;
use crate::engine::exposed;
use crate::facts::{ENGINE_PACKAGES, Facts};
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;

/// Where auditd keeps its rules.
const RULES: &str = "/etc/audit/rules.d";

/// What is to be watched, beside the units: items 1.1.3 to 1.1.18.
const WATCHED: &[&str] = &[
    "/usr/bin/dockerd",
    "/run/containerd",
    DATA_ROOT,
    "/etc/docker",
    "/etc/default/docker",
    "/etc/docker/daemon.json",
    "/etc/containerd/config.toml",
    "/usr/bin/containerd",
    "/usr/bin/containerd-shim-runc-v2",
    "/usr/bin/runc",
];

pub(super) fn rules(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !facts.has(ENGINE_PACKAGES[0]) || !host.has_program("auditctl") {
        return Ok(None);
    }
    super::require_root()?; // to read the rules
    let mut rules = said(host, &Query::of(Reader::AuditRules)).unwrap_or_default();
    for name in host.list(RULES)? {
        rules.push('\n');
        rules.push_str(
            &host
                .read_text(format!("{RULES}/{name}"))?
                .unwrap_or_default(),
        );
    }
    let units = exposed::unit_files(host)?
        .into_iter()
        .filter(|path| !path.ends_with(".conf"));
    let mut unwatched = Vec::new();
    for path in WATCHED.iter().map(ToString::to_string).chain(units) {
        if host.exists(&path)? && !is_watched(&rules, &path) {
            unwatched.push(path);
        }
    }
    Ok((!unwatched.is_empty()).then(|| format!("no audit rule for {}", unwatched.join(", "))))
}

/// Whether a rule watches this path, or a folder above it.
fn is_watched(rules: &str, path: &str) -> bool {
    let watches = |line: &str| {
        let mut words = line.split_whitespace().peekable();
        let mut found = false;
        while let Some(word) = words.next() {
            let watched = match word {
                "-w" | "-F" => words.peek().copied(),
                _ => None,
            };
            let watched = watched.map(|it| {
                let plain = it.strip_prefix("path=").or(it.strip_prefix("dir="));
                plain.unwrap_or(it).trim_end_matches('/')
            });
            found |= watched.is_some_and(|it| {
                it.starts_with('/') && std::path::Path::new(path).starts_with(it)
            });
        }
        found
    };
    let lines = rules.lines().map(str::trim);
    lines.filter(|line| line.starts_with('-')).any(watches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts;
    use crate::host::stub::StubHost;

    #[test]
    fn a_rule_watches_a_path_and_what_is_in_a_folder() {
        let rules = "# -w /usr/bin/runc\n-w /etc/docker/ -p wa -k docker\n\
                     -a always,exit -F arch=b64 -F path=/usr/bin/dockerd -F perm=x\n";
        for path in ["/etc/docker", "/etc/docker/daemon.json", "/usr/bin/dockerd"] {
            assert!(is_watched(rules, path), "{path}");
        }
        for path in [
            "/usr/bin/runc",
            "/etc",
            "/etc/docker2",
            "/usr/bin/dockerd-x",
        ] {
            assert!(!is_watched(rules, path), "{path}");
        }
    }

    #[test]
    fn what_is_there_and_not_watched_is_named_where_there_is_auditd() {
        if !nix::unistd::geteuid().is_root() {
            return; // only root can look
        }
        let stub = StubHost::noble()
            .program(
                "dpkg-query",
                "echo dpkg 1 amd64 installed ok; echo docker-ce 5:29 amd64 installed ok",
            )
            .file("/usr/bin/dockerd", "")
            .file("/usr/bin/runc", "")
            .file("/usr/lib/systemd/system/docker.service", "");
        let facts = facts::gather(stub.host()).unwrap();
        assert_eq!(rules(stub.host(), &facts).unwrap(), None);
        let stub = stub
            .program("auditctl", "echo -w /usr/bin/dockerd -p wa")
            .file("/etc/audit/rules.d/docker.rules", "-w /usr/bin/runc\n");
        let found = rules(stub.host(), &facts).unwrap().unwrap();
        assert_eq!(
            found,
            "no audit rule for /usr/lib/systemd/system/docker.service"
        );
        let stub = stub.file(
            "/etc/audit/rules.d/units.rules",
            "-w /usr/lib/systemd/system -p wa\n",
        );
        assert_eq!(rules(stub.host(), &facts).unwrap(), None);
    }
}
