//! What is not to be: a file or settings with which the engine would not work, or that cannot be
//! written.

use anyhow::{Result, bail};

use super::proposal::Proposal;
use super::{DaemonJson, PACKAGE, around, file, validate};
use crate::daemon_config::{Document, EngineRelease, Finding, PATH, other_files, with_flags};
use crate::engine::unit;
use crate::error::Failure;
use crate::facts;
use crate::host::Host;

/// Refuses the file that is there when the engine of this version, once stopped, would not start
/// again with it.
///
/// # Errors
/// [`Failure::Blocked`], with what is wrong with it.
pub fn refuse_unsound(host: &Host, version: &str) -> Result<()> {
    let step = DaemonJson {
        unit_flags: unit::flags(host)?,
        engine: EngineRelease::of(version),
        installed: EngineRelease::of(version),
        ..DaemonJson::default()
    };
    let current = file::read(host)?;
    let around = around::look(host, &current)?;
    let (errors, _) = step.check_by(step.engine, &current, &around);
    if !errors.is_empty() {
        return Err(blocked(&lines(&errors, Finding::to_string)));
    }
    match validate::refusal(host, step.engine, &step.unit_flags, &current)? {
        Some(reason) => Err(blocked(&reason)),
        None => Ok(()),
    }
}

impl DaemonJson {
    /// The same for the engine of this version, which is going to be installed.
    pub fn for_engine(&self, version: &str) -> DaemonJson {
        DaemonJson {
            engine: EngineRelease::of(version),
            ..self.clone()
        }
    }

    /// Refuses what the engine of this version, which is going to be installed, would not take; the
    /// one that is there is asked as well, also about a file that stays as it is: an engine that does
    /// not start leaves its packages half configured.
    pub fn check_for(&self, host: &Host, version: &str) -> Result<()> {
        let same = self.for_engine(version);
        let proposal = same.propose(host)?;
        same.refuse_unstartable(host, &proposal)
    }

    /// Has the engine that is installed by now judge its file, where it is not started to find out
    /// whether it takes it.
    pub fn refuse_invalid(&self, host: &Host) -> Result<()> {
        let known = facts::known_packages(host)?;
        let engine = known
            .get(PACKAGE)
            .and_then(|it| EngineRelease::of(&it.version));
        let current = file::read(host)?;
        match validate::refusal(host, engine, &self.unit_flags, &current)? {
            Some(reason) => bail!("the engine would not start with {PATH}:\n{reason}"),
            None => Ok(()),
        }
    }

    /// Refuses a proposal that cannot be written, or that the engine itself would not take.
    pub(super) fn refuse_unwritable(&self, host: &Host, proposal: &Proposal) -> Result<()> {
        if let Some(file) = other_files(&self.unit_flags).first() {
            return Err(Failure::Blocked(format!(
                "the unit passes --config-file={file} to the engine, which then does not read \
                 {PATH}; nothing was changed. Remove the flag: systemctl edit docker.service (or \
                 set preset = \"none\")"
            ))
            .into());
        }
        self.refuse_unstartable(host, proposal)
    }

    /// Refuses what the engine that is there would not start with, in its own words.
    fn refuse_unstartable(&self, host: &Host, proposal: &Proposal) -> Result<()> {
        let Proposal {
            current, merged, ..
        } = proposal;
        let refused = |document| self.refusal_of_installed(host, document);
        match refused(&merged.document)? {
            None => Ok(()),
            Some(reason) => Err(match refused(current)? {
                Some(reason) => blocked(&reason),
                None => unwanted(&reason),
            }),
        }
    }

    /// An engine that makes room for another is not asked about what only the other knows.
    fn refusal_of_installed(&self, host: &Host, document: &Document) -> Result<Option<String>> {
        if self.engine != self.installed {
            let around = around::look(host, &with_flags(document, &self.unit_flags))?;
            let (errors, _) = self.check_by(self.installed, document, &around);
            if !errors.is_empty() {
                return Ok(None);
            }
        }
        validate::refusal(host, self.installed, &self.unit_flags, document)
    }
}

pub fn lines(findings: &[Finding], line: impl Fn(&Finding) -> String) -> String {
    let lines: Vec<String> = findings.iter().map(line).collect();
    lines.join("\n")
}

/// The failure for a file that no key can be read from, which the engine may still take.
pub fn unreadable(fault: &str) -> anyhow::Error {
    Failure::Blocked(format!(
        "{PATH} cannot be used as it is; nothing was changed. Fix it and run this again:\n{fault}"
    ))
    .into()
}

/// The failure for a file that is there.
pub fn blocked(findings: &str) -> anyhow::Error {
    Failure::Blocked(format!(
        "the engine would not work on this host with {PATH} as it is; nothing was changed. \
         Fix it and run this again:\n{findings}"
    ))
    .into()
}

/// The failure for what the settings would make of it.
pub fn unwanted(findings: &str) -> anyhow::Error {
    Failure::Usage(format!(
        "the engine would not work with what the settings want of {PATH}; nothing was changed. \
         Fix the settings' [daemon], or take another preset:\n{findings}"
    ))
    .into()
}

#[cfg(test)]
mod tests;
