mod hostile;

use std::io::Read;

use tar::{Builder, EntryType};

use super::manifest::SCHEMA;
use super::packer::header;
use super::*;
use crate::error::exit_code;
use crate::trust::Sha256;

const FILES: [(&str, &str); 2] = [("docker/gpg", "abc"), ("docker/pool/b.deb", "defg")];

fn manifest() -> Manifest {
    Manifest {
        engine: "5:29.5.3-1~ubuntu.24.04~noble".to_owned(),
        ..Manifest::new("noble", "noble", "amd64")
    }
}

fn written(manifest: Manifest) -> Vec<u8> {
    let mut packer = Packer::new(manifest);
    let [(path, text), (other, file)] = FILES;
    packer.add_bytes(path.parse().unwrap(), text.into());
    let folder = tempfile::tempdir().unwrap();
    let on_disk = folder.path().join("file");
    std::fs::write(&on_disk, file).unwrap();
    let contained = BundledFile {
        path: other.parse().unwrap(),
        size: file.len() as u64,
        sha256: Sha256::of(file.as_bytes()),
    };
    packer.add_file(contained, on_disk);
    let mut bytes = Vec::new();
    packer.write(&mut bytes).unwrap();
    bytes
}

fn open(bytes: &[u8]) -> Result<Bundle> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Bundle::open(file.path())
}

fn text(bundle: &Bundle, name: &str, from: u64) -> Option<String> {
    let mut slice = bundle.open_file(&name.parse().unwrap(), from)?;
    let mut text = String::new();
    slice.read_to_string(&mut text).unwrap();
    Some(text)
}

