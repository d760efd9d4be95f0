//! The engine's configuration file, with sane defaults merged into what is there.

use anyhow::Result;

use super::{Finding, Step};
use crate::change::{Tx, Undo};
use crate::daemon_json::{self, Change, Context, Document, Merged, PATH, Severity, Wanted};
use crate::error::Failure;
use crate::host::Host;

/// There when this host is a member of a swarm.
const SWARM_STATE: &str = "/var/lib/docker/swarm/docker-state.json";

#[derive(Clone)]
pub struct DaemonJson {
    /// What the unit tells the engine already; saying it twice stops the engine.
    unit_flags: Vec<String>,
}

impl DaemonJson {
    pub fn new(unit_flags: Vec<String>) -> DaemonJson {
        DaemonJson { unit_flags }
    }

    /// What the file is to say: what is there, with what is missing added. A setting that is
    /// there is the user's and stays.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the engine would not start with what is there.
    pub fn merged(&self, host: &Host) -> Result<Merged> {
        let current = read(host)?;
        self.check(&current)?;
        let mut wanted = daemon_json::recommended().values();
        // Only root may look; a plan that someone else makes takes it that there is no swarm.
        if host.exists(SWARM_STATE).unwrap_or(false) {
            // A member of a swarm does not start with live-restore.
            wanted.shift_remove("live-restore");
        }
        Ok(daemon_json::merge(current, &wanted, Wanted::Default))
    }

    fn check(&self, document: &Document) -> Result<()> {
        let context = Context {
            unit_flags: &self.unit_flags,
            engine: None,
        };
        let problems = daemon_json::check(document, &context);
        let errors: Vec<String> = problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .map(ToString::to_string)
            .collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(blocked(&errors.join("\n"))),
        }
    }
}

impl Step for DaemonJson {
    fn id(&self) -> &'static str {
        "daemon-json"
    }

    fn title(&self) -> &'static str {
        "daemon.json"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let changes = self.merged(host)?.changes;
        if changes.is_empty() {
            return Ok(Finding::satisfied(format!("{PATH} is as it should be")));
        }
        let verb = match host.exists(PATH)? {
            true => "merge into",
            false => "write",
        };
        Ok(Finding::pending(
            format!("{verb} {PATH}"),
            changes.iter().map(Change::to_string).collect(),
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let Merged { document, changes } = self.merged(tx.host())?;
        if tx.host().engine_info()?.is_some() {
            tx.note(
                "change the configuration of a running engine",
                Undo::RestartEngine,
            )?;
        }
        tx.write_daemon_json(document.text(), &changes)
    }
}

fn read(host: &Host) -> Result<Document> {
    let Some(bytes) = host.read(PATH)? else {
        return Ok(Document::new());
    };
    Document::parse(&bytes).map_err(|refusal| blocked(&refusal.to_string()))
}

fn blocked(problems: &str) -> anyhow::Error {
    Failure::Blocked(format!(
        "the engine would not start with {PATH} as it is; nothing was changed. \
         Mend it and run this again:\n{problems}"
    ))
    .into()
}
