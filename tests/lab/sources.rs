//! Sources that stand on a host already, and suites that do not stand on the server.

use std::fs;
use std::process::Command;

use crate::host::LabHost;
use crate::kept_sources::{OURS, is_named_only_in};

const LIST: &str = "/etc/apt/sources.list.d/docker.list";
const URI: &str = "https://download.docker.com/linux/ubuntu";

on_each_release! {
    /// The line of the older instructions, with a keyring that apt does not find.
    fn fault_16_a_source_with_another_keyring_is_moved_aside_and_comes_back(host) {
        let release = host.sh(". /etc/os-release; echo $VERSION_CODENAME").all();
        let release = release.lines().find(|line| !line.starts_with("---")).unwrap_or_default();
        host.write(LIST, &line("signed-by=/usr/share/keyrings/docker-archive-keyring.gpg", release));
        host.sh(&format!("chmod 640 {LIST}; chown alice: {LIST}"));
        let before = host.tree();
        host.dockstrap(["plan"]).exits(0).says(LIST).says("another keyring");
        before.is_untouched_in(&host.tree());
        host.install();
        is_named_only_in(host, OURS);
        host.uninstall();
        before.is_restored_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_16_whatever_form_an_old_source_has_it_is_migrated() {
    let host = LabHost::up("noble");
    let key = host.lab_path("keys").join("docker.asc");
    let key = fs::read_to_string(key).expect("reading the key");
    let key = key.lines().map(|line| match line {
        "" => " .\n".to_owned(),
        line => format!(" {line}\n"),
    });
    let inline = format!(
        "Types: deb\nURIs: {URI}\nSuites: noble\nComponents: stable\nSigned-By:\n{}",
        key.collect::<String>()
    );
    for (path, text, reason) in [
        (LIST, line("arch=amd64", "noble"), "it names no keyring"),
        (
            "/etc/apt/sources.list",
            "# the host's own\ndeb https://download.docker.com/linux/debian trixie stable\n"
                .to_owned(),
            "/etc/apt/sources.list",
        ),
        (
            "/etc/apt/sources.list.d/old.sources",
            inline,
            "within itself",
        ),
    ] {
        host.write(path, &text);
        let before = host.tree();
        host.dockstrap(["plan"]).exits(0).says(reason);
        before.is_untouched_in(&host.tree());
        host.install();
        is_named_only_in(&host, OURS);
        host.uninstall();
        before.is_restored_in(&host.tree());
        host.sh(&format!("rm {path}"));
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_17_a_broken_source_of_others_is_named_and_not_in_the_way() {
    let host = LabHost::up("noble");
    host.write(
        "/etc/apt/sources.list.d/other.list",
        "deb http://me:s3cret@nowhere.invalid/repo ./\n",
    );
    host.sh("rm /var/lib/apt/lists/*_Packages");
    host.install().says("nowhere.invalid").never_says("s3cret");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_17_a_source_that_apt_cannot_read_is_named_with_its_place() {
    let host = LabHost::up("noble");
    let list = "/etc/apt/sources.list.d/broken.list";
    host.write(list, "# one\n# two\ndeb http://x\n");
    let before = host.tree();
    host.dockstrap(["install", "--yes"])
        .exits(4)
        .says(&format!("entry 3 in list file {list}"));
    before.is_untouched_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_09_a_missing_suite_is_answered_with_those_that_exist() {
    let host = LabHost::up("noble");
    let suites = host.docker_repository().join("dists");
    // A folder of an overlay cannot be renamed by a plain call.
    let moved = Command::new("mv")
        .args([suites.join("noble"), suites.join("resolute")])
        .status();
    assert!(moved.expect("moving a suite").success());
    let before = host.tree();
    host.dockstrap(["install", "--yes"])
        .exits(4)
        .says("has no suite `noble`")
        .says("--suite resolute");
    host.dockstrap(["install", "--yes", "--suite", "focal"])
        .exits(4);
    host.dockstrap(["install", "--yes", "--suite", "x/y"])
        .exits(2);
    before.is_untouched_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_release_newer_than_the_table_takes_a_suite_that_is_named() {
    let host = LabHost::up("noble");
    host.write(
        "/etc/os-release",
        "PRETTY_NAME=\"Ubuntu 26.10\"\nID=ubuntu\nVERSION_ID=26.10\nVERSION_CODENAME=stonking\n",
    );
    host.dockstrap(["plan"]).exits(4).says("26.04 (resolute)");
    host.dockstrap(["plan", "--suite", "noble"])
        .exits(0)
        .says("warning:");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_suite_of_another_release_that_is_chosen_is_no_finding() {
    let host = LabHost::up("noble");
    host.sh("sed -i s/noble/jammy/ /etc/os-release");
    host.dockstrap(["install", "--yes", "--suite", "noble"])
        .exits(0)
        .never_says("DS601");
    host.dockstrap(["doctor"]).never_says("DS601");
    // It says so of a source that nobody chose.
    host.uninstall();
    host.write(LIST, &line("signed-by=/root/key.asc", "noble"));
    host.dockstrap(["doctor"])
        .exits(3)
        .says("it is for noble, not for jammy");
}

fn line(options: &str, suite: &str) -> String {
    format!("deb [{options}] {URI} {suite} stable\n")
}
