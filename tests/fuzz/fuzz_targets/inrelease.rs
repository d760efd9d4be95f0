//! Any InRelease: its frame and signature, and the fields of its text; never a panic, and
//! nothing verifies but the text that was signed.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use dockstrap::fuzzed::{Certificate, SignedRelease};
use libfuzzer_sys::fuzz_target;

const PINS: &str = include_str!("../../fixtures/trust/fingerprints");
const SIGNED: &[u8] = include_bytes!("../../fixtures/trust/InRelease");

static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    let line = PINS.lines().find_map(|line| line.strip_prefix("docker "));
    let primary = line.and_then(|line| line.split(' ').next());
    let pin = primary.expect("the fixture is listed").parse().expect("a fingerprint");
    let file = include_bytes!("../../fixtures/trust/docker.asc");
    Certificate::verify(file, &pin, now()).expect("the fixture is good")
});

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_132_800)
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(release) = SignedRelease::verify(bytes, &CERTIFICATE, now()) {
        let signed = SignedRelease::verify(SIGNED, &CERTIFICATE, now()).expect("the fixture is good");
        assert_eq!(release.date(), signed.date());
        assert_eq!(release.suite(), signed.suite());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = SignedRelease::unverified(text);
    }
});
