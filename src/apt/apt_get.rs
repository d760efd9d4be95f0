//! The apt-get command: it never asks, and no configuration of the host makes it unsafe.

use crate::host::command::Command;

/// What every run of apt is told, whatever the host's own apt configuration says: that nothing
/// unsigned is taken, that HTTPS servers are who they claim to be, and that dates count.
const SAFETY: &[&str] = &[
    "APT::Get::AllowUnauthenticated=false",
    "APT::Get::Force-Yes=false",
    "Acquire::AllowInsecureRepositories=false",
    "Acquire::AllowDowngradeToInsecureRepositories=false",
    "Acquire::Check-Date=true",
    "Acquire::Check-Valid-Until=true",
    "Acquire::https::Verify-Peer=true",
    "Acquire::https::Verify-Host=true",
];

/// Nothing goes but what is named, and configuration only where apt is told to purge: a host may have
/// it otherwise in its own configuration of apt. What it would remove besides would be taken for
/// what needs the engine.
const NOTHING_MORE: &[&str] = &["APT::Get::AutomaticRemove=false", "APT::Get::Purge=false"];

/// What a host's own configuration may say, and would keep apt from doing as it is told: it would
/// only say what it would do, or answer no by itself.
const AS_ASKED: &[&str] = &[
    "quiet=1",
    "APT::Get::Assume-No=false",
    "APT::Get::Download=true",
    "APT::Get::Download-Only=false",
    "APT::Get::Fix-Missing=false",
    "APT::Get::Only-Upgrade=false",
    "APT::Get::Print-URIs=false",
    "APT::Get::Remove=true",
    "APT::Get::ReInstall=false",
    "APT::Get::Simulate=false",
    "APT::Get::Trivial-Only=false",
    "APT::Get::Upgrade=true",
    "Debug::NoLocking=false",
    "Debug::pkgDPkgPM=false",
];

/// Old configuration files are kept, since what is in them is the user's.
const UNATTENDED: &[&str] = &[
    "Dpkg::Use-Pty=0",
    "Dpkg::Options::=--force-confdef",
    "Dpkg::Options::=--force-confold",
];

/// The configuration of an update into a folder of the run: what cannot be fetched is an error, and no
/// program that would act on the host is run.
pub(super) const NO_HOOKS: &str = "\
APT::Update::Error-Mode \"any\";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
";

/// An `apt-get` that asks nothing.
///
/// needrestart, which Ubuntu servers have, would ask or restart services on its own.
pub(crate) fn apt_get() -> Command {
    with_safety(on_behalf(Command::new("apt-get")))
}

/// The same of a question to apt-get.
pub(super) fn with_safety<K>(apt_get: Command<K>) -> Command<K> {
    apt_get
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("NEEDRESTART_SUSPEND", "1")
        .env("NEEDRESTART_MODE", "l")
        .env("APT_LISTCHANGES_FRONTEND", "none")
        .args(["--quiet", "--assume-yes"])
        .args(
            SAFETY
                .iter()
                .chain(UNATTENDED)
                .chain(NOTHING_MORE)
                .chain(AS_ASKED)
                .flat_map(|option| ["-o", option]),
        )
}

/// The command with the number of the user behind sudo, for apt's log of who asked for what.
fn on_behalf(command: Command) -> Command {
    let uid = std::env::var("SUDO_UID").ok();
    match uid.and_then(|uid| uid.parse::<u32>().ok()) {
        Some(uid) => command.env("SUDO_UID", &uid.to_string()),
        None => command,
    }
}

/// The command that installs exactly these packages, each as `name=version`, and removes those
/// that stand there as `name-`. apt must neither remove any other nor downgrade anything for it.
pub(crate) fn install(packages: &[String]) -> Command {
    let apt_get = if packages.iter().any(|package| package.ends_with('-')) {
        // what it removes was compared with the plan right before
        apt_get()
    } else {
        apt_get().arg("--no-remove")
    };
    apt_get.arg("install").args(packages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn nothing_goes_along_whatever_the_hosts_apt_is_told() {
        let stub = StubHost::new().program("apt-get", "");
        apt_get().arg("remove").run_on(&stub.authority()).unwrap();
        let call = stub.calls().remove(0);
        for option in ["AutomaticRemove", "Purge"] {
            assert!(
                call.contains(&format!("-o APT::Get::{option}=false")),
                "{call}"
            );
        }
    }
}
