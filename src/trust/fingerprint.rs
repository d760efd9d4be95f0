//! Fingerprints of OpenPGP keys, and the one that is pinned.
//!
//! Owns how a fingerprint is written and read. Decides nothing about keys.

use std::fmt;
use std::str::FromStr;

use pgp::packet::Signature;
use pgp::types::KeyDetails;
use thiserror::Error;

/// The primary key of Docker's certificate: what is trusted, whatever file it comes in.
pub(crate) const DOCKER_KEY_FINGERPRINT: Fingerprint = Fingerprint([
    0x9D, 0xC8, 0x58, 0x22, 0x9F, 0xC7, 0xDD, 0x38, 0x85, 0x4A, //
    0xE2, 0xD8, 0x8D, 0x81, 0x80, 0x3C, 0x0E, 0xBF, 0xCD, 0x88,
]);

/// SHA-256 of the key file as `download.docker.com/linux/ubuntu/gpg` served it in November 2026.
/// Another hash is worth a warning, no more: the file may gain a subkey.
pub(crate) const DOCKER_KEY_SHA256: &str =
    "1500c1f56fa9e26b9b8f42452a553675796ade0807cdce11975eb98170b3a570";

/// The full fingerprint of a version 4 OpenPGP key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 20]);

impl Fingerprint {
    /// The fingerprint of `key`, when it is of version 4.
    pub(super) fn of(key: &impl KeyDetails) -> Option<Fingerprint> {
        match key.fingerprint() {
            pgp::types::Fingerprint::V4(bytes) => Some(Fingerprint(bytes)),
            _ => None,
        }
    }

    /// Whether `signature` claims to be made by this key. Old signatures name only the last
    /// eight bytes.
    pub(super) fn is_issuer_of(&self, signature: &Signature) -> bool {
        let by_fingerprint = signature
            .issuer_fingerprint()
            .iter()
            .any(|it| it.as_bytes() == self.0);
        let by_id = signature
            .issuer_key_id()
            .iter()
            .any(|it| it.as_ref() == &self.0[12..]);
        by_fingerprint || by_id
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// The text is not 40 hexadecimal digits.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("'{0}' is not a full key fingerprint: give all 40 hexadecimal digits")]
pub(crate) struct NotAFingerprint(String);

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    /// Upper or lower case, with or without spaces.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.split_whitespace().collect::<String>();
        super::hash::unhex(&digits)
            .map(Fingerprint)
            .ok_or_else(|| NotAFingerprint(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88";

    #[test]
    fn dockers_fingerprint_is_pinned() {
        assert_eq!(DOCKER_KEY_FINGERPRINT.to_string(), DOCKER);
    }

    #[test]
    fn spaces_and_lower_case_are_read() {
        let spaced = "9dc8 5822 9fc7 dd38 854a  e2d8 8d81 803c 0ebf cd88";
        assert_eq!(spaced.parse(), Ok(DOCKER_KEY_FINGERPRINT));
    }

    #[test]
    fn anything_but_forty_hexadecimal_digits_is_not_a_fingerprint() {
        for text in ["", "0EBFCD88", &DOCKER[1..], &DOCKER.replace('9', "G")] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
        let too_long = format!("{DOCKER}00");
        assert!(too_long.parse::<Fingerprint>().is_err());
        let wide = "é".repeat(20);
        assert!(wide.parse::<Fingerprint>().is_err());
    }
}
