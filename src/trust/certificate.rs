//! The certificate: which keys may sign for the repository.
//!
//! Owns the whole policy from a key file to the keys that are believed. What comes out,
//! [`Certificate::armored`] included, holds nothing that was not verified.

use std::time::SystemTime;

use pgp::composed::{ArmorOptions, SignedKeyDetails, SignedPublicKey, SignedPublicSubKey};
use pgp::packet::{PublicKey, Signature, SignatureType};
use pgp::ser::Serialize;
use pgp::types::{SignedUser, Tag};

use super::{Fingerprint, Refusal, key_file, policy};

/// A certificate of which every part is verified.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    fingerprint: Fingerprint,
    /// The primary key, its users, and of the subkeys only those that may sign now.
    key: SignedPublicKey,
    primary_signs: bool,
}

impl Certificate {
    /// Believes the key file `bytes` (armored or binary) if, as of `now`, it holds one
    /// certificate whose primary key is `pin`, is sound, and has at least one sound signing key.
    /// Keys that are not are left out. Revocations by somebody else than the owner and
    /// signatures of third parties count for nothing.
    pub(crate) fn verify(
        bytes: &[u8],
        pin: &Fingerprint,
        now: SystemTime,
    ) -> Result<Certificate, Refusal> {
        let found = key_file::read(bytes)?;
        check_pin(&found.primary_key, *pin)?;
        Certificate::judge(found, now)
    }

    /// Believes a certificate that is trusted for where it was found, if it is sound as of `now`.
    pub(super) fn judge(found: SignedPublicKey, now: SystemTime) -> Result<Certificate, Refusal> {
        let primary = &found.primary_key;
        let fingerprint = Fingerprint::of(primary).ok_or(Refusal::OtherVersion)?;
        policy::check_key(primary, fingerprint, now)?;
        check_not_revoked(&found, fingerprint)?;

        let (details, deciding) = self_signed(&found, fingerprint, now)?;
        policy::check_alive(primary, fingerprint, &deciding, now)?;
        let primary_signs = deciding.key_flags().sign();

        let (subkeys, refusals) = signing_subkeys(&found, now);
        if !primary_signs && subkeys.is_empty() {
            return Err(most_telling(refusals, fingerprint));
        }
        Ok(Certificate {
            fingerprint,
            key: SignedPublicKey::new(found.primary_key, details, subkeys),
            primary_signs,
        })
    }

    /// The fingerprint of the primary key: the pin.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The keys whose signatures are believed. Never empty.
    pub(crate) fn signing_keys(&self) -> Vec<Fingerprint> {
        let primary = self.primary_signs.then_some(self.fingerprint);
        let subkeys = self.key.public_subkeys.iter();
        primary
            .into_iter()
            .chain(subkeys.filter_map(|subkey| Fingerprint::of(&subkey.key)))
            .collect()
    }

    /// The verified certificate and nothing else, as apt reads it from a `.asc` file.
    pub(crate) fn armored(&self) -> Vec<u8> {
        self.key
            .to_armored_bytes(ArmorOptions::default())
            .expect("what was read from bytes is written to a Vec")
    }

    /// The same as apt reads it from a `.gpg` file.
    pub(crate) fn binary(&self) -> Vec<u8> {
        self.key
            .to_bytes()
            .expect("what was read from bytes is written to a Vec")
    }

    /// The signing key that `signature` claims to be made by, if any. A claim proves nothing.
    pub(super) fn claimed_signer(&self, signature: &Signature) -> Option<Fingerprint> {
        let mut keys = self.signing_keys().into_iter();
        keys.find(|key| key.is_issuer_of(signature))
    }

    /// Whether the signing key `signer` made `signature` over `text`.
    pub(super) fn made(&self, signature: &Signature, signer: Fingerprint, text: &[u8]) -> bool {
        if self.primary_signs && signer == self.fingerprint {
            return signature.verify(&self.key.primary_key, text).is_ok();
        }
        let mut subkeys = self.key.public_subkeys.iter();
        subkeys.any(|subkey| {
            Fingerprint::of(&subkey.key) == Some(signer)
                && signature.verify(&subkey.key, text).is_ok()
        })
    }
}

/// The fingerprint of the primary key in a key file, for people to see: nothing is verified.
pub(crate) fn claimed_fingerprint(bytes: &[u8]) -> Option<Fingerprint> {
    Fingerprint::of(&key_file::read(bytes).ok()?.primary_key)
}

fn check_pin(primary: &PublicKey, pin: Fingerprint) -> Result<(), Refusal> {
    match Fingerprint::of(primary).ok_or(Refusal::OtherVersion)? {
        found if found == pin => Ok(()),
        found => Err(Refusal::OtherFingerprint {
            expected: pin,
            found,
        }),
    }
}

/// A revocation counts whatever its hash and date: to believe a false one does less harm.
fn check_not_revoked(found: &SignedPublicKey, key: Fingerprint) -> Result<(), Refusal> {
    let mut revocations = found.details.revocation_signatures.iter();
    if revocations.any(|revocation| revocation.verify_key(&found.primary_key).is_ok()) {
        return Err(Refusal::Revoked { key });
    }
    Ok(())
}

