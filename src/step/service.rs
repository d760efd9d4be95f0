//! The engine's unit: enabled, running, and with the configuration that is in its file.

use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};

use super::daemon_json::DaemonJson;
use super::unit::Unit;
use super::{Finding, Step};
use crate::change::{Tx, Undo};
use crate::daemon_json::{self, Merged};
use crate::host::command::Command;
use crate::host::engine::{EngineInfo, UNIT, systemctl};
use crate::host::{Host, is_forbidden};

pub struct Service {
    configuration: DaemonJson,
    /// The file was found to need changes, so an engine that ran before must take them up.
    file_changes: bool,
}

/// What is to be done to the unit.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    Start,
    Enable,
    /// The running engine has another configuration than its file.
    Restart {
        containers: u64,
        /// Whether live-restore keeps them running meanwhile.
        kept: bool,
    },
}

impl Service {
    pub fn new(configuration: &DaemonJson, host: &Host) -> Result<Service> {
        Ok(Service {
            configuration: configuration.clone(),
            file_changes: !configuration.merged(host)?.changes.is_empty(),
        })
    }

    fn needs(&self, host: &Host, unit: &Unit) -> Result<Vec<Need>> {
        let mut needs = Vec::new();
        if !unit.enabled {
            needs.push(Need::Enable);
        }
        // A stopped engine is not asked: its socket would start it.
        if !unit.active {
            needs.push(Need::Start);
            return Ok(needs);
        }
        let engine = match host.engine_info() {
            // A plan that is not made by root takes systemd's word for the engine.
            Err(error) if is_forbidden(&error) => return Ok(needs),
            engine => engine?,
        };
        let merged = self.configuration.merged(host)?;
        let outdated = match &engine {
            Some(engine) => self.is_outdated(host, unit, engine, &merged)?,
            None => true, // it runs and does not answer
        };
        if outdated {
            let containers = engine.map_or(0, |engine| engine.containers_running);
            let kept = merged.document.get("live-restore") == Some(&true.into());
            needs.push(Need::Restart { containers, kept });
        }
        Ok(needs)
    }

    /// Whether the running engine does not have what its file says, as far as it tells, or was
    /// started before the file was changed by this run.
    fn is_outdated(
        &self,
        host: &Host,
        unit: &Unit,
        engine: &EngineInfo,
        merged: &Merged,
    ) -> Result<bool> {
        let live_restore = merged.document.get("live-restore");
        let live_restore = live_restore.and_then(serde_json::Value::as_bool);
        let log_driver = merged.document.get("log-driver");
        let log_driver = log_driver.and_then(serde_json::Value::as_str);
        let differs = live_restore.is_some_and(|wanted| wanted != engine.live_restore_enabled)
            || log_driver.is_some_and(|wanted| wanted != engine.logging_driver);
        let written = host
            .metadata(daemon_json::PATH)?
            .and_then(|there| there.modified().ok())
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |time| time.as_secs());
        let written_since = self.file_changes && unit.started < written;
        Ok(differs || written_since || !merged.changes.is_empty())
    }
}

impl Step for Service {
    fn id(&self) -> &'static str {
        "service"
    }

    fn title(&self) -> &'static str {
        "service"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let Some(unit) = Unit::query(host)? else {
            return Ok(Finding::pending(
                format!("{UNIT} is enabled and started by its package"),
                Vec::new(),
            ));
        };
        unit.refuse_masked()?;
        let needs = self.needs(host, &unit)?;
        if needs.is_empty() {
            return Ok(Finding::satisfied(format!("{UNIT} is enabled and running")));
        }
        let verbs: Vec<&str> = needs.iter().map(Need::verb).collect();
        let details = needs.iter().filter_map(Need::detail).collect();
        Ok(Finding::pending(
            format!("{} {UNIT}", verbs.join(" and ")),
            details,
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let Some(unit) = Unit::query(tx.host())? else {
            bail!("the packages brought no {UNIT}");
        };
        for need in self.needs(tx.host(), &unit)? {
            let undo = Undo::RestoreUnit {
                unit: UNIT.to_owned(),
                enabled: unit.enabled,
                active: unit.active,
            };
            match need {
                Need::Enable => {
                    tx.run("enable the engine", undo, &systemctl(&["enable", UNIT]))?;
                }
                Need::Start => {
                    let start = systemctl(&["start", UNIT]);
                    let started = tx.run("start the engine", undo, &start);
                    started.with_context(|| failure_reason(tx.host()))?;
                }
                Need::Restart { .. } => take_up_configuration(tx)?,
            }
        }
        Ok(())
    }
}

impl Need {
    fn verb(&self) -> &'static str {
        match self {
            Need::Start => "start",
            Need::Enable => "enable",
            Need::Restart { .. } => "restart",
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Need::Restart { containers, kept } if *containers > 0 => Some(match kept {
                true => format!("{containers} running containers are kept running by live-restore"),
                false => format!("{containers} running containers are stopped by this"),
            }),
            _ => None,
        }
    }
}

/// Lets a running engine take up its configuration. It is reloaded first, which turns
/// live-restore on, so that containers outlive the restart that the other keys need.
fn take_up_configuration(tx: &mut Tx<'_>) -> Result<()> {
    tx.run_covered(&systemctl(&["reload", UNIT]))?;
    let restarted = tx.run_covered(&systemctl(&["restart", UNIT]));
    restarted.with_context(|| failure_reason(tx.host()))?;
    Ok(())
}

/// What the engine itself said when it did not start.
fn failure_reason(host: &Host) -> String {
    let journal = Command::new("journalctl").args([
        "--unit=docker.service",
        "--lines=15",
        "--output=cat",
        "--no-pager",
    ]);
    let said = host.query(&journal).map(|output| output.stdout);
    format!(
        "the engine did not start; its last words:\n{}",
        said.unwrap_or_default().trim()
    )
}

/// The engine's own reason, when it was started and failed.
pub fn failure(host: &Host) -> Result<Option<String>> {
    let failed = host.query(&systemctl(&["is-failed", "--quiet", UNIT]))?;
    Ok((failed.code == 0).then(|| failure_reason(host)))
}

#[cfg(test)]
mod tests;
