//! What apt says that it would fetch, against the verified index.

use super::*;
use crate::error::exit_code;
use crate::relative_path::RelativePath;
use crate::trust::verify_file;

const PRINTED: &str = "\
Reading package lists...
'http://archive.ubuntu.com/ubuntu/pool/main/pigz_2.8-1_amd64.deb' pigz_2.8-1_amd64.deb 6 SHA256:876b4612815c310d91cced1e6193a14e397d03ebb5ae85fec72fc6e0246ccdd9
'https://download.docker.com/linux/ubuntu/dists/noble/pool/stable/amd64/docker-ce_29.5.3-1%7eubuntu_amd64.deb' docker-ce_5%3a29.5.3-1~ubuntu_amd64.deb 3 SHA256:876b4612815c310d91cced1e6193a14e397d03ebb5ae85fec72fc6e0246ccdd9
'file:/srv/a.deb' a_1_all.deb 3 MD5Sum:73d79a6cdc5ce7811dcad0a224e9b5b8
'http://example.com/b.deb' ../b.deb 3 SHA256:876b4612815c310d91cced1e6193a14e397d03ebb5ae85fec72fc6e0246ccdd9
";
const INDEX: &str = "\
Package: docker-ce
Version: 5:29.5.3-1~ubuntu
Architecture: amd64
Filename: dists/noble/pool/stable/amd64/docker-ce_29.5.3-1~ubuntu_amd64.deb
Size: 3
SHA256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
";

fn parse(index: &str) -> Result<Archives> {
    let source = Source {
        uri: "https://download.docker.com/linux/ubuntu".to_owned(),
        suite: "noble".to_owned(),
        architecture: "amd64".to_owned(),
    };
    let entry = ExpectedFile {
        path: RelativePath::parse("Packages").unwrap(),
        size: index.len() as u64,
        sha256: Sha256::of(index.as_bytes()),
    };
    let verified = verify_file(index.as_bytes(), &entry).unwrap();
    Archives::parse(PRINTED, &source, &PackageIndex::parse(verified).unwrap())
}

proptest::proptest! {
    #[test]
    fn whatever_apt_prints_its_files_stay_in_the_archive_folder(
        name in "[a-z./%\\\\-]{0,12}",
        path in "[a-z./%\\\\-]{0,12}",
        any in proptest::prelude::any::<String>(),
    ) {
        let source = Source {
            uri: "https://docker.example/linux/ubuntu".to_owned(),
            suite: "noble".to_owned(),
            architecture: "amd64".to_owned(),
        };
        for name in [format!("{name}.deb"), any] {
            let printed = format!("'copy:/{path}' {name} 1 SHA256:{}\n", Sha256::of(b""));
            let archives = Archives::parse(&printed, &source, &PackageIndex::default()).unwrap();
            for archive in archives.iter() {
                let path = archive.path();
                let file = path.strip_prefix(ARCHIVES).unwrap();
                proptest::prop_assert_eq!(file.components().count(), 1);
                proptest::prop_assert_eq!(file.to_str().unwrap(), name.as_str());
            }
        }
    }
}

fn put(root: &Path, name: &str, bytes: &[u8]) {
    let folder = root.join("var/cache/apt/archives");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
}

#[test]
fn what_dockers_files_must_be_is_said_by_the_verified_index() {
    let archives = parse(INDEX).unwrap();
    let [engine] = archives.docker.as_slice() else {
        panic!("{archives:?}");
    };
    assert_eq!(
        engine.name.as_str(),
        "docker-ce_5%3a29.5.3-1~ubuntu_amd64.deb"
    );
    assert_eq!(engine.entry.sha256, Sha256::of(b"abc"));
}

#[test]
fn files_without_a_sha_256_and_names_that_leave_the_folder_are_passed_over() {
    let archives = parse(INDEX).unwrap();
    let names = archives.others.iter().map(|other| other.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["pigz_2.8-1_amd64.deb"]);
}

#[test]
fn a_file_of_dockers_that_is_not_in_the_index_is_refused() {
    let error = parse(&INDEX.replace("docker-ce_29", "docker-ce_28")).unwrap_err();
    assert_eq!(exit_code(&error), 5);
    assert!(error.to_string().contains("docker-ce_29"), "{error}");
}

#[test]
fn a_file_is_there_only_when_its_hash_is_right() {
    let root = tempfile::tempdir().unwrap();
    let host = Host::at(root.path(), root.path());
    let archives = parse(INDEX).unwrap();
    let engine = &archives.docker[0];
    assert!(!engine.is_there(&host).unwrap());
    assert_eq!(archives.absent(&host).unwrap().len(), 2);
    for (bytes, right) in [("ab", false), ("abd", false), ("abc", true)] {
        put(root.path(), engine.name.as_str(), bytes.as_bytes());
        assert_eq!(engine.is_there(&host).unwrap(), right, "{bytes}");
    }
    let download = archives.download(&host).unwrap();
    assert_eq!((download.files, download.bytes), (1, 6));
    assert_eq!(archives.absent(&host).unwrap(), [archives.others[0].path()]);
}

#[test]
fn the_space_that_apt_needs_is_read_in_every_unit() {
    let after = |space: &str| {
        parse_space(&format!(
            "After this operation, {space} of additional disk space will be used."
        ))
    };
    assert_eq!(after("0 B"), Some(0));
    assert_eq!(after("157 kB"), Some(157_000));
    assert_eq!(after("1,024 MB"), Some(1_024_000_000));
    assert_eq!(after("1.5 GB"), Some(1_500_000_000));
    let freed = "After this operation, 157 kB disk space will be freed.";
    assert_eq!(parse_space(freed), None);
}
