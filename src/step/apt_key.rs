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
