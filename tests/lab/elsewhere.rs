//! What the host's own configuration of apt would have an install take from elsewhere, unseen or
//! unchecked.

use std::fs;
use std::process::Command;

use crate::host::LabHost;

const LIST: &str = "/etc/apt/sources.list.d/other.list";
const PIN: &str = "/etc/apt/preferences.d/other";
const CONFIGURATION: &str = "/etc/apt/apt.conf.d/99other";
/// What Docker's packages need of Ubuntu's archive.
const NEEDED: &str = "pigz";

/// Has the servers offer a package of this version in a repository of its own, unsigned, which
/// the host takes with this option.
fn offer_elsewhere(host: &LabHost, package: &str, version: &str, option: &str) {
    host.sh(&format!(
        "rm -rf /srv/other /srv/tree; mkdir -p /srv/other /srv/tree/DEBIAN; cd /srv/other
         printf '%s\\n' 'Package: {package}' 'Version: {version}' 'Architecture: amd64' \
             'Maintainer: x <x@x.invalid>' 'Description: of somebody else' >/srv/tree/DEBIAN/control
         dpkg-deb --build /srv/tree {package}.deb
         {{ cat /srv/tree/DEBIAN/control; echo 'Filename: ./{package}.deb'
            echo \"Size: $(stat --format %s {package}.deb)\"
            echo \"SHA256: $(sha256sum {package}.deb | cut -c 1-64)\"; }} >Packages"
    ));
    let served = host.lab_path("www").join("archive.ubuntu.com/other");
    let _ = fs::remove_dir_all(&served);
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(host.lab_path("root").join("srv/other"));
    assert!(copy.arg(&served).status().expect("running cp").success());
    host.write(
        LIST,
        &format!("deb [{option}] http://archive.ubuntu.com/other ./\n"),
    );
    host.sh("apt-get update");
}

on_each_release! {
    fn an_engine_that_another_repository_offers_is_refused_until_it_is_out_of_the_way(host) {
        offer_elsewhere(host, "docker-ce", "5:99.0.0-1", "trusted=yes");
        host.unchanged_by(4, ["install", "--yes"]).says_all(&[
            "docker-ce 5:99.0.0-1 from http://archive.ubuntu.com/other/",
            "not from Docker's repository at https://download.docker.com/linux/ubuntu",
            "apt-cache policy docker-ce",
            "nothing was changed",
        ]);
        host.write(PIN, "Package: docker-ce\nPin: origin archive.ubuntu.com\nPin-Priority: -1\n");
        host.install();
        host.sh("docker info");
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_host_that_lets_apt_take_anything_does_not_let_an_install() {
    let host = LabHost::up("noble");
    offer_elsewhere(&host, NEEDED, "99", "allow-insecure=yes");
    let loose = "APT::Get::Force-Yes \"true\";\nAPT::Get::AllowUnauthenticated \"true\";\n";
    host.write(CONFIGURATION, loose);
    let before = host.tree();
    host.dockstrap(["install", "--yes", "--no-verify"])
        .exits(1)
        .says("unauthenticated packages")
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
    // Nothing else was in the way: apt by itself takes it.
    host.sh(&format!("apt-get install --yes {NEEDED}=99"));
}

/// apt believes a file in its folder by its size, and the folder that was looked into is another.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn package_files_in_a_folder_of_the_hosts_own_are_not_taken() {
    let host = LabHost::up("noble");
    host.write(
        CONFIGURATION,
        "Dir::Cache::archives \"/srv/cache/\";\nDir::State::lists \"/srv/lists/\";\n",
    );
    host.sh("mkdir -p /srv/cache/partial /srv/lists/partial");
    let served = host.served_package("docker-compose-plugin");
    let mut content = fs::read(&served).expect("reading a package");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    let folder = host.lab_path("root").join("srv/cache");
    let poisoned = folder.join(served.file_name().expect("a name"));
    fs::write(&poisoned, &content).expect("poisoning a folder");
    host.install();
    host.sh("docker compose version; docker info");
    assert!(
        fs::read(&poisoned).expect("reading it") == content,
        "it was touched"
    );
}
