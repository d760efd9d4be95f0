//! What dockstrap set up on this host, by its journal, and what of it was changed since: what the next
//! install would set again, and what is somebody's own by now.

mod keys;
mod now;
mod owned;

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;

use crate::change::{Act, Journal, Run, VerificationRecord};
use crate::daemon_config::{Document, Redacted};
use crate::host::Host;
use crate::report::Yours;
use crate::undo::{Lost, ManagedUnit, Undo};
pub(crate) use now::{DockerSource, EnginePackage};
use owned::Owned;

/// The step to which a unit belongs, whoever has enabled and started it.
const SERVICE: &str = "service";

/// What was set up, step by step.
#[derive(Debug, Serialize)]
pub(crate) struct HostStatus {
    /// The version of this structure, for those who read it as JSON.
    pub schema: u32,
    /// The last install: when it was, by which version, and which settings somebody gave it.
    pub installed: Option<Run>,
    /// A run that has not come to its end: it is still at work, or was cut short.
    pub unfinished: Option<Run>,
    pub engine: EnginePackage,
    /// The sources of Docker's repository.
    pub sources: Vec<DockerSource>,
    /// Who may use the engine, and so is as good as root.
    pub members: Vec<String>,
    /// The keys of daemon.json that dockstrap has set, with what it set.
    pub configuration: BTreeMap<String, Redacted>,
    pub verified: Option<VerificationRecord>,
    /// In the order in which they were set up; none when nothing was.
    pub steps: Vec<StepStatus>,
}

/// What one step did, and whether it still stands.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct StepStatus {
    pub id: String,
    pub done: Vec<DoneAct>,
    /// What was changed since and the next install sets again; empty when all of it stands.
    pub drift: Vec<Drift>,
    /// What was changed since and stays so.
    pub kept: Vec<Yours>,
}

/// Something that was done.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct DoneAct {
    pub at: Timestamp,
    pub text: String,
    /// False for what was begun only: it may be done, half done, or not at all.
    pub finished: bool,
    /// Whether it is as it was set up.
    #[serde(skip)]
    pub stands: bool,
}

/// Something that is not as it was set up, and is to be.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Drift {
    /// What it is, for people.
    pub text: String,
    /// The key of daemon.json that it is about, with what was set and what is there.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyDrift>,
}

/// A key of daemon.json that is not as it was set.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct KeyDrift {
    pub key: String,
    pub set: Redacted,
    /// `null` where the key is gone.
    pub now: Option<Redacted>,
}

impl HostStatus {
    /// Whether there is anything for the next install to set again.
    pub(crate) fn has_drifted(&self) -> bool {
        self.unfinished.is_some() || self.steps.iter().any(|step| !step.drift.is_empty())
    }

    /// Whether somebody changed what stays as they have it.
    pub(crate) fn keeps(&self) -> bool {
        self.steps.iter().any(|step| !step.kept.is_empty())
    }
}

impl StepStatus {
    fn add(&mut self, kept: Vec<Yours>, lost: Vec<Lost>) {
        for it in kept {
            if !self.kept.contains(&it) {
                self.kept.push(it);
            }
        }
        let drift = lost.into_iter().map(|lost| Drift {
            text: lost.text,
            key: None,
        });
        self.drift.extend(drift);
    }
}

/// Reads the journal and holds it against the host.
///
/// # Errors
/// One that [`is_forbidden`](crate::host::is_forbidden) for anyone but root.
pub(crate) fn status(host: &Host) -> Result<HostStatus> {
    let journal = Journal::read(host)?;
    let mut steps: Vec<StepStatus> = Vec::new();
    let starts = journal.installed().is_none_or(|run| !run.no_start);
    let owned = Owned::of(host, &journal)?;
    for (act, lost) in journal.acts().iter().zip(drift_of_acts(host, &journal)?) {
        let step = step(&mut steps, &act.step);
        let (kept, lost) = owned.part(lost);
        step.done.push(DoneAct {
            at: act.at,
            text: act.text.clone(),
            finished: journal.is_done(act),
            stands: lost.is_empty(),
        });
        step.add(kept, lost);
    }
    let (kept, drift) = keys::changed(host, &journal, &owned)?;
    let writes = |act: &&Act| matches!(act.undo, Undo::RestoreDaemonJson { .. });
    if let Some(act) = journal.acts().iter().rfind(writes) {
        let step = step(&mut steps, &act.step);
        let mut done = step.done.iter_mut().filter(|done| done.text == act.text);
        if let Some(done) = done.next_back() {
            done.stands &= drift.is_empty();
        }
        step.kept.extend(kept);
        step.drift.extend(drift);
    }
    for unit in units(&journal) {
        let (kept, lost) = owned.part(unit.lost(host, starts)?);
        if !kept.is_empty() || !lost.is_empty() {
            step(&mut steps, SERVICE).add(kept, lost);
        }
    }
    let changes = journal.configuration(&Document::new());
    let set = changes.into_iter().filter_map(|change| {
        let value = Redacted::of(&change.key, &change.after?);
        Some((change.key, value))
    });
    Ok(HostStatus {
        schema: 1,
        installed: journal.installed().cloned(),
        unfinished: journal.cut_short().cloned(),
        engine: EnginePackage::of(host)?,
        sources: DockerSource::all(host)?,
        members: now::members(host)?,
        configuration: set.collect(),
        verified: journal.verified().cloned(),
        steps,
    })
}

/// What no longer holds of each act. Of several acts on one file, the last one counts.
fn drift_of_acts(host: &Host, journal: &Journal) -> Result<Vec<Vec<Lost>>> {
    let mut subjects = HashSet::new();
    let mut drift = Vec::new();
    for act in journal.acts().iter().rev() {
        let is_last = act.undo.subject().is_none_or(|path| subjects.insert(path));
        drift.push(if is_last {
            act.undo.lost(host)?
        } else {
            Vec::new()
        });
    }
    drift.reverse();
    Ok(drift)
}

/// The units that were enabled or started, each once, however many acts were about it.
fn units(journal: &Journal) -> Vec<ManagedUnit<'_>> {
    let mut units: Vec<ManagedUnit<'_>> = Vec::new();
    for unit in journal.acts().iter().filter_map(|act| act.undo.unit()) {
        match units.iter_mut().find(|known| known.name == unit.name) {
            Some(known) => *known = known.and(unit),
            None => units.push(unit),
        }
    }
    units
}

/// The step of this name, made where nothing was said of it yet.
fn step<'a>(steps: &'a mut Vec<StepStatus>, id: &str) -> &'a mut StepStatus {
    let place = steps
        .iter()
        .position(|step| step.id == id)
        .unwrap_or_else(|| {
            steps.push(StepStatus {
                id: id.to_owned(),
                done: Vec::new(),
                drift: Vec::new(),
                kept: Vec::new(),
            });
            steps.len() - 1
        });
    &mut steps[place]
}

#[cfg(test)]
mod tests;
