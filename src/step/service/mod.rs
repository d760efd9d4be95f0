//! The engine's unit: enabled, running, and with the configuration that is in its file.

mod restart;

pub(crate) use restart::start_again;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::daemon_json::DaemonJson;
use super::{Inspection, Step};
use crate::change::{Journal, Ownership, Tx};
use crate::daemon_config::{self, Change, Merged};
use crate::docker::{CONTAINERD_UNIT, UNIT};
use crate::engine::failure::failure_reason;
use crate::engine::unit::Unit;
use crate::engine::workloads::fate_of_containers;
use crate::error::Failure;
use crate::host::engine::systemctl;
use crate::host::{Host, is_forbidden};
use crate::report::Yours;
use crate::undo::Undo;

pub(crate) struct EngineService {
    configuration: DaemonJson,
    /// Whether a stopped engine stays so.
    no_start: bool,
    /// That somebody disabled the unit since it was enabled: then it stays so.
    disabled: Option<Yours>,
}

/// What is to be done to the unit.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    Start,
    Enable,
    /// The engine takes up the changed keys as it runs.
    Reload(SecretExposure),
    /// The running engine has another configuration than its file.
    Restart {
        containers: u64,
        /// Whether live-restore keeps them running meanwhile.
        kept: bool,
        secret: SecretExposure,
    },
}

/// What becomes of a secret in the configuration: at a reload the engine writes all of that to its
/// log, which more users can read than the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecretExposure {
    None,
    /// The engine is restarted without a reload.
    Kept,
    /// Without a reload, running containers would stop.
    Logged,
}

impl SecretExposure {
    fn of(merged: &Merged, containers: u64, account: &Value) -> SecretExposure {
        let is_live = account["LiveRestoreEnabled"] == true;
        if !merged.document.holds_password() {
            SecretExposure::None
        } else if containers == 0 || is_live {
            SecretExposure::Kept
        } else {
            SecretExposure::Logged
        }
    }
}

impl EngineService {
    pub(crate) fn new(configuration: DaemonJson, no_start: bool) -> EngineService {
        EngineService {
            configuration,
            no_start,
            disabled: None,
        }
    }

    /// Leaves what is somebody's own of the unit. A stopped one is started all the same: an install
    /// is to end with an engine that works.
    pub(crate) fn leaving(self, owned: &Ownership) -> EngineService {
        let disabled = owned.named(UNIT).cloned();
        EngineService { disabled, ..self }
    }

    fn needs(&self, host: &Host, unit: &Unit) -> Result<Vec<Need>> {
        let mut needs = Vec::new();
        if !unit.enabled && self.disabled.is_none() {
            needs.push(Need::Enable);
        }
        // A stopped engine is not asked: its socket would start it.
        if !unit.active {
            needs.extend((!self.no_start).then_some(Need::Start));
            return Ok(needs);
        }
        let account = match host.engine_account() {
            // A plan that is not made by root takes systemd's word for the engine.
            Err(error) if is_forbidden(&error) => return Ok(needs),
            account => account?,
        };
        let merged = self.configuration.merged(host)?;
        let kept = merged.document.get("live-restore") == Some(&true.into());
        let Some(account) = account else {
            let containers = 0; // it runs and does not answer
            let secret = SecretExposure::of(&merged, containers, &Value::Null);
            needs.push(Need::Restart {
                containers,
                kept,
                secret,
            });
            return Ok(needs);
        };
        let containers = account["ContainersRunning"].as_u64().unwrap_or(0);
        let secret = SecretExposure::of(&merged, containers, &account);
        match restarts(host, unit, &merged, &account)? {
            None => {}
            Some(false) if secret != SecretExposure::Kept => needs.push(Need::Reload(secret)),
            Some(_) => {
                refuse_to_lose(host, &merged)?;
                needs.push(Need::Restart {
                    containers,
                    kept,
                    secret,
                });
            }
        }
        Ok(needs)
    }
}

/// Refuses to restart an engine away from the data of containers that run: it would not know them,
/// and with live-restore they would run on for good.
fn refuse_to_lose(host: &Host, merged: &Merged) -> Result<()> {
    let mut changes = merged.changes.iter();
    let Some(change) = changes.find(|change| change.moves_data()) else {
        return Ok(());
    };
    let running = host.running_names()?;
    if running.is_empty() {
        return Ok(());
    }
    let key = &change.key;
    Err(Failure::Blocked(format!(
        "with another `{key}` the engine would know none of its containers, images and volumes, \
         which stay where they are, and containers run: {}. Nothing was changed. Stop them with \
         docker stop {}, or leave `{key}` as it is",
        running.join(", "),
        running.join(" ")
    ))
    .into())
}

