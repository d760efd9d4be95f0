//! The keyring with the one certificate that may sign Docker's repository.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Result, ensure};

use super::{Inspection, Step};
use crate::apt::{self, Closed, Repository, trusted};
use crate::change::Tx;
use crate::error::Failure;
use crate::host::command::Query;
use crate::host::{Host, UserName};
use crate::trust::{Certificate, Fingerprint};

pub(crate) struct AptKey {
    keyring: String,
    pin: Fingerprint,
    certificate: Certificate,
}

impl AptKey {
    pub(crate) fn new(repository: &Repository) -> AptKey {
        AptKey {
            keyring: repository.keyring.clone(),
            pin: repository.pin,
            certificate: repository.certificate.clone(),
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

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let AptKey { keyring, pin, .. } = self;
        let (mut opening, mut warnings) = (Vec::new(), Vec::new());
        // The key itself, where it is the one that is closed, is written anew.
        for closed in apt::closed(host, keyring)?.iter().filter(|it| it.is_folder) {
            let Closed { path, mode, .. } = closed;
            let path = path.display();
            match closed.open {
                Some(open) => opening.push(format!(
                    "open {path} to apt's own user (mode {mode:04o} becomes {open:04o})"
                )),
                None => warnings.push(self.shut_out(closed)),
            }
        }
        if self.is_there(host)? {
            let finding = match opening.as_slice() {
                [] => Inspection::satisfied(format!("{keyring} holds {pin}")),
                _ => Inspection::pending(format!("let apt read {keyring}"), opening),
            };
            return Ok(finding.with_warnings(warnings));
        }
        // Written again, it would be no safer.
        if let Some(exposure) = host.exposure(Path::new(keyring))?
            && exposure.is_above()
        {
            return Err(Failure::Blocked(format!(
                "{keyring}, the key that apt trusts: {exposure}; nothing was changed. Run: {}",
                exposure.cure()
            ))
            .into());
        }
        let verb = if host.exists(keyring)? {
            "replace"
        } else {
            "write"
        };
        opening.insert(0, format!("fingerprint {pin}"));
        Ok(Inspection::pending(format!("{verb} {keyring}"), opening).with_warnings(warnings))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        if !self.is_there(tx.host())? {
            self.write(tx)?;
        }
        for Closed { path, open, .. } in apt::closed(tx.host(), &self.keyring)? {
            if let Some(open) = open {
                tx.set_mode(&path, open)?;
            }
        }
        self.require_readable(tx.host())
    }

    fn writes(&self, _host: &Host) -> Result<Vec<String>> {
        Ok(vec![self.keyring.clone()])
    }
}

impl AptKey {
    /// Has apt's own user read the key, where that can be tried: modes do not tell all.
    fn require_readable(&self, host: &Host) -> Result<()> {
        let Some(name) = apt::user_of_apt(host) else {
            return Ok(());
        };
        let user = UserName::new(&name)?;
        let can_be_tried = nix::unistd::geteuid().is_root() && host.has_program("runuser");
        if !can_be_tried || !host.has_user(&user)? {
            return Ok(());
        }
        let keyring = &self.keyring;
        let read = Query::read_as(&name, keyring);
        let read = host.query(&read)?;
        let is_refused = read.tail().contains("Permission denied");
        if is_refused && let Some(closed) = apt::closed(host, keyring)?.first() {
            return Err(Failure::Blocked(self.shut_out(closed)).into());
        }
        ensure!(
            !is_refused,
            "apt's own user {name} cannot read {keyring}: {}",
            read.tail()
        );
        Ok(())
    }

    /// That something which is not dockstrap's to open keeps apt out, with the command that opens it.
    fn shut_out(&self, closed: &Closed) -> String {
        format!(
            "{} has the mode {:04o}, so apt's own user cannot read {}. Let it in: {}",
            closed.path.display(),
            closed.mode,
            self.keyring,
            closed.cure()
        )
    }

    /// Whether the keyring holds the certificate. An older form of the same one lacks the keys that
    /// came later.
    fn is_there(&self, host: &Host) -> Result<bool> {
        let there = trusted(host, &self.keyring, &self.pin)?;
        let signing = self.certificate.signing_keys();
        Ok(there.is_some_and(|there| there.signing_keys() == signing))
    }

