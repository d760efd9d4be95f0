//! A release as `scripts/release` makes it: apt and install.sh take it from where it is published,
//! and all of it but the signatures can be made again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::gpg::Keys;
use crate::host::LabHost;
use crate::packed::{package, repacked};
use crate::releases::{BASE, MACHINE, VERSION, published};

const SUITE: &str = "apt/dists/stable";

/// Makes a release in this folder, beside one of an older version.
fn release(folder: &Path, older: &Path, keys: &Keys) {
    let pool = folder.join("apt/pool/main");
    fs::create_dir_all(&pool).unwrap();
    let name = format!("dockstrap_0.0.1-1_{MACHINE}.deb");
    fs::copy(older, pool.join(name)).unwrap();
    let program = std::env::var("DOCKSTRAP_BIN").expect("DOCKSTRAP_BIN");
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/release"));
    command
        .args(["--key", &keys.fingerprint, "--base-url", BASE, "--binary"])
        .arg(format!("{MACHINE}={program}"))
        .arg(folder)
        .env("GNUPGHOME", keys.home())
        .stdin(Stdio::null());
    // What cargo tells this test of itself would have its crates built anew.
    for (name, _) in std::env::vars() {
        let of_the_machine = ["CARGO_HOME", "CARGO_TARGET_DIR"].contains(&name.as_str());
        if name.starts_with("CARGO") && !of_the_machine {
            command.env_remove(name);
        }
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// The files below this folder, by their paths in it, but for what holds a signature.
fn unsigned(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                files.push((path, target.into_os_string().into_encoded_bytes()));
            } else if path.is_dir() {
                folders.push(path);
            } else if !["InRelease", "Release.gpg", "SHA256SUMS.asc"].contains(&name) {
                let content = fs::read(&path).unwrap();
                files.push((path, content));
            }
        }
    }
    for (path, _) in &mut files {
        *path = path.strip_prefix(folder).unwrap().to_owned();
    }
    files.sort();
    files
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// The host gets the source that the release comes with, and its key.
fn add_source(host: &LabHost) {
    for (name, path) in [
        ("dockstrap.asc", "/etc/apt/keyrings/dockstrap.asc"),
        (
            "dockstrap.sources",
            "/etc/apt/sources.list.d/dockstrap.sources",
        ),
    ] {
        let file = published(host).join("apt").join(name);
        host.write(path, &fs::read_to_string(file).unwrap());
    }
}

