//! Whether an engine would start with a configuration: by our own checks, and by the engine's word where
//! there is one to ask.

use std::io::Write;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::proposal::{Proposal, blocked, lines, unwanted};
use super::{DaemonJson, PACKAGE, file, host_facts};
use crate::daemon_config::{
    Document, EngineRelease, Finding, PATH, Secrets, is_said_by_flag, other_files, with_flags,
};
use crate::engine::unit;
use crate::error::Failure;
use crate::facts;
use crate::host::command::Query;
use crate::host::{Host, temporary};

const DOCKERD: &str = "dockerd";

/// Since this engine it can be asked.
const ASKABLE: EngineRelease = EngineRelease(23, 0);

/// Refuses the file that is there when the engine of this version, once stopped, would not start
/// again with it.
///
/// # Errors
/// [`Failure::Blocked`], with what is wrong with it.
pub(crate) fn refuse_unsound(host: &Host, version: &str) -> Result<()> {
    let step = DaemonJson {
        unit_flags: unit::flags(host)?,
        engine: EngineRelease::of(version),
        installed: EngineRelease::of(version),
        ..DaemonJson::default()
    };
    let current = file::read(host)?;
    let host_facts = host_facts::read(host, &current)?;
    let (errors, _) = step.check_by(step.engine, &current, &host_facts);
    if !errors.is_empty() {
        return Err(blocked(&lines(&errors, Finding::to_string)));
    }
    match refusal(host, step.engine, &step.unit_flags, &current)? {
        Some(reason) => Err(blocked(&reason)),
        None => Ok(()),
    }
}

impl DaemonJson {
    /// The same for the engine of this version, which is going to be installed.
    pub(crate) fn for_engine(&self, version: &str) -> DaemonJson {
        DaemonJson {
            engine: EngineRelease::of(version),
            ..self.clone()
        }
    }

    /// Refuses what the engine of this version, which is going to be installed, would not take; the
    /// one that is there is asked as well, also about a file that stays as it is: an engine that does
    /// not start leaves its packages half configured.
    pub(crate) fn check_for(&self, host: &Host, version: &str) -> Result<()> {
        let same = self.for_engine(version);
        let proposal = same.propose(host)?;
        same.refuse_unstartable(host, &proposal)
    }

    /// Has the engine that is installed by now judge its file, where it is not started to find out
    /// whether it takes it.
    pub(crate) fn refuse_invalid(&self, host: &Host) -> Result<()> {
        let known = facts::known_packages(host)?;
        let engine = known
            .get(PACKAGE)
            .and_then(|it| EngineRelease::of(&it.version));
        let current = file::read(host)?;
        match refusal(host, engine, &self.unit_flags, &current)? {
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
            let host_facts = host_facts::read(host, &with_flags(document, &self.unit_flags))?;
            let (errors, _) = self.check_by(self.installed, document, &host_facts);
            if !errors.is_empty() {
                return Ok(None);
            }
        }
        refusal(host, self.installed, &self.unit_flags, document)
    }
}

/// Why the engine, given these flags, would not start with this configuration. `None` when it
/// would, and when it cannot be asked: there is no engine yet, or asking changes the host.
pub(crate) fn refusal(
    host: &Host,
    engine: Option<EngineRelease>,
    flags: &[String],
    document: &Document,
) -> Result<Option<String>> {
    let can_be_asked = engine.is_some_and(|engine| engine >= ASKABLE);
    if !can_be_asked || !host.has_program(DOCKERD) || is_remapped(flags, document) {
        return Ok(None);
    }
    let mut file = temporary::make_file(".json").context("making a file to show to dockerd")?;
    file.write_all(&asked_of(document).bytes())
        .context("writing a file to show to dockerd")?;
    let name = file.path().to_string_lossy().into_owned();
    let ask = Query::validation(DOCKERD)
        .arg(format!("--config-file={name}"))
        .args(without_file(flags));
    let answer = host.query(&ask)?;
    let secrets = Secrets::of(document, flags);
    Ok((answer.code != 0).then(|| secrets.star_out(&answer.tail().replace(&name, PATH))))
}

/// The configuration without the keys of which dockerd would say that the question has them as
/// flags, though its unit does not.
fn asked_of(document: &Document) -> Document {
    let mut asked = document.clone();
    for key in ["config-file", "validate"] {
        asked.remove(key);
    }
    asked
}

/// The flags but for the one that names the file, which would be read in place of the one to judge.
fn without_file(flags: &[String]) -> Vec<&String> {
    let is_apart = |index: usize| index > 0 && flags[index - 1] == "--config-file";
    let flags = flags.iter().enumerate();
    let flags =
        flags.filter(|(index, flag)| !is_apart(*index) && !flag.starts_with("--config-file"));
    flags.map(|(_, flag)| flag).collect()
}

/// Asked about user namespaces, dockerd makes the user and the group they are for.
fn is_remapped(flags: &[String], document: &Document) -> bool {
    let named = document.get("userns-remap").and_then(Value::as_str);
    named.is_some_and(|named| !named.is_empty()) || is_said_by_flag("userns-remap", flags)
}

#[cfg(test)]
mod tests;