/// The users and direct signatures that the primary key vouches for, and the newest of the
/// signatures that do so: the one that says how long the key lives and what it is for.
fn self_signed(
    found: &SignedPublicKey,
    key: Fingerprint,
    now: SystemTime,
) -> Result<(SignedKeyDetails, Signature), Refusal> {
    let mut refusals = Vec::new();
    let mut users = Vec::new();
    for user in &found.details.users {
        match vouched_user(user, &found.primary_key, key, now) {
            Ok(signature) => users.push(SignedUser::new(user.id.clone(), vec![signature])),
            Err(refusal) => refusals.push(refusal),
        }
    }
    let direct = newest(&found.details.direct_signatures, key, now, |signature| {
        signature.typ() == Some(SignatureType::Key)
            && signature.verify_key(&found.primary_key).is_ok()
    });
    let direct = match direct {
        Ok(signature) => vec![signature],
        Err(refusal) => {
            refusals.push(refusal);
            Vec::new()
        }
    };
    let of_users = users.iter().flat_map(|user| &user.signatures);
    let deciding = of_users
        .chain(&direct)
        .max_by_key(|signature| signature.created());
    match deciding.cloned() {
        Some(deciding) => {
            let details = SignedKeyDetails::new(Vec::new(), direct, users, Vec::new());
            Ok((details, deciding))
        }
        // Not empty: at least the direct signatures were refused.
        None => Err(refusals.swap_remove(0)),
    }
}

/// The newest signature by which the primary key vouches for `user`.
fn vouched_user(
    user: &SignedUser,
    primary: &PublicKey,
    key: Fingerprint,
    now: SystemTime,
) -> Result<Signature, Refusal> {
    let verifies = |signature: &Signature| {
        signature
            .verify_certification(primary, Tag::UserId, &user.id)
            .is_ok()
    };
    let is_revocation =
        |signature: &Signature| signature.typ() == Some(SignatureType::CertRevocation);
    if user
        .signatures
        .iter()
        .any(|it| is_revocation(it) && verifies(it))
    {
        return Err(Refusal::Revoked { key });
    }
    newest(&user.signatures, key, now, verifies)
}

/// The subkeys that may sign now, and why each other one may not.
fn signing_subkeys(
    found: &SignedPublicKey,
    now: SystemTime,
) -> (Vec<SignedPublicSubKey>, Vec<Refusal>) {
    let mut subkeys = Vec::new();
    let mut refusals = Vec::new();
    for subkey in &found.public_subkeys {
        match signing_binding(subkey, &found.primary_key, now) {
            Ok(binding) => {
                subkeys.push(SignedPublicSubKey::new(subkey.key.clone(), vec![binding]));
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    (subkeys, refusals)
}

/// The newest signature that binds `subkey` to `primary`, if it makes it a sound signing key.
fn signing_binding(
    subkey: &SignedPublicSubKey,
    primary: &PublicKey,
    now: SystemTime,
) -> Result<Signature, Refusal> {
    let key = Fingerprint::of(&subkey.key).ok_or(Refusal::OtherVersion)?;
    let owner = Fingerprint::of(primary).ok_or(Refusal::OtherVersion)?;
    let verifies = |signature: &Signature, kind| {
        signature.typ() == Some(kind)
            && signature
                .verify_subkey_binding(primary, &subkey.key)
                .is_ok()
    };
    if subkey
        .signatures
        .iter()
        .any(|it| verifies(it, SignatureType::SubkeyRevocation))
    {
        return Err(Refusal::Revoked { key });
    }
    let binding = newest(&subkey.signatures, key, now, |signature| {
        verifies(signature, SignatureType::SubkeyBinding)
    })?;
    if !binding.key_flags().sign() {
        return Err(Refusal::NoSigningKey { key: owner });
    }
    policy::check_key(&subkey.key, key, now)?;
    policy::check_alive(&subkey.key, key, &binding, now)?;
    check_confirmed(subkey, primary, &binding, key, now)?;
    Ok(binding)
}

/// Refuses a signing subkey that has not itself signed that it belongs to `primary`: otherwise
/// anybody could claim somebody else's key, and with it the signatures that key made.
fn check_confirmed(
    subkey: &SignedPublicSubKey,
    primary: &PublicKey,
    binding: &Signature,
    key: Fingerprint,
    now: SystemTime,
) -> Result<(), Refusal> {
    let confirmation = binding
        .embedded_signature()
        .filter(|it| it.verify_primary_key_binding(&subkey.key, primary).is_ok())
        .ok_or(Refusal::Unconfirmed { key })?;
    policy::check_signature(confirmation, key, now)
}

/// The newest of `signatures` that verifies and meets the policy; without one, why `key` is
/// not vouched for.
fn newest(
    signatures: &[Signature],
    key: Fingerprint,
    now: SystemTime,
    verifies: impl Fn(&Signature) -> bool,
) -> Result<Signature, Refusal> {
    let mut refusal = Refusal::Unbound { key };
    let mut newest: Option<&Signature> = None;
    for signature in signatures.iter().filter(|signature| verifies(signature)) {
        match policy::check_signature(signature, key, now) {
            Ok(()) if newest.is_none_or(|it| it.created() < signature.created()) => {
                newest = Some(signature);
            }
            Ok(()) => {}
            Err(unsound) => refusal = unsound,
        }
    }
    newest.cloned().ok_or(refusal)
}

/// Of the reasons why no subkey may sign, the first that says more than "not made for it".
fn most_telling(refusals: Vec<Refusal>, key: Fingerprint) -> Refusal {
    let nothing = Refusal::NoSigningKey { key };
    refusals
        .into_iter()
        .find(|refusal| *refusal != nothing)
        .unwrap_or(nothing)
}

#[cfg(test)]
mod tests;
