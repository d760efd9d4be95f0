//! A key that signs releases, in a GnuPG home of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub struct Keys {
    home: TempDir,
    pub fingerprint: String,
}

impl Keys {
    pub fn new() -> Keys {
        let mut keys = Keys {
            home: tempfile::tempdir().unwrap(),
            fingerprint: String::new(),
        };
        let user = "release <release@lab.invalid>";
        keys.gpg(&[
            "--passphrase",
            "",
            "--quick-generate-key",
            user,
            "ed25519",
            "sign",
        ]);
        let listed = keys.gpg(&["--with-colons", "--list-keys"]);
        let first = listed.lines().find_map(|line| line.strip_prefix("fpr:"));
        first
            .expect("a fingerprint")
            .trim_matches(':')
            .clone_into(&mut keys.fingerprint);
        keys
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Fails unless this is a signature of the file.
    #[track_caller]
    pub fn verify(&self, signature: &Path, file: &Path) {
        let paths = [signature, file].map(|path| path.to_str().unwrap());
        self.gpg(&["--verify", paths[0], paths[1]]);
    }

    /// Runs gpg with these keys, and returns what it prints.
    #[track_caller]
    pub fn gpg(&self, arguments: &[&str]) -> String {
        let output = Command::new("gpg")
            .args(["--batch", "--quiet", "--homedir"])
            .arg(self.home())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("gpg");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}
