//! The source that names Docker's repository, exactly once.
//!
//! One that is there and does the same is kept. Any other would be in the way: apt refuses to
//! work at all with two keyrings for one repository. They are taken out, and come back with
//! `uninstall`.

use anyhow::{Context, Result};

use super::{Inspection, Step};
use crate::apt::{Existing, Freshness, Migration, Repository, Source};
use crate::change::{self, Ownership, Tx};
use crate::error::Failure;
use crate::host::Host;
use crate::report::Yours;
use crate::settings::Settings;
use crate::shell;
use crate::trust::Fingerprint;

#[derive(Clone)]
pub(crate) struct AptSource {
    source: Source,
    keyring: String,
    pin: Fingerprint,
    /// What is to be said of the suite.
    remark: Option<String>,
    /// What the repository offers, where no package is taken from it in this run.
    freshness: Option<Freshness>,
    /// That somebody edited or removed our file since.
    theirs: Option<Yours>,
}

impl AptSource {
    pub(crate) fn new(repository: &Repository, remark: Option<String>) -> AptSource {
        AptSource {
            source: repository.source.clone(),
            keyring: repository.keyring.clone(),
            pin: repository.pin,
            remark,
            freshness: None,
            theirs: None,
        }
    }

    /// Leaves our file where it is somebody's own by now, unless the settings name another address or
    /// suite than the usual one.
    pub(crate) fn leaving(self, owned: &Ownership, settings: &Settings) -> AptSource {
        let is_named = change::named(settings).contains(Source::PATH);
        let theirs = owned.named(Source::PATH).filter(|_| !is_named);
        AptSource {
            theirs: theirs.cloned(),
            ..self
        }
    }

    /// Has it remember what the repository offers.
    pub(crate) fn remembering(self, freshness: Freshness) -> AptSource {
        let freshness = Some(freshness);
        AptSource { freshness, ..self }
    }

    /// Whether our file stays as somebody made it. Beside others apt might not take it.
    fn is_left(&self, existing: &Existing) -> bool {
        let mut others = existing.migrations.iter();
        self.theirs.is_some() && others.all(|it| it.path == Source::PATH)
    }

    fn existing(&self, host: &Host) -> Result<Existing> {
        let ours = |keyring: &str| Ok(keyring == self.keyring);
        let existing = Existing::find(host, &self.source, &self.pin, ours)?;
        for Migration { path, .. } in &existing.migrations {
            refuse_link(host, path)?;
        }
        Ok(existing)
    }
}

impl Step for AptSource {
    fn id(&self) -> &'static str {
        "apt-source"
    }

    fn title(&self) -> &'static str {
        "apt source"
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let existing = self.existing(host)?;
        let mut details: Vec<String> = self.remark.iter().cloned().collect();
        let replaced = |path: &str| path == Source::PATH && existing.kept.is_none();
        details.extend(existing.migrations.iter().map(|migration| match migration {
            Migration { path, .. } if replaced(path) => {
                format!("what stands there now will not do: {}", migration.reason())
            }
            migration => migration.to_string(),
        }));
        let Source {
            uri,
            suite,
            architecture,
        } = &self.source;
        let summary = match &existing.kept {
            Some(kept) if existing.migrations.is_empty() => {
                let finding = Inspection::satisfied(format!("{} names {uri}", kept.path));
                let finding = Inspection { details, ..finding };
                return Ok(finding.keeping(self.theirs.iter().cloned().collect()));
            }
            None if self.is_left(&existing) => {
                let finding = Inspection::satisfied(format!("{} is left", Source::PATH));
                return Ok(finding.keeping(self.theirs.iter().cloned().collect()));
            }
            Some(kept) => format!("name Docker's repository in {} only", kept.path),
            None => {
                details.insert(0, format!("{uri} {suite} stable [{architecture}]"));
                let verb = if host.exists(Source::PATH)? {
                    "replace"
                } else {
                    "write"
                };
                format!("{verb} {}", Source::PATH)
            }
        };
        Ok(Inspection::pending(summary, details))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let existing = self.existing(tx.host())?;
        if existing.kept.is_none() && self.is_left(&existing) {
            return Ok(());
        }
        if let Some(freshness) = &self.freshness {
            tx.remember(freshness.clone())?;
        }
        // First out, then in: there is no moment at which apt sees two.
        let mut beside_ours = tx.host().read(Source::PATH)?;
        for Migration { path, left, .. } in existing.migrations {
            match left {
                left if path == Source::PATH && existing.kept.is_none() => beside_ours = left,
                Some(left) => tx.edit_file(&path, &left)?,
                None => tx.move_aside(&path)?,
            }
        }
        if existing.kept.is_some() {
            return Ok(());
        }
        let text = with_others(beside_ours, &self.source.text(&self.keyring));
        tx.write_file(Source::PATH, &text, 0o644)
            .context("adding Docker's repository")
    }

    fn writes(&self, host: &Host) -> Result<Vec<String>> {
        let existing = self.existing(host)?;
        if existing.kept.is_none() && self.is_left(&existing) {
            return Ok(Vec::new());
        }
        let ours = existing.kept.is_none().then(|| Source::PATH.to_owned());
        let others = existing.migrations.into_iter().map(|it| it.path);
        Ok(others.chain(ours).collect())
    }
}

/// Our source, behind the others that stand in its file.
fn with_others(others: Option<Vec<u8>>, ours: &str) -> Vec<u8> {
    let mut text = others.unwrap_or_default();
    if !text.is_empty() {
        let ended = text.ends_with(b"\n");
        text.extend_from_slice(if ended { b"\n" } else { b"\n\n" });
    }
    text.extend_from_slice(ours.as_bytes());
    text
}

/// A link leads to a file that somebody else looks after.
fn refuse_link(host: &Host, path: &str) -> Result<()> {
    if !host.metadata(path)?.is_some_and(|there| there.is_symlink()) {
        return Ok(());
    }
    Err(Failure::Blocked(format!(
        "{path} names Docker's repository in another way than it is to be used here, and it is a \
         link to another file, which is not dockstrap's to change. Nothing was changed. Take \
         Docker's repository out of that file, or remove the link: sudo {}",
        shell::joined(["rm", path])
    ))
    .into())
}

#[cfg(test)]
mod tests;
