//! A running engine takes up its configuration, and is then asked whether it has.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::SecretExposure;
use crate::change::Tx;
use crate::daemon_config::{self, Document};
use crate::docker::UNIT;
use crate::engine::failure::{failure_reason, with_last_words};
use crate::host::Host;
use crate::host::engine::{docker, systemctl};
use crate::report::Event;

/// How long a reload may take. systemd does not wait for it.
const RELOAD_DEADLINE: Duration = Duration::from_secs(10);

/// Lets the engine read its file again, which leaves containers alone.
pub(crate) fn by_reload(tx: &mut Tx<'_>) -> Result<()> {
    let begun = Timestamp::now();
    tx.run_covered(&systemctl(&["reload", UNIT]))?;
    let deadline = Instant::now() + RELOAD_DEADLINE;
    while !tx.host().engine_has_reloaded_since(begun)? {
        if Instant::now() > deadline {
            let text = "the engine did not take up its configuration";
            bail!(with_last_words(text, tx.host()));
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Restarts the engine. It is reloaded first, which turns live-restore on, so that containers
/// outlive the restart; those that do not are started again.
pub(super) fn by_restart(tx: &mut Tx<'_>, secret: SecretExposure) -> Result<()> {
    let before = tx.host().running_containers()?;
    match (secret, before.is_empty()) {
        (SecretExposure::Kept, _) => {}
        (_, true) => drop(tx.run_covered(&systemctl(&["reload", UNIT]))?),
        // Restarted before it has turned live-restore on, it would stop them.
        (_, false) => by_reload(tx)?,
    }
    // systemd refuses a unit that was started often of late.
    tx.run_covered(&systemctl(&["reset-failed", UNIT]))?;
    let restarted = tx.run_covered(&systemctl(&["restart", UNIT]));
    restarted.with_context(|| failure_reason(tx.host()))?;
    start_again(tx, &before)
}

/// Starts those of the containers that ran before and are stopped by now. Those that are gone with
/// their end, as `docker run --rm` has it, are named.
pub(crate) fn start_again(tx: &mut Tx<'_>, before: &[String]) -> Result<()> {
    let running = tx.host().running_containers()?;
    let stopped: Vec<&String> = before.iter().filter(|id| !running.contains(id)).collect();
    if stopped.is_empty() {
        return Ok(());
    }
    let there = tx.host().all_containers()?;
    let (there, gone): (Vec<&String>, Vec<&String>) =
        stopped.into_iter().partition(|id| there.contains(id));
    if !gone.is_empty() {
        let gone: Vec<&str> = gone.iter().map(|id| id.get(..12).unwrap_or(id)).collect();
        let text = format!(
            "containers that were to be removed once they end (--rm) ended with the engine: {}",
            gone.join(", ")
        );
        tx.tell(Event::Warning { text });
    }
    if !there.is_empty() {
        let started = tx.run_covered(&docker().arg("start").args(there));
        started.context("starting the containers again that ran before")?;
    }
    Ok(())
}

/// Asks the engine whether it has what its file says.
pub(crate) fn confirm(host: &Host, document: &Document) -> Result<()> {
    let Some(account) = host.engine_account()? else {
        bail!(failure_reason(host));
    };
    match daemon_config::differing(document, &account).as_slice() {
        [] => Ok(()),
        keys => {
            let keys = keys.join(", ");
            let text = format!("the engine runs, but not with what its file says of {keys}");
            bail!(with_last_words(&text, host))
        }
    }
}
