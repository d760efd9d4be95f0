//! What `status` tells of a host, and that it tells the truth when the host is changed.

use crate::host::{LabHost, PROGRAM};

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn status_tells_what_there_is_who_asked_for_it_and_whether_it_was_proven() {
    let host = LabHost::up("noble");
    host.dockstrap(["status"])
        .exits(0)
        .says("has set up nothing");
    host.write("/etc/dockstrap/config.toml", "users = [\"alice\"]\n");
    host.dockstrap(["install", "--yes", "--preset", "recommended"])
        .exits(0);
    let version = "dpkg-query --show --showformat='${Version}' docker-ce";
    let version = host.sh(version).stdout;
    host.dockstrap(["status"])
        .exits(0)
        .says("preset by a flag")
        .says("users by /etc/dockstrap/config.toml")
        .says("key-fingerprint by a variable")
        .says(&version)
        .says("https://download.docker.com/linux/ubuntu noble")
        .says(host.fingerprint())
        .says("alice")
        .says("live-restore")
        .says("UTC: engine group run network");

    host.sh("apt-mark hold docker-ce; systemctl stop docker.socket docker");
    let told = host.dockstrap(["status"]).exits(3).stdout;
    let changed: Vec<&str> = told.lines().filter(|it| it.starts_with("  !")).collect();
    assert_eq!(changed.len(), 1, "one service, one row: {changed:#?}");
    assert!(
        changed[0].ends_with("docker.service is not running"),
        "{changed:?}"
    );
    host.dockstrap(["verify", "engine"]).exits(7);
    let status = host.dockstrap(["status", "--json"]).exits(3).json();
    assert_eq!(status["engine"]["installed"], *version);
    assert_eq!(status["engine"]["newest"], *version);
    assert_eq!(status["engine"]["held"][0], "docker-ce");
    assert_eq!(status["verified"]["failed"][0], "engine");
    assert_eq!(status["sources"][0]["fingerprint"], *host.fingerprint());
    assert_eq!(status["members"][0], "alice");
    assert_eq!(status["configuration"]["live-restore"], true);
    assert_eq!(status["installed"]["given"]["preset"], "flag");

    host.sh("apt-mark unhold docker-ce; systemctl start docker");
    host.sh("gpasswd --delete alice docker; rm /etc/apt/keyrings/docker.asc");
    host.dockstrap(["status"])
        .exits(3)
        .says("alice is no longer a member of group docker")
        .says("docker.asc is gone")
        .says("no key");
    host.run_as("alice", [PROGRAM, "status"])
        .exits(2)
        .says("sudo dockstrap status");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_run_that_was_cut_short_is_named_by_the_next() {
    let host = LabHost::up("noble");
    host.install();
    // As a power cut leaves it: a run that began, and nothing of its end.
    host.sh("journal=/var/lib/dockstrap/journal
         grep -v '\"line\":\"ended\"' $journal | grep -v '\"line\":\"done\",\"act\":1}' >/root/cut
         cp /root/cut $journal");
    let status = host.dockstrap(["status", "--json"]).exits(3).json();
    assert_eq!(status["unfinished"]["purpose"], "install");
    assert_eq!(status["steps"][0]["done"][0]["finished"], false);
    assert_eq!(status["steps"][1]["done"][0]["finished"], true);
    host.dockstrap(["status"])
        .exits(3)
        .says("The install that began at")
        .says("(begun, and not known to be done)");
    host.install().says("was cut short").says("Nothing to do");
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .never_says("was cut short");
    let status = host.dockstrap(["status", "--json"]).exits(0).json();
    assert!(status["unfinished"].is_null(), "{status}");
}
