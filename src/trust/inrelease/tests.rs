//! One test a rule. The fixtures' README says how each file was made.

mod any_input;

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use crate::trust::fixture::{bytes, certificate, days, fingerprints, today};
use crate::trust::{
    Certificate, FileKind, PackageIndex, Refusal, SignedRelease, policy, verify_file,
};

static DOCKER: LazyLock<Certificate> = LazyLock::new(|| certificate("docker").unwrap());
static SMALL: LazyLock<Certificate> = LazyLock::new(|| certificate("small").unwrap());

fn verify(inrelease: &[u8]) -> Result<SignedRelease, Refusal> {
    SignedRelease::verify(inrelease, &DOCKER, today())
}

fn good() -> SignedRelease {
    verify(&bytes("InRelease")).unwrap()
}

fn refusal(inrelease: &[u8]) -> Refusal {
    verify(inrelease).unwrap_err()
}

fn edited(from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(bytes("InRelease")).unwrap();
    assert!(text.contains(from));
    text.replace(from, to).into_bytes()
}

fn parsed(text: &str) -> Result<SignedRelease, Refusal> {
    super::parse(text, fingerprints("docker")[0])
}

const TEXT: &str = "Origin: Docker\nSuite: noble\nDate: Sat, 14 Nov 2026 10:00:00 UTC\n";

#[test]
fn a_good_inrelease_is_believed_and_its_fields_are_read() {
    let release = good();
    assert_eq!(release.origin(), "Docker");
    assert_eq!(release.label(), Some("Docker CE"));
    assert_eq!(release.suite(), "noble");
    assert_eq!(release.codename(), None);
    assert_eq!(release.architectures(), ["amd64", "arm64", "armhf"]);
    assert_eq!(release.components(), ["stable", "test"]);
    assert_eq!(
        release.date(),
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_794_650_400)
    );
    assert_eq!(release.valid_until(), None);
    assert_eq!(release.signer(), fingerprints("docker")[1]);
}

#[test]
fn the_chain_reaches_from_the_certificate_to_a_package() {
    let release = good();
    let entry = release.file("stable/binary-amd64/Packages").unwrap();
    let index = bytes("Packages");
    let packages = PackageIndex::parse(verify_file(&index, entry).unwrap()).unwrap();
    assert_eq!(packages.versions("docker-ce").count(), 2);
}

#[test]
fn a_file_that_is_not_in_the_table_has_no_entry() {
    assert_eq!(good().file("stable/binary-riscv64/Packages"), None);
}

#[test]
fn a_primary_that_signs_may_sign() {
    let release = verify(&bytes("InRelease.primary")).unwrap();
    assert_eq!(release.signer(), fingerprints("docker")[0]);
}

#[test]
fn one_good_signature_beside_an_unknown_one_is_enough() {
    let release = verify(&bytes("InRelease.two")).unwrap();
    assert_eq!(release.signer(), fingerprints("docker")[1]);
}

#[test]
fn somebody_elses_signature_is_refused_and_the_signer_is_shown() {
    let refusal = refusal(&bytes("InRelease.other")).to_string();
    let id = &fingerprints("other")[0].to_string()[24..];
    assert!(refusal.contains(&format!("signed by {id}")), "{refusal}");
}

#[test]
fn a_changed_text_is_refused_by_the_key_that_did_not_sign_it() {
    let key = fingerprints("docker")[1];
    assert_eq!(
        refusal(&edited("noble", "jammy")),
        Refusal::BadSignature { key }
    );
}

#[test]
fn a_sha1_signature_is_refused() {
    let refusal = refusal(&bytes("InRelease.sha1"));
    assert!(matches!(refusal, Refusal::WeakHash { .. }), "{refusal}");
}

#[test]
fn a_signature_from_the_future_is_refused_and_the_clock_is_named() {
    let refusal = refusal(&bytes("InRelease.future"));
    assert!(matches!(
        refusal,
        Refusal::FromTheFuture {
            what: "signature",
            ..
        }
    ));
    assert!(refusal.to_string().contains("clock"));
}

#[test]
fn an_expired_signature_is_refused() {
    let refusal = refusal(&bytes("InRelease.expired"));
    assert!(matches!(
        refusal,
        Refusal::Outdated {
            what: "signature",
            ..
        }
    ));
}

#[test]
fn a_signature_with_a_critical_condition_that_is_not_known_is_refused() {
    let refusal = refusal(&bytes("InRelease.critical"));
    assert!(matches!(refusal, Refusal::Unsound { .. }), "{refusal}");
}

#[test]
fn a_signature_by_a_key_that_is_left_out_of_the_certificate_is_refused() {
    // The certificate's other key expired; whoever has it must not sign.
    let expired = SignedRelease::verify(
        &bytes("InRelease"),
        &certificate("expired-and-good").unwrap(),
        today(),
    );
    assert!(matches!(expired, Err(Refusal::OtherSigner { .. })));
}

