//! The hostile side of a repository: its files edited, and signed again or not.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::host::LabHost;

/// The key of the stand-in for Docker's repository.
pub(crate) const DOCKER: &str = "docker@lab.invalid";
/// The key of the stand-in for Ubuntu's archive.
pub(crate) const ARCHIVE: &str = "archive@lab.invalid";
/// A key of somebody else's, just as good.
pub(crate) const SOMEBODY: &str = "somebody@lab.invalid";

const INDEX: &str = "stable/binary-amd64/Packages";

/// Docker's repository for the release of a host, in the hands of someone who holds keys.
pub(crate) struct Repository {
    /// A GnuPG home of its own, so that tests do not wait for each other.
    home: TempDir,
    root: PathBuf,
    /// The folder of the suite.
    pub suite: PathBuf,
}

impl Repository {
    pub(crate) fn of(host: &LabHost) -> Repository {
        let root = host.docker_repository();
        let repository = Repository {
            home: private_folder(),
            suite: root.join("dists").join(host.release()),
            root,
        };
        let keys = host.lab_path("keys").join("gnupg");
        for name in ["pubring.kbx", "private-keys-v1.d"] {
            let mut copy = Command::new("cp");
            copy.arg("-a").arg(keys.join(name));
            assert!(run(copy.arg(repository.home.path())), "copying {name}");
        }
        let mut gpg = repository.gpg();
        gpg.args(["--quick-generate-key", SOMEBODY, "ed25519", "sign", "never"]);
        assert!(run(&mut gpg), "making a key");
        repository
    }

    /// Where the key is served.
    pub(crate) fn key(&self) -> PathBuf {
        self.root.join("gpg")
    }

    /// The certificates of these owners in one file.
    pub(crate) fn export(&self, armored: bool, owners: &[&str]) -> Vec<u8> {
        let mut gpg = self.gpg();
        if armored {
            gpg.arg("--armor");
        }
        let output = gpg.arg("--export").args(owners).output();
        output.expect("running gpg").stdout
    }

    /// Gives Docker's certificate another key that signs, and returns how `sign` calls it.
    #[track_caller]
    pub(crate) fn add_signing_key(&self) -> String {
        let certificate = self.fingerprints()[0].clone();
        let mut gpg = self.gpg();
        gpg.args(["--quick-add-key", &certificate, "ed25519", "sign", "never"]);
        assert!(run(&mut gpg), "adding a key");
        let newest = self.fingerprints().pop().expect("a key");
        format!("{newest}!")
    }

    /// Has Docker's certificate end in a moment.
    #[track_caller]
    pub(crate) fn expire(&self) {
        let certificate = &self.fingerprints()[0];
        let mut gpg = self.gpg();
        gpg.args(["--quick-set-expire", certificate, "seconds=1"]);
        assert!(run(&mut gpg), "setting an end");
        std::thread::sleep(std::time::Duration::from_secs(3));
    }

    /// Has the owner of Docker's certificate revoke it.
    #[track_caller]
    pub(crate) fn revoke(&self) {
        let revocation = self.home.path().join("revocation");
        let mut gpg = self.gpg();
        // It asks, also in a batch: for the certificate, the reason, and a description.
        gpg.args(["--no-batch", "--command-fd=0", "-o"]);
        gpg.arg(&revocation).args(["--gen-revoke", DOCKER]);
        let mut child = gpg.stdin(Stdio::piped()).spawn().expect("running gpg");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(b"y\n1\n\ny\n").expect("answering gpg");
        drop(input);
        assert!(child.wait().expect("waiting").success(), "revoking");
        assert!(run(self.gpg().arg("--import").arg(&revocation)), "revoking");
    }

    /// The fingerprints of Docker's certificate and of its other keys, in their order.
    fn fingerprints(&self) -> Vec<String> {
        let mut gpg = self.gpg();
        let listed = gpg.args(["--with-colons", "--list-keys", DOCKER]).output();
        let listed = String::from_utf8_lossy(&listed.expect("running gpg").stdout).into_owned();
        let lines = listed.lines().filter_map(|line| line.strip_prefix("fpr:"));
        lines
            .map(|line| line.trim_matches(':').to_owned())
            .collect()
    }