/// Changes a file of the release as long as apt is asked, which must refuse it in these words.
#[track_caller]
fn refuses(host: &LabHost, file: &Path, from: &str, to: &str, words: &[&str]) {
    let genuine = fs::read(file).unwrap();
    let text = String::from_utf8_lossy(&genuine);
    assert!(text.contains(from), "{} has no {from}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
    host.run(["apt-get", "update"]).exits(100).says_all(words);
    host.run(["apt-get", "install", "--yes", "dockstrap"])
        .exits(100);
    fs::write(file, genuine).unwrap();
    // apt would go on from what it has of the file.
    host.sh("rm -f /var/lib/apt/lists/partial/*");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn apt_and_the_script_take_a_release_and_refuse_what_is_not_of_it() {
    let host = LabHost::up_with("noble", &["--cloud"]);
    host.sh(&format!("rm {}", crate::host::PROGRAM));
    let keys = Keys::new();
    let work = tempfile::tempdir().unwrap();
    let older = repacked(&package(), "0.0.1-1", work.path());
    let folder = published(&host);
    release(&folder, &older, &keys);

    let again = work.path().join("again");
    a_release_is_whole_and_comes_out_the_same(&folder, &again, &older, &keys);
    what_is_not_of_the_release_is_refused(&host, &folder.join(SUITE));
    host.sh("apt-get update").never_says("W:");
    let log = fs::read_to_string(host.lab_path("log")).unwrap();
    assert!(
        log.contains("/binary-amd64/by-hash/SHA256/") || MACHINE != "amd64",
        "{log}"
    );
    host.sh(
        "mkdir -p /tmp/lists/partial; apt-get -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
         -o Dir::State::lists=/tmp/lists update",
    )
    .never_says("W:");
    host.sh("apt-cache madison dockstrap")
        .says_all(&["0.0.1-1", &format!("{VERSION}-1")]);
    host.sh("apt-get install --yes dockstrap=0.0.1-1; apt-get install --yes dockstrap");
    host.run(["dockstrap", "--version"]).exits(0).says(VERSION);
    host.sh("apt-cache show dockstrap").says_all(&[
        "Depends: apt, ca-certificates",
        "Section: admin",
        "Priority: optional",
        "Installed-Size: ",
    ]);
    host.sh("apt-get purge --yes dockstrap");

    // The same on the oldest release, which knows other ways to verify.
    let jammy = LabHost::up_without_systemd("jammy");
    let copied = Command::new("cp")
        .arg("-a")
        .args([&again, &published(&jammy)])
        .status()
        .unwrap();
    assert!(copied.success());
    add_source(&jammy);
    jammy.sh("apt-get update; apt-get install --yes dockstrap");
    jammy.run(["/usr/bin/dockstrap", "--version"]).exits(0);

    host.sh(&format!(
        "curl -fsSL {BASE}/latest/download/install.sh | sh -s -- --download-only"
    ))
    .says(&format!("dockstrap {VERSION} is in /usr/local/bin"));
}

fn what_is_not_of_the_release_is_refused(host: &LabHost, index: &Path) {
    // Refused while apt has no list of it yet: later on it would go on with the last good one.
    add_source(host);
    let unsigned = "is not signed";
    refuses(
        host,
        &index.join("InRelease"),
        "Label: dockstrap",
        "Label: dockstrop",
        &[unsigned],
    );
    let packages = index.join(format!("main/binary-{MACHINE}"));
    let named = fs::read(packages.join("Packages.gz")).unwrap();
    let by_hash = packages.join("by-hash/SHA256");
    let hashed = names(&by_hash).into_iter().map(|name| by_hash.join(name));
    let compressed = hashed
        .into_iter()
        .find(|file| fs::read(file).unwrap() == named)
        .expect("the index by its hash");
    let mut tampered = named.clone();
    *tampered.last_mut().unwrap() ^= 1;
    fs::write(&compressed, tampered).unwrap();
    host.run(["apt-get", "update"])
        .exits(100)
        .says("Hash Sum mismatch");
    fs::write(&compressed, named).unwrap();
}

fn a_release_is_whole_and_comes_out_the_same(
    folder: &Path,
    again: &Path,
    older: &Path,
    keys: &Keys,
) {
    // Made again elsewhere, it is the same.
    release(again, older, keys);
    for (one, two) in unsigned(folder).iter().zip(&unsigned(again)) {
        assert_eq!(one.0, two.0);
        assert!(one.1 == two.1, "{} differs", one.0.display());
    }
    assert_eq!(unsigned(folder).len(), unsigned(again).len());

    let files = folder.join(format!("download/v{VERSION}"));
    keys.verify(&files.join("SHA256SUMS.asc"), &files.join("SHA256SUMS"));
    let sums = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(&files)
        .output()
        .unwrap();
    assert!(sums.status.success(), "{sums:?}");
    let sums = String::from_utf8(sums.stdout).unwrap();
    let listed = sums.lines().map(|line| line.trim_end_matches(": OK"));
    let mut there = names(&files);
    assert!(there.remove("SHA256SUMS") && there.remove("SHA256SUMS.asc"));
    assert_eq!(
        listed.collect::<BTreeSet<_>>(),
        there.iter().map(String::as_str).collect()
    );
    assert_eq!(
        there.len(),
        5,
        "program, package, SBOM, script, licences: {there:?}"
    );
    its_parts_are_listed(&files);
}

/// The list of its parts is CycloneDX, names the version, and nothing of the machine it was made on.
fn its_parts_are_listed(files: &Path) {
    let text =
        fs::read_to_string(files.join(format!("dockstrap-{VERSION}-linux-{MACHINE}.cdx.json")))
            .unwrap();
    assert!(!text.contains(env!("CARGO_MANIFEST_DIR")));
    let home = std::env::var("HOME").unwrap();
    assert!(!text.contains(&format!("{home}/")), "it names {home}");
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list["bomFormat"], "CycloneDX");
    let program = &list["metadata"]["component"];
    assert_eq!(program["name"], "dockstrap");
    assert_eq!(program["version"], VERSION);
    let parts = list["components"].as_array().unwrap();
    let part = |name: &str| parts.iter().find(|part| part["name"] == name);
    let linked = part("rustls").expect("what does TLS");
    assert!(linked["hashes"][0]["content"].is_string(), "{linked}");
    assert!(part("proptest").is_none(), "what only tests use is no part");
}
