//! A running engine takes up its configuration, and is then asked whether it has.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::{failure_reason, last_words};
use crate::change::Tx;
use crate::daemon_json::{self, Document};
use crate::host::Host;
use crate::host::engine::{UNIT, docker, systemctl};

/// How long a reload may take. systemd does not wait for it.
const RELOAD_DEADLINE: Duration = Duration::from_secs(10);

/// Lets the engine read its file again, which leaves containers alone.
pub fn by_reload(tx: &mut Tx<'_>) -> Result<()> {
    let begun = Timestamp::now();
    tx.run_covered(&systemctl(&["reload", UNIT]))?;
    let deadline = Instant::now() + RELOAD_DEADLINE;
    while !tx.host().engine_has_reloaded_since(begun)? {
        if Instant::now() > deadline {
            bail!(
                "the engine did not take up its configuration; its last words:\n{}",
                last_words(tx.host())
            );
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Restarts the engine. It is reloaded first, which turns live-restore on, so that containers
/// outlive the restart; those that do not are started again.
pub fn by_restart(tx: &mut Tx<'_>) -> Result<()> {
    let before = tx.host().running_containers()?;
    tx.run_covered(&systemctl(&["reload", UNIT]))?;
    // systemd refuses a unit that was started often of late.
    tx.run_covered(&systemctl(&["reset-failed", UNIT]))?;
    let restarted = tx.run_covered(&systemctl(&["restart", UNIT]));
    restarted.with_context(|| failure_reason(tx.host()))?;
    let after = tx.host().running_containers()?;
    let stopped: Vec<&String> = before.iter().filter(|id| !after.contains(id)).collect();
    if !stopped.is_empty() {
        let started = tx.run_covered(&docker().arg("start").args(stopped));
        started.context("starting the containers again that ran before")?;
    }
    Ok(())
}

/// Asks the engine whether it has what its file says.
pub fn confirm(host: &Host, document: &Document) -> Result<()> {
    let Some(account) = host.engine_account()? else {
        bail!(failure_reason(host));
    };
    match daemon_json::differing(document, &account).as_slice() {
        [] => Ok(()),
        keys => bail!(
            "the engine runs, but not with what its file says of {}; its last words:\n{}",
            keys.join(", "),
            last_words(host)
        ),
    }
}