/// A tar with these entries, as somebody else may make it.
fn tar_with(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (path, kind, content) in entries {
        let mut header = header(&manifest(), content.len() as u64);
        header.set_entry_type(*kind);
        // Not by `set_path`, which refuses what an attacker would write.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

#[test]
fn what_is_written_can_be_read_from_any_byte_on() {
    let bundle = open(&written(manifest())).unwrap();
    let paths = bundle
        .manifest()
        .files
        .iter()
        .map(|file| file.path.as_str());
    assert_eq!(paths.collect::<Vec<_>>(), FILES.map(|(path, _)| path));
    assert_eq!(text(&bundle, "docker/gpg", 0).unwrap(), "abc");
    assert_eq!(text(&bundle, "docker/pool/b.deb", 2).unwrap(), "fg");
    assert_eq!(text(&bundle, "docker/pool/b.deb", 9).unwrap(), "");
    assert!(text(&bundle, "docker/b", 0).is_none());
    assert!(bundle.open_below(DOCKER, "pool/b.deb", 0).is_some());
    assert!(bundle.open_below(DOCKER, "../docker/gpg", 0).is_none());
}

#[test]
fn fault_15_a_bundle_that_was_cut_short_anywhere_is_refused() {
    let bytes = written(manifest());
    // The last two blocks are zeros, which nothing depends on.
    for end in 0..bytes.len() - 1024 - 508 {
        let error = open(&bytes[..end]).unwrap_err();
        assert!([2, 4].contains(&exit_code(&error)), "{end}: {error}");
    }
}

/// A bundle that was made with these files named and others packed.
fn bundle_with(manifest: &Manifest, packed: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let text = serde_json::to_vec(manifest).unwrap();
    let first = [(MANIFEST, EntryType::Regular, text.as_slice())];
    tar_with(&[&first, packed].concat())
}

fn naming(paths: &[(&str, u64)]) -> Manifest {
    let file = |(path, size): &(&str, u64)| BundledFile {
        path: path.parse().unwrap(),
        size: *size,
        sha256: Sha256::of(b""),
    };
    Manifest {
        files: paths.iter().map(file).collect(),
        archives: vec![PartialSuite {
            folder: "archive/0".parse().unwrap(),
            suite: "noble".parse().unwrap(),
            components: vec!["main".parse().unwrap()],
        }],
        ..manifest()
    }
}

const INDEXES: [(&str, u64); 2] = [
    ("archive/0/dists/noble/InRelease", 1),
    ("archive/0/dists/noble/main/binary-amd64/Packages.gz", 1),
];

#[track_caller]
fn refused(bytes: &[u8], code: u8, reason: &str) {
    let error = open(bytes).unwrap_err();
    assert_eq!(exit_code(&error), code, "{error}");
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn fault_15_a_bundle_that_lacks_a_file_is_incomplete() {
    let lacking = bundle_with(&naming(&[("archive/0/c.deb", 1)]), &[]);
    refused(&lacking, 4, "archive/0/c.deb is missing");
    // A part without the index that vouches for it is as good as none.
    let [(inrelease, _), (index, _)] = INDEXES;
    let packed = [(index, EntryType::Regular, b"x".as_slice())];
    let lacking = bundle_with(&naming(&INDEXES[1..]), &packed);
    refused(&lacking, 4, &format!("{inrelease} is missing"));
}

#[test]
fn what_is_no_bundle_is_said_to_be_none_and_nothing_of_it_is_shown() {
    for bytes in [
        b"".to_vec(),
        b"hello".to_vec(),
        b"root:x:0:0:root:/root:/bin/bash\n".repeat(100),
        vec![0; 4096],
        tar_with(&[("a", EntryType::Regular, b"a")]),
        tar_with(&[(MANIFEST, EntryType::Regular, b"root:x:0:0")]),
        tar_with(&[(MANIFEST, EntryType::Regular, b"{\"root\": \"x:0:0\"}")]),
    ] {
        refused(&bytes, 2, "is not a dockstrap bundle");
        let error = open(&bytes).unwrap_err();
        assert!(!format!("{error:#}").contains("x:0:0"), "{error:#}");
    }
}

#[test]
fn what_is_no_file_is_no_bundle_and_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let kinds = [
        (pipe.as_path(), "pipe"),
        (Path::new("/dev/zero"), "device"),
        (folder.path(), "folder"),
    ];
    for (path, kind) in kinds {
        let error = Bundle::open(path).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        let said = format!("cannot read the bundle {}: it is a {kind}", path.display());
        assert!(error.to_string().starts_with(&said), "{error}");
    }
    let error = Bundle::open(&folder.path().join("none")).unwrap_err();
    assert!(error.to_string().contains("cannot read"), "{error}");
}

#[test]
fn a_name_over_a_hundred_bytes_is_packed_and_found() {
    let name = format!("docker/pool/{}.deb", "long-".repeat(30));
    let mut packer = Packer::new(manifest());
    packer.add_bytes(name.parse().unwrap(), b"abc".to_vec());
    let mut bytes = Vec::new();
    packer.write(&mut bytes).unwrap();
    assert_eq!(text(&open(&bytes).unwrap(), &name, 0).unwrap(), "abc");
}

#[test]
fn fault_15_a_bundle_for_other_hosts_is_refused_with_both_named() {
    let bundle = open(&written(manifest())).unwrap();
    bundle.require("noble", "noble", "amd64").unwrap();
    for (release, suite, architecture) in [
        ("jammy", "jammy", "amd64"),
        ("noble", "noble", "arm64"),
        ("noble", "jammy", "amd64"),
    ] {
        let error = bundle.require(release, suite, architecture).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        assert!(error.to_string().contains("noble on amd64"), "{error}");
        assert!(error.to_string().contains("bundle create"), "{error}");
    }
}

#[test]
fn a_bundle_of_a_newer_version_is_refused_with_words() {
    let newer = Manifest {
        schema: SCHEMA + 1,
        ..manifest()
    };
    let error = open(&written(newer)).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(error.to_string().contains("newer"), "{error}");
}

#[test]
fn a_bundle_that_would_tell_apt_to_trust_it_is_refused() {
    let part = |suite: &str, component: &str| Manifest {
        archives: vec![PartialSuite {
            folder: "archive/0".parse().unwrap(),
            suite: suite.parse().unwrap(),
            components: vec![component.parse().unwrap()],
        }],
        ..manifest()
    };
    let lines = ["noble\nTrusted: yes", ""];
    assert!(
        lines
            .iter()
            .all(|line| line.parse::<RelativePath>().is_err())
    );
    for said in [
        part("noble#", "main"),
        part("noble", "[trusted=yes]"),
        Manifest {
            architecture: "amd64\nTrusted: yes".to_owned(),
            ..manifest()
        },
        Manifest {
            engine: "29\u{1b}[2J".to_owned(),
            ..manifest()
        },
    ] {
        let error = open(&written(said)).unwrap_err();
        assert_eq!(exit_code(&error), 5);
        assert!(error.to_string().contains("not to be trusted"), "{error}");
    }
}
