//! One test a rule. The fixtures' README says how each file was made.

use std::time::Duration;

use pgp::armor::BlockType;
use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::packet::{SubpacketData, SubpacketType};
use pgp::ser::Serialize;
use proptest::prelude::{any, proptest};
use proptest::{prop_assert, prop_assert_eq};

use crate::trust::fixture::{armor, bytes, certificate, days, fingerprints, today};
use crate::trust::{Certificate, FileKind, Fingerprint, Refusal, policy};

fn verify(file: &[u8], name: &str) -> Result<Certificate, Refusal> {
    Certificate::verify(file, &fingerprints(name)[0], today())
}

fn refusal(name: &str) -> Refusal {
    certificate(name).unwrap_err()
}

/// The certificate fixture `name` after `change`, as a binary key file.
fn changed(name: &str, change: impl FnOnce(&mut SignedPublicKey)) -> Vec<u8> {
    let mut key = SignedPublicKey::from_armor_single(&bytes(&format!("{name}.asc"))[..])
        .unwrap()
        .0;
    change(&mut key);
    key.to_bytes().unwrap()
}

#[test]
fn a_key_of_dockers_shape_is_believed_with_its_primary_and_its_subkey() {
    let certificate = certificate("docker").unwrap();
    assert_eq!(certificate.fingerprint(), fingerprints("docker")[0]);
    assert_eq!(certificate.signing_keys(), fingerprints("docker"));
}

#[test]
fn a_binary_key_file_is_the_same() {
    let armored = certificate("docker").unwrap();
    let binary = verify(&bytes("docker.gpg"), "docker").unwrap();
    assert_eq!(binary.armored(), armored.armored());
}

#[test]
fn what_is_written_is_the_certificate_in_ascii_and_is_believed_again() {
    let certificate = certificate("docker").unwrap();
    let written = certificate.armored();
    assert!(written.is_ascii() && written.ends_with(b"-----END PGP PUBLIC KEY BLOCK-----\n"));
    let again = verify(&written, "docker").unwrap();
    assert_eq!(again.armored(), written);
}

#[test]
fn a_primary_that_only_certifies_does_not_sign() {
    let signing = certificate("small").unwrap().signing_keys();
    assert_eq!(signing, fingerprints("small")[1..]);
}

#[test]
fn another_key_is_refused_and_both_fingerprints_are_shown() {
    let refusal = verify(&bytes("other.asc"), "docker").unwrap_err();
    let [expected, found] = ["docker", "other"].map(|name| fingerprints(name)[0]);
    assert_eq!(refusal, Refusal::OtherFingerprint { expected, found });
    let text = refusal.to_string();
    assert!(text.contains(&expected.to_string()) && text.contains(&found.to_string()));
}

#[test]
fn a_second_certificate_is_refused_in_any_form() {
    let several = Err(Refusal::Several(FileKind::KeyFile));
    let blocks = [bytes("docker.asc"), bytes("other.asc")].concat();
    assert_eq!(verify(&blocks, "docker").map(drop), several);

    let other = changed("other", |_| ());
    let packets = [bytes("docker.gpg"), other].concat();
    assert_eq!(verify(&packets, "docker").map(drop), several);
    let one_block = armor(&packets, BlockType::PublicKey);
    assert_eq!(verify(&one_block, "docker").map(drop), several);
}

#[test]
fn a_secret_key_is_refused_in_any_form() {
    let binary = bytes("secret.gpg");
    for kind in [BlockType::PrivateKey, BlockType::PublicKey] {
        let armored = armor(&binary, kind);
        assert_eq!(verify(&armored, "docker").unwrap_err(), Refusal::SecretKey);
    }
    assert_eq!(verify(&binary, "docker").unwrap_err(), Refusal::SecretKey);
}

#[test]
fn a_web_page_is_named() {
    let refusal = verify(b"<!DOCTYPE html><html>Log in</html>", "docker").unwrap_err();
    assert_eq!(refusal, Refusal::WebPage(FileKind::KeyFile));
}

