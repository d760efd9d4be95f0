//! Running apt-get: never asking, never silently unsafe, telling how far it is.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::host::Host;
use crate::host::command::Command;
use crate::report::{Event, Listener};

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

/// Old configuration files are kept, since what is in them is the user's.
const UNATTENDED: &[&str] = &[
    "Dpkg::Use-Pty=0",
    "Dpkg::Options::=--force-confdef",
    "Dpkg::Options::=--force-confold",
];

/// An `apt-get` that asks nothing.
///
/// needrestart, which Ubuntu servers have, would ask or restart services on its own.
pub fn apt_get() -> Command {
    Command::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("NEEDRESTART_SUSPEND", "1")
        .env("NEEDRESTART_MODE", "l")
        .env("APT_LISTCHANGES_FRONTEND", "none")
        .args(["--quiet", "--assume-yes"])
        .args(
            SAFETY
                .iter()
                .chain(UNATTENDED)
                .flat_map(|option| ["-o", option]),
        )
}

/// The command that installs exactly these packages, each as `name=version`, and removes those
/// that stand there as `name-`. apt must neither remove any other nor downgrade anything for it.
pub fn install(packages: &[String]) -> Command {
    let apt_get = match packages.iter().any(|package| package.ends_with('-')) {
        true => apt_get(), // what it removes was compared with the plan right before
        false => apt_get().arg("--no-remove"),
    };
    apt_get.arg("install").args(packages)
}

/// Runs an apt-get command to its end, however long that takes, and tells of its progress.
pub fn run(
    host: &Host,
    command: &Command,
    lock_wait: Duration,
    listener: Listener<'_>,
) -> Result<()> {
    // The locks were free a moment ago; this covers who takes them in between.
    let patience = format!("-oDPkg::Lock::Timeout={}", lock_wait.as_secs());
    let output = command
        .clone()
        .arg(patience)
        .run_watched(host.search_path(), "-oAPT::Status-Fd={}", |line| {
            if let Some(event) = progress(line) {
                listener(event);
            }
        })
        .context("running apt-get")?;
    output.success().map(drop)
}

/// Reads a line of apt's status pipe: `dlstatus:N:PERCENT:TEXT` while it downloads,
/// `pmstatus:PACKAGE:PERCENT:TEXT` while dpkg works.
fn progress(line: &str) -> Option<Event> {
    let mut fields = line.splitn(4, ':');
    let kind = fields.next()?;
    let package = fields.next()?;
    let percent: f64 = fields.next()?.parse().ok()?;
    let text = fields.next()?.trim();
    let (percent, text) = match kind {
        // Next to nothing is left to apt to download.
        "dlstatus" => (0.0, "downloading".to_owned()),
        "pmstatus" if text.contains(package) => (percent, text.to_owned()),
        "pmstatus" => (percent, format!("{text} ({package})")),
        _ => return None,
    };
    Some(Event::Progress { percent, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_is_that_of_dpkg() {
        let percent = |line: &str| match progress(line) {
            Some(Event::Progress { percent, .. }) => percent,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            percent("dlstatus:1:50.0000:Retrieving file 3 of 7 (1s remaining)"),
            0.0
        );
        assert_eq!(
            percent("pmstatus:docker-ce:50.0000:Unpacking docker-ce (amd64)"),
            50.0
        );
        assert_eq!(progress("media-change: x"), None);
        assert_eq!(progress("nonsense"), None);
    }
}
