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

pub(crate) use certificate::{Certificate, claimed_fingerprint};
pub(crate) use fingerprint::{DOCKER_KEY_FINGERPRINT, DOCKER_KEY_SHA256, Fingerprint};
pub(crate) use hash::{Sha256, sha256_hex};
pub(crate) use index::{ExpectedFile, PackageIndex, find_files, verify_file};
pub(crate) use inrelease::{SignedRelease, claimed_date};
pub(crate) use keyring::Keyring;
pub(crate) use refusal::{FileKind, Refusal};
