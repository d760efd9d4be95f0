//! What helps against what the engine, the docker command and their parts say when they fail.

/// What is said, and what that means and helps.
const KNOWN: &[(&str, &str)] = &[
    (
        "Cannot connect to the Docker daemon",
        "the engine went away; see why with: journalctl --unit docker.service --lines 50",
    ),
    (
        "no space left on device",
        "the engine's disk is full: df -h /var/lib/docker /var/lib/containerd. Make room, for \
         instance with: docker system prune",
    ),
    (
        "to bridge docker0 failed",
        "the engine's own bridge docker0 is gone; let the engine make it again: systemctl restart \
         docker",
    ),
    (
        "No chain/target/match by that name",
        "the engine's firewall rules were removed; let it make them again: systemctl restart docker",
    ),
    (
        "could not find an available, non-overlapping IPv4 address pool",
        "all address pools for networks are taken; free some with: docker network prune, or add \
         default-address-pools to /etc/docker/daemon.json",
    ),
    (
        "all predefined address pools have been fully subnetted",
        "all address pools for networks are taken; free some with: docker network prune, or add \
         default-address-pools to /etc/docker/daemon.json",
    ),
    (
        "starting docker",
        "the docker command is missing: sudo apt-get install --reinstall docker-ce-cli",
    ),
    (
        "containerd-shim",
        "containerd cannot start containers; see whether its files are whole: dpkg --verify \
         containerd.io",
    ),
    (
        "runc",
        "runc cannot start containers; see whether it is whole: dpkg --verify containerd.io",
    ),
    (
        "certificate signed by unknown authority",
        "the engine does not trust the registry's certificate: name its authority with --ca-cert",
    ),
];

/// What helps, as far as it is known; else where to look.
pub(crate) fn of(reason: &str) -> &'static str {
    let known = KNOWN.iter().find(|(sign, _)| says(reason, sign));
    known.map_or(
        "the engine may know more: journalctl --unit docker.service --lines 50",
        |(_, cure)| cure,
    )
}

/// Whether these words are said: `truncated` says nothing of `runc`.
fn says(reason: &str, words: &str) -> bool {
    let ends_a_word = |text: Option<char>| text.is_none_or(|c| !c.is_alphanumeric());
    reason.match_indices(words).any(|(at, _)| {
        let (before, after) = (&reason[..at], &reason[at + words.len()..]);
        ends_a_word(before.chars().next_back()) && ends_a_word(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_has_a_cure_of_its_own_and_everything_else_a_place_to_look() {
        let said = "failed to create endpoint: adding interface veth1 to bridge docker0 failed: \
                    Device does not exist";
        assert!(of(said).ends_with("systemctl restart docker"));
        assert!(of("something new").contains("journalctl"));
    }

    #[test]
    fn a_program_is_named_by_a_word_of_its_own() {
        let said = "OCI runtime create failed: runc create failed: unable to start";
        assert!(of(said).starts_with("runc cannot start"));
        assert!(of("the archive is truncated").contains("journalctl"));
        assert!(of("exec: \"runc\": executable file not found").starts_with("runc"));
    }
}
