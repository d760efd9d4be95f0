//! `scripts/install.sh` as it comes with a release, against a server of releases.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Where releases lie on the server of Docker's stand-in.
const BASE: &str = "https://download.docker.com/releases";
const SCRIPT: &str = "/root/install.sh";

/// A server of releases, with one release, signed by a key of its own.
struct Releases {
    host: LabHost,
    folder: PathBuf,
    /// Kept until the end, for releases that are signed later.
    keys: tempfile::TempDir,
}

impl Releases {
    /// A host with curl, without dockstrap, and with the script in it.
    fn new() -> Releases {
        let host = LabHost::up_with("noble", &["--cloud"]);
        host.sh(&format!("rm {PROGRAM}"));
        let keys = tempfile::tempdir().unwrap();
        let user = "release <release@lab.invalid>";
        gpg(
            keys.path(),
            &[
                "--passphrase",
                "",
                "--quick-generate-key",
                user,
                "ed25519",
                "sign",
            ],
        );
        let listed = gpg(keys.path(), &["--with-colons", "--list-keys"]);
        let fingerprint = listed
            .lines()
            .find_map(|line| {
                line.strip_prefix("fpr:")?
                    .trim_matches(':')
                    .to_owned()
                    .into()
            })
            .expect("a fingerprint");
        let export = ["--armor", "--export", "--export-options", "export-minimal"];
        let armored = gpg(keys.path(), &export);
        // Without its frame and its checksum, armor is base64.
        let certificate: String = armored
            .lines()
            .skip_while(|line| !line.is_empty())
            .filter(|line| !line.starts_with(['-', '=']))
            .collect();
        let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/install.sh"));
        let script = source
            .unwrap()
            .replacen("releases=''", &format!("releases='{BASE}'"), 1)
            .replacen("certificate=''", &format!("certificate='{certificate}'"), 1)
            .replacen("fingerprint=''", &format!("fingerprint='{fingerprint}'"), 1);
        host.write(SCRIPT, &script);
        let folder = host.lab_path("www").join("download.docker.com/releases");
        let releases = Releases { host, folder, keys };
        releases.publish(VERSION);
        symlink(format!("../download/v{VERSION}"), {
            fs::create_dir_all(releases.folder.join("latest")).unwrap();
            releases.folder.join("latest/download")
        })
        .unwrap();
        releases
    }

    /// Puts the program under test on the server as this version.
    fn publish(&self, version: &str) {
        let folder = self.folder.join(format!("download/v{version}"));
        fs::create_dir_all(&folder).unwrap();
        fs::copy(
            std::env::var_os("DOCKSTRAP_BIN").expect("DOCKSTRAP_BIN"),
            self.program(version),
        )
        .unwrap();
        let name = self.program(version);
        let name = name.file_name().unwrap();
        let sums = Command::new("sha256sum")
            .arg(name)
            .current_dir(&folder)
            .output()
            .unwrap();
        fs::write(folder.join("SHA256SUMS"), sums.stdout).unwrap();
        self.sign(&folder);
    }

    fn sign(&self, folder: &Path) {
        let sums = folder.join("SHA256SUMS");
        let sums = sums.to_str().unwrap();
        gpg(
            self.keys.path(),
            &["--yes", "--armor", "--detach-sign", sums],
        );
    }

    fn program(&self, version: &str) -> PathBuf {
        let machine = if cfg!(target_arch = "aarch64") {
            "arm64"
        } else {
            "amd64"
        };
        let name = format!("dockstrap-{version}-linux-{machine}");
        self.folder.join(format!("download/v{version}")).join(name)
    }

    /// The script through a pipe, as people run it, as this user.
    fn run(&self, user: &str, arguments: &str) -> Outcome {
        let fingerprint = self.host.fingerprint();
        let line = format!(
            "export DOCKSTRAP_KEY_FINGERPRINT={fingerprint}; cat /tmp/install.sh | sh -s -- {arguments}"
        );
        self.host
            .sh(&format!("install -m 0644 {SCRIPT} /tmp/install.sh"));
        self.host.run_as(user, ["sh", "-c", &line])
    }

    /// The same, which must fail with this exit code and leave the host as it is.
    #[track_caller]
    fn refuses(&self, code: i32, arguments: &str, words: &str) {
        let host = &self.host;
        host.sh(&format!("install -m 0644 {SCRIPT} /tmp/install.sh"));
        let before = host.tree();
        self.run("root", arguments).exits(code).says(words);
        before.is_restored_in(&host.tree());
    }
}

/// Runs gpg with keys of its own, and returns what it prints.
fn gpg(home: &Path, arguments: &[&str]) -> String {
    let output = Command::new("gpg")
        .args(["--batch", "--quiet", "--homedir"])
        .arg(home)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("gpg");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn one_command_ends_with_a_proven_engine() {
    let releases = Releases::new();
    releases
        .run("alice", "--yes")
        .exits(0)
        .says_all(&["is in /usr/local/bin", "works on this host"]);
    let hello = ["docker", "run", "--rm", "hello-world"];
    let host = &releases.host;
    host.run_as("alice", hello).exits(0);
    host.dockstrap(["uninstall", "--yes"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_is_not_the_signed_release_is_refused_and_nothing_is_changed() {
    let releases = Releases::new();
    let program = releases.program(VERSION);
    let genuine = fs::read(&program).unwrap();
    let mut tampered = genuine.clone();
    tampered[4096] ^= 1;
    fs::write(&program, tampered).unwrap();
    releases.refuses(5, "--yes", "is not the signed one");
    fs::write(&program, genuine).unwrap();

    let folder = program.parent().unwrap();
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    fs::write(folder.join("SHA256SUMS"), format!("{sums}\n")).unwrap();
    releases.refuses(5, "--yes", "is not signed by the key");
    fs::write(folder.join("SHA256SUMS"), sums).unwrap();

    // Another release, signed all right, in the place of the one that was asked for.
    symlink(
        format!("v{VERSION}"),
        releases.folder.join("download/v99.0"),
    )
    .unwrap();
    releases.refuses(5, "--version 99.0 --yes", "holds another release than 99.0");
    releases.refuses(1, "--version 98.0 --yes", "cannot fetch");
    releases.refuses(2, "--version", "wants a value");
    releases.refuses(2, "--to here", "absolute folder");
    releases.refuses(
        1,
        "--to /proc/dockstrap --yes",
        "Choose another folder: --to FOLDER",
    );
    releases.refuses(
        1,
        "--base-url http://download.docker.com",
        "over https only",
    );

    let host = &releases.host;
    host.sh("mv /usr/bin/curl /usr/bin/curl.away; for it in wget; do rm -f /usr/bin/$it; done");
    releases.refuses(1, "--yes", "neither curl nor wget is here");
    host.sh("mv /usr/bin/curl.away /usr/bin/curl");

    releases
        .run(
            "root",
            &format!("--download-only --version v{VERSION} --to /opt/dockstrap"),
        )
        .exits(0)
        .says("go on with: /opt/dockstrap/dockstrap install");
    assert!(!host.has("/var/lib/dockstrap") && !host.has("/usr/bin/docker"));
    host.run(["/opt/dockstrap/dockstrap", "--version"]).exits(0);
}
