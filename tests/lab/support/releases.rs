//! A server of releases, with a release that is signed, and a host with `scripts/install.sh` of it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::gpg::Keys;
use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Where releases lie on the server of Docker's stand-in.
pub(crate) const BASE: &str = "https://download.docker.com/releases";
/// What programs are built for here, as packages name it.
pub(crate) const MACHINE: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "amd64"
};
/// The script in the host, for everyone to read.
pub(crate) const SCRIPT: &str = "/srv/install.sh";

/// Makes a test of its own for each way of fetching, verifying and becoming root.
macro_rules! on_both_kinds {
    ($($(#[$doc:meta])* fn $test:ident($releases:ident) $body:block)*) => {$(
        $(#[$doc])*
        mod $test {
            use super::*;

            fn on($releases: &Releases) $body

            #[test]
            #[ignore = "needs root and the lab: sudo scripts/test"]
            fn curl_sqv_and_sudo() {
                on(&Releases::on("noble", "--cloud"));
            }

            #[test]
            #[ignore = "needs root and the lab: sudo scripts/test"]
            fn wget_gpgv_and_doas() {
                on(&Releases::on("jammy", "--wget"));
            }
        }
    )*};
}

pub(crate) use on_both_kinds;

/// Where the server of the host has what lies at [`BASE`].
pub(crate) fn published(host: &LabHost) -> PathBuf {
    host.lab_path("www").join("download.docker.com/releases")
}

/// A host without dockstrap, and a server of releases around it.
pub(crate) struct Releases {
    pub host: LabHost,
    /// What the server serves as releases.
    pub folder: PathBuf,
    /// The script pins the primary one; a subkey of it signs.
    pub keys: Keys,
}

impl Releases {
    /// A fresh host of this release, with this option of `scripts/lab up`.
    pub(crate) fn on(release: &str, option: &str) -> Releases {
        let host = LabHost::up_with(release, &[option]);
        host.sh(&format!("rm {PROGRAM}"));
        // sudo leaves a file behind the first time.
        host.run_as(
            "alice",
            ["sh", "-c", "if command -v sudo; then sudo true; fi"],
        )
        .exits(0);
        let folder = published(&host);
        let keys = Keys::new();
        let releases = Releases { host, folder, keys };
        releases.keys.new_subkey();
        releases.pin(&[&releases.keys.fingerprint]);
        releases.publish();
        releases
    }

    /// Puts the program under test on the server, as the latest release.
    fn publish(&self) {
        let program = std::env::var_os("DOCKSTRAP_BIN").expect("DOCKSTRAP_BIN");
        self.publish_as(VERSION, &fs::read(program).unwrap());
    }

    /// Puts a program on the server as this release, signed, and makes it the latest.
    pub(crate) fn publish_as(&self, version: &str, program: &[u8]) {
        let release = self.folder.join(format!("download/v{version}"));
        fs::create_dir_all(&release).unwrap();
        let name = format!("dockstrap-{version}-linux-{MACHINE}");
        fs::write(release.join(&name), program).unwrap();
        let sums = Command::new("sha256sum")
            .arg(name)
            .current_dir(&release)
            .output()
            .unwrap();
        fs::write(release.join("SHA256SUMS"), &sums.stdout).unwrap();
        let how = [
            "--local-user",
            &self.keys.fingerprint,
            "--detach-sign",
            "--armor",
        ];
        let signature = self.keys.gpg_reading(&how, &sums.stdout);
        fs::write(release.join("SHA256SUMS.asc"), signature).unwrap();
        let latest = self.folder.join("latest/download");
        fs::create_dir_all(self.folder.join("latest")).unwrap();
        let _ = fs::remove_file(&latest);
        symlink(format!("../download/v{version}"), latest).unwrap();
    }

    /// The folder of the release of the program under test.
    pub(crate) fn release(&self) -> PathBuf {
        self.folder.join(format!("download/v{VERSION}"))
    }

    /// The program in it.
    pub(crate) fn program(&self) -> PathBuf {
        let name = format!("dockstrap-{VERSION}-linux-{MACHINE}");
        self.release().join(name)
    }

    pub(crate) fn signature(&self) -> PathBuf {
        self.release().join("SHA256SUMS.asc")
    }

    /// Adds these locations to the server's settings, and has it read them.
    pub(crate) fn add_locations(&self, locations: &str) {
        let logs = self.host.lab_path("log");
        let servers = logs
            .ancestors()
            .nth(2)
            .unwrap()
            .join("servers/etc/nginx.conf");
        let settings = fs::read_to_string(&servers).unwrap();
        let before = "location = /v1/search ";
        assert!(settings.contains(before), "{settings}");
        let more = format!("{locations}\n{before}");
        fs::write(&servers, settings.replacen(before, &more, 1)).unwrap();
        self.host.servers("restart");
    }

    /// Signs the list of the release as it is; the options may name another key.
    pub(crate) fn sign(&self, options: &[&str]) -> Vec<u8> {
        let sums = fs::read(self.release().join("SHA256SUMS")).unwrap();
        let local = ["--local-user", &self.keys.fingerprint];
        let local = if options.contains(&"--local-user") {
            &[][..]
        } else {
            &local[..]
        };
        let how = if options.contains(&"--clearsign") {
            &[][..]
        } else {
            &["--detach-sign"][..]
        };
        self.keys
            .gpg_reading(&[local, options, how].concat(), &sums)
    }

    /// Writes the script of the release, which pins the first of these keys, with the certificates
    /// of all of them.
    pub(crate) fn pin(&self, keys: &[&str]) {
        let export = ["--export", "--export-options", "export-minimal"];
        let certificate = STANDARD.encode(self.keys.gpg(&[&export, keys].concat()));
        let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/install.sh"));
        let script = source
            .unwrap()
            .replacen("releases=''", &format!("releases='{BASE}'"), 1)
            .replacen("certificate=''", &format!("certificate='{certificate}'"), 1)
            .replacen("fingerprint=''", &format!("fingerprint='{}'", keys[0]), 1);
        self.host.write(SCRIPT, &script);
    }

    /// The script through a pipe, as people run it, as this user.
    pub(crate) fn run(&self, user: &str, arguments: &str) -> Outcome {
        self.run_with(user, "", "sh", arguments)
    }

    /// The same, read by this shell, after some lines of the user's.
    pub(crate) fn run_with(
        &self,
        user: &str,
        before: &str,
        shell: &str,
        arguments: &str,
    ) -> Outcome {
        let line = format!("{before}\n{}", self.line(shell, arguments));
        self.host.run_as(user, ["sh", "-c", &line])
    }

    /// The line that runs the script through a pipe.
    pub(crate) fn line(&self, shell: &str, arguments: &str) -> String {
        let fingerprint = self.host.fingerprint();
        format!(
            "export DOCKSTRAP_KEY_FINGERPRINT={fingerprint}; cat {SCRIPT} | {shell} -s -- {arguments}"
        )
    }
}