#[test]
fn a_line_that_begins_with_dashes_is_read_as_signed() {
    let release = verify(&bytes("InRelease.dashes")).unwrap();
    assert_eq!(release.file("test/binary-amd64/Packages").unwrap().size, 0);
}

#[test]
fn dos_line_ends_change_nothing() {
    assert_eq!(verify(&edited("\n", "\r\n")), Ok(good()));
}

#[test]
fn text_before_or_after_the_message_is_refused() {
    let surrounded = Refusal::Surrounded(FileKind::InRelease);
    let file = bytes("InRelease");
    assert_eq!(
        refusal(&[b"Origin: Evil\n", &file[..]].concat()),
        surrounded
    );
    assert_eq!(
        refusal(&[&file[..], b"Origin: Evil\n"].concat()),
        surrounded
    );
}

#[test]
fn text_between_message_and_signature_is_refused() {
    let begin = "-----BEGIN PGP SIGNATURE-----";
    let between = edited(begin, &format!("-----X-----\nOrigin: Evil\n{begin}"));
    assert!(verify(&between).is_err());
}

#[test]
fn two_messages_in_one_file_are_refused() {
    let file = bytes("InRelease");
    let twice = [&file[..], &file[..]].concat();
    assert_eq!(refusal(&twice), Refusal::Several(FileKind::InRelease));
}

#[test]
fn an_unsigned_release_is_refused() {
    assert_eq!(
        refusal(TEXT.as_bytes()),
        Refusal::NotThat(FileKind::InRelease)
    );
}

#[test]
fn a_web_page_and_a_cut_off_file_are_named() {
    let file = bytes("InRelease");
    assert_eq!(refusal(b"<html>"), Refusal::WebPage(FileKind::InRelease));
    assert_eq!(
        refusal(&file[..900]),
        Refusal::Truncated(FileKind::InRelease)
    );
}

#[test]
fn more_than_one_mib_is_refused() {
    let mut file = bytes("InRelease");
    file.resize(1024 * 1024 + 1, b'\n');
    assert!(matches!(refusal(&file), Refusal::TooLarge { .. }));
}

#[test]
fn more_lines_than_any_release_has_are_refused_at_once() {
    let many = edited("Origin: Docker\n", &"x: y\n".repeat(11_000));
    assert!(refusal(&many).to_string().contains("lines"));
}

#[test]
fn the_wanted_repository_is_required_by_origin_suite_and_architecture() {
    let release = good();
    assert_eq!(release.require("Docker", "noble", "arm64"), Ok(()));
    for (wanted, field) in [
        (("Ubuntu", "noble", "amd64"), "Origin"),
        (("Docker", "jammy", "amd64"), "Suite"),
        (("Docker", "noble", "riscv64"), "Architectures"),
    ] {
        let refusal = release
            .require(wanted.0, wanted.1, wanted.2)
            .unwrap_err()
            .to_string();
        assert!(refusal.contains(field), "{refusal}");
    }
}

#[test]
fn a_codename_serves_as_the_suite_and_no_architectures_are_no_limit() {
    let release = parsed(&TEXT.replace("noble", "stable\nCodename: noble")).unwrap();
    assert_eq!(release.require("Docker", "noble", "amd64"), Ok(()));
}

#[test]
fn a_date_in_the_future_is_refused_and_the_clock_is_named() {
    let release = good();
    let early = release.date() - policy::CLOCK_SKEW;
    assert_eq!(release.check_date(early), Ok(()));
    let refusal = release
        .check_date(early - Duration::from_secs(1))
        .unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::FromTheFuture {
            what: "InRelease file",
            ..
        }
    ));
    assert!(refusal.to_string().contains("clock"));
}

#[test]
fn a_release_past_its_valid_until_is_refused() {
    let release = verify(&bytes("InRelease.valid-until")).unwrap();
    let end = release.valid_until().unwrap();
    assert_eq!(release.check_date(end - days(1)), Ok(()));
    assert!(matches!(
        release.check_date(end),
        Err(Refusal::Outdated { .. })
    ));
}

#[test]
fn the_age_counts_from_the_date_and_is_never_negative() {
    let release = good();
    assert_eq!(release.age(release.date() + days(9)), days(9));
    assert_eq!(release.age(release.date() - days(9)), Duration::ZERO);
}

#[test]
fn a_text_that_is_ambiguous_or_incomplete_is_refused() {
    assert!(parsed(TEXT).is_ok());
    for bad in [
        TEXT.replace("Origin: Docker\n", ""),
        TEXT.replace("Suite: noble\n", ""),
        TEXT.replace("Date: ", "Data: "),
        TEXT.replace("UTC", "CET"),
        TEXT.replace("14 Nov", "31 Nov"),
        format!("{TEXT}Suite: jammy\n"),
        format!("{TEXT}\nOrigin: Evil\n"),
        format!("{TEXT}SHA256:\n 00 0 a\n"),
        format!("{TEXT}SHA256:\n {0} 1 a\n {0} 2 a\n", "0".repeat(64)),
        String::new(),
    ] {
        assert!(parsed(&bad).is_err(), "{bad}");
    }
}
