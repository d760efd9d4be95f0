//! Runs that are cut short: by Ctrl-C, or by something that leaves no time for anything.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::host::LabHost;
use crate::running::Running;

/// An install that has come as far as apt.
pub fn install_up_to_apt(host: &LabHost) -> Running {
    let running = host.start_dockstrap(["install", "--yes", "--user", "alice"]);
    wait_until("apt", || {
        has_planned(host) && host.run(["pgrep", "--exact", "apt-get"]).has_succeeded()
    });
    running
}

/// Waits for something to come.
#[track_caller]
pub fn wait_until(what: &str, mut is_there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_there() {
        assert!(Instant::now() < deadline, "{what} never came");
        sleep(Duration::from_millis(10));
    }
}

/// Whether the journal says that packages are being installed: apt is asked before that as well.
fn has_planned(host: &LabHost) -> bool {
    let journal = host.run(["cat", "/var/lib/dockstrap/journal"]).stdout;
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
    host.uninstall().says("Taken back");
    before.is_restored_in(&host.tree());
}
