//! Bundles that somebody hostile has made.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};

use super::*;

#[test]
fn members_that_lead_elsewhere_links_doubles_and_strangers_are_refused() {
    let kinds = [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Fifo,
        EntryType::Directory,
        EntryType::GNUSparse,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
        EntryType::GNULongLink,
    ];
    let manifest = naming(&[("docker/gpg", 1)]);
    for kind in kinds {
        let packed = [("docker/gpg", kind, b"x".as_slice())];
        refused(&bundle_with(&manifest, &packed), 5, "is not a regular file");
    }
    for name in [
        "../a",
        "/etc/a",
        "archive/0//etc/cron.d/x",
        "./docker/gpg",
        "docker/gpg/",
        "docker\\gpg",
        "docker/g\npg",
    ] {
        let packed = [(name, EntryType::Regular, b"x".as_slice())];
        refused(&bundle_with(&manifest, &packed), 5, "is not a path inside");
    }
    let file = ("docker/gpg", EntryType::Regular, b"x".as_slice());
    refused(&bundle_with(&manifest, &[file, file]), 5, "is in it twice");
    let stranger = ("docker/a.deb", EntryType::Regular, b"x".as_slice());
    refused(
        &bundle_with(&manifest, &[file, stranger]),
        5,
        "does not name it",
    );
    let second = (MANIFEST, EntryType::Regular, b"{}".as_slice());
    refused(&bundle_with(&manifest, &[second]), 5, "is in it twice");
}

#[test]
fn a_manifest_whose_files_have_no_place_in_a_bundle_is_refused() {
    for path in [
        "docker/a",
        "docker/dists/jammy/InRelease",
        "docker/dists/noble/stable/binary-arm64/Packages",
        "archive/1/a.deb",
        "archive/0/dists/noble/main/binary-amd64/Packages",
        "archive/0/dists/noble/universe/binary-amd64/Packages.gz",
        "etc/cron.d/x",
        MANIFEST,
    ] {
        let named = bundle_with(&naming(&[(path, 0)]), &[]);
        refused(&named, 5, "has no place in a bundle");
    }
    let twice = naming(&[("docker/gpg", 0), ("docker/gpg", 0)]);
    refused(&bundle_with(&twice, &[]), 5, "twice");
    let mut elsewhere = naming(&[]);
    elsewhere.archives[0].folder = "etc".parse().unwrap();
    refused(&bundle_with(&elsewhere, &[]), 5, "is no folder of a bundle");
}

/// Not by our own types, which cannot hold such paths.
#[test]
fn a_manifest_that_names_a_path_elsewhere_is_refused() {
    let good = serde_json::to_value(naming(&INDEXES)).unwrap();
    for (pointer, path) in [
        ("/files/0/path", "archive/0//etc/cron.d/x"),
        ("/files/0/path", "/etc/cron.d/x"),
        ("/files/0/path", "archive/0/../../etc/x"),
        ("/archives/0/folder", "/etc"),
        ("/archives/0/folder", "archive/0/"),
        ("/archives/0/suite", "../../etc"),
        ("/archives/0/components/0", "/etc"),
        ("/suite", ".."),
        ("/release", "a/b"),
        ("/files/0/sha256", "x"),
    ] {
        let mut said = good.clone();
        *said.pointer_mut(pointer).unwrap() = path.into();
        let text = serde_json::to_vec(&said).unwrap();
        refused(
            &tar_with(&[(MANIFEST, EntryType::Regular, &text)]),
            5,
            MANIFEST,
        );
    }
}

