//! What dockstrap set up on this host, by its journal, and what of it was changed since. By whom,
//! it cannot know.

mod now;

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;

use crate::change::{Act, Journal, Run, Undo, Unit, Verified};
use crate::daemon_json::{self, Document, Redacted};
use crate::host::Host;
pub use now::{Engine, Source};

/// The step to which a unit belongs, whoever has enabled and started it.
const SERVICE: &str = "service";

/// What was set up, step by step.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The version of this structure, for those who read it as JSON.
    pub schema: u32,
    /// The last install: when it was, by which version, and which settings somebody gave it.
    pub installed: Option<Run>,
    /// A run that has not come to its end: it is still at work, or was cut short.
    pub unfinished: Option<Run>,
    pub engine: Engine,
    /// The sources of Docker's repository.
    pub sources: Vec<Source>,
    /// Who may use the engine, and so is as good as root.
    pub members: Vec<String>,
    /// The keys of daemon.json that dockstrap has set, with what it set.
    pub configuration: BTreeMap<String, Redacted>,
    pub verified: Option<Verified>,
    /// In the order in which they were set up; none when nothing was.
    pub steps: Vec<StepStatus>,
}

/// What one step did, and whether it still stands.
#[derive(Debug, PartialEq, Serialize)]
pub struct StepStatus {
    pub id: String,
    pub done: Vec<Done>,
    /// What was changed since; empty when all of it stands.
    pub drift: Vec<Drift>,
}

/// Something that was done.
#[derive(Debug, PartialEq, Serialize)]
pub struct Done {
    pub at: Timestamp,
    pub text: String,
    /// False for what was begun only: it may be done, half done, or not at all.
    pub finished: bool,
    /// Whether it is as it was set up.
    #[serde(skip)]
    pub stands: bool,
}

/// Something that is not as it was set up.
#[derive(Debug, PartialEq, Serialize)]
pub struct Drift {
    /// What it is, for people.
    pub text: String,
    /// The key of daemon.json that it is about, with what was set and what is there.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyDrift>,
}

/// A key of daemon.json that is not as it was set.
#[derive(Debug, PartialEq, Serialize)]
pub struct KeyDrift {
    pub key: String,
    pub set: Redacted,
    /// `null` where the key is gone.
    pub now: Option<Redacted>,
}

impl Status {
    /// Whether anything is not as it was set up, or was meant to be.
    pub fn has_drifted(&self) -> bool {
        self.unfinished.is_some() || self.steps.iter().any(|step| !step.drift.is_empty())
    }
}

/// Reads the journal and holds it against the host.
///
/// # Errors
/// One that [`is_forbidden`](crate::host::is_forbidden) for anyone but root.
pub fn status(host: &Host) -> Result<Status> {
    let journal = Journal::read(host)?;
    let mut steps: Vec<StepStatus> = Vec::new();
    // Of several acts on one file, the last one counts.
    let mut subjects = HashSet::new();
    let mut lost = Vec::new();
    let starts = journal.installed().is_none_or(|run| !run.no_start);
    for act in journal.acts().iter().rev() {
        let is_last = act.undo.subject().is_none_or(|path| subjects.insert(path));
        lost.push(match is_last {
            true => act.undo.lost(host)?,
            false => Vec::new(),
        });
    }
    for (act, lost) in journal.acts().iter().zip(lost.into_iter().rev()) {
        let step = step(&mut steps, &act.step);
        step.done.push(Done {
            at: act.at,
            text: act.text.clone(),
            finished: journal.is_done(act),
            stands: lost.is_empty(),
        });
        let lost = lost.into_iter();
        step.drift
            .extend(lost.map(|text| Drift { text, key: None }));
    }
    for drift in lost_keys(host, &journal)? {
        let writes = |act: &&Act| matches!(act.undo, Undo::RestoreDaemonJson { .. });
        if let Some(act) = journal.acts().iter().rfind(writes) {
            let step = step(&mut steps, &act.step);
            let mut done = step.done.iter_mut().filter(|done| done.text == act.text);
            if let Some(done) = done.next_back() {
                done.stands = false;
            }
            step.drift.push(drift);
        }
    }
    for unit in units(&journal) {
        for text in unit.lost(host, starts)? {
            let drift = Drift { text, key: None };
            step(&mut steps, SERVICE).drift.push(drift);
        }
    }
    let changes = journal.configuration(&Document::new());
    let set = changes.into_iter().filter_map(|change| {
        let value = Redacted::of(&change.key, &change.after?);
        Some((change.key, value))
    });
    Ok(Status {
        schema: 1,
        installed: journal.installed().cloned(),
        unfinished: journal.cut_short().cloned(),
        engine: Engine::of(host)?,
        sources: Source::all(host)?,
        members: now::members(host)?,
        configuration: set.collect(),
        verified: journal.verified().cloned(),
        steps,
    })
}

/// The units that were enabled or started, each once, however many acts were about it.
fn units(journal: &Journal) -> Vec<Unit<'_>> {
    let mut units: Vec<Unit<'_>> = Vec::new();
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
    let place = steps.iter().position(|step| step.id == id);
    let place = place.unwrap_or_else(|| {
        steps.push(StepStatus {
            id: id.to_owned(),
            done: Vec::new(),
            drift: Vec::new(),
        });
        steps.len() - 1
    });
    &mut steps[place]
}

