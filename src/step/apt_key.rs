//! The keyring with the one certificate that may sign Docker's repository.

use anyhow::Result;

use super::repository::{Repository, trusted};
use super::{Finding, Step};
use crate::change::Tx;
use crate::host::Host;
use crate::trust::Fingerprint;

pub struct AptKey {
    keyring: String,
    pin: Fingerprint,
    certificate: Vec<u8>,
}

impl AptKey {
    pub fn new(repository: &Repository) -> AptKey {
        AptKey {
            keyring: repository.keyring.clone(),
            pin: repository.pin,
            certificate: repository.certificate.armored(),
        }
    }
}

impl Step for AptKey {
    fn id(&self) -> &'static str {
        "apt-key"
    }

    fn title(&self) -> &'static str {
        "apt key"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let AptKey { keyring, pin, .. } = self;
        if trusted(host, keyring, pin)?.is_some() {
            return Ok(Finding::satisfied(format!("{keyring} holds {pin}")));
        }
        let verb = match host.exists(keyring)? {
            true => "replace",
            false => "write",
        };
        Ok(Finding::pending(
            format!("{verb} {keyring}"),
            vec![format!("fingerprint {pin}")],
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        tx.write_file(&self.keyring, &self.certificate, 0o644)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::host::stub::StubHost;
    use crate::step::repository::KEYRING;
    use crate::trust::fixture;

    fn key() -> AptKey {
        let certificate = fixture::certificate("docker").unwrap();
        AptKey {
            keyring: KEYRING.to_owned(),
            pin: certificate.fingerprint(),
            certificate: certificate.armored(),
        }
    }

    fn inspect(stub: &StubHost) -> Finding {
        key().inspect(stub.host()).unwrap()
    }

    fn apply(stub: &StubHost) {
        trial::run(stub.host(), |tx| key().apply(tx)).unwrap();
    }

    #[test]
    fn absent_it_is_written_and_its_fingerprint_shown() {
        let stub = StubHost::new();
        let finding = inspect(&stub);
        assert_eq!(finding.summary, format!("write {KEYRING}"));
        assert_eq!(finding.details, [format!("fingerprint {}", key().pin)]);
        apply(&stub);
        assert!(inspect(&stub).satisfied);
        assert_eq!(stub.mode(KEYRING), 0o644);
    }

    #[test]
    fn there_before_us_in_the_form_its_name_says_it_satisfies() {
        for (form, other) in [("asc", "gpg"), ("gpg", "asc")] {
            let keyring = format!("/usr/share/keyrings/docker.{form}");
            let file = |form: &str| fixture::bytes(&format!("docker.{form}"));
            let key = AptKey {
                keyring: keyring.clone(),
                ..key()
            };
            let stub = StubHost::new().file(&keyring, file(form));
            assert!(key.inspect(stub.host()).unwrap().satisfied, "{form}");
            let stub = stub.file(&keyring, file(other));
            assert!(!key.inspect(stub.host()).unwrap().satisfied, "{form}");
        }
    }

    #[test]
    fn another_key_a_weak_one_and_no_key_at_all_are_replaced() {
        for content in [
            fixture::bytes("other.asc"),
            fixture::bytes("weak.asc"),
            [fixture::bytes("docker.gpg"), fixture::bytes("docker.gpg")].concat(),
            b"hello".to_vec(),
        ] {
            let stub = StubHost::new().file(KEYRING, content);
            let before = stub.snapshot();
            assert_eq!(inspect(&stub).summary, format!("replace {KEYRING}"));
            apply(&stub);
            assert!(inspect(&stub).satisfied);
            trial::revert(stub.host()).unwrap();
            assert_eq!(stub.snapshot(), before);
        }
    }

    #[test]
    fn a_key_that_apt_may_not_read_is_replaced() {
        let stub = StubHost::new().file(KEYRING, key().certificate);
        stub.set_mode(KEYRING, 0o600);
        assert!(!inspect(&stub).satisfied);
        apply(&stub);
        assert!(inspect(&stub).satisfied);
    }

    #[test]
    fn applied_twice_it_is_written_once() {
        let stub = StubHost::new();
        apply(&stub);
        let acts = trial::acts(stub.host());
        apply(&stub);
        assert_eq!(trial::acts(stub.host()), acts);
    }

    #[test]
    fn reverted_it_goes_with_the_folders_it_brought() {
        let stub = StubHost::new();
        let before = stub.snapshot();
        apply(&stub);
        trial::revert(stub.host()).unwrap();
        assert_eq!(stub.snapshot(), before);
    }
}
