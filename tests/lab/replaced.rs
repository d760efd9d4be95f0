//! What stood in the place of Docker's packages before: made room for only when that is asked for,
//! and given back.

use std::fs;

use crate::host::{LabHost, PROGRAM};

const CONTAINERD: &str = "/etc/containerd/config.toml";

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_22_another_engine_with_its_containers_makes_room_only_with_consent() {
    let host = LabHost::up("noble");
    install_docker_io(&host);
    host.sh(&format!(
        "tar --create --directory /usr/local/bin dockstrap | docker import - kept
         docker volume create kept
         docker run --detach --name web --volume kept:/kept kept /dockstrap probe sleep
         test -x {PROGRAM}"
    ));
    let before = host.tree();
    for refused in [
        host.dockstrap(["plan"]),
        host.dockstrap(["install", "--yes"]),
    ] {
        refused
            .exits(4)
            .says("docker.io")
            .says("web")
            .says("dockstrap install --replace");
    }
    before.is_untouched_in(&host.tree());
    assert_eq!(host.sh("docker ps --format '{{.Names}}'").stdout, "web\n");

    host.dockstrap(["plan", "--replace"])
        .exits(0)
        .says("remove docker.io")
        .says("containers that run under them: web");
    host.dockstrap(["install", "--yes", "--replace"])
        .exits(0)
        .says("works on this host");
    assert!(
        !host
            .sh("dpkg-query --list")
            .stdout
            .contains("ii  docker.io")
    );
    host.sh("docker image inspect kept; docker volume inspect kept; docker start web");

    host.uninstall().says("apt-get install docker.io");
    assert!(host.has("/var/lib/docker/volumes/kept"));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_made_room_is_installed_again_when_that_is_asked_for() {
    let host = LabHost::up("noble");
    host.sh("apt-get install --yes docker.io docker-compose-v2");
    let before = host.tree();
    let marks = "apt-mark showmanual; apt-mark showauto";
    let marked = host.sh(marks).stdout;
    host.dockstrap(["install", "--yes", "--no-verify", "--replace"])
        .exits(0);
    host.dockstrap(["uninstall", "--yes", "--purge-data", "--restore-packages"])
        .exits(0)
        .says("the host is as it was");
    assert_eq!(host.sh(marks).stdout, marked);
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_22_podmans_docker_command_makes_room_only_with_consent_and_comes_back() {
    let host = LabHost::up("noble");
    host.sh("apt-get install --yes podman-docker");
    let before = host.tree();
    host.unchanged_by(4, ["install", "--yes"])
        .says("podman-docker")
        .says("dockstrap install --replace");
    host.dockstrap(["install", "--yes", "--no-verify", "--replace"])
        .exits(0)
        .says("remove podman-docker");
    host.sh("docker info");
    host.dockstrap(["uninstall", "--yes", "--purge-data", "--restore-packages"])
        .exits(0)
        .says("the host is as it was");
    before.is_restored_in(&host.tree());

    // A run that fails before apt begins has nothing to give back.
    let asking = host
        .on_a_terminal("NO_COLOR=1", ["install", "--replace"])
        .shows("Set this up?");
    host.sh("apt-get install --yes pigz");
    asking
        .types("y")
        .end()
        .exits(1)
        .says("changed since the plan was made")
        .never_says("made room")
        .says("the host was put back as it was");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_24_a_snap_and_docker_desktop_are_refused_with_the_command_that_removes_them() {
    let host = LabHost::up("noble");
    for (there, cure) in [
        ("/snap/bin/docker", "snap remove docker"),
        (
            "/opt/docker-desktop/bin/docker-desktop",
            "apt-get remove docker-desktop",
        ),
    ] {
        host.write(there, "");
        let before = host.tree();
        host.dockstrap(["install", "--yes", "--replace"])
            .exits(4)
            .says(cure);
        before.is_untouched_in(&host.tree());
        host.run(["rm", there]).exits(0);
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_23_what_a_kubelet_runs_on_is_left_alone() {
    let host = LabHost::up("noble");
    host.sh("apt-get install --yes containerd");
    host.write(
        "/var/lib/kubelet/config.yaml",
        "kind: KubeletConfiguration\n",
    );
    let before = host.tree();
    host.dockstrap(["install", "--yes"])
        .exits(4)
        .says("kubelet");
    host.dockstrap(["install", "--yes", "--replace"])
        .exits(4)
        .says("kubelet");
    before.is_untouched_in(&host.tree());
}

on_each_release! {
    /// The configuration outlives its package both ways: made in advance, or left behind.
    fn fault_48_a_configuration_of_containerd_from_before_is_kept_and_comes_back(host) {
        let own = "# mine\ndisabled_plugins = []\n";
        host.write(CONTAINERD, own);
        let before = host.tree();
        host.install();
        assert_eq!(host.read(CONTAINERD), own);
        host.uninstall();
        before.is_restored_in(&host.tree());

        host.sh("rm -r /etc/containerd");
        host.install();
        host.sh("mv /var/lib/dockstrap /root/aside; apt-get remove --yes containerd.io docker-ce");
        host.sh("rm -r /root/aside");
        host.write(CONTAINERD, own);
        host.sh("find /var/lib/docker /var/lib/containerd -mindepth 1 -delete");
        let left_behind = host.tree();
        host.install();
        assert_eq!(host.read(CONTAINERD), own);
        host.uninstall();
        assert_eq!(host.read(CONTAINERD), own);
        let state = "dpkg-query --show --showformat='${db:Status-Status}' containerd.io";
        assert_eq!(host.sh(state).stdout, "config-files");
        left_behind.is_restored_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_engine_that_was_removed_but_for_its_configuration_leaves_the_same_again() {
    let host = LabHost::up("noble");
    host.install();
    host.sh("mv /var/lib/dockstrap /root/aside; rm -r /root/aside
         apt-get remove --yes docker-ce docker-ce-cli containerd.io
         ip link delete docker0 || true
         for rules in iptables ip6tables; do
             $rules --policy FORWARD ACCEPT
             for table in filter nat; do
                 $rules --table $table --flush; $rules --table $table --delete-chain
             done
         done
         find /var/lib/docker /var/lib/containerd -mindepth 1 -delete");
    let before = host.tree();
    host.install();
    host.sh("docker info");
    host.uninstall().never_says("other packages need");
    before.is_restored_in(&host.tree());
}

/// An engine under Ubuntu's name for it, made of the files of Docker's packages: Ubuntu's own is
/// not to be had here.
fn install_docker_io(host: &LabHost) {
    for package in ["containerd.io", "docker-ce-cli", "docker-ce"] {
        let served = host.served_package(package);
        let target = host
            .lab_path("root")
            .join("root")
            .join(format!("{package}.deb"));
        fs::copy(served, target).expect("copying a package");
    }
    host.sh(
        "cd /root
         for package in containerd.io docker-ce-cli docker-ce; do dpkg-deb --extract $package.deb made; done
         dpkg-deb --control docker-ce.deb made/DEBIAN
         sed -i -e 's/^Package: .*/Package: docker.io/' \\
             -e '/^\\(Depends\\|Recommends\\|Conflicts\\|Replaces\\|Breaks\\|Suggests\\):/d' made/DEBIAN/control
         dpkg-deb --build -Znone made docker.io.deb
         apt-get install --yes ./docker.io.deb
         rm -r made ./*.deb
         systemctl is-active docker",
    );
}