    /// The text of Release, as it is served.
    pub(crate) fn release(&self) -> String {
        read(&self.suite.join("Release"))
    }

    /// Serves this text, signed by `owner`, as the suite's InRelease.
    #[track_caller]
    pub(crate) fn sign(&self, text: &str, owner: &str) {
        write(&self.inrelease(), self.clearsign(text, owner));
    }

    /// This text, signed by `owner`.
    #[track_caller]
    pub(crate) fn clearsign(&self, text: &str, owner: &str) -> Vec<u8> {
        let [release, signed] = ["Release", "InRelease"].map(|name| self.home.path().join(name));
        write(&release, text);
        let mut gpg = self.gpg();
        gpg.args(["--yes", "--digest-algo", "SHA512", "-u", owner, "-o"]);
        gpg.arg(&signed).arg("--clearsign").arg(&release);
        assert!(run(&mut gpg), "signing");
        fs::read(&signed).expect("reading what was signed")
    }

    /// Serves the suite with this index of packages and this date, validly signed.
    #[track_caller]
    pub(crate) fn publish(&self, index: &str, date: &str) {
        write(&self.index(), index);
        let output = Command::new("sha256sum").arg(self.index()).output();
        let sum =
            String::from_utf8_lossy(&output.expect("running sha256sum").stdout)[..64].to_owned();
        let release = dated(&self.release(), date);
        let (fields, _) = release.split_once("\nMD5Sum:").expect("a list of files");
        let size = index.len();
        self.sign(
            &format!("{fields}\nSHA256:\n {sum} {size} {INDEX}\n"),
            DOCKER,
        );
    }

    pub(crate) fn inrelease(&self) -> PathBuf {
        self.suite.join("InRelease")
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.suite.join(INDEX)
    }

    fn gpg(&self) -> Command {
        let mut gpg = Command::new("gpg");
        gpg.args(["--batch", "--quiet", "--no-tty", "--pinentry-mode=loopback"]);
        gpg.args(["--passphrase", "", "--trust-model=always", "--homedir"]);
        gpg.arg(self.home.path()).stdin(Stdio::null());
        gpg
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let mut end = Command::new("gpgconf");
        run(end
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--kill", "all"]));
    }
}

/// A folder as GnuPG wants it, with a path short enough for its sockets.
fn private_folder() -> TempDir {
    let mut folder = tempfile::Builder::new();
    let folder = folder
        .permissions(Permissions::from_mode(0o700))
        .prefix("gnupg-");
    folder.tempdir_in("/tmp").expect("making a folder")
}

/// A Release text with another date.
pub(crate) fn dated(release: &str, date: &str) -> String {
    with_field(release, "Date", date)
}

/// A Release text with another value of a field.
#[track_caller]
pub(crate) fn with_field(release: &str, field: &str, value: &str) -> String {
    let prefix = format!("{field}: ");
    assert!(release.contains(&prefix), "no {field} in\n{release}");
    let lines = release
        .lines()
        .map(|line| match line.strip_prefix(&prefix) {
            Some(_) => format!("{prefix}{value}\n"),
            None => format!("{line}\n"),
        });
    lines.collect()
}

/// Those stanzas of an index that are wanted.
pub(crate) fn stanzas(index: &str, is_wanted: impl Fn(&str) -> bool) -> String {
    let wanted = index
        .split_inclusive("\n\n")
        .filter(|stanza| is_wanted(stanza));
    wanted.collect()
}

/// The moment so many days ahead of now, or before it, as a repository writes it.
pub(crate) fn in_days(days: i64) -> String {
    let moment = Timestamp::now() + SignedDuration::from_hours(24 * days);
    moment.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string()
}

#[track_caller]
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn run(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}
