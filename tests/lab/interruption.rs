//! Runs that are cut short: by Ctrl-C, or by something that leaves no time for anything.

use std::time::{Duration, Instant};

use crate::host::{LabHost, Running};

/// An install that has come as far as apt.
fn install_up_to_apt(host: &LabHost) -> Running {
    let mut running = host.start_dockstrap(["install", "--yes", "--user", "alice"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while host.run(["pgrep", "--exact", "apt-get"]).stdout.is_empty() || !has_planned(host) {
        assert!(!running.has_ended(), "it ended: {:?}", running.end());
        assert!(Instant::now() < deadline, "apt was never run");
    }
    running
}

/// Whether the journal says that packages are being installed: apt is asked before that as well.
fn has_planned(host: &LabHost) -> bool {
    let journal = host.run(["cat", "/var/lib/dockstrap/journal"]).stdout;
    journal.contains("purge-packages")
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_signal_lets_apt_finish_and_then_takes_everything_back() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let install = install_up_to_apt(&host);
    host.sh("pkill -TERM --exact dockstrap");
    install
        .end()
        .exits(130)
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
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
    host.uninstall().says("Taken back");
    before.is_restored_in(&host.tree());
}
