//! Failures in the middle: what was done by then is taken back, and the reason is told.

use std::fs;

use crate::host::LabHost;

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_package_that_the_server_has_lost_rolls_everything_back() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let package = host.served_package("docker-buildx-plugin");
    fs::remove_file(package).expect("removing a package");
    host.dockstrap(["install", "--yes", "--user", "alice"])
        .exits(1)
        .says("docker-buildx-plugin")
        .says("the server does not have")
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
    host.uninstall().says("Nothing to do");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_package_that_is_not_the_one_the_index_names_is_never_unpacked() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let package = host.served_package("docker-ce-rootless-extras");
    let mut bytes = fs::read(&package).expect("reading a package");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&package, bytes).expect("changing a package");
    host.dockstrap(["install", "--yes"])
        .exits(5)
        .says("docker-ce-rootless-extras")
        .says("is not to be trusted")
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_engine_that_does_not_start_is_taken_back_and_its_reason_shown() {
    let host = LabHost::up("noble");
    host.write(
        "/etc/systemd/system/docker.service.d/broken.conf",
        "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --no-such-flag\n",
    );
    let before = host.tree();
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("unknown flag: --no-such-flag")
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());

    // And the host is in no way worse for it.
    host.sh("rm -r /etc/systemd/system/docker.service.d; systemctl daemon-reload");
    host.install().says("is set up");
}
