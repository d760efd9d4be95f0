//! Any index of packages: never a panic, and no file name leads out of the repository.
#![no_main]

use dockstrap::fuzzed::{ExpectedFile, PackageIndex, Sha256, verify_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let entry = ExpectedFile {
        path: "stable/binary-amd64/Packages".parse().expect("a path"),
        size: bytes.len() as u64,
        sha256: Sha256::of(bytes),
    };
    let verified = verify_file(bytes, &entry).expect("the entry is made from the bytes");
    let Ok(packages) = PackageIndex::parse(verified) else {
        return;
    };
    for package in packages.iter() {
        let filename = package.filename.as_str();
        assert!(!filename.starts_with('/'), "{filename}");
        assert!(filename.split('/').all(|part| part != ".."), "{filename}");
    }
});
