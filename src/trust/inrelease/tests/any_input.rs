//! No input, whatever bytes it has, is believed for another or makes verification panic.

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use super::{SMALL, parsed};
use crate::trust::fixture::{bytes, fingerprints, today};
use crate::trust::{Fingerprint, Refusal, SignedRelease};

fn small(file: &[u8]) -> Result<SignedRelease, Refusal> {
    SignedRelease::verify(file, &SMALL, today())
}

fn signed_by(key: Fingerprint) -> SignedRelease {
    let release = small(&bytes("InRelease.small")).unwrap();
    assert_eq!(release.signer(), key);
    release
}

#[test]
fn no_truncation_verifies_to_other_content() {
    let good = signed_by(fingerprints("small")[1]);
    let file = bytes("InRelease.small");
    for end in 0..file.len() {
        if let Ok(release) = small(&file[..end]) {
            assert_eq!(release, good, "cut at {end}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_changed_byte_verifies_to_other_content(at in any::<proptest::sample::Index>(), to in any::<u8>()) {
        let good = signed_by(fingerprints("small")[1]);
        let mut file = bytes("InRelease.small");
        let at = at.index(file.len());
        file[at] = to;
        if let Ok(release) = small(&file) {
            prop_assert_eq!(release, good);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(noise in any::<Vec<u8>>(), signature in any::<Vec<u8>>(), framed in any::<bool>()) {
        let file = if framed {
            [
                b"-----BEGIN PGP SIGNED MESSAGE-----\n",
                &noise[..],
                b"\n-----BEGIN PGP SIGNATURE-----\n\n",
                &signature[..],
                b"\n-----END PGP SIGNATURE-----\n",
            ].concat()
        } else {
            noise
        };
        proptest::prop_assert!(small(&file).is_err());
    }

    #[test]
    fn an_arbitrary_signature_never_panics(packets in any::<Vec<u8>>()) {
        let mut file = b"-----BEGIN PGP SIGNED MESSAGE-----\n\na\n".to_vec();
        let armored = crate::trust::fixture::armor(&packets, pgp::armor::BlockType::Signature);
        file.extend(armored);
        proptest::prop_assert!(small(&file).is_err());
    }

    #[test]
    fn arbitrary_text_never_panics(text in "(?s)(Origin|Date|SHA256|Suite)?:?.*") {
        let _ = parsed(&text);
    }
}
