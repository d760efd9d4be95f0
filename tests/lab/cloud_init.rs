//! The examples for cloud-init, as they are shipped, on a booting host with Debian's cloud-init.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::host::{LabHost, PROGRAM};

const SEED: &str = "/var/lib/cloud/seed/nocloud";
/// A folder on the server of Docker's stand-in, in the place of the examples' one.
const URL: &str = "https://download.docker.com/dockstrap/";
const PLACEHOLDER: &str = "https://downloads.example.com/dockstrap/";

const BINARY: &str = include_str!("../../packaging/cloud-init/binary.yaml");
const DEB: &str = include_str!("../../packaging/cloud-init/deb.yaml");

/// Serves the file under its name in the example, and makes the example name this server and the
/// file's hash.
fn serve(host: &LabHost, example: &str, file: &Path) -> String {
    let (_, rest) = example.split_once(PLACEHOLDER).expect("an address");
    let name = rest.lines().next().expect("a name");
    let folder = host.lab_path("www").join("download.docker.com/dockstrap");
    fs::create_dir_all(&folder).expect("making a folder");
    fs::copy(file, folder.join(name)).expect("serving the file");
    let sum = Command::new("sha256sum")
        .arg(file)
        .output()
        .expect("sha256sum");
    let sum = String::from_utf8(sum.stdout).expect("a hash");
    let seed = example
        .replace(PLACEHOLDER, URL)
        .replace(&"0".repeat(64), &sum[..64]);
    assert!(!seed.contains("example.com"), "{seed}");
    seed
}

/// A host of an image for clouds, without dockstrap, that boots with this user data.
fn boot(example: &str, file: &Path) -> LabHost {
    let host = LabHost::up_with("noble", &["--no-systemd", "--cloud"]);
    host.sh(&format!("rm {PROGRAM}"));
    // The test key counts, for all that systemd starts.
    host.write(
        "/etc/systemd/system.conf.d/lab.conf",
        &format!(
            "[Manager]\nDefaultEnvironment=DOCKSTRAP_KEY_FINGERPRINT={}\n",
            host.fingerprint()
        ),
    );
    host.write(&format!("{SEED}/user-data"), &serve(&host, example, file));
    host.write(&format!("{SEED}/meta-data"), "instance-id: lab\n");
    host.boot();
    host
}

/// Fails unless cloud-init is done and the engine is proven.
#[track_caller]
fn is_done(host: &LabHost) {
    host.run(["cloud-init", "status", "--wait", "--long"])
        .exits(0)
        .says("status: done")
        .says("errors: []");
    host.sh("cat /var/log/cloud-init-output.log")
        .says("works on this host");
    let status = host.sh("dockstrap status --json").json();
    assert_eq!(status["verified"]["failed"], serde_json::json!([]));
    assert_eq!(status["members"], serde_json::json!(["ubuntu"]));
    host.run_as("ubuntu", ["docker", "run", "--rm", "hello-world"])
        .exits(0)
        .says("Hello from Docker!");
    host.sh("! ls -d /tmp/tmp.* /var/tmp/dockstrap*");
}

/// What other users can guess they can put there first, or swap.
#[test]
fn the_examples_keep_what_they_fetch_where_only_root_can_write() {
    for example in [BINARY, DEB] {
        assert!(example.contains("folder=$(mktemp -d)"), "{example}");
        assert!(example.contains("file=$folder/"), "{example}");
        assert!(!example.contains("/tmp"), "{example}");
    }
}

fn program() -> std::path::PathBuf {
    std::env::var_os("DOCKSTRAP_BIN")
        .expect("DOCKSTRAP_BIN")
        .into()
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_example_with_the_binary_ends_with_a_proven_engine() {
    let host = boot(BINARY, &program());
    is_done(&host);
    host.sh(&format!("cloud-init schema --config-file {SEED}/user-data"))
        .says("Valid schema");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_example_with_the_package_ends_with_a_proven_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    for (path, bytes, mode) in [
        ("usr/bin/dockstrap", fs::read(program()).expect("the program"), 0o755),
        (
            "DEBIAN/control",
            b"Package: dockstrap\nVersion: 0\nArchitecture: all\nMaintainer: lab <lab@lab.invalid>\n\
              Description: the program under test\n"
                .to_vec(),
            0o644,
        ),
    ] {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("making a folder");
        fs::write(&path, bytes).expect("writing");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("setting a mode");
    }
    let deb = folder.path().join("dockstrap.deb");
    let built = Command::new("dpkg-deb")
        .args(["--root-owner-group", "-Zgzip", "-z1", "--build"])
        .args([&tree, &deb])
        .output()
        .expect("dpkg-deb");
    assert!(built.status.success(), "{built:?}");
    is_done(&boot(DEB, &deb));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_example_whose_file_is_another_ends_as_an_error_and_changes_nothing() {
    let other = tempfile::NamedTempFile::new().expect("a file");
    fs::write(other.path(), "#!/bin/sh\ntouch /run-all-the-same\n").expect("writing");
    let example = BINARY.replace(&"0".repeat(64), &"1".repeat(64));
    let host = boot(&example, other.path());
    host.run(["cloud-init", "status", "--wait"])
        .exits(1)
        .says("status: error");
    host.sh("cat /var/log/cloud-init-output.log").says("FAILED");
    host.sh(&format!(
        "! ls {PROGRAM} /run-all-the-same /var/lib/dockstrap"
    ));
}