/// Whether the engine must be restarted to have what its file says or is going to say; `None`
/// when it has it. What it does not tell of itself, the journal tells: what was written there
/// after the unit was last started or reloaded has not been taken up, by a run that was cut short.
fn restarts(host: &Host, unit: &Unit, merged: &Merged, account: &Value) -> Result<Option<bool>> {
    let journal = match Journal::read(host) {
        // Only root may look, though others may ask the engine.
        Err(error) if is_forbidden(&error) => None,
        journal => Some(journal?),
    };
    let written = journal
        .as_ref()
        .zip(unit.changed)
        .map(|(journal, changed)| journal.configured_since(changed));
    let differing = daemon_config::differing(&merged.document, account);
    let keys = differing.iter().filter_map(|key| daemon_config::key(key));
    let changes = written.into_iter().flatten().chain(&merged.changes);
    let needs_restart = changes
        .map(Change::needs_restart)
        .chain(keys.map(|key| !key.is_reloadable()));
    Ok(needs_restart.reduce(|one, other| one || other))
}

impl Step for EngineService {
    fn id(&self) -> &'static str {
        "service"
    }

    fn title(&self) -> &'static str {
        "service"
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let Some(unit) = Unit::query(host)? else {
            let what = if self.no_start {
                "enabled by its package, and will not be started"
            } else {
                "enabled and started by its package"
            };
            return Ok(Inspection::pending(format!("{UNIT} is {what}"), Vec::new()));
        };
        unit.refuse_masked()?;
        let needs = self.needs(host, &unit)?;
        let kept: Vec<Yours> = self.disabled.iter().cloned().collect();
        if needs.is_empty() {
            let state = if unit.active {
                "running"
            } else {
                "not started"
            };
            let enabled = if unit.enabled { "enabled and " } else { "" };
            let finding = Inspection::satisfied(format!("{UNIT} is {enabled}{state}"));
            return Ok(finding.keeping(kept));
        }
        let verbs: Vec<&str> = needs.iter().map(Need::verb).collect();
        let details = needs.iter().flat_map(Need::details).collect();
        let rest = if self.no_start && !unit.active {
            ", which will not be started"
        } else {
            ""
        };
        let summary = format!("{} {UNIT}{rest}", verbs.join(" and "));
        Ok(Inspection::pending(summary, details).keeping(kept))
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
                    // It may have failed so often that systemd starts it no more, nor opens its
                    // socket; which of the two is known there does not matter to a pattern.
                    tx.run_covered(&systemctl(&["reset-failed", "docker.s*"]))?;
                    start_containerd(tx)?;
                    let start = systemctl(&["start", UNIT]);
                    let started = tx.run("start the engine", undo, &start);
                    started.with_context(|| failure_reason(tx.host()))?;
                }
                Need::Reload(_) => restart::by_reload(tx)?,
                Need::Restart { secret, .. } => restart::by_restart(tx, secret)?,
            }
        }
        if self.no_start && !unit.active {
            return self.configuration.refuse_invalid(tx.host());
        }
        restart::confirm(tx.host(), &self.configuration.merged(tx.host())?.document)?;
        tx.remember_configuration()
    }
}

/// Starts containerd first, where it does not run: the engine starts it as well, but then waits for
/// more than a minute for one that fails.
fn start_containerd(tx: &mut Tx<'_>) -> Result<()> {
    let state = tx.host().unit(CONTAINERD_UNIT)?;
    let is = |key: &str, value: &str| state.get(key).is_some_and(|it| it == value);
    if is("LoadState", "not-found") || is("ActiveState", "active") {
        return Ok(());
    }
    tx.run_covered(&systemctl(&["reset-failed", "containerd.s*"]))?;
    let started = tx.run_covered(&systemctl(&["start", CONTAINERD_UNIT]));
    started.with_context(|| failure_reason(tx.host())).map(drop)
}

impl Need {
    fn verb(&self) -> &'static str {
        match self {
            Need::Start => "start",
            Need::Enable => "enable",
            Need::Reload(_) => "reload",
            Need::Restart { .. } => "restart",
        }
    }

    fn details(&self) -> Vec<String> {
        let (fate, secret) = match self {
            Need::Start | Need::Enable => return Vec::new(),
            Need::Reload(secret) => (None, *secret),
            Need::Restart {
                containers,
                kept,
                secret,
            } => {
                let fate = fate_of_containers(*containers, *kept);
                (Some(fate).filter(|_| *containers > 0), *secret)
            }
        };
        let logged = (secret == SecretExposure::Logged).then(|| {
            "it is reloaded for running containers, and writes its configuration to its log then, \
             with the secret in it"
                .to_owned()
        });
        fate.into_iter().chain(logged).collect()
    }
}

#[cfg(test)]
mod tests;