    fn write(&self, tx: &mut Tx<'_>) -> Result<()> {
        // apt 2.6 believes a file's ending.
        let text = if self.keyring.ends_with(".asc") {
            self.certificate.armored()
        } else {
            self.certificate.binary()
        };
        if !belongs_to_root(tx.host(), &self.keyring)? {
            tx.move_aside(&self.keyring)?; // a file that is written anew keeps its owner
        }
        tx.write_file(&self.keyring, &text, 0o644)
    }
}

/// Whether the file is of whom the root folder is of.
fn belongs_to_root(host: &Host, path: &str) -> Result<bool> {
    let root = host.metadata("/")?.map(|root| root.uid());
    let there = host.metadata(path)?;
    Ok(there.is_none_or(|there| there.is_symlink() || Some(there.uid()) == root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apt::Source;
    use crate::change::trial;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;
    use crate::trust::fixture;

    const KEYRING: &str = Source::KEYRING;

    fn key() -> AptKey {
        let certificate = fixture::certificate("docker").unwrap();
        AptKey {
            keyring: KEYRING.to_owned(),
            pin: certificate.fingerprint(),
            certificate,
        }
    }

    fn inspect(stub: &StubHost) -> Inspection {
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
        let stub = StubHost::new().file(KEYRING, key().certificate.armored());
        stub.set_mode(KEYRING, 0o600);
        assert!(!inspect(&stub).satisfied);
        apply(&stub);
        assert!(inspect(&stub).satisfied);
    }

    #[test]
    fn a_folder_that_keeps_apt_out_is_opened_and_closed_again() {
        for key_is_there in [false, true] {
            let mut stub = StubHost::new().folder("/etc/apt/keyrings");
            if key_is_there {
                stub = stub.file(KEYRING, key().certificate.armored());
            }
            stub.set_mode("/etc/apt/keyrings", 0o700);
            let before = stub.snapshot();
            let finding = inspect(&stub);
            let opening = "open /etc/apt/keyrings to apt's own user (mode 0700 becomes 0701)";
            assert!(!finding.satisfied);
            assert_eq!(finding.details.last().unwrap(), opening);
            apply(&stub);
            assert_eq!(stub.mode("/etc/apt/keyrings"), 0o701);
            assert!(inspect(&stub).satisfied);
            assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
            assert_eq!(stub.snapshot(), before);
        }
    }

    #[test]
    fn a_folder_that_is_not_dockstraps_to_open_is_warned_of_and_stays_closed() {
        let stub = StubHost::new().file(KEYRING, key().certificate.armored());
        // The journal takes no mode with such a bit, and the other folder is everybody's.
        for (path, mode) in [("/etc/apt/keyrings", 0o2700), ("/etc", 0o700)] {
            let before = stub.mode(path);
            stub.set_mode(path, mode);
            let finding = inspect(&stub);
            assert!(finding.satisfied);
            let cure = format!("Let it in: sudo chmod o+x {path}");
            assert!(finding.warnings[0].ends_with(&cure), "{finding:?}");
            apply(&stub);
            assert_eq!(stub.mode(path), mode);
            stub.set_mode(path, before);
        }
    }

    #[test]
    fn a_key_that_others_may_change_is_replaced() {
        let stub = StubHost::new().file(KEYRING, key().certificate.armored());
        for mode in [0o664, 0o646] {
            stub.set_mode(KEYRING, mode);
            assert_eq!(inspect(&stub).summary, format!("replace {KEYRING}"));
            apply(&stub);
            assert!(inspect(&stub).satisfied);
            assert_eq!(stub.mode(KEYRING), 0o644);
        }
    }

    #[test]
    fn a_key_in_a_folder_that_others_may_change_is_refused_since_another_would_be_no_safer() {
        let stub = StubHost::new().file(KEYRING, key().certificate.armored());
        assert!(inspect(&stub).satisfied);
        stub.set_mode("/etc/apt", 0o777);
        let error = key().inspect(stub.host()).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        let text = error.to_string();
        assert!(text.ends_with("Run: sudo chmod go-w /etc/apt"), "{text}");
        let certificate = trusted(stub.host(), KEYRING, &key().pin).unwrap();
        assert!(certificate.is_none());
    }

    #[test]
    fn a_keyring_is_written_in_the_form_that_its_name_says() {
        for keyring in [
            "/etc/apt/keyrings/docker.asc",
            "/usr/share/keyrings/docker.gpg",
        ] {
            let key = AptKey {
                keyring: keyring.to_owned(),
                ..key()
            };
            let stub = StubHost::new();
            trial::run(stub.host(), |tx| key.apply(tx)).unwrap();
            assert!(key.inspect(stub.host()).unwrap().satisfied, "{keyring}");
        }
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
