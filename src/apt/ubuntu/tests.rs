use std::fs;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use tempfile::TempDir;

use super::*;
use crate::error::exit_code;
use crate::host::bundle::{Manifest, Packer};
use crate::host::stub::StubHost;
use crate::trust::fixture::{bytes, days, today};

/// A bundle with one part, of the suite that the fixtures are of, and a folder for what is in it.
struct Trial {
    root: TempDir,
    bundle: Bundle,
}

impl Trial {
    fn new(inrelease: &str, packed: Vec<u8>, packages: &[(String, Vec<u8>)]) -> Trial {
        let mut manifest = Manifest::new("noble", "noble", "amd64");
        manifest.engine = "5:29.5.3".to_owned();
        manifest.archives = vec![PartialSuite {
            folder: path("archive/0"),
            suite: path("noble"),
            components: vec![path("stable")],
        }];
        let mut packer = Packer::new(manifest);
        let suite = "archive/0/dists/noble";
        packer.add_bytes(path(&format!("{suite}/InRelease")), bytes(inrelease));
        let index = format!("{suite}/stable/binary-amd64/Packages.gz");
        packer.add_bytes(path(&index), packed);
        for (name, content) in packages {
            packer.add_bytes(path(&format!("archive/0/{name}")), content.clone());
        }
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("ours")).unwrap();
        let file = root.path().join("bundle.tar");
        packer.write(fs::File::create(&file).unwrap()).unwrap();
        let bundle = Bundle::open(&file).unwrap();
        Trial { root, bundle }
    }

    /// The fixtures as they are, with these packages beside them.
    fn with_packages(packages: &[(String, Vec<u8>)]) -> Trial {
        Trial::new("InRelease", gzip(&bytes("Packages")), packages)
    }

    fn unpack(&self, room: u64, now: SystemTime) -> Result<Pocket> {
        let part = &self.bundle.manifest().archives[0];
        let keyring = Keyring::read(&bytes("docker.gpg"), now).unwrap();
        let part = UbuntuPart::verify(&self.bundle, part, &keyring, now)?;
        let folder = Folder::open(&self.root.path().join("ours")).unwrap();
        part.unpack(Some(&folder), &mut Room(room))?;
        part.unpack(None, &mut Room(room))?;
        Ok(part.pocket())
    }

    #[track_caller]
    fn refused(&self, room: u64, reason: &str) {
        let error = self.unpack(room, today()).unwrap_err();
        assert_eq!(exit_code(&error), 5, "{error:#}");
        let text = format!("{error:#}");
        assert!(
            text.contains("holds of Ubuntu's archive is refused"),
            "{text}"
        );
        assert!(text.contains(reason), "{text}");
    }

    /// What was unpacked, each file with its size.
    fn unpacked(&self) -> Vec<(String, u64)> {
        let mut files = Vec::new();
        list(&self.root.path().join("ours"), "", &mut files);
        files.sort();
        files
    }
}

fn list(folder: &Path, below: &str, files: &mut Vec<(String, u64)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        match entry.metadata().unwrap() {
            there if there.is_dir() => list(&entry.path(), &format!("{name}/"), files),
            there => files.push((name, there.len())),
        }
    }
}