#[test]
fn more_than_64_kib_is_refused() {
    let mut file = bytes("docker.asc");
    file.resize(64 * 1024 + 1, b'\n');
    let refusal = verify(&file, "docker").unwrap_err();
    assert!(matches!(refusal, Refusal::TooLarge { limit: 65536, .. }));
}

#[test]
fn a_key_file_cut_off_is_named() {
    let truncated = Refusal::Truncated(FileKind::KeyFile);
    let armored = bytes("docker.asc");
    let binary = bytes("docker.gpg");
    assert_eq!(verify(&armored[..1000], "docker").unwrap_err(), truncated);
    assert_eq!(verify(&binary[..1000], "docker").unwrap_err(), truncated);
}

#[test]
fn an_inrelease_is_not_a_key_file() {
    let refusal = verify(&bytes("InRelease"), "docker").unwrap_err();
    assert_eq!(refusal, Refusal::NotThat(FileKind::KeyFile));
}

#[test]
fn an_expired_primary_is_refused() {
    let refusal = refusal("expired");
    assert!(matches!(refusal, Refusal::Expired { key, .. } if key == fingerprints("expired")[0]));
}

#[test]
fn a_certificate_whose_only_signing_key_expired_is_refused() {
    let subkey = fingerprints("expired-subkey")[1];
    let refusal = refusal("expired-subkey");
    assert!(matches!(refusal, Refusal::Expired { key, .. } if key == subkey));
}

#[test]
fn an_expired_subkey_beside_a_good_one_is_neither_used_nor_written() {
    let [_, expired, good] = fingerprints("expired-and-good")[..] else {
        panic!()
    };
    let certificate = certificate("expired-and-good").unwrap();
    assert_eq!(certificate.signing_keys(), [good]);

    let written = SignedPublicKey::from_armor_single(&certificate.armored()[..])
        .unwrap()
        .0;
    let subkeys = written
        .public_subkeys
        .iter()
        .map(|it| Fingerprint::of(&it.key).unwrap());
    assert!(!subkeys.collect::<Vec<_>>().contains(&expired));
}

#[test]
fn a_revoked_primary_is_refused() {
    let key = fingerprints("revoked")[0];
    assert_eq!(refusal("revoked"), Refusal::Revoked { key });
}

#[test]
fn a_certificate_whose_only_user_is_revoked_is_refused() {
    let key = fingerprints("revoked-user")[0];
    assert_eq!(refusal("revoked-user"), Refusal::Revoked { key });
}

#[test]
fn a_certificate_whose_only_signing_key_is_revoked_is_refused() {
    let key = fingerprints("revoked-subkey")[1];
    assert_eq!(refusal("revoked-subkey"), Refusal::Revoked { key });
}

#[test]
fn a_sha1_self_signature_is_refused() {
    let primary = fingerprints("sha1")[0];
    let refusal = refusal("sha1");
    assert!(matches!(refusal, Refusal::WeakHash { key, .. } if key == primary));
}

#[test]
fn a_sha1_binding_signature_is_refused() {
    let subkey = fingerprints("sha1-subkey")[1];
    let refusal = refusal("sha1-subkey");
    assert!(matches!(refusal, Refusal::WeakHash { key, .. } if key == subkey));
}

#[test]
fn a_weak_primary_is_refused() {
    let refusal = refusal("weak");
    assert!(
        matches!(&refusal, Refusal::WeakKey { algorithm, .. } if algorithm == "RSA of 1024 bits")
    );
}

#[test]
fn a_certificate_whose_only_signing_key_is_weak_is_refused() {
    let subkey = fingerprints("weak-subkey")[1];
    let refusal = refusal("weak-subkey");
    assert!(matches!(refusal, Refusal::WeakKey { key, .. } if key == subkey));
}

#[test]
fn a_key_from_the_future_is_refused_and_the_clock_is_named() {
    let refusal = refusal("future");
    assert!(matches!(
        refusal,
        Refusal::FromTheFuture { what: "key", .. }
    ));
    assert!(refusal.to_string().contains("clock"), "{refusal}");
}

