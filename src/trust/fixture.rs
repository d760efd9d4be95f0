//! For tests: the files under `tests/fixtures/trust`, and the day on which the tests live.

use std::path::Path;
use std::time::{Duration, SystemTime};

use pgp::armor::{self, BlockType};
use pgp::ser::Serialize;

use super::{Certificate, Fingerprint, Refusal};

/// 2026-11-20 00:00:00 UTC.
pub(crate) fn today() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_132_800)
}

pub(crate) fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}

pub(crate) fn bytes(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trust");
    std::fs::read(folder.join(file)).expect("the fixture exists")
}

/// What GnuPG says the fingerprints of a fixture are: its primary key, then its subkeys.
pub(crate) fn fingerprints(name: &str) -> Vec<Fingerprint> {
    let list = String::from_utf8(bytes("fingerprints")).expect("the list is text");
    let line = list
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")))
        .expect("the fixture is listed");
    line.split(' ')
        .map(|it| it.parse().expect("GnuPG prints them"))
        .collect()
}

/// Verifies the certificate fixture `name` under its own pin.
pub(crate) fn certificate(name: &str) -> Result<Certificate, Refusal> {
    let file = bytes(&format!("{name}.asc"));
    Certificate::verify(&file, &fingerprints(name)[0], today())
}

/// `content` in ASCII armor of some kind.
pub(crate) fn armor(content: &[u8], kind: BlockType) -> Vec<u8> {
    struct Raw<'a>(&'a [u8]);
    impl Serialize for Raw<'_> {
        fn to_writer<W: std::io::Write>(&self, writer: &mut W) -> pgp::errors::Result<()> {
            Ok(writer.write_all(self.0)?)
        }
        fn write_len(&self) -> usize {
            self.0.len()
        }
    }
    let mut armored = Vec::new();
    armor::write(&Raw(content), kind, &mut armored, None, true).expect("a Vec takes all");
    armored
}
