//! SHA-256, the only hash by which a file is believed.
//!
//! Owns how a hash is made, written and read. Knows no file and no index.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::Digest;
use thiserror::Error;

/// The SHA-256 of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Sha256 {
        Sha256(sha2::Sha256::digest(bytes).into())
    }

    /// The hash of all that `stream` gives.
    pub fn of_stream(mut stream: impl Read) -> io::Result<Sha256> {
        let mut hasher = sha2::Sha256::new();
        io::copy(&mut stream, &mut hasher)?;
        Ok(hasher.into())
    }
}

/// For a hash that was made while the bytes streamed by.
impl From<sha2::Sha256> for Sha256 {
    fn from(hasher: sha2::Sha256) -> Self {
        Sha256(hasher.finalize().into())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("'{0}' is not a SHA-256: it has 64 hexadecimal digits")]
pub struct NotASha256(String);

impl FromStr for Sha256 {
    type Err = NotASha256;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        unhex(text)
            .map(Sha256)
            .ok_or_else(|| NotASha256(text.to_owned()))
    }
}

impl TryFrom<String> for Sha256 {
    type Error = NotASha256;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Sha256> for String {
    fn from(hash: Sha256) -> String {
        hash.to_string()
    }
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::of(bytes).to_string()
}

/// The `N` bytes that exactly 2 × `N` hexadecimal digits stand for.
pub(super) fn unhex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    if digits.len() != 2 * N || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_hash_is_that_of_the_standard() {
        assert_eq!(sha256_hex(b"abc"), ABC);
    }

    #[test]
    fn a_streamed_hash_is_the_same() {
        let hasher = sha2::Sha256::new().chain_update("a").chain_update("bc");
        assert_eq!(Sha256::from(hasher), Sha256::of(b"abc"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(ABC.parse(), Ok(Sha256::of(b"abc")));
        assert_eq!(ABC.to_uppercase().parse(), Ok(Sha256::of(b"abc")));
    }

    #[test]
    fn anything_else_is_not_a_hash() {
        for text in [
            "",
            &ABC[1..],
            &ABC.replace('b', "x"),
            &ABC.replace("ba", "+a"),
        ] {
            assert!(text.parse::<Sha256>().is_err(), "{text}");
        }
    }
}
