//! The way back: everything that the journal says was done, newest first.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;

use crate::change::{Act, Journal, Tx, Undo};
use crate::host::Host;
use crate::host::engine::docker;
use crate::report::Listener;

/// What an uninstall is going to do.
pub struct Reversal {
    journal: Journal,
    /// Running containers; they must stop when the engine goes.
    pub containers: Vec<String>,
}

impl Reversal {
    /// Reads the journal; `None` when there is nothing to take back.
    pub fn plan(host: &Host) -> Result<Option<Reversal>> {
        let journal = Journal::read(host)?;
        if journal.acts().is_empty() {
            return Ok(None);
        }
        let purges = |act: &Act| matches!(act.undo, Undo::PurgePackages { .. });
        let engine_goes = journal.acts().iter().any(purges);
        let containers = match engine_goes && host.engine_info()?.is_some() {
            true => running_containers(host)?,
            false => Vec::new(),
        };
        Ok(Some(Reversal {
            journal,
            containers,
        }))
    }

    /// What was done and is going to be taken back, newest first.
    pub fn acts(&self) -> impl Iterator<Item = &Act> {
        self.journal.acts().iter().rev()
    }

    /// Takes everything back; returns how much was left as it is, each with its reason told.
    pub fn carry_out(
        self,
        host: &Host,
        purge_data: bool,
        lock_wait: Duration,
        listener: Listener<'_>,
    ) -> Result<usize> {
        let Reversal {
            journal,
            containers,
        } = self;
        let unstoppable = Arc::new(AtomicBool::new(false));
        let mut tx = Tx::begin(host, journal, lock_wait, listener, unstoppable)?;
        if !containers.is_empty() {
            let stop = docker().arg("stop").args(&containers);
            tx.run_covered(&stop.deadline(Duration::from_secs(120)))?;
        }
        tx.remove_partials()?;
        tx.revert(0, purge_data)
    }
}

fn running_containers(host: &Host) -> Result<Vec<String>> {
    let list = docker().args(["ps", "--format", "{{.Names}}"]);
    let listed = host.query(&list)?.success()?.stdout;
    Ok(listed.lines().map(str::to_owned).collect())
}
