//! What must not be on the host beside Docker's engine.
//!
//! Nothing is removed for the user: what stands in the way may run containers.

use anyhow::Result;

use crate::error::Failure;
use crate::facts::{CONFLICTING_PACKAGES, Facts, Init};
use crate::host::Host;

/// Refuses a host on which the engine could not be set up or would clash with another.
pub fn check(host: &Host, facts: &Facts) -> Result<()> {
    if facts.init != Init::Systemd {
        return Err(Failure::Blocked(
            "systemd does not run on this host, so the engine could not be started and proven; \
             on WSL put `[boot]` and `systemd=true` into /etc/wsl.conf, run `wsl --shutdown` in \
             Windows, and try again"
                .to_owned(),
        )
        .into());
    }
    let there = |package: &&&str| facts.has(package);
    let others: Vec<&str> = CONFLICTING_PACKAGES.iter().filter(there).copied().collect();
    if !others.is_empty() {
        return Err(Failure::Blocked(format!(
            "these packages conflict with Docker's: {names}. Containers may run under them, so \
             they are yours to remove: apt-get remove {names}",
            names = others.join(" ")
        ))
        .into());
    }
    if host.exists("/snap/bin/docker")? || host.exists("/var/lib/snapd/snap/bin/docker")? {
        return Err(Failure::Blocked(
            "Docker is installed as a snap; two engines on one host fight over its networks. \
             Remove it first: snap remove docker"
                .to_owned(),
        )
        .into());
    }
    Ok(())
}
