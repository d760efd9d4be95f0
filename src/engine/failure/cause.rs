//! What the last words of an engine that did not start mean, and what helps.

use crate::daemon_config::{self, Document, with_flags};
use crate::engine::obstacle::{
    Obstacle, containerd_problem, iptables_problem, kept_files_problem, process_file_problem,
};
use crate::engine::unit;
use crate::host::Host;

/// What is said, what that means, and what helps.
const KNOWN: &[(&[&str], &str, &str)] = &[
    (
        &["no space left on device"],
        "its disk is full",
        "Make room, and see where: df --human-readable /var/lib/docker /var/lib/containerd",
    ),
    (
        &["ensure docker is not running or delete", "is still running"],
        "another process has the number that stands in /run/docker.pid",
        "Remove the file: sudo rm /run/docker.pid",
    ),
    (
        &["address already in use"],
        "another program listens where the engine is to listen",
        "See which: sudo ss --listening --tcp --processes",
    ),
    (
        &["non-overlapping IPv4 address pool", "no available network"],
        "this host has routes into all addresses that the engine's networks could have. Name a \
         free range as default-address-pools",
        "See what is taken: ip route show table all",
    ),
    (
        &[
            "can't initialize iptables table",
            "Failed to initialize nft",
            "iptables failed",
        ],
        "iptables does not work with this kernel",
        "See what it says: sudo iptables --table nat --list-rules",
    ),
];

/// What kept the engine from starting, with a command at its end, as far as it is known.
pub(crate) fn of(host: &Host, words: &str) -> Option<String> {
    if let Some(Obstacle { cause, cure }) = obstacle(host) {
        // Words of other programs stand on further lines, and are shown already.
        let cure = cure.lines().next().unwrap_or_default();
        return Some(format!("{cause}. {cure}"));
    }
    let says = |signs: &[&str]| signs.iter().any(|sign| words.contains(sign));
    let (_, meaning, cure) = KNOWN.iter().find(|(signs, ..)| says(signs))?;
    Some(format!("{meaning}. {cure}"))
}

/// Something that is seen from outside by now, though it was not before the start.
fn obstacle(host: &Host) -> Option<Obstacle> {
    let bytes = host.read(daemon_config::PATH).ok()?.unwrap_or_default();
    let file = Document::parse(&bytes).unwrap_or_default();
    let configuration = with_flags(&file, &unit::flags(host).ok()?);
    let seen = [
        process_file_problem(host, &configuration),
        containerd_problem(host, None),
        iptables_problem(host, &configuration),
        kept_files_problem(host, &configuration),
    ];
    seen.into_iter().find_map(|found| found.ok().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::next_command;
    use crate::host::stub::StubHost;

    #[test]
    fn what_is_known_ends_with_a_command_to_type() {
        let stub = StubHost::new().program("systemctl", "");
        for (signs, ..) in KNOWN {
            for sign in *signs {
                let said = of(stub.host(), &format!("failed: {sign}")).unwrap();
                let next = next_command(&anyhow::anyhow!(said), Some("install"));
                assert_ne!(next, "sudo dockstrap doctor", "{sign}");
            }
        }
        assert_eq!(of(stub.host(), "something new"), None);
    }

    #[test]
    fn a_damaged_file_is_named_where_the_words_do_not() {
        let path = "/var/lib/docker/network/files/local-kv.db";
        let stub = StubHost::new().program("systemctl", "").file(path, "x");
        let said = of(stub.host(), "invalid database").unwrap();
        assert!(said.starts_with(&format!("{path} is damaged")), "{said}");
    }
    #[test]
    fn an_engine_that_runs_elsewhere_is_stopped_and_keeps_its_file() {
        let words = "ensure docker is not running or delete /run/docker.pid: process with PID 77 \
                     is still running";
        let stub = StubHost::new()
            .program("systemctl", "")
            .file("/run/docker.pid", "77");
        let nobodys = of(stub.host(), words).unwrap();
        assert!(
            nobodys.ends_with("Remove the file: sudo rm /run/docker.pid"),
            "{nobodys}"
        );
        let stub = stub.file("/proc/77/comm", "dockerd\n");
        let other = of(stub.host(), words).unwrap();
        assert!(other.ends_with(": sudo kill 77"), "{other}");
        assert!(!other.contains("sudo rm"), "{other}");
        let stub = stub.file("/proc/77/comm", "sleep\n");
        let reused = of(stub.host(), words).unwrap();
        assert!(reused.contains("which is sleep") && reused.ends_with("sudo rm /run/docker.pid"));
    }
}
