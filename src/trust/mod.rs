//! The chain of trust: bytes in, verified bytes or a [`Refusal`] out.
//!
//! Owns every rule by which a key file, an InRelease, an index and a package are believed. It
//! reads no file, asks no clock (the time is passed in) and prints nothing.
//!
//! The chain, each link proven by the one before:
//! a pinned [`Fingerprint`] → [`Certificate`] → [`Release`] → [`Verified`] index → [`Packages`],
//! each with the size and the hash of a file to install.

mod certificate;
mod fingerprint;
#[cfg(test)]
pub(crate) mod fixture;
mod frame;
mod hash;
mod index;
mod inrelease;
mod key_file;
mod keyring;
mod policy;
mod refusal;
mod stanza;

pub use certificate::{Certificate, claimed_fingerprint};
pub use fingerprint::{DOCKER_KEY_FINGERPRINT, DOCKER_KEY_SHA256, Fingerprint, NotAFingerprint};
pub use hash::{NotASha256, Sha256, sha256_hex};
pub use index::{ExpectedFile, Package, PackageIndex, Verified, find_files, verify_file};
pub use inrelease::{SignedRelease, claimed_date};
pub use keyring::Keyring;
pub use policy::CLOCK_SKEW;
pub use refusal::{FileKind, Refusal};
