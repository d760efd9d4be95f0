//! Why something is not believed.
//!
//! Owns the reasons and their words: each names the cause, and what an administrator can do.
//! Decides nothing.

use std::fmt;
use std::time::SystemTime;

use thiserror::Error;

use super::{Fingerprint, Sha256};
use crate::error::Failure;
use crate::relative_path::RelativePath;

/// The kinds of file that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    KeyFile,
    InRelease,
    Packages,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileKind::KeyFile => "key file",
            FileKind::InRelease => "InRelease file",
            FileKind::Packages => "Packages file",
        })
    }
}

/// The reasons for which a key, a signature or a file is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    // The file as a whole.
    #[error(
        "the {document} is larger than {limit} bytes, as no real one is: \
         check that the URL is the repository's and that no proxy answers in its place"
    )]
    TooLarge { document: FileKind, limit: usize },
    #[error("the {0} is empty: try again, and check the URL with `curl -v`")]
    Empty(FileKind),
    #[error(
        "a web page (HTML) came instead of the {0}: a login portal, a proxy or an error page \
         answered; open the URL from this host with `curl -v` and let it through"
    )]
    WebPage(FileKind),
    #[error("the file is not an OpenPGP {0}: check the URL with `curl -v`")]
    NotThat(FileKind),
    #[error("the {0} is cut off: the transfer was not complete, try again")]
    Truncated(FileKind),
    #[error(
        "the {0} holds something before or after its one signed part: \
         somebody added to it; take it from the repository itself"
    )]
    Surrounded(FileKind),
    #[error(
        "the {0} holds more than one of its kind, and apt would trust each of them: \
         somebody added to it; take it from the repository itself"
    )]
    Several(FileKind),
    #[error("the {document} cannot be read ({detail}): try again, or use another mirror")]
    Malformed { document: FileKind, detail: String },

    // The certificate and its keys.
    #[error(
        "the key file holds a secret key: that must never leave its owner; \
         export the public key with `gpg --armor --export`"
    )]
    SecretKey,
    #[error("the key is not of OpenPGP version 4, the only one apt can use on every release")]
    OtherVersion,
    #[error(
        "the key file holds the key {found}, not {expected}: do not use it; \
         compare the fingerprint with the vendor's and check the URL"
    )]
    OtherFingerprint {
        expected: Fingerprint,
        found: Fingerprint,
    },
    #[error(
        "the key {key} is not bound to its certificate by a valid signature: \
         somebody changed the key file; take it from the repository itself"
    )]
    Unbound { key: Fingerprint },
    #[error(
        "the signing key {key} does not confirm that it belongs to this certificate \
         (no valid back signature): take the key file from the repository itself"
    )]
    Unconfirmed { key: Fingerprint },
    #[error(
        "a signature by or about the key {key} uses {algorithm}, a hash that can be forged: \
         take the vendor's current file, made with SHA-256 or better"
    )]
    WeakHash { key: Fingerprint, algorithm: String },
    #[error(
        "the key {key} is {algorithm}, too weak to be trusted: \
         ask the vendor for RSA of 2048 bits or more, or an elliptic curve"
    )]
    WeakKey { key: Fingerprint, algorithm: String },
    #[error(
        "the key {key} expired on {}: fetch the vendor's current key file, \
         and check this host's clock with `timedatectl`", utc(*.at)
    )]
    Expired { key: Fingerprint, at: SystemTime },
    #[error(
        "the key {key} was revoked by its owner: do not use it; \
         look up the vendor's new key and its fingerprint"
    )]
    Revoked { key: Fingerprint },
    #[error("the certificate {key} has no key for signing: take the vendor's complete key file")]
    NoSigningKey { key: Fingerprint },

    // Times.
    #[error(
        "the {what} is of {}, but this host's clock says {}: \
         set the clock (`timedatectl set-ntp true`) and try again", utc(*.at), utc(*.now)
    )]
    FromTheFuture {
        what: &'static str,
        at: SystemTime,
        now: SystemTime,
    },

    // Signatures on a file.
    #[error(
        "the {what} cannot be relied on ({detail}): \
         use another mirror, or tell the vendor if all are alike"
    )]
    Unsound { what: &'static str, detail: String },
    #[error(
        "the InRelease file does not match its signature by {key}: it was changed on the way; \
         try again, and use another mirror if it stays so"
    )]
    BadSignature { key: Fingerprint },
    #[error(
        "the InRelease file is signed by {signers}, by no usable signing key of {certificate}: \
         check the URL, or fetch the vendor's current key file"
    )]
    OtherSigner {
        signers: String,
        certificate: Fingerprint,
    },
    #[error(
        "the {what} expired on {}: the mirror is no longer updated, use another; \
         or this host's clock is wrong, check it with `timedatectl`", utc(*.at)
    )]
    Outdated { what: &'static str, at: SystemTime },

    // What the files say.
    #[error(
        "the {document} says {field} '{found}' where '{expected}' was asked for: check the URL"
    )]
    OtherRepository {
        document: FileKind,
        field: &'static str,
        expected: String,
        found: String,
    },
    #[error(
        "{path} does not match the signed InRelease file ({detail}): \
         the mirror may be in the middle of an update, try again in a few minutes"
    )]
    OtherContent { path: String, detail: String },
}

impl Refusal {
    pub(super) fn malformed(document: FileKind, detail: impl fmt::Display) -> Refusal {
        let detail = detail.to_string();
        Refusal::Malformed { document, detail }
    }

    pub(super) fn other_size(path: &RelativePath, expected: u64, found: u64) -> Refusal {
        Refusal::OtherContent {
            path: path.to_string(),
            detail: format!("{found} bytes instead of {expected}"),
        }
    }

    pub(super) fn other_hash(path: &RelativePath, expected: Sha256, found: Sha256) -> Refusal {
        Refusal::OtherContent {
            path: path.to_string(),
            detail: format!("SHA-256 {found} instead of {expected}"),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Trust(refusal.to_string())
    }
}

/// A point in time as an administrator reads it, to the second.
fn utc(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(
        |_| "a date out of range".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_refusal_exits_5() {
        let failure = Failure::from(Refusal::SecretKey);
        assert_eq!(failure.exit_code(), 5);
        assert_eq!(failure.to_string(), Refusal::SecretKey.to_string());
    }

    #[test]
    fn a_time_is_written_in_utc() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_794_650_400_999);
        assert_eq!(utc(time), "2026-11-14 10:00:00 UTC");
    }
}
