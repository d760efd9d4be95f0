//! The source that names Docker's repository, exactly once.

use anyhow::Result;

use super::repository::Repository;
use super::{Finding, Step};
use crate::apt::{Source, existing_sources};
use crate::change::Tx;
use crate::error::Failure;
use crate::host::Host;

pub struct AptSource {
    source: Source,
    keyring: String,
}

impl AptSource {
    pub fn new(repository: &Repository) -> AptSource {
        AptSource {
            source: repository.source.clone(),
            keyring: repository.keyring.clone(),
        }
    }

    fn text(&self) -> String {
        self.source.text(&self.keyring)
    }
}

impl Step for AptSource {
    fn id(&self) -> &'static str {
        "apt-source"
    }

    fn title(&self) -> &'static str {
        "apt source"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let existing = existing_sources(host, &self.source.uri)?;
        let (serving, others): (Vec<_>, Vec<_>) = existing
            .into_iter()
            .partition(|existing| existing.serves(&self.source, &self.keyring));
        let foreign = others.iter().find(|other| other.path != Source::PATH);
        if let Some(other) = foreign {
            return Err(Failure::Blocked(format!(
                "{} names Docker's repository ({}) in another way than it is to be used here; \
                 apt refuses to work with two keyrings for one repository. Nothing was changed. \
                 Move it out of the way and run this again: mv {} /root/",
                other.path, other.uri, other.path
            ))
            .into());
        }
        if let (Some(serving), true) = (serving.first(), others.is_empty()) {
            let summary = format!("{} names {}", serving.path, self.source.uri);
            return Ok(Finding::satisfied(summary));
        }
        let verb = match host.exists(Source::PATH)? {
            true => "replace",
            false => "write",
        };
        let Source {
            uri,
            suite,
            architecture,
        } = &self.source;
        Ok(Finding::pending(
            format!("{verb} {}", Source::PATH),
            vec![format!("{uri} {suite} stable [{architecture}]")],
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        tx.write_file(Source::PATH, self.text().as_bytes(), 0o644)
    }
}