fn lost_keys(host: &Host, journal: &Journal) -> Result<Vec<Drift>> {
    let bytes = host.read(daemon_json::PATH)?.unwrap_or_default();
    let document = match Document::parse(&bytes) {
        Ok(document) => document,
        Err(refusal) if !journal.configuration(&Document::new()).is_empty() => {
            let text = format!("{} cannot be read: {refusal}", daemon_json::PATH);
            return Ok(vec![Drift { text, key: None }]);
        }
        Err(_) => return Ok(Vec::new()),
    };
    let lost = daemon_json::lost(&document, &journal.configuration(&document));
    Ok(lost
        .into_iter()
        .map(|(key, set)| {
            let set = Redacted::of(&key, &set);
            let now = document.get(&key).map(|now| Redacted::of(&key, now));
            let is = match &now {
                Some(now) => format!("is {now}"),
                None => "is gone".to_owned(),
            };
            Drift {
                text: format!("{key} was set to {set}, and {is}"),
                key: Some(KeyDrift { key, set, now }),
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::daemon_json::{Wanted, merge};
    use crate::host::command::Command;
    use crate::host::stub::StubHost;
    use serde_json::json;

    /// A host on which one step wrote a key and another the configuration.
    fn set_up() -> StubHost {
        let stub = StubHost::new()
            .file(daemon_json::PATH, "{\"debug\": true}")
            .program("dpkg-query", "");
        let mut tx = trial::begin(stub.host(), &|_| {});
        tx.enter("apt-key");
        tx.write_file("/etc/key", b"old", 0o644).unwrap();
        tx.write_file("/etc/key", b"new", 0o644).unwrap();
        tx.enter("daemon-json");
        let wanted = json!({"mtu": 1400, "live-restore": true});
        let document = Document::parse(b"{\"debug\": true}").unwrap();
        let merged = merge(document, wanted.as_object().unwrap(), Wanted::Set);
        tx.write_daemon_json(merged.document.text(), &merged.changes)
            .unwrap();
        tx.end().unwrap();
        stub
    }

    #[test]
    fn what_was_done_is_told_step_by_step_and_stands() {
        let status = status(set_up().host()).unwrap();
        assert!(!status.has_drifted(), "{status:?}");
        let ids: Vec<&str> = status.steps.iter().map(|step| step.id.as_str()).collect();
        assert_eq!(ids, ["apt-key", "daemon-json"]);
        assert_eq!(status.steps[0].done.len(), 2);
    }

    #[test]
    fn a_run_that_did_not_end_is_told_with_what_it_had_begun() {
        let stub = set_up();
        let mut tx = trial::begin(stub.host(), &|_| {});
        tx.enter("apt-key");
        let fails = Command::new("false");
        tx.run("do what fails", Undo::nothing(), &fails)
            .unwrap_err();
        drop(tx);
        let status = status(stub.host()).unwrap();
        assert!(status.unfinished.is_some() && status.has_drifted());
        let finished = |done: &Done| done.finished;
        let finished: Vec<bool> = status.steps[0].done.iter().map(finished).collect();
        assert_eq!(finished, [true, true, false]);
    }

    #[test]
    fn what_was_changed_since_is_told_and_what_is_not_ours_is_not() {
        let stub = set_up();
        stub.write("/etc/key", "edited");
        stub.write(daemon_json::PATH, "{\"debug\": false, \"mtu\": 9000}");
        let status = status(stub.host()).unwrap();
        let drift = |step: usize| {
            let drift = status.steps[step].drift.iter();
            drift.map(|it| it.text.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(drift(0), ["/etc/key was edited"]);
        let keys = [
            "mtu was set to 1400, and is 9000",
            "live-restore was set to true, and is gone",
        ];
        assert_eq!(drift(1), keys);
        let json = serde_json::to_value(&status.steps[1].drift[0]).unwrap();
        assert_eq!((&json["set"], &json["now"]), (&json!(1400), &json!(9000)));
    }

    #[test]
    fn a_stopped_engine_is_one_loss_of_its_own_step() {
        let stub = set_up()
            .program("dpkg-query", "echo docker-ce installed")
            .program(
                "systemctl",
                "echo LoadState=loaded; echo UnitFileState=enabled; echo ActiveState=inactive",
            );
        let mut tx = trial::begin(stub.host(), &|_| {});
        tx.enter("packages");
        let purge = Undo::PurgePackages {
            packages: vec!["docker-ce".to_owned()],
            network: None,
        };
        tx.note("install docker-ce", purge).unwrap();
        tx.enter("service");
        let restore = Undo::RestoreUnit {
            unit: "docker.service".to_owned(),
            enabled: false,
            active: false,
        };
        tx.note("enable docker.service", restore).unwrap();
        tx.end().unwrap();
        let status = status(stub.host()).unwrap();
        let drift = status.steps.iter().flat_map(|step| &step.drift);
        let drift: Vec<&str> = drift.map(|it| it.text.as_str()).collect();
        assert_eq!(drift, ["docker.service is not running"]);
        assert_eq!(status.steps[3].drift.len(), 1, "of the step service");
        let mut done = status.steps.iter().flat_map(|step| &step.done);
        assert!(done.all(|done| done.stands));
    }

    #[test]
    fn a_configuration_that_cannot_be_read_has_drifted() {
        let stub = set_up();
        stub.write(daemon_json::PATH, "{");
        let status = status(stub.host()).unwrap();
        assert!(status.steps[1].drift[0].text.contains("cannot be read"));
    }

    #[test]
    fn nothing_was_set_up_on_a_bare_host() {
        let status = status(StubHost::noble().host()).unwrap();
        assert!(status.steps.is_empty() && !status.has_drifted());
    }
}
