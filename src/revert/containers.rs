//! The containers of an engine that goes: they stop before it does.

use std::time::Duration;

use anyhow::Result;

use crate::change::Tx;
use crate::host::Host;
use crate::host::engine::{UNIT, docker, systemctl};
use crate::report::{Event, Listener};

/// How long containers may take to stop, all together.
const STOP_DEADLINE: Duration = Duration::from_secs(120);

/// How long an engine may take to start.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// Starts the engine when containers run on without it, since it is what can stop them as they want
/// to be stopped. Returns how many were left, each with its reason told.
pub(super) fn take_up_orphans(
    host: &Host,
    tx: &mut Tx<'_>,
    listener: Listener<'_>,
) -> Result<usize> {
    if host.orphans()?.is_empty() {
        return Ok(0);
    }
    // One that died may not start again, nor one whose package went with a run that was cut short;
    // all else is taken back even so.
    let _ = tx.run_covered(&systemctl(&["reset-failed", UNIT]));
    let _ = tx.run_covered(&systemctl(&["start", UNIT]).deadline(START_DEADLINE));
    let orphans = host.orphans()?;
    for orphan in &orphans {
        let processes = orphan.processes.iter().map(i32::to_string);
        let processes = processes.collect::<Vec<_>>().join(" ");
        listener(Event::Kept {
            step: "service".to_owned(),
            text: format!("the container {}", orphan.name),
            reason: format!(
                "the engine that could stop it does not start; to end it: kill -KILL {processes}"
            ),
        });
    }
    Ok(orphans.len())
}

/// Stops what runs by now, which may be other containers than those that ran when it was asked.
pub(super) fn stop(host: &Host, tx: &mut Tx<'_>) -> Result<()> {
    let running = host.running_containers()?;
    if running.is_empty() {
        return Ok(());
    }
    let stop = docker().arg("stop").args(&running);
    let stopped = tx.run_covered(&stop.deadline(STOP_DEADLINE));
    match host.running_containers()?.is_empty() {
        true => Ok(()), // one that ended by itself meanwhile is no failure
        false => stopped.map(drop),
    }
}
