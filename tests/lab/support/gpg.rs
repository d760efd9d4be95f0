//! A key that signs releases, in a GnuPG home of its own.

use std::path::Path;

use tempfile::TempDir;

pub(crate) struct Keys {
    home: TempDir,
    /// Of the primary key.
    pub fingerprint: String,
}

impl Keys {
    /// A primary key that signs.
    pub(crate) fn new() -> Keys {
        let mut keys = Keys {
            home: tempfile::tempdir().unwrap(),
            fingerprint: String::new(),
        };
        keys.fingerprint = keys.new_key("release <release@lab.invalid>");
        keys
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Makes another primary key, and returns its fingerprint.
    pub(crate) fn new_key(&self, user: &str) -> String {
        let make = ["--quick-generate-key", user, "ed25519", "sign", "0"];
        self.gpg(&[&["--passphrase", ""], &make[..]].concat());
        self.fingerprints(user).swap_remove(0)
    }

    /// Adds a subkey that signs from now on, and returns its fingerprint.
    pub(crate) fn new_subkey(&self) -> String {
        let make = ["--quick-add-key", &self.fingerprint, "ed25519", "sign", "0"];
        self.gpg(&[&["--passphrase", ""], &make[..]].concat());
        self.fingerprints(&self.fingerprint).pop().unwrap()
    }

    /// Revokes a subkey: the first is 1.
    pub(crate) fn revoke_subkey(&self, number: usize) {
        let dialog = format!("key {number}\nrevkey\ny\n0\n\ny\nsave\n");
        let edit = ["--command-fd", "0", "--edit-key", &self.fingerprint];
        self.gpg_reading(&edit, dialog.as_bytes());
    }

    /// The fingerprints of a key, those of its subkeys last.
    fn fingerprints(&self, key: &str) -> Vec<String> {
        let list = [
            "--with-colons",
            "--with-subkey-fingerprint",
            "--list-keys",
            key,
        ];
        String::from_utf8(self.gpg(&list))
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("fpr:"))
            .map(|fields| fields.trim_matches(':').to_owned())
            .collect()
    }

    /// Fails unless this is a signature of the file.
    #[track_caller]
    pub(crate) fn verify(&self, signature: &Path, file: &Path) {
        let paths = [signature, file].map(|path| path.to_str().unwrap());
        self.gpg(&["--verify", paths[0], paths[1]]);
    }

    /// Runs gpg with these keys, and returns what it prints.
    #[track_caller]
    pub(crate) fn gpg(&self, arguments: &[&str]) -> Vec<u8> {
        self.gpg_reading(arguments, b"")
    }

    /// The same with something to read.
    #[track_caller]
    pub(crate) fn gpg_reading(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let home = self.home().to_str().unwrap();
        let ours = ["--batch", "--quiet", "--homedir", home];
        let gpg = duct::cmd("gpg", [&ours, arguments].concat())
            .stdin_bytes(input)
            .stdout_capture()
            .stderr_capture();
        let output = gpg.unchecked().run().expect("gpg");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        output.stdout
    }
}