#[test]
fn sizes_names_and_numbers_that_no_bundle_has_are_refused() {
    let huge = naming(&[("docker/a.deb", u64::MAX), ("docker/b.deb", u64::MAX)]);
    refused(&bundle_with(&huge, &[]), 5, "more than");
    let many: Vec<String> = (0..1001)
        .map(|number| format!("docker/{number}.deb"))
        .collect();
    let many: Vec<(&str, u64)> = many.iter().map(|name| (name.as_str(), 0)).collect();
    refused(&bundle_with(&naming(&many), &[]), 5, "more than 1000 files");
    let packed: Vec<_> = many
        .iter()
        .map(|(name, _)| (*name, EntryType::Regular, b"".as_slice()))
        .collect();
    refused(
        &bundle_with(&naming(&[]), &packed),
        5,
        "more than 1000 files",
    );
    let name = "a".repeat(1 << 20);
    let long = [("././@LongLink", EntryType::GNULongName, name.as_bytes())];
    refused(&bundle_with(&naming(&[]), &long), 5, "too long");
    let large = vec![b' '; (1 << 20) + 1];
    refused(
        &tar_with(&[(MANIFEST, EntryType::Regular, &large)]),
        5,
        "too large",
    );

    // A size that is not there, up to the largest that can be written.
    let mut cut = bundle_with(&naming(&[]), &[("docker/a.deb", EntryType::Regular, b"")]);
    let at = cut.len() - 1024 - 512;
    for size in [1 << 20, 1 << 40, u64::MAX - 1024, u64::MAX] {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes().copy_from_slice(&cut[at..at + 512]);
        header.set_size(size);
        header.set_cksum();
        cut[at..at + 512].copy_from_slice(header.as_bytes());
        let error = open(&cut).unwrap_err();
        assert_eq!(exit_code(&error), 4, "{size}: {error}");
    }
}

/// Texts as somebody hostile would write them where a path belongs.
fn hostile_path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("..".to_owned()),
        Just(String::new()),
        Just("docker".to_owned()),
        Just("archive/0".to_owned()),
        Just("etc".to_owned()),
        Just("a.deb".to_owned()),
        "[a-z.\\\\\n]{1,4}",
    ];
    vec(part, 1..5).prop_map(|parts| parts.join("/"))
}

fn any_kind() -> impl Strategy<Value = EntryType> {
    let odd = any::<u8>().prop_map(EntryType::new);
    prop_oneof![6 => Just(EntryType::Regular), 1 => odd]
}

proptest! {
    /// Whatever opens has only paths that lead nowhere else, each with its place in the file.
    #[test]
    fn no_bundle_is_opened_with_a_file_out_of_its_place(
        named in vec((hostile_path(), any::<u64>()), 0..4),
        packed in vec((hostile_path(), any_kind(), vec(any::<u8>(), 0..20)), 0..4),
        same in any::<bool>(),
    ) {
        let mut said = serde_json::to_value(naming(&[])).unwrap();
        let of_packed = packed.iter().map(|(path, _, bytes)| (path.clone(), bytes.len() as u64));
        let named = if same { of_packed.collect() } else { named };
        said["archives"] = serde_json::json!([]);
        said["files"] = named
            .iter()
            .map(|(path, size)| serde_json::json!({
                "path": path, "size": size, "sha256": Sha256::of(b"")
            }))
            .collect();
        let text = serde_json::to_vec(&said).unwrap();
        let mut entries = vec![(MANIFEST, EntryType::Regular, text.as_slice())];
        let fits = |path: &&(String, EntryType, Vec<u8>)| path.0.len() <= 100;
        let packed = packed.iter().filter(fits);
        entries.extend(packed.map(|(path, kind, bytes)| (path.as_str(), *kind, bytes.as_slice())));
        if let Ok(bundle) = open(&tar_with(&entries)) {
            for file in &bundle.manifest().files {
                prop_assert!(file.path.as_str().starts_with("docker/"));
                prop_assert!(!file.path.parts().any(|part| part.is_empty() || part == ".."));
                prop_assert!(bundle.open_file(&file.path, 0).is_some());
            }
        }
    }

    #[test]
    fn any_damage_to_a_bundle_is_met_without_a_panic(
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = written(manifest());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Err(error) = open(&bytes) {
            prop_assert!([2, 4, 5].contains(&exit_code(&error)));
        }
    }
}
