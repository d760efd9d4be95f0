//! Offline bundles: made where there is a network, used where there is none.

use std::fs;
use std::path::PathBuf;

use crate::bundle_contents::Contents;
use crate::host::LabHost;

const BUNDLE: &str = "/root/bundle.tar";
const INSTALL: [&str; 4] = ["install", "--yes", "--bundle", BUNDLE];

on_each_release! {
    fn a_bundle_sets_up_a_host_that_has_no_network_and_no_lists(host) {
        create(host);
        cut_off(host);
        host.sh("rm -r /var/lib/apt/lists/*");
        host.write(
            "/etc/dockstrap/config.toml",
            "[daemon]\nregistry-mirrors = ['https://mirror.example']\n",
        );
        host.dockstrap(["plan", "--bundle", BUNDLE])
            .exits(0)
            .never_says("does not answer")
            .says("pigz")
            .says(&format!("from {BUNDLE}"));
        host.dockstrap(INSTALL).exits(0).says("works on this host");
        host.sh("pigz --version; docker compose version");
        host.dockstrap(["plan"]).exits(0).says("Nothing to do");
        let asked = host.requests().len();
        host.dockstrap(["plan", "--check", "--bundle", BUNDLE]).exits(0);
        assert_eq!(host.requests().len(), asked);
        host.uninstall();
        assert!(!host.has("/usr/bin/pigz"));
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_bundle_is_the_same_wherever_it_is_made_and_says_what_it_holds() {
    let host = LabHost::up("noble");
    host.install();
    let inside = "cd /home/alice; bundle=$(echo dockstrap-noble-amd64-*.tar); tar tf $bundle";
    let create = format!(
        "cd; DOCKSTRAP_KEY_FINGERPRINT={} dockstrap bundle create",
        host.fingerprint()
    );
    host.run_as("alice", ["sh", "-euc", &create])
        .exits(0)
        .says("holds docker-ce");
    let where_it_is_installed = host.sh(inside).stdout;
    for name in [
        "docker-ce_",
        "docker-ce-cli_",
        "containerd.io_",
        "docker-buildx-plugin_",
    ] {
        assert!(
            where_it_is_installed.contains(name),
            "{where_it_is_installed}"
        );
    }
    host.uninstall();
    host.run_as("alice", ["sh", "-euc", &create]).exits(0);
    let where_it_is_not = host.sh(inside).stdout;
    assert!(where_it_is_not.contains("/pigz_"), "{where_it_is_not}");
    host.sh("mv /home/alice/dockstrap-noble-*.tar /root/bundle.tar");
    cut_off(&host);
    host.dockstrap(["bundle", "inspect", BUNDLE])
        .exits(0)
        .says("for noble on amd64")
        .says("6 packages, verified")
        .says(host.fingerprint());
    let inspect = ["bundle", "inspect", "--json", BUNDLE];
    let value = host.dockstrap(inspect).exits(0).json();
    assert_eq!(value["docker_packages"], 6);
    assert_eq!(value["ubuntu_packages"], 1);
    assert_eq!(value["release"], "noble");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_15_a_bundle_that_is_not_what_it_should_be_is_refused() {
    let host = LabHost::up("noble");
    create(&host);
    cut_off(&host);
    let file = bundle(&host);
    let whole = fs::read(&file).expect("reading the bundle");
    let before = host.tree();
    let refused = |bytes: &[u8], code: i32, reason: &str| {
        fs::write(&file, bytes).expect("writing the bundle");
        host.unchanged_by(code, INSTALL).says(reason);
        if code == 5 {
            host.dockstrap(["plan", "--bundle", BUNDLE]).exits(code);
        }
        fs::write(&file, &whole).expect("writing the bundle");
        before.is_restored_in(&host.tree());
    };
    for (name, reason) in [
        ("docker/gpg", "the key at"),
        ("/InRelease", "the index at"),
        (
            "/binary-amd64/Packages",
            "Packages is not what InRelease says",
        ),
        (
            "docker/dists/noble/pool/stable/amd64/docker-ce_",
            "docker-ce_",
        ),
        (
            "archive/0/dists/noble/InRelease",
            "what the bundle /root/bundle.tar holds of Ubuntu's archive is refused",
        ),
        ("archive/0/pool/main/pigz_", "pigz_"),
    ] {
        refused(&tampered(&whole, name), 5, reason);
        fs::write(&file, tampered(&whole, name)).expect("writing the bundle");
        host.dockstrap(["bundle", "inspect", BUNDLE]).exits(5);
    }
    refused(&whole[..whole.len() / 2], 4, "is incomplete");
    refused(&whole[..100], 2, "is not a dockstrap bundle");
    refused(b"hello", 2, "is not a dockstrap bundle");
    let other = |from: &str, to: &str| replaced(&whole, from, to);
    refused(
        &other("\"release\": \"noble\"", "\"release\": \"jammy\""),
        4,
        "is for jammy",
    );
    let elsewhere = Contents::of(&whole).for_architecture("amd64", "arm64");
    refused(&elsewhere.packed(), 4, "on arm64");
    // A bundle that only claims it is nobody's.
    refused(
        &other("\"architecture\": \"amd64\"", "\"architecture\": \"arm64\""),
        5,
        "has no place in a bundle",
    );
    refused(
        &other("\"schema\": 1", "\"schema\": 9"),
        4,
        "newer dockstrap",
    );
    // Whoever serves another key's signature has made a bundle of his own.
    host.run([
        "env",
        "DOCKSTRAP_KEY_FINGERPRINT=9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
        "dockstrap",
        "install",
        "--yes",
        "--bundle",
        BUNDLE,
    ])
    .exits(5)
    .says("9DC8");
    before.is_restored_in(&host.tree());
}

fn create(host: &LabHost) {
    host.dockstrap(["bundle", "create", "--file", BUNDLE])
        .exits(0);
}

/// Takes the network away.
fn cut_off(host: &LabHost) {
    host.servers("stop");
}

/// Where the bundle of a host is on this machine.
fn bundle(host: &LabHost) -> PathBuf {
    host.lab_path("root").join(&BUNDLE[1..])
}

/// The bundle with one bit of the first file whose name contains `name` turned over.
fn tampered(whole: &[u8], name: &str) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let block = whole.chunks(512).position(|block| {
        // The header of a file, not the manifest, which names them all.
        block.len() == 512
            && &block[257..262] == b"ustar"
            && String::from_utf8_lossy(&block[..100]).contains(name)
    });
    let content = (block.expect("such a file") + 1) * 512;
    bytes[content + 300] ^= 1;
    bytes
}

fn replaced(whole: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = whole.to_vec();
    let windows = bytes.windows(from.len());
    let at = windows
        .into_iter()
        .position(|it| it == from.as_bytes())
        .expect("such a text");
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}
