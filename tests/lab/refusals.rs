//! Hosts and wishes that are refused: each with its own words and exit code, the host untouched.

use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;

/// Does `what`, which must end with this code and leave the host as it is.
#[track_caller]
fn refuses(host: &LabHost, code: i32, what: impl Fn() -> Outcome) -> Outcome {
    let before = host.tree();
    let outcome = what().exits(code);
    before.is_untouched_in(&host.tree());
    outcome
}

#[track_caller]
fn refuses_install(host: &LabHost, code: i32) -> Outcome {
    refuses(host, code, || host.dockstrap(["install", "--yes"]))
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_key_that_is_not_dockers_is_refused_unless_its_fingerprint_is_given() {
    let host = LabHost::up("noble");
    refuses(&host, 5, || host.run([PROGRAM, "install", "--yes"]))
        .says("9DC858229FC7DD38854AE2D88D81803C0EBFCD88")
        .says(host.fingerprint());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_wish_that_cannot_be_meant_is_refused() {
    let host = LabHost::up("noble");
    // No terminal to ask on.
    refuses(&host, 2, || host.dockstrap(["install"])).says("--yes");
    refuses(&host, 2, || host.dockstrap(["install", "--frobnicate"])).says("--frobnicate");
    refuses(&host, 2, || {
        host.dockstrap(["install", "--yes", "--config", "/no/such.toml"])
    })
    .says("/no/such.toml");
    refuses(&host, 2, || host.dockstrap(["verify", "everything"])).says("engine");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_system_that_is_no_ubuntu_is_refused() {
    let host = LabHost::up("noble");
    host.write(
        "/etc/os-release",
        "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\n\
         VERSION_ID=\"13\"\nVERSION_CODENAME=trixie\nID=debian\n",
    );
    refuses_install(&host, 4)
        .says("Debian")
        .says("22.04")
        .says("24.04")
        .says("26.04");
    assert!(host.requests().is_empty(), "{:?}", host.requests());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_58_an_architecture_without_packages_is_refused_with_those_that_have_some() {
    let host = LabHost::up("noble");
    let dpkgs_own = |from: &str, to: &str| {
        let stanza = "/^Package: dpkg$/,/^$/";
        host.sh(&format!(
            "sed -i '{stanza} s/^Architecture: {from}$/Architecture: {to}/' /var/lib/dpkg/status"
        ));
    };
    for (from, to) in [("amd64", "i386"), ("i386", "riscv64")] {
        dpkgs_own(from, to);
        refuses_install(&host, 4)
            .says(&format!("architecture is {to},"))
            .says("amd64 and arm64");
    }
    assert!(host.requests().is_empty(), "{:?}", host.requests());
    dpkgs_own("riscv64", "amd64");
    host.dockstrap(["plan"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn ubuntus_own_docker_is_left_to_the_user() {
    let host = LabHost::up("noble");
    host.sh("apt-get install --yes docker.io");
    refuses_install(&host, 4)
        .says("apt-get remove")
        .says("docker.io");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_18_what_others_left_unfinished_is_repaired_only_with_consent() {
    let host = LabHost::up("noble");
    // A line that dpkg wrote down and never merged, as a power cut leaves it.
    host.sh("dpkg-query --status sudo >/var/lib/dpkg/updates/0000");
    refuses_install(&host, 4)
        .says("sudo")
        .says("dockstrap install --repair")
        .says("dpkg --configure -a");
    host.dockstrap(["plan", "--repair"])
        .exits(0)
        .says("finish what dpkg was cut short at");
    host.dockstrap(["install", "--yes", "--no-verify", "--repair"])
        .exits(0);
    assert!(!host.has("/var/lib/dpkg/updates/0000"));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_20_a_package_of_others_that_is_not_configured_is_named() {
    let host = LabHost::up("noble");
    let script = "/var/lib/dpkg/info/sudo.postinst";
    host.sh(&format!(
        "mv {script} /root/kept; printf '#!/bin/sh\\nexit 1\\n' >{script}; chmod 755 {script}
         sed -i '/^Package: sudo$/,/^$/ s/install ok installed/install ok half-configured/' \
             /var/lib/dpkg/status"
    ));
    refuses_install(&host, 4)
        .says("has not configured sudo")
        .says("not dockstrap's");
    let before = host.tree();
    // What cannot be repaired is not hidden, and what was done until then is taken back.
    host.dockstrap(["install", "--yes", "--repair"])
        .exits(1)
        .says("sudo")
        .says("put back");
    before.is_restored_in(&host.tree());
    host.sh(&format!("mv /root/kept {script}"));
    host.dockstrap(["install", "--yes", "--no-verify", "--repair"])
        .exits(0);
    host.uninstall().says("they work now: sudo");
}
