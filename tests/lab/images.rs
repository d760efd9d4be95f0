//! Images and chroots: everything is placed, nothing is started, and the proof comes at the boot.

use crate::host::{LabHost, PROGRAM};

const IS_ACTIVE: [&str; 5] = [
    "systemctl",
    "is-active",
    "docker.service",
    "docker.socket",
    "containerd.service",
];

on_each_unbooted! {
    /// From the files of a host to a booted one with a proven engine, and both ways back.
    fn fault_56_an_image_is_set_up_without_systemd_and_proven_once_it_boots(host) {
        let bare = host.tree();
        host.unchanged_by(4, ["install", "--yes"])
            .says("systemd does not run on this host")
            .says("dockstrap install --no-start");
        let install = ["install", "--no-start", "--yes", "--user", "alice"];
        host.dockstrap(["plan", "--no-start"])
            .exits(0)
            .says("docker.service is enabled by its package, and will not be started");
        host.dockstrap(install)
            .exits(0)
            .says("is in place, and was not started")
            .never_says("works on this host");
        host.sh("test -z \"$(pgrep --exact 'dockerd|containerd')\"
                 test ! -e /usr/sbin/policy-rc.d; systemctl is-enabled docker.service
                 dockerd --validate --config-file /etc/docker/daemon.json; getent group docker")
            .says("alice");
        host.dockstrap(["status"]).exits(0).says("All of it is as");
        host.unchanged_by(0, install).says("and not started");
        host.uninstall();
        bare.is_restored_in(&host.tree());

        host.dockstrap(install).exits(0);
        host.boot();
        host.run(IS_ACTIVE).exits(0);
        host.dockstrap(["install", "--yes", "--user", "alice"])
            .exits(0)
            .says("Docker Engine works on this host");
        host.sh("systemctl stop docker.socket docker.service");
        host.dockstrap(["status"]).exits(3).says("docker.service is not running");
        host.install();
        host.uninstall();
        host.sh("! getent group docker; ! ip link show docker0; ! iptables-save | grep DOCKER");
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn nothing_is_started_on_a_booted_host_until_it_is_asked_for() {
    let host = LabHost::up("noble");
    host.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n");
    host.sh("chmod 755 /usr/sbin/policy-rc.d");
    let bare = host.tree();
    host.dockstrap(["install", "--no-start", "--yes"]).exits(0);
    let states = host.run(IS_ACTIVE).stdout;
    assert_eq!(states, "inactive\ninactive\ninactive\n");
    host.dockstrap(["status"]).exits(0);
    host.sh("test ! -e /var/lib/docker/engine-id; test ! -e /run/docker.sock");
    host.uninstall();
    bare.is_restored_in(&host.tree());

    host.dockstrap_by(["env", "DOCKSTRAP_NO_START=true"], ["install", "--yes"])
        .exits(0);
    // Started by hand, it is left running and told of what changes.
    host.sh("systemctl start docker.service");
    host.write(
        "/etc/dockstrap/config.toml",
        "no-start = true\n[daemon]\ndebug = true\n",
    );
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("reload docker.service")
        .says("works on this host");
    assert_eq!(host.account()["Debug"], true);
    host.sh("systemctl stop docker.socket docker.service; rm -r /etc/dockstrap");
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("start docker.service")
        .says("works on this host");
    host.uninstall();
    bare.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_56_the_way_back_in_a_chroot_leaves_the_host_around_it_alone() {
    let host = LabHost::up("noble");
    // As an image is built on a host that has an engine of its own, and shows it its /run.
    host.sh(
        "mkdir /mnt/image; cp -a --one-file-system /bin /etc /lib* /opt /root /sbin /srv /tmp \
                 /usr /var /mnt/image 2>/dev/null; mkdir /mnt/image/proc /mnt/image/run \
                 /mnt/image/dev /mnt/image/sys",
    );
    host.install();
    host.sh(
        "cd /mnt/image; for it in proc run dev sys; do mount --rbind /$it $it; done
             docker run --detach --interactive --tty --name keeper hello-world /cat",
    );
    let around = "iptables-save | grep -c DOCKER; ip -o link | grep -c docker0; \
                  systemctl is-active docker.service containerd.service; docker ps --quiet";
    let before = host.sh(around).stdout;
    let fingerprint = format!("DOCKSTRAP_KEY_FINGERPRINT={}", host.fingerprint());
    for (arguments, code, words) in [
        (["install", "--yes"].as_slice(), 4, "--no-start"),
        (&["install", "--yes", "--no-start"], 0, "was not started"),
        (&["status"], 0, "All of it"),
        (&["uninstall", "--yes"], 0, "Undone"),
    ] {
        let chroot = ["env", &fingerprint, "chroot", "/mnt/image", PROGRAM];
        host.run_all(&[&chroot, arguments].concat())
            .exits(code)
            .says(words);
        assert_eq!(host.sh(around).stdout, before);
    }
    host.sh(
        "umount --recursive --lazy /mnt/image/proc /mnt/image/run /mnt/image/dev /mnt/image/sys",
    );
}