#[test]
fn a_certificate_without_a_signing_key_is_refused() {
    let key = fingerprints("unsigning")[0];
    assert_eq!(refusal("unsigning"), Refusal::NoSigningKey { key });
}

#[test]
fn somebody_elses_subkey_is_not_bound_and_is_not_written() {
    let foreign = SignedPublicKey::from_armor_single(&bytes("expired-and-good.asc")[..])
        .unwrap()
        .0
        .public_subkeys;
    let mixed = changed("small", |key| key.public_subkeys.extend(foreign.clone()));
    let good = certificate("small").unwrap();
    let certificate = verify(&mixed, "small").unwrap();
    assert_eq!(certificate.signing_keys(), good.signing_keys());
    assert_eq!(certificate.armored(), good.armored());

    let only_foreign = changed("small", |key| key.public_subkeys = foreign);
    let key = fingerprints("expired-and-good")[1];
    assert_eq!(
        verify(&only_foreign, "small").unwrap_err(),
        Refusal::Unbound { key }
    );
}

#[test]
fn a_subkey_without_back_signature_is_refused() {
    let stripped = changed("small", |key| {
        let binding = &mut key.public_subkeys[0].signatures[0];
        let parts = binding.config().unwrap().unhashed_subpackets();
        let back = parts
            .map(|part| part.typ())
            .position(|kind| kind == SubpacketType::EmbeddedSignature)
            .unwrap();
        let removed = binding.unhashed_subpacket_remove(back).unwrap();
        assert!(matches!(removed.data, SubpacketData::EmbeddedSignature(_)));
    });
    let key = fingerprints("small")[1];
    assert_eq!(
        verify(&stripped, "small").unwrap_err(),
        Refusal::Unconfirmed { key }
    );
}

#[test]
fn a_primary_without_self_signature_is_refused() {
    let bare = changed("other", |key| key.details.users.clear());
    let key = fingerprints("other")[0];
    assert_eq!(
        verify(&bare, "other").unwrap_err(),
        Refusal::Unbound { key }
    );
}

#[test]
fn somebody_elses_signature_on_the_user_is_not_written() {
    let theirs = SignedPublicKey::from_armor_single(&bytes("docker.asc")[..])
        .unwrap()
        .0;
    let crowded = changed("small", |key| {
        key.details.users[0]
            .signatures
            .extend(theirs.details.users[0].signatures.clone());
        key.details.users.extend(theirs.details.users.clone());
    });
    let certificate = verify(&crowded, "small").unwrap();
    assert_eq!(
        certificate.armored(),
        verify(&bytes("small.asc"), "small").unwrap().armored()
    );
}

#[test]
fn the_clock_may_lag_a_little_and_no_more() {
    let born = today() - days(323); // 2026-01-01
    let pin = fingerprints("other")[0];
    let as_of = |now| Certificate::verify(&bytes("other.asc"), &pin, now);
    assert!(as_of(born - policy::CLOCK_SKEW).is_ok());
    let early = as_of(born - policy::CLOCK_SKEW - Duration::from_secs(1));
    assert!(matches!(early, Err(Refusal::FromTheFuture { .. })));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(noise in any::<Vec<u8>>(), binary in any::<bool>()) {
        let pin = fingerprints("docker")[0];
        let file = if binary { noise } else { armor(&noise, BlockType::PublicKey) };
        prop_assert!(Certificate::verify(&file, &pin, today()).is_err());
    }

    #[test]
    fn a_changed_byte_never_brings_in_another_key(at in 0..700_usize, to in any::<u8>(), cut in any::<bool>()) {
        let good = certificate("small").unwrap();
        let mut file = changed("small", |_| ());
        let at = at % file.len();
        file[at] = to;
        if cut {
            file.truncate(at);
        }
        if let Ok(certificate) = verify(&file, "small") {
            prop_assert_eq!(certificate.signing_keys(), good.signing_keys());
        }
    }
}