fn path(text: &str) -> RelativePath {
    RelativePath::parse(text).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

const INDEX: &str = "dists/noble/stable/binary-amd64/Packages";

#[test]
fn a_signed_part_is_unpacked_as_it_is_and_dated() {
    let trial = Trial::with_packages(&[]);
    let pocket = trial.unpack(ROOM, today()).unwrap();
    let inrelease = bytes("InRelease").len() as u64;
    assert_eq!(
        trial.unpacked(),
        [
            ("dists/noble/InRelease".to_owned(), inrelease),
            (INDEX.to_owned(), 1350)
        ]
    );
    assert_eq!(pocket.suite, path("noble"));
    // Signed on 2026-11-14 at 10:00.
    assert_eq!(pocket.age(today()).as_secs() / 3600, 5 * 24 + 14);
    assert_eq!(pocket.age(today() - days(30)), Duration::ZERO);
}

#[test]
fn a_bomb_is_unpacked_no_further_than_the_signed_index_says() {
    let mut bomb = bytes("Packages");
    bomb.resize(100 << 20, b'\n');
    let packed = gzip(&bomb);
    assert!(packed.len() < 1 << 20);
    let trial = Trial::new("InRelease", packed, &[]);
    trial.refused(ROOM, "does not match the signed InRelease file");
    let all: u64 = trial.unpacked().iter().map(|(_, size)| size).sum();
    assert!(all <= bytes("InRelease").len() as u64 + 1350, "{all}");
}

#[test]
fn an_index_that_is_another_damaged_or_cut_off_is_refused() {
    let other = String::from_utf8(bytes("Packages"))
        .unwrap()
        .replace("docker-ce", "docker-cf");
    Trial::new("InRelease", gzip(other.as_bytes()), &[]).refused(ROOM, "SHA-256");
    let whole = gzip(&bytes("Packages"));
    for packed in [&whole[..whole.len() / 2], b"", b"Package: a\n"] {
        let trial = Trial::new("InRelease", packed.to_vec(), &[]);
        trial.refused(ROOM, "Packages");
    }
}

#[test]
fn a_part_that_nobody_trusted_has_signed_or_of_another_time_leaves_nothing() {
    for (inrelease, reason) in [
        ("InRelease.other", "is signed by"),
        ("InRelease.valid-until", "expired"),
        ("InRelease.future", "clock"),
        ("Packages", "not an OpenPGP"),
    ] {
        let trial = Trial::new(inrelease, gzip(&bytes("Packages")), &[]);
        trial.refused(ROOM, reason);
        assert_eq!(trial.unpacked(), [], "{inrelease}");
    }
}

#[test]
fn a_package_that_the_signed_index_does_not_name_or_names_otherwise_is_not_unpacked() {
    let named = "dists/noble/pool/stable/amd64/docker-ce_29.10.0-1~ubuntu.24.04~noble_amd64.deb";
    for (name, reason) in [
        ("pool/evil.deb", "pool/evil.deb is not in the signed index"),
        (named, "3 bytes instead of 22334455"),
    ] {
        let trial = Trial::with_packages(&[(name.to_owned(), b"abc".to_vec())]);
        trial.refused(ROOM, reason);
        let sizes: Vec<u64> = trial.unpacked().iter().map(|(_, size)| *size).collect();
        assert!(sizes.iter().sum::<u64>() < 8192, "{sizes:?}");
    }
}

#[test]
fn what_is_signed_is_not_unpacked_either_when_it_is_too_much() {
    Trial::with_packages(&[]).refused(2000, "more than a bundle may unpack");
    let trial = Trial::with_packages(&[]);
    assert!(trial.unpack(20_000, today()).is_ok());
}

#[test]
fn the_keyring_is_the_hosts_and_its_absence_is_no_failure_here() {
    let stub = StubHost::new();
    assert!(keyring(stub.host(), today()).unwrap().is_none());
    let stub = stub.file(UBUNTU_KEYRING, bytes("docker.gpg"));
    assert!(keyring(stub.host(), today()).unwrap().is_some());
    stub.write(UBUNTU_KEYRING, "no keyring");
    let error = keyring(stub.host(), today()).unwrap_err();
    assert_eq!(exit_code(&error), 5, "{error:#}");
}

proptest! {
    /// Any index and any packages: what is not in our folder stays as it was, and that one holds no
    /// more than what is signed.
    #[test]
    fn no_part_of_a_bundle_leaves_its_folder(
        index in vec(any::<u8>(), 0..200),
        filename in "[a-z./]{0,20}",
        names in vec("[a-z]{1,3}(/[a-z.]{1,4}){0,2}", 0..3),
    ) {
        let text = format!(
            "Package: a\nFilename: {filename}\nSize: 3\nSHA256: {}\n\n",
            crate::trust::Sha256::of(b"abc")
        );
        let index = [text.as_bytes(), &index].concat();
        let mut names: Vec<String> = names
            .into_iter()
            .map(|name| format!("{name}.deb"))
            .filter(|name| RelativePath::parse(name).is_ok())
            .collect();
        names.sort();
        names.dedup();
        let packages: Vec<_> = names.into_iter().map(|name| (name, b"abc".to_vec())).collect();
        let trial = Trial::new("InRelease", gzip(&index), &packages);
        prop_assert!(trial.unpack(ROOM, today()).is_err());
        let mut around: Vec<_> = fs::read_dir(trial.root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        around.sort();
        prop_assert_eq!(around, ["bundle.tar", "ours"]);
        prop_assert!(trial.unpacked().iter().map(|(_, size)| size).sum::<u64>() < 8192);
    }
}
