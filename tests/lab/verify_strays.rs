//! What runs of `verify` leave in the engine: the next run removes what is left of runs that are
//! over for certain, and nothing else.

use crate::host::{LabHost, PROGRAM};
use crate::interruption::wait_until;

/// The containers of all verifications.
fn containers(host: &LabHost) -> String {
    host.sh("docker ps --all --quiet --filter label=io.github.dockstrap.verify")
        .stdout
}

/// Starts a verification of this user's, and sends it a signal once it has made a container.
fn signalled(host: &LabHost, user: &str, signal: &str) {
    let verify = format!("setsid {PROGRAM} verify compose >/dev/null 2>&1 &");
    match user {
        "root" => host.sh(&verify),
        user => host.run_as(user, ["sh", "-c", &verify]).exits(0),
    };
    wait_until("a container of it", || !containers(host).is_empty());
    host.sh(&format!("pkill -{signal} --exact dockstrap"));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_run_that_proc_hides_keeps_what_it_made() {
    let host = LabHost::up("noble");
    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0);
    host.sh("mount -o remount,hidepid=invisible /proc");
    let alice_verifies = || host.run_as("alice", [PROGRAM, "verify", "run"]).exits(0);

    signalled(&host, "root", "STOP");
    host.run_as("alice", ["pgrep", "--exact", "dockstrap"])
        .exits(1);
    let made = containers(&host);
    alice_verifies();
    assert_eq!(containers(&host), made, "a run at work lost its containers");
    // Once it is dead, it is still not alice's to clear up after.
    host.sh("pkill -KILL --exact dockstrap");
    alice_verifies();
    assert_eq!(containers(&host), made);
    host.dockstrap(["verify", "run"]).exits(0);
    assert_eq!(containers(&host), "");

    signalled(&host, "alice", "KILL");
    alice_verifies();
    assert_eq!(containers(&host), "", "alice clears up after herself");
    // A label alone makes nothing ours.
    host.sh("docker create --label io.github.dockstrap.verify=mine --name mine hello-world");
    host.dockstrap(["verify", "run"]).exits(0);
    host.sh("docker inspect mine");
}
