//! The sources for Docker's repository that a host has already: which one is good enough to be
//! kept, and what is to become of the others.

use std::fmt;

use anyhow::{Context, Result};

use super::source::Source;
use super::source_file::{SourceFile, source_files};
use crate::error::Failure;
use crate::host::Host;
use crate::trust::Fingerprint;

/// The sources for Docker's repository on a host.
#[derive(Debug, Default)]
pub(crate) struct Existing {
    /// The one that does all that ours would do.
    pub kept: Option<KeptSource>,
    /// Files with others, which apt must not see beside it.
    pub migrations: Vec<Migration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptSource {
    pub path: String,
    pub keyring: String,
}

/// What becomes of a file with sources that are not to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Migration {
    pub path: String,
    /// Where its sources for Docker's repository begin.
    lines: Vec<usize>,
    /// Why they are not to be used.
    reasons: Vec<String>,
    /// What stays of the file; `None` when it goes.
    pub left: Option<Vec<u8>>,
}

impl Existing {
    /// Finds the sources that name the repository of `source`. Of those that do the same as it
    /// would, one whose keyring is `accepted` is kept: ours if it is among them.
    ///
    /// # Errors
    /// [`Failure::Blocked`] for a stanza that names Docker's repository together with others.
    pub(crate) fn find(
        host: &Host,
        source: &Source,
        pin: &Fingerprint,
        accepted: impl Fn(&str) -> Result<bool>,
    ) -> Result<Existing> {
        let mut files = source_files(host).context("reading apt's sources")?;
        files.sort_by_key(|file| file.path != Source::PATH);
        let mut existing = Existing::default();
        for file in &files {
            existing.look_at(file, source, pin, &accepted)?;
        }
        Ok(existing)
    }

    fn look_at(
        &mut self,
        file: &SourceFile,
        source: &Source,
        pin: &Fingerprint,
        accepted: &impl Fn(&str) -> Result<bool>,
    ) -> Result<()> {
        let (mut lines, mut reasons) = (Vec::new(), Vec::new());
        for (part, entry) in file.dockers(source) {
            if entry.names_others(source) {
                return Err(named_with_others(&file.path, part.line));
            }
            let reason = match entry.serves(source, pin) {
                Err(reason) => reason,
                Ok(keyring) if !accepted(keyring)? => {
                    format!("it trusts another keyring, {keyring}")
                }
                Ok(_) if self.kept.is_some() => "it names the repository once more".to_owned(),
                Ok(keyring) => {
                    self.kept = Some(KeptSource {
                        path: file.path.clone(),
                        keyring: keyring.to_owned(),
                    });
                    continue;
                }
            };
            lines.push(part.line);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        if !lines.is_empty() {
            self.migrations.push(Migration {
                path: file.path.clone(),
                left: file.without(&lines),
                lines,
                reasons,
            });
        }
        Ok(())
    }
}

impl Migration {
    /// How many of its sources name Docker's repository.
    pub(crate) fn sources(&self) -> usize {
        self.lines.len()
    }

    /// Why it is to be done.
    pub(crate) fn reason(&self) -> String {
        self.reasons.join("; ")
    }
}

impl fmt::Display for Migration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Migration { path, lines, .. } = self;
        let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
        let (lines, reason) = (lines.join(", "), self.reason());
        match self.left {
            None => write!(formatter, "move {path} aside: {reason} (line {lines})"),
            Some(_) => write!(
                formatter,
                "take Docker's repository out of {path}, line {lines}: {reason}"
            ),
        }
    }
}

fn named_with_others(path: &str, line: usize) -> anyhow::Error {
    Failure::Blocked(format!(
        "the stanza at line {line} of {path} names Docker's repository together with others, so \
         it can neither be used nor taken out; nothing was changed. Give Docker's repository a \
         stanza of its own, or none, and run this again"
    ))
    .into()
}

#[cfg(test)]
mod tests;
