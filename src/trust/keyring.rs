//! A keyring: certificates that are trusted because this host has them, as apt trusts them.
//!
//! Owns which of several certificates an InRelease is verified by. There is no pin: who may change
//! the keyring may change what apt trusts anyway.

use std::time::SystemTime;

use super::{Certificate, FileKind, Refusal, SignedRelease, key_file};

/// The sound certificates of a keyring; there is at least one.
#[derive(Clone, Debug)]
pub(crate) struct Keyring(Vec<Certificate>);

impl Keyring {
    /// Reads a keyring as of `now`. Certificates that are not sound, such as old ones, are left out.
    pub(crate) fn read(bytes: &[u8], now: SystemTime) -> Result<Keyring, Refusal> {
        let mut certificates = Vec::new();
        let mut refusal = None;
        for found in key_file::read_keyring(bytes)? {
            match Certificate::judge(found, now) {
                Ok(certificate) => certificates.push(certificate),
                Err(unsound) => refusal = Some(unsound),
            }
        }
        match refusal {
            Some(refusal) if certificates.is_empty() => Err(refusal),
            _ => Ok(Keyring(certificates)),
        }
    }

    /// Believes `inrelease` if one of the certificates does; see [`Release::verify`].
    pub(crate) fn verify(
        &self,
        inrelease: &[u8],
        now: SystemTime,
    ) -> Result<SignedRelease, Refusal> {
        let mut refusal = None;
        for certificate in &self.0 {
            match SignedRelease::verify(inrelease, certificate, now) {
                Ok(release) => return Ok(release),
                // That others did not sign it says less than what is wrong with a signature.
                Err(Refusal::OtherSigner { .. }) if refusal.is_some() => {}
                Err(unsound) => refusal = Some(unsound),
            }
        }
        Err(refusal.unwrap_or(Refusal::Empty(FileKind::KeyFile)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::fixture::{bytes, certificate, today};

    /// The certificates of these fixtures in one binary file.
    fn keyring(names: &[&str]) -> Vec<u8> {
        let binary = |name: &&str| certificate(name).unwrap().binary();
        names.iter().flat_map(binary).collect()
    }

    #[test]
    fn what_one_certificate_of_several_has_signed_is_believed() {
        for names in [&["docker"][..], &["other", "docker"], &["docker", "small"]] {
            let keyring = Keyring::read(&keyring(names), today()).unwrap();
            let release = keyring.verify(&bytes("InRelease"), today()).unwrap();
            assert_eq!(release.suite(), "noble", "{names:?}");
        }
    }

    #[test]
    fn what_none_of_them_has_signed_or_somebody_changed_is_refused() {
        let keyring = Keyring::read(&keyring(&["docker", "small"]), today()).unwrap();
        let refusal = |file: &[u8]| keyring.verify(file, today()).unwrap_err();
        let other = refusal(&bytes("InRelease.other"));
        assert!(matches!(other, Refusal::OtherSigner { .. }), "{other}");
        let text = String::from_utf8(bytes("InRelease")).unwrap();
        let changed = refusal(text.replace("1350", "1351").as_bytes());
        assert!(matches!(changed, Refusal::BadSignature { .. }), "{changed}");
    }

    #[test]
    fn an_old_certificate_in_a_keyring_does_no_harm_and_one_alone_is_refused() {
        let [old, good] = [bytes("expired.asc"), bytes("docker.gpg")];
        let old = pgp_binary(&old);
        assert!(Keyring::read(&[old.clone(), good].concat(), today()).is_ok());
        let refusal = Keyring::read(&old, today()).unwrap_err();
        assert!(matches!(refusal, Refusal::Expired { .. }), "{refusal}");
    }

    #[test]
    fn what_is_no_keyring_is_refused() {
        for bytes in [b"".as_slice(), b"hello", &[0x99; 40], &bytes("secret.gpg")] {
            assert!(Keyring::read(bytes, today()).is_err());
        }
    }

    fn pgp_binary(armored: &[u8]) -> Vec<u8> {
        let mut binary = Vec::new();
        let mut dearmor = pgp::armor::Dearmor::new(armored);
        std::io::Read::read_to_end(&mut dearmor, &mut binary).unwrap();
        binary
    }
}
