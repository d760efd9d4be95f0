use tar::Builder;

use super::packer::header;
use super::*;
use crate::error::exit_code;
use crate::trust::sha256_hex;

const FILES: [(&str, &str); 2] = [("docker/a", "abc"), ("archive/0/b", "defg")];

fn manifest() -> Manifest {
    Manifest {
        engine: "5:29.5.3-1~ubuntu.24.04~noble".to_owned(),
        ..Manifest::new("noble", "noble", "amd64")
    }
}

fn written(manifest: Manifest) -> Vec<u8> {
    let mut packer = Packer::new(manifest);
    let [(path, text), (other, file)] = FILES;
    packer.add_bytes(path.to_owned(), text.into());
    let folder = tempfile::tempdir().unwrap();
    let on_disk = folder.path().join("file");
    std::fs::write(&on_disk, file).unwrap();
    let contained = Contained {
        path: other.to_owned(),
        size: file.len() as u64,
        sha256: sha256_hex(file.as_bytes()),
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
    let mut slice = bundle.open_file(name, from)?;
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
    assert_eq!(text(&bundle, "docker/a", 0).unwrap(), "abc");
    assert_eq!(text(&bundle, "archive/0/b", 2).unwrap(), "fg");
    assert_eq!(text(&bundle, "archive/0/b", 9).unwrap(), "");
    assert!(text(&bundle, "docker/b", 0).is_none());
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

#[test]
fn fault_15_a_bundle_that_lacks_a_file_is_incomplete() {
    let mut said = manifest();
    said.files.push(Contained {
        path: "archive/0/c".to_owned(),
        size: 1,
        sha256: String::new(),
    });
    let text = serde_json::to_vec(&said).unwrap();
    let error = open(&tar_with(&[(MANIFEST, EntryType::Regular, &text)])).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(
        error.to_string().contains("archive/0/c is missing"),
        "{error}"
    );
}

#[test]
fn what_is_no_bundle_is_said_to_be_none() {
    for bytes in [
        b"".to_vec(),
        b"hello".to_vec(),
        tar_with(&[("a", EntryType::Regular, b"a")]),
    ] {
        let error = open(&bytes).unwrap_err();
        assert_eq!(exit_code(&error), 2, "{error}");
        assert!(error.to_string().contains("is not a bundle"), "{error}");
    }
}

#[test]
fn entries_that_leave_the_bundle_links_and_doubles_are_refused() {
    let twice: &[_] = &[
        ("a", EntryType::Regular, b"a".as_slice()),
        ("a", EntryType::Regular, b"b"),
    ];
    for entries in [
        &[("../a", EntryType::Regular, b"".as_slice())],
        &[("/etc/a", EntryType::Regular, b"".as_slice())],
        &[("a", EntryType::Symlink, b"".as_slice())],
        twice,
    ] {
        let error = open(&tar_with(entries)).unwrap_err();
        assert!([2, 4].contains(&exit_code(&error)), "{error}");
    }
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
        archives: vec![Part {
            folder: "archive/0".to_owned(),
            suite: suite.to_owned(),
            components: vec![component.to_owned()],
        }],
        ..manifest()
    };
    open(&written(part("noble-updates", "main"))).unwrap();
    for said in [
        part("noble\nTrusted: yes", "main"),
        part("noble", "main\nTrusted: yes"),
        part("noble", ""),
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
