//! The way back for the engine's configuration and its unit.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Overwritten, Revert, Reverted, unseal};
use crate::daemon_config::{self, Change, Document};
use crate::docker::UNIT;
use crate::host::Host;
use crate::host::engine::{docker, systemctl};
use crate::host::files;

/// How long an engine may take to start.
const START_DEADLINE: Duration = Duration::from_secs(120);

const PAUSE: Duration = Duration::from_millis(200);

impl Revert<'_> {
    pub(super) fn restore_daemon_json(
        &self,
        created: bool,
        empty: Option<&str>,
        written: &BTreeMap<String, String>,
        changes: &[Change],
    ) -> Result<Reverted> {
        let path = self.host.path(daemon_config::PATH);
        let is_link = fs::symlink_metadata(&path).is_ok_and(|it| it.is_symlink());
        let Some(current) = self.host.read(daemon_config::PATH)? else {
            // What a link leads to is gone; the link is somebody else's.
            return if is_link {
                Ok(Reverted::Done)
            } else {
                files::remove(&path).map(|()| Reverted::Done)
            };
        };
        if self.restore_overwritten(&current)? {
            return Ok(Reverted::Done);
        }
        let document = match Document::parse(&current) {
            Ok(document) => document,
            Err(refusal) => return Ok(Reverted::Kept(format!("it cannot be read: {refusal}"))),
        };
        let daemon_config::RevertedDocument { mut document, kept } = {
            let changes = unseal(changes, &document);
            daemon_config::revert(document, &changes)
        };
        for (key, written) in written {
            document.write_as(key, written);
        }
        let bytes = match empty {
            Some(text) if document.is_empty() => document.encode(text),
            _ => document.bytes(),
        };
        if created && document.is_empty() && !is_link {
            files::remove(&path)?;
        } else if bytes != current {
            let target = files::behind_links(path);
            files::write(&target, &bytes, None)?;
        } else {
            let target = files::behind_links(path);
            files::remove_unfinished(&target)
                .with_context(|| format!("tidying up beside {}", daemon_config::PATH))?;
        }
        match kept.as_slice() {
            [] if created && document.is_empty() && is_link => Ok(Reverted::Kept(
                "it is a link by now; what it leads to stays, without a key".to_owned(),
            )),
            [] => Ok(Reverted::Done),
            kept => Ok(Reverted::Kept(format!("edited since: {}", kept.join(", ")))),
        }
    }

    /// Gives daemon.json every byte back, whatever the acts of this run, where nobody else has written
    /// it since. Returns whether it is as it was.
    fn restore_overwritten(&self, current: &[u8]) -> Result<bool> {
        let Some(Overwritten { before, after }) = &self.overwritten else {
            return Ok(false);
        };
        if current != after {
            return Ok(before.as_deref() == Some(current));
        }
        let path = self.host.path(daemon_config::PATH);
        match before {
            None => files::remove(&path)?,
            Some(before) => files::write(&files::behind_links(path), before, None)?,
        }
        Ok(true)
    }

    /// A running engine takes up its configuration again; one that failed with ours, and may be
    /// about to try again, gets another chance. Containers are not stopped for it.
    pub(super) fn restart_engine(&self, containers: &[String]) -> Result<Reverted> {
        if !self.stops {
            return Ok(Reverted::Done);
        }
        let show = systemctl(&["show", UNIT, "--property=ActiveState", "--value"]);
        let state = self.output(&show)?.success()?.stdout;
        let make = |verb: &str| self.output(&systemctl(&[verb, UNIT]))?.success();
        match state.trim() {
            "active" => {
                if !self.host.running_containers()?.is_empty() && !keeps_containers(self.host)? {
                    // At a reload the engine writes its configuration to its log.
                    if !self.had_secret {
                        make("reload")?;
                    }
                    self.start_after_failure(containers)?;
                    return Ok(Reverted::Kept(
                        "a restart may stop the running containers; when it suits: \
                         systemctl restart docker"
                            .to_owned(),
                    ));
                }
                // systemd refuses a unit that was started often of late, by us or by its failing.
                make("reset-failed")?;
                let remark = self.restart()?;
                let outcome = self.start_after_failure(containers)?;
                return Ok(with_remark(outcome, remark));
            }
            "inactive" => {}
            _ => {
                make("reset-failed")?;
                let restarted = self.restart();
                if restarted.is_err() && !self.is_rollback {
                    // It had failed before, and all else is to be taken back even so.
                    return Ok(Reverted::Kept(format!(
                        "{UNIT} had failed and does not start; see why with: systemctl status {UNIT}"
                    )));
                }
                let remark = restarted?;
                let outcome = self.start_again(containers)?;
                return Ok(with_remark(outcome, remark));
            }
        }
        Ok(Reverted::Done)
    }

    /// Restarts the engine. In a rollback, one that does not start with its old file gets the last one
    /// that it ran with; what is to be said of that is returned.
    fn restart(&self) -> Result<Option<String>> {
        let restarted = self.output(&systemctl(&["restart", UNIT]))?.success();
        match restarted {
            Ok(_) => Ok(None),
            Err(failure) if self.is_rollback => self.start_with_last_run(failure).map(Some),
            Err(failure) => Err(failure),
        }
    }

    /// Of a run that fails, containers that it stopped run again. At an uninstall, which may come
    /// much later, they may have been stopped by somebody else.
    fn start_after_failure(&self, containers: &[String]) -> Result<Reverted> {
        if self.is_rollback {
            self.start_again(containers)
        } else {
            Ok(Reverted::Done)
        }
    }

    /// Starts those of the containers that an engine without live-restore stopped.
    pub(super) fn start_again(&self, containers: &[String]) -> Result<Reverted> {
        let running = self.host.running_containers()?;
        let mut stopped: Vec<&String> = containers
            .iter()
            .filter(|id| !running.contains(id))
            .collect();
        if stopped.is_empty() {
            return Ok(Reverted::Done);
        }
        // One that was to be removed once it ends is gone.
        let there = self.host.all_containers()?;
        stopped.retain(|id| there.contains(id));
        if stopped.is_empty() {
            return Ok(Reverted::Done);
        }
        let started = self.output(&docker().arg("start").args(stopped))?;
        Ok(match started.code {
            0 => Reverted::Done,
            _ => Reverted::Kept(format!(
                "not every container is up again: {}",
                started.tail()
            )),
        })
    }

    /// Gives units back that made room, whose files are back by now.
    pub(super) fn start_units(
        &self,
        enabled: &[String],
        active: &[String],
        containers: &[String],
    ) -> Result<Reverted> {
        if self.stops {
            self.output(&systemctl(&["daemon-reload"]))?.success()?;
        }
        for unit in enabled {
            // Somebody may have masked it since; all else is taken back even so.
            let enable = self.output(&systemctl(&["enable", unit]))?;
            if enable.code != 0 {
                return Ok(Reverted::Kept(format!(
                    "{unit} cannot be enabled: {}",
                    enable.tail()
                )));
            }
        }
        if !self.stops {
            return Ok(Reverted::Done);
        }
        for unit in active {
            // It may not work with what a newer engine has written; all else is taken back even so.
            let started = self.output(&systemctl(&["start", unit]).deadline(START_DEADLINE))?;
            if started.code != 0 {
                let tail = started.tail();
                return Ok(Reverted::Kept(format!(
                    "{unit} is back, but does not start; see why with: systemctl status {unit}; \
                     {tail}"
                )));
            }
        }
        if containers.is_empty() {
            return Ok(Reverted::Done);
        }
        self.wait_for_engine()?;
        self.start_again(containers)
    }

    /// Waits until the engine answers: to systemd, one whose unit was written by hand may have
    /// started before.
    fn wait_for_engine(&self) -> Result<()> {
        let begun = Instant::now();
        while self.host.engine_info()?.is_none()
            && self.host.engine_is_active()?
            && begun.elapsed() < START_DEADLINE
        {
            sleep(PAUSE);
        }
        Ok(())
    }

    pub(super) fn restore_unit(&self, unit: &str, enabled: bool, active: bool) -> Result<Reverted> {
        let state = self.host.unit(unit)?;
        if state.get("LoadState").is_some_and(|it| it == "not-found") {
            return Ok(Reverted::Done); // it went with its package
        }
        let is = |key: &str, value: &str| state.get(key).is_some_and(|it| it == value);
        // One that somebody masked, disabled or stopped since is left so.
        let mut off = ["disabled", "masked", "masked-runtime"].into_iter();
        if !enabled && !off.any(|it| is("UnitFileState", it)) {
            let disable = systemctl(&["disable", unit]);
            disable.run_apart(&self.authority)?.success()?;
        }
        if !active && self.stops && !is("ActiveState", "inactive") {
            let stop = systemctl(&["stop", unit]);
            stop.run_apart(&self.authority)?.success()?;
        }
        Ok(Reverted::Done)
    }
}

fn with_remark(outcome: Reverted, remark: Option<String>) -> Reverted {
    match (outcome, remark) {
        (outcome, None) => outcome,
        (Reverted::Done, Some(remark)) => Reverted::Kept(remark),
        (Reverted::Kept(reason), Some(remark)) => Reverted::Kept(format!("{remark}; {reason}")),
    }
}

/// Whether containers outlive a restart: the engine that stops must keep them, and the one that
/// starts as well.
///
/// # Errors
/// One that [`is_forbidden`](crate::host::is_forbidden) when the caller may not ask the engine.
pub(crate) fn keeps_containers(host: &Host) -> Result<bool> {
    let bytes = host.read(daemon_config::PATH)?.unwrap_or_default();
    let file = Document::parse(&bytes).ok();
    let starts = file.is_some_and(|file| file.get("live-restore") == Some(&true.into()));
    let stops = host.engine_info()?;
    Ok(starts && stops.is_some_and(|engine| engine.live_restore_enabled))
}
