//! What makes a key and a signature worth believing, beyond that the numbers add up.
//!
//! Owns the strength and time rules for single keys and signatures. Verifies nothing itself:
//! which key made a signature over what is for [`super::certificate`] and [`super::inrelease`].

use std::time::{Duration, SystemTime};

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureVersion, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{EcdsaPublicParams, EddsaLegacyPublicParams, KeyDetails, PublicParams};

use super::{Fingerprint, Refusal};

/// How far a date may lie ahead of this host's clock. The same as apt's
/// `Acquire::Max-FutureTime`, so that nothing passes here and fails there.
pub(crate) const CLOCK_SKEW: Duration = Duration::from_secs(10);

/// The fewest bits of an RSA key.
const RSA_BITS: u16 = 2048;

/// Refuses a key that is weak, or made after `now`.
pub(crate) fn check_key(
    key: &impl KeyDetails,
    fingerprint: Fingerprint,
    now: SystemTime,
) -> Result<(), Refusal> {
    if !is_strong(key.public_params()) {
        return Err(Refusal::WeakKey {
            key: fingerprint,
            algorithm: algorithm(key),
        });
    }
    check_not_future("key", key.created_at().into(), now)
}

/// Refuses a key whose life, as its deciding signature sets it, is over.
pub(crate) fn check_alive(
    key: &impl KeyDetails,
    fingerprint: Fingerprint,
    deciding: &Signature,
    now: SystemTime,
) -> Result<(), Refusal> {
    match end(key.created_at().into(), deciding.key_expiration_time()) {
        Some(at) if at <= now => Err(Refusal::Expired {
            key: fingerprint,
            at,
        }),
        _ => Ok(()),
    }
}

/// Refuses a signature by a weak hash, of an old form, with conditions that are not understood,
/// made after `now`, or expired.
pub(crate) fn check_signature(
    signature: &Signature,
    by: Fingerprint,
    now: SystemTime,
) -> Result<(), Refusal> {
    let unsound = |detail: &str| Refusal::Unsound {
        what: "signature",
        detail: detail.to_owned(),
    };
    let config = signature
        .config()
        .filter(|_| signature.version() == SignatureVersion::V4)
        .ok_or_else(|| unsound("it is not of OpenPGP version 4"))?;
    if !is_strong_hash(config.hash_alg) {
        return Err(Refusal::WeakHash {
            key: by,
            algorithm: config.hash_alg.to_string(),
        });
    }
    // RFC 9580, 5.2.3.7: who does not understand a critical part must not believe the rest.
    if config
        .hashed_subpackets()
        .any(|part| part.is_critical && !is_understood(&part.data))
    {
        return Err(unsound("it has a critical condition that is not known"));
    }
    let made = config
        .created()
        .ok_or_else(|| unsound("it has no date"))?
        .into();
    check_not_future("signature", made, now)?;
    match end(made, signature.signature_expiration_time()) {
        Some(at) if at <= now => Err(Refusal::Outdated {
            what: "signature",
            at,
        }),
        _ => Ok(()),
    }
}

/// Refuses a date ahead of the clock.
pub(crate) fn check_not_future(
    what: &'static str,
    at: SystemTime,
    now: SystemTime,
) -> Result<(), Refusal> {
    if at > now + CLOCK_SKEW {
        return Err(Refusal::FromTheFuture { what, at, now });
    }
    Ok(())
}

fn is_strong_hash(hash: HashAlgorithm) -> bool {
    matches!(
        hash,
        HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512
    )
}

fn is_strong(params: &PublicParams) -> bool {
    match params {
        PublicParams::RSA(_) => bits(params) >= RSA_BITS,
        PublicParams::ECDSA(curve) => matches!(
            curve,
            EcdsaPublicParams::P256 { .. }
                | EcdsaPublicParams::P384 { .. }
                | EcdsaPublicParams::P521 { .. }
        ),
        PublicParams::EdDSALegacy(curve) => {
            matches!(curve, EddsaLegacyPublicParams::Ed25519 { .. })
        }
        PublicParams::Ed25519(_) | PublicParams::Ed448(_) => true,
        _ => false,
    }
}

/// The size of an RSA key: its written form begins with the modulus, and that with its bits.
fn bits(params: &PublicParams) -> u16 {
    match params.to_bytes().as_deref() {
        Ok([high, low, ..]) => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

fn algorithm(key: &impl KeyDetails) -> String {
    match key.public_params() {
        params @ PublicParams::RSA(_) => format!("RSA of {} bits", bits(params)),
        _ => format!("{:?}", key.algorithm()),
    }
}

fn is_understood(part: &SubpacketData) -> bool {
    !matches!(
        part,
        SubpacketData::Other(..) | SubpacketData::Experimental(..) | SubpacketData::Notation(_)
    )
}

/// When a life of `span` that began at `start` is over. None and zero mean never.
fn end(start: SystemTime, span: Option<pgp::types::Duration>) -> Option<SystemTime> {
    let span = span.filter(|span| span.as_secs() > 0)?;
    start.checked_add(span.into())
}
