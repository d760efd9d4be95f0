//! `scripts/install.sh` as it comes with a release: the whole way.

use crate::releases::Releases;

const HELLO: [&str; 4] = ["docker", "run", "--rm", "hello-world"];

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn one_command_ends_with_a_proven_engine() {
    let releases = Releases::on("noble", "--cloud");
    releases
        .run("alice", "--yes")
        .exits(0)
        .says_all(&["is in /usr/local/bin", "works on this host"]);
    let host = &releases.host;
    host.run_as("alice", HELLO).exits(0);
    host.dockstrap(["uninstall", "--yes"]).exits(0);
}
