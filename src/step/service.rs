//! The engine's unit: enabled, running, and with the configuration that is in its file.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};

use super::{Finding, Step};
use crate::change::{Tx, Undo};
use crate::daemon_json::{self, Change};
use crate::error::Failure;
use crate::host::Host;
use crate::host::command::Command;
use crate::host::engine::EngineInfo;

const UNIT: &str = "docker.service";

/// The flags of the packages' own unit.
const PACKAGED_FLAGS: &[&str] = &[
    "-H",
    "fd://",
    "--containerd=/run/containerd/containerd.sock",
];

pub struct Service {
    /// The configuration was found to need changes, so an engine that ran before must take it up.
    changes: Vec<Change>,
}

/// What is to be done to the unit.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    Start,
    Enable,
    /// The running engine has another configuration than its file.
    Restart {
        containers: u64,
    },
}

impl Service {
    pub fn new(changes: &[Change]) -> Service {
        Service {
            changes: changes.to_vec(),
        }
    }

    fn needs(&self, host: &Host, unit: &Unit) -> Result<Vec<Need>> {
        let mut needs = Vec::new();
        if !unit.enabled {
            needs.push(Need::Enable);
        }
        match host.engine_info()? {
            Some(engine) if unit.active => {
                if self.is_outdated(host, unit, &engine)? {
                    let containers = engine.containers_running;
                    needs.push(Need::Restart { containers });
                }
            }
            _ => needs.push(Need::Start),
        }
        Ok(needs)
    }

    /// Whether the running engine does not have what its file says, as far as it tells, or was
    /// started before the file was changed by this run.
    fn is_outdated(&self, host: &Host, unit: &Unit, engine: &EngineInfo) -> Result<bool> {
        let merged = super::daemon_json::merged(host)?;
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
        let written_since = !self.changes.is_empty() && unit.started < written;
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
            Need::Restart { containers } if *containers > 0 => Some(format!(
                "{containers} running containers are kept running by live-restore"
            )),
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
pub fn failure_reason(host: &Host) -> String {
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

/// The flags that the unit gives to the engine: the packaged ones before it is installed.
pub fn unit_flags(host: &Host) -> Result<Vec<String>> {
    let show = systemctl(&["show", UNIT, "--property=ExecStart", "--value"]);
    let shown = host.query(&show)?.stdout;
    let argv = shown
        .split_once("argv[]=")
        .and_then(|(_, rest)| rest.split_once(" ;"));
    Ok(match argv {
        Some((argv, _)) => argv.split_whitespace().skip(1).map(str::to_owned).collect(),
        None => PACKAGED_FLAGS.iter().map(ToString::to_string).collect(),
    })
}

/// What systemd says of the engine's unit.
struct Unit {
    masked: bool,
    enabled: bool,
    active: bool,
    /// When it became active, in seconds since 1970; 0 when it is not.
    started: u64,
}

impl Unit {
    /// `None` where there is no such unit.
    fn query(host: &Host) -> Result<Option<Unit>> {
        let show = systemctl(&[
            "show",
            UNIT,
            "--timestamp=unix",
            "--property=LoadState,UnitFileState,ActiveState,ActiveEnterTimestamp",
        ]);
        let shown = host.query(&show)?.success()?.stdout;
        let state: BTreeMap<&str, &str> = shown
            .lines()
            .filter_map(|line| line.split_once('='))
            .collect();
        let is = |key: &str, value: &str| state.get(key) == Some(&value);
        if is("LoadState", "not-found") {
            return Ok(None);
        }
        let started = state
            .get("ActiveEnterTimestamp")
            .copied()
            .unwrap_or_default();
        Ok(Some(Unit {
            masked: is("LoadState", "masked"),
            enabled: is("UnitFileState", "enabled"),
            active: is("ActiveState", "active"),
            started: started.trim_start_matches('@').parse().unwrap_or(0),
        }))
    }

    fn refuse_masked(&self) -> Result<()> {
        if !self.masked {
            return Ok(());
        }
        Err(Failure::Blocked(format!(
            "{UNIT} is masked, so the engine cannot be started; nothing was changed. \
             Allow it and run this again: systemctl unmask {UNIT}"
        ))
        .into())
    }
}

fn systemctl(arguments: &[&str]) -> Command {
    Command::new("systemctl").args(arguments.iter().copied())
}
