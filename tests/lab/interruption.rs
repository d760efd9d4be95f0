//! Runs that are cut short: by Ctrl-C, or by something that leaves no time for anything.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::host::LabHost;
use crate::running::Running;

/// An install that has come as far as apt.
pub(crate) fn install_up_to_apt(host: &LabHost) -> Running {
    let running = host.start_dockstrap(["install", "--yes", "--user", "alice"]);
    wait_until("apt", || {
        // The one that installs, which tells how far it is; others only answer questions.
        let installs = ["pgrep", "--full", "[a]pt-get.*Status-Fd"];
        has_planned(host) && host.run(installs).has_succeeded()
    });
    running
}

/// Waits for something to come.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_there() {
        assert!(Instant::now() < deadline, "{what} never came");
        sleep(Duration::from_millis(10));
    }
}

const JOURNAL: &str = "/var/lib/dockstrap/journal";

/// Whether the journal says that packages are being installed: apt is asked before that as well.
fn has_planned(host: &LabHost) -> bool {
    let journal = host.run(["cat", JOURNAL]).stdout;
    journal.contains("purge-packages")
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_install_that_was_killed_is_completed_by_the_next() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let install = install_up_to_apt(&host);
    host.sh("pkill -KILL --exact dockstrap; pkill -KILL --exact apt-get; pkill -KILL --exact dpkg || true");
    install.end();
    host.dockstrap(["install", "--yes", "--user", "alice"])
        .exits(0)
        .says("works on this host");
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_install_that_was_killed_can_be_taken_back() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let install = install_up_to_apt(&host);
    host.sh("pkill -KILL --exact dockstrap; pkill -KILL --exact apt-get; pkill -KILL --exact dpkg || true");
    install.end();
    host.uninstall().says("Undone");
    before.is_restored_in(&host.tree());
}

/// dpkg comes to its end without dockstrap, so that nothing is left to set up.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_engine_that_no_verification_has_passed_is_verified_by_the_next_install() {
    let host = LabHost::up("noble");
    let install = install_up_to_apt(&host);
    host.sh("pkill -KILL --exact dockstrap");
    install.end();
    wait_until("the end of apt", || {
        !host.run(["pgrep", "--exact", "apt-get"]).has_succeeded()
    });
    let again = ["install", "--yes", "--user", "alice"];
    let runc = "/usr/local/sbin/runc";
    host.write(runc, "#!/bin/sh\nexit 1\n");
    host.sh(&format!("chmod 755 {runc}"));
    host.dockstrap(again)
        .exits(7)
        .says("cut short")
        .says("the verification failed: run");
    host.sh(&format!("rm {runc}"));
    is_verified_once(&host, again);

    // Left out on request, it is made up for by the first install that is not told so.
    host.sh("systemctl stop docker.socket docker.service");
    host.install().says("start docker.service");
    host.unchanged_by(0, ["install", "--yes", "--no-verify"])
        .says("Nothing to do");
    is_verified_once(&host, again);

    // Of a host that was set up by others, it is remembered as well.
    host.sh("rm -r /var/lib/dockstrap");
    host.unchanged_by(0, ["install", "--yes", "--no-verify"])
        .says("Nothing to do");
    is_verified_once(&host, again);
    host.uninstall().says("Nothing to do");
    assert!(!host.has(JOURNAL));
}

#[track_caller]
fn is_verified_once<const N: usize>(host: &LabHost, install: [&str; N]) {
    host.dockstrap(install)
        .exits(0)
        .says("Nothing to set up: Docker Engine works on this host");
    host.unchanged_by(0, install).says("Nothing to do");
}
