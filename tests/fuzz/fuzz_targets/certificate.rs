//! Any key file: refused or verified, never a panic; a verified one has the pinned key.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use dockstrap::fuzzed::{Certificate, Fingerprint};
use libfuzzer_sys::fuzz_target;

const PINS: &str = include_str!("../../fixtures/trust/fingerprints");

static PIN: LazyLock<Fingerprint> = LazyLock::new(|| {
    let line = PINS.lines().find_map(|line| line.strip_prefix("docker "));
    let primary = line.and_then(|line| line.split(' ').next());
    primary.expect("the fixture is listed").parse().expect("a fingerprint")
});

fuzz_target!(|bytes: &[u8]| {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_132_800);
    if let Ok(certificate) = Certificate::verify(bytes, &PIN, now) {
        assert_eq!(certificate.fingerprint(), *PIN);
        let again = Certificate::verify(&certificate.armored(), &PIN, now);
        assert!(again.is_ok(), "what is written must be believed as well");
    }
});
