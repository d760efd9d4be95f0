//! The containers of an engine that goes: they stop before it does.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::change::Tx;
use crate::docker::UNIT;
use crate::host::Host;
use crate::host::engine::systemctl;
use crate::host::running_containers::RunningContainer;
use crate::report::{Event, Listener};

/// How long an engine may take to start.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// How long what has stopped may take to be gone.
const END_DEADLINE: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(100);

/// The containers that run on without the engine; none where its unit runs, or systemd does not.
pub(super) fn orphans(host: &Host, roots: &[PathBuf]) -> Result<Vec<RunningContainer>> {
    let contained = host.contained_of(roots)?;
    if contained.is_empty() || !host.runs_systemd()? || host.engine_is_active()? {
        Ok(Vec::new())
    } else {
        Ok(contained)
    }
}

/// Starts the engine when containers run on without it, since it is what can stop them as they want
/// to be stopped; says whether there were any.
pub(super) fn take_up_orphans(host: &Host, roots: &[PathBuf], tx: &mut Tx<'_>) -> Result<bool> {
    if orphans(host, roots)?.is_empty() {
        return Ok(false);
    }
    tx.tell(Event::Started {
        text: "starting Docker Engine, which stops containers that run on without it".to_owned(),
    });
    // One that died may not start again, nor one whose package is gone; all else is taken back even
    // so.
    let _ = tx.run_covered(&systemctl(&["reset-failed", UNIT]));
    let _ = tx.run_covered(&systemctl(&["start", UNIT]).deadline(START_DEADLINE));
    Ok(true)
}

/// Tells of the containers that still run, each with what ends it; returns how many these are.
pub(super) fn tell_left(host: &Host, roots: &[PathBuf], listener: Listener<'_>) -> Result<usize> {
    let begun = Instant::now();
    let mut left = host.contained_of(roots)?;
    while !left.is_empty() && host.engine_is_active()? && begun.elapsed() < END_DEADLINE {
        sleep(PAUSE);
        left = host.contained_of(roots)?;
    }
    for container in &left {
        let processes = container
            .processes
            .iter()
            .map(i32::to_string)
            .collect::<Vec<_>>()
            .join(" ");
        listener(Event::Kept {
            step: "service".to_owned(),
            text: format!("the container {}", container.name),
            reason: format!("no engine could stop it; to end it: kill -KILL {processes}"),
        });
    }
    Ok(left.len())
}

/// Stops what runs by now, which may be other containers than those that ran when it was asked.
pub(super) fn stop(host: &Host, tx: &mut Tx<'_>) -> Result<()> {
    let running = host.running_containers()?;
    if running.is_empty() {
        return Ok(());
    }
    let names = host.running_names()?.join(", ");
    let text = format!("stopping containers {names}");
    tx.tell(Event::Started { text });
    tx.stop_containers(&running)
}
