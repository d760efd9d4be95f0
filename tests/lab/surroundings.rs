//! What a host runs on and in: without systemd, in a container, with services that may not start.

use crate::host::{LabHost, PROGRAM};

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_54_without_systemd_it_is_said_what_helps_on_wsl() {
    let host = LabHost::up_without_systemd("noble");
    host.unchanged_by(4, ["install", "--yes"])
        .says("systemd does not run on this host")
        .says("`[boot]` and `systemd=true` into /etc/wsl.conf");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_56_in_a_chroot_nothing_is_begun_that_could_not_be_proven() {
    let host = LabHost::up("noble");
    // As an image is built on a host that has its own systemd.
    host.sh("mkdir /mnt/image; mount --bind / /mnt/image; mount -t proc proc /mnt/image/proc");
    let before = host.tree();
    let fingerprint = format!("DOCKSTRAP_KEY_FINGERPRINT={}", host.fingerprint());
    let command = [
        "env",
        &fingerprint,
        "chroot",
        "/mnt/image",
        PROGRAM,
        "install",
        "--yes",
    ];
    host.run(command)
        .exits(4)
        .says("systemd does not run on this host")
        .says("could not be started and verified");
    before.is_untouched_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_43_a_masked_unit_is_refused_with_the_command_that_allows_it() {
    let host = LabHost::up("noble");
    host.sh("systemctl mask docker.service");
    host.unchanged_by(4, ["install", "--yes"])
        .says("systemctl unmask docker.service");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_43_a_policy_against_starting_services_brings_no_false_success() {
    let host = LabHost::up("noble");
    host.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
    host.sh("chmod 755 /usr/sbin/policy-rc.d");
    let before = host.tree();
    // The packages do not start it, so dockstrap does: that is what it was asked for.
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("works on this host");
    host.sh("systemctl is-active docker.service containerd.service; docker info");
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_44_an_engine_that_reached_its_start_limit_is_started_once_more() {
    let host = LabHost::up("noble");
    host.install();
    host.sh(
        "cp /etc/docker/daemon.json /root; echo '{\"bip\": \"nonsense\"}' >/etc/docker/daemon.json
         for _ in 1 2 3 4 5 6; do systemctl restart docker.service || true; done
         cp /root/daemon.json /etc/docker; ! systemctl start docker.service",
    );
    host.install().says("start");
    host.sh("docker info");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_46_an_iptables_without_its_backend_is_the_reason_that_is_told() {
    let host = LabHost::up("noble");
    // As on a kernel that lacks the modules for the tables that iptables was built for.
    host.sh(
        "for program in /usr/sbin/xtables-nft-multi /usr/sbin/xtables-legacy-multi; do
             printf '#!/bin/sh\necho \"iptables: Failed to initialize nft: Protocol not supported\" \
                 >&2\nexit 1\n' >$program
         done",
    );
    let before = host.tree();
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("Failed to initialize nft: Protocol not supported")
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_55_an_engine_that_may_not_mount_is_never_said_to_work() {
    let host = LabHost::up("noble");
    // What it comes to in an unprivileged container without nesting.
    host.write(
        "/etc/systemd/system/docker.service.d/container.conf",
        "[Service]\nCapabilityBoundingSet=~CAP_SYS_ADMIN CAP_NET_ADMIN\n",
    );
    let before = host.tree();
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("the engine did not start")
        .says("not permitted")
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_59_an_unprivileged_user_is_refused_before_anything_is_looked_at() {
    let host = LabHost::up("noble");
    let before = host.tree();
    for command in ["install", "uninstall"] {
        host.run_as("alice", [PROGRAM, command, "--yes"])
            .exits(2)
            .says(&format!("sudo dockstrap {command}"))
            .says("nothing was changed");
    }
    before.is_untouched_in(&host.tree());
    assert!(host.requests().is_empty(), "{:?}", host.requests());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_60_control_groups_of_version_1_are_warned_of() {
    let host = LabHost::up("noble");
    host.dockstrap(["plan"]).exits(0).never_says("version 1");
    let v1 = format!(
        "mount -t tmpfs none /sys/fs/cgroup; mkdir /sys/fs/cgroup/memory
         {PROGRAM} plan --key-fingerprint {}",
        host.fingerprint()
    );
    host.run(["unshare", "--mount", "sh", "-euc", &v1])
        .exits(0)
        .says("warning:")
        .says("control groups of version 1");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_68_an_engine_that_an_upgrade_stopped_is_noticed_and_started() {
    let host = LabHost::up("noble");
    host.install();
    // As the upgrade of containerd.io does to what stands on it.
    host.sh("systemctl stop docker.socket docker.service containerd.service");
    host.dockstrap(["status"])
        .exits(3)
        .says("docker.service is not running");
    host.dockstrap(["verify", "engine"]).exits(7);
    host.install().says("start docker.service");
    host.dockstrap(["verify", "engine"]).exits(0);
    host.dockstrap(["status"]).exits(0);
}
