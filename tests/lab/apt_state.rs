//! States of apt and dpkg in which an install finds a host, or into which it gets while it asks.

use crate::host::LabHost;
use crate::interruption::{install_up_to_apt, wait_until};

/// Gives a package another state in dpkg's own file.
pub(crate) fn set_status(host: &LabHost, package: &str, status: &str) {
    host.sh(&format!(
        "sed -i '/^Package: {package}$/,/^$/ s/^Status: .*/Status: {status}/' /var/lib/dpkg/status"
    ));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_19_a_package_that_is_there_in_part_is_installed_again() {
    let host = LabHost::up("noble");
    let before = host.tree();
    host.install();
    set_status(&host, "docker-ce-cli", "install reinstreq half-installed");
    host.sh("rm /usr/bin/docker");
    host.install();
    host.sh("docker info; apt-get check");

    set_status(&host, "containerd.io", "install reinstreq half-installed");
    host.uninstall();
    before.is_restored_in(&host.tree());

    // What is of others is installed again only with consent.
    set_status(&host, "sudo", "install reinstreq half-installed");
    host.sh("rm /usr/bin/sudo");
    host.unchanged_by(4, ["install", "--yes"])
        .says("dockstrap install --repair")
        .says("apt-get install --reinstall sudo");
    let repair = ["install", "--yes", "--no-verify", "--repair"];
    host.dockstrap(repair)
        .exits(0)
        .says("again, since dpkg has only a part of it");
    host.sh("docker info; sudo --version; test -z \"$(dpkg --audit)\"");
    // With the engine there, too.
    set_status(&host, "sudo", "install reinstreq unpacked");
    host.sh("rm /usr/bin/sudo");
    host.dockstrap(repair).exits(0);
    host.sh("sudo --version; test -z \"$(dpkg --audit)\"");
    host.uninstall().says("install sudo again");
    before.is_restored_in(&host.tree());

    // Of one that is nowhere to be had, there is no mending.
    host.write("/root/lost", LOST);
    host.sh("apt-get update; cat /root/lost >>/var/lib/dpkg/status; rm /root/lost");
    host.unchanged_by(4, repair)
        .says("no source of apt's has its package")
        .says("dpkg --remove --force-remove-reinstreq lost");
}

/// What dpkg has of a package that is there in part.
const LOST: &str = "\nPackage: lost\nStatus: install reinstreq half-installed\nVersion: 1\n\
    Architecture: amd64\nMaintainer: Nobody <nobody@example.org>\nDescription: lost\n";

/// A package whose file trigger every program in /usr/bin sets off, as man-db's is by every manual
/// page; it waits as long as /root/slow is there.
const WITH_A_TRIGGER: &str = "
    mkdir -p /root/made/DEBIAN
    printf '%s\\n' 'Package: indexer' 'Version: 1' 'Architecture: all' 'Description: an index' \\
        'Maintainer: Nobody <nobody@example.org>' >/root/made/DEBIAN/control
    echo 'interest /usr/bin' >/root/made/DEBIAN/triggers
    printf '%s\\n' '#!/bin/sh' 'while test -e /root/slow; do sleep 0.1; done' \\
        >/root/made/DEBIAN/postinst
    chmod 0755 /root/made/DEBIAN/postinst
    dpkg-deb --build -Znone /root/made /root/indexer.deb
    apt-get install --yes /root/indexer.deb
    rm -r /root/made /root/indexer.deb";

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn triggers_of_others_that_a_killed_install_has_left_are_no_obstacle() {
    let host = LabHost::up("noble");
    host.sh(WITH_A_TRIGGER);
    let before = host.tree();
    host.sh("touch /root/slow");
    let install = install_up_to_apt(&host);
    wait_until("the trigger", || {
        host.run(["pgrep", "--full", "indexer[.]postinst triggered"])
            .has_succeeded()
    });
    host.sh(
        "pkill -KILL --exact dockstrap; pkill -KILL --exact apt-get; pkill -KILL --exact dpkg
         pkill -KILL --full 'indexer[.]postinst'; rm /root/slow",
    );
    install.end();
    let state = "dpkg-query --show --showformat='${db:Status-Status}' indexer";
    assert_ne!(host.sh(state).stdout, "installed");
    host.install();
    host.sh("docker info; test -z \"$(dpkg --audit)\"");
    assert_eq!(host.sh(state).stdout, "installed");

    // And so they are where dpkg did not even come to them.
    set_status(&host, "indexer", "install ok triggers-pending");
    host.sh("sed -i '/^Package: indexer$/a Triggers-Pending: /usr/bin' /var/lib/dpkg/status");
    host.install().says("Nothing to do");
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_21_a_pin_or_a_hold_in_the_way_is_told_and_kept() {
    let host = LabHost::up("noble");
    let pin = "/etc/apt/preferences.d/no-docker";
    host.write(
        pin,
        "Package: docker-ce\nPin: version *\nPin-Priority: -1\n",
    );
    host.unchanged_by(4, ["install", "--yes"])
        .says(&format!(
            "{pin}, line 1: apt is configured not to take docker-ce"
        ))
        .says("nothing was changed");
    host.sh(&format!("rm {pin}"));
    let before = host.tree();

    host.install();
    host.sh("apt-mark hold docker-ce containerd.io");
    host.install().says("Nothing to do");
    // A hold says that apt is to leave a package as it is.
    host.unchanged_by(4, ["uninstall", "--yes"])
        .says("containerd.io, docker-ce")
        .says("apt-mark unhold");
    host.sh("docker info; apt-mark unhold docker-ce containerd.io");
    host.uninstall();
    before.is_restored_in(&host.tree());

    // Nor is it given another version.
    let of_version = |version| {
        [
            "install",
            "--yes",
            "--no-verify",
            "--engine-version",
            version,
        ]
    };
    host.dockstrap(of_version("26.1.4")).exits(0);
    host.sh("apt-mark hold docker-ce");
    host.unchanged_by(4, of_version("26.1.5"))
        .says("docker-ce")
        .says("apt-mark unhold docker-ce");
    host.sh("apt-mark unhold docker-ce");
    host.dockstrap(of_version("26.1.5")).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_27_an_engine_newer_than_the_repositorys_is_not_replaced() {
    let host = LabHost::up("noble");
    host.install();
    let newer = "5:99.0.0-1~ubuntu.24.04~noble";
    host.sh(&format!(
        "sed -i '/^Package: docker-ce$/,/^$/ s/^Version: .*/Version: {newer}/' /var/lib/dpkg/status
         apt-get purge --yes docker-compose-plugin"
    ));
    host.install().says("docker-compose-plugin");
    let version = "dpkg-query --show --showformat='${Version}' docker-ce";
    assert_eq!(host.sh(version).stdout, newer);
    host.sh("docker compose version");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_28_a_configuration_file_from_before_is_kept_without_a_question() {
    let host = LabHost::up("noble");
    let path = "/etc/default/docker";
    host.write(path, "# the user's own\n");
    host.sh(&format!("chmod 640 {path}; chown alice: {path}"));
    host.sh("apt-mark hold sudo");
    let before = host.tree();
    host.install();
    assert_eq!(host.read(path), "# the user's own\n");
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_29_a_plan_that_the_world_has_overtaken_is_not_carried_out() {
    let host = LabHost::up("noble");
    let asking = host
        .on_a_terminal("NO_COLOR=1", ["install"])
        .shows("pigz")
        .shows("Set this up?");
    host.sh("apt-get install --yes pigz");
    let before = host.tree();
    asking
        .types("y")
        .end()
        .exits(1)
        .says("changed since the plan was made")
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
    host.install();
    host.uninstall();
    host.sh("pigz --version");
}
