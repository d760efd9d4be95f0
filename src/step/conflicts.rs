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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::facts;
    use crate::host::stub::StubHost;

    fn checked(stub: &StubHost) -> Result<()> {
        check(stub.host(), &facts::gather(stub.host()).unwrap())
    }

    fn refused(stub: &StubHost) -> String {
        let error = checked(stub).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        error.to_string()
    }

    #[test]
    fn a_bare_host_is_let_through() {
        checked(&StubHost::noble()).unwrap();
    }

    #[test]
    fn without_systemd_the_engine_could_not_be_started() {
        let stub = StubHost::noble();
        std::fs::remove_dir(stub.host().path("/run/systemd/system")).unwrap();
        assert!(refused(&stub).contains("systemd does not run"));
    }

    #[test]
    fn every_conflicting_package_is_named_with_the_way_out() {
        let installed = "echo dpkg 1 amd64 installed ok; \
                         echo docker.io 27.5 amd64 installed ok; echo runc 1.2 amd64 installed ok";
        let refusal = refused(&StubHost::noble().program("dpkg-query", installed));
        assert!(
            refusal.ends_with("apt-get remove docker.io runc"),
            "{refusal}"
        );
    }

    #[test]
    fn what_was_removed_does_not_conflict_nor_does_dockers_own() {
        let known = "echo dpkg 1 amd64 installed ok; \
                     echo docker.io 27.5 amd64 config-files ok; \
                     echo containerd.io 2.1 amd64 installed ok";
        checked(&StubHost::noble().program("dpkg-query", known)).unwrap();
    }

    #[test]
    fn docker_as_a_snap_is_refused() {
        for path in ["/snap/bin/docker", "/var/lib/snapd/snap/bin/docker"] {
            assert!(refused(&StubHost::noble().file(path, "")).ends_with("snap remove docker"));
        }
    }
}
