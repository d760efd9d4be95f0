//! The units of the engine and of containerd.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Check, Level};
use crate::change::Tx;
use crate::docker::{CONTAINERD_UNIT, SOCKET_UNIT, UNIT};
use crate::engine::obstacle::{confinement_problem, containerd_problem};
use crate::facts::{ENGINE_PACKAGES, Facts, Init};
use crate::host::Host;
use crate::host::command::Query;
use crate::host::engine::systemctl;
use crate::host::query::Reader;
use crate::undo::Undo;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS801",
        severity: Level::Error,
        title: "the units are not masked",
        danger: "nothing can start them.",
        cure: "allow it: systemctl unmask docker.service docker.socket containerd.service",
        link: "https://manpages.ubuntu.com/manpages/noble/man1/systemctl.1.html",
        look: masked,
        fix: None,
    },
    Check {
        id: "DS802",
        severity: Level::Note,
        title: "the engine's units are as their packages made them",
        danger: "drop-ins and your own unit override the package, also after an \
                 upgrade that needs another.",
        cure: "nothing, when it is meant; see it with: systemctl cat docker.service",
        link: "https://docs.docker.com/engine/daemon/",
        look: overridden,
        fix: None,
    },
    Check {
        id: "DS803",
        severity: Level::Error,
        title: "the engine runs",
        danger: "no container does. An upgrade of containerd.io can stop the engine and leave it so.",
        cure: "start it: systemctl start docker.service, or: sudo dockstrap doctor --fix",
        link: "https://github.com/docker/for-linux/issues/813",
        look: stopped,
        fix: Some(start),
    },
    Check {
        id: "DS804",
        severity: Level::Error,
        title: "the engine does not fail",
        danger: "it stops as soon as it starts.",
        cure: "see why: journalctl --unit docker.service --lines 50",
        link: "https://docs.docker.com/engine/daemon/troubleshoot/",
        look: failed,
        fix: None,
    },
    Check {
        id: "DS805",
        severity: Level::Warning,
        title: "the engine starts with the host",
        danger: "after a restart of the host no container runs.",
        cure: "systemctl enable docker.service, or: sudo dockstrap doctor --fix",
        link: "https://docs.docker.com/engine/install/linux-postinstall/",
        look: disabled,
        fix: Some(enable),
    },
    Check {
        id: "DS806",
        severity: Level::Error,
        title: "containerd takes its configuration",
        danger: "containerd does not start again, and the engine waits for it in vain.",
        cure: "fix /etc/containerd/config.toml, and try it: containerd --config \
               /etc/containerd/config.toml config dump",
        link: "https://github.com/containerd/containerd/blob/main/docs/man/containerd-config.toml.5.md",
        look: containerd_config,
        fix: None,
    },
    Check {
        id: "DS807",
        severity: Level::Error,
        title: "the units leave the engine and containerd what they need",
        danger: "once the engine has started again, no container does: containerd does not see what a \
                 confined engine mounts.",
        cure: "remove the lines that are named, and then: systemctl daemon-reload",
        link: "https://manpages.ubuntu.com/manpages/noble/man5/systemd.exec.5.html",
        look: confined,
        fix: None,
    },
];

const UNITS: [&str; 3] = [UNIT, SOCKET_UNIT, CONTAINERD_UNIT];

/// What systemd says of a unit; empty where there is no such unit, or no systemd.
fn state(host: &Host, facts: &Facts, unit: &str) -> Result<BTreeMap<String, String>> {
    if facts.init == Init::None {
        return Ok(BTreeMap::new());
    }
    let properties =
        "--property=LoadState,ActiveState,SubState,UnitFileState,Result,FragmentPath,DropInPaths";
    let shown = host
        .query(&Query::of(Reader::SystemctlShow).args([unit, properties]))?
        .success()?
        .stdout;
    let pairs = shown.lines().filter_map(|line| line.split_once('='));
    let state: BTreeMap<String, String> = pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Ok(match state.get("LoadState").map(String::as_str) {
        Some("not-found") => BTreeMap::new(),
        _ => state,
    })
}

fn is(state: &BTreeMap<String, String>, key: &str, value: &str) -> bool {
    state.get(key).is_some_and(|it| it == value)
}

fn masked(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let mut masked = Vec::new();
    for unit in UNITS {
        if is(&state(host, facts, unit)?, "LoadState", "masked") {
            masked.push(unit);
        }
    }
    Ok((!masked.is_empty()).then(|| format!("masked: {}", masked.join(", "))))
}

fn overridden(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let mut texts = Vec::new();
    for unit in UNITS {
        let state = state(host, facts, unit)?;
        let value = |key: &str| state.get(key).map(String::as_str).unwrap_or_default();
        let mut over: Vec<&str> = value("DropInPaths").split_whitespace().collect();
        over.extend(Some(value("FragmentPath")).filter(|path| path.starts_with("/etc/")));
        if !over.is_empty() && value("LoadState") != "masked" {
            texts.push(format!("{unit} is changed by {}", over.join(", ")));
        }
    }
    Ok((!texts.is_empty()).then(|| texts.join("; ")))
}

fn stopped(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let state = state(host, facts, UNIT)?;
    let stopped = is(&state, "ActiveState", "inactive") && is(&state, "LoadState", "loaded");
    if !stopped || !facts.has(ENGINE_PACKAGES[0]) {
        return Ok(None);
    }
    let starts_on_demand = is(&state, "UnitFileState", "disabled")
        && is(
            &self::state(host, facts, SOCKET_UNIT)?,
            "ActiveState",
            "active",
        );
    if starts_on_demand {
        return Ok(None); // it is meant to wait for whoever asks
    }
    let log = host.read_text("/var/log/dpkg.log")?.unwrap_or_default();
    let upgrade = log
        .lines()
        .rfind(|line| line.contains(" upgrade containerd.io:"));
    Ok(Some(match upgrade {
        Some(line) => format!(
            "the engine is stopped; containerd.io was upgraded at {}, which may have done it",
            line.get(..19).unwrap_or_default()
        ),
        None => "the engine is stopped".to_owned(),
    }))
}

fn failed(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let state = state(host, facts, UNIT)?;
    let failed = is(&state, "ActiveState", "failed") || is(&state, "SubState", "auto-restart");
    let result = state.get("Result").map(String::as_str).unwrap_or_default();
    Ok(failed.then(|| format!("{UNIT} fails ({result})")))
}

fn disabled(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let is_disabled = |unit: &str| -> Result<bool> {
        Ok(is(&state(host, facts, unit)?, "UnitFileState", "disabled"))
    };
    let disabled = is_disabled(UNIT)? && is_disabled(SOCKET_UNIT)?;
    Ok(disabled.then(|| format!("neither {UNIT} nor {SOCKET_UNIT} is started with the host")))
}

fn containerd_config(host: &Host, _: &Facts) -> Result<Option<String>> {
    Ok(containerd_problem(host, None)?.map(|found| found.cause))
}

fn confined(host: &Host, _: &Facts) -> Result<Option<String>> {
    Ok(confinement_problem(host)?.map(|found| format!("{}. {}", found.cause, found.cure)))
}

/// What the engine needs comes up with it, and goes with it on the way back.
fn start(tx: &mut Tx<'_>) -> Result<()> {
    for unit in [CONTAINERD_UNIT, SOCKET_UNIT] {
        let undo = state_of(tx, unit)?;
        if matches!(undo, Undo::RestoreUnit { active: false, .. }) {
            tx.note(&format!("start {unit} with the engine"), undo)?;
        }
    }
    set(tx, "start the engine", "start")
}

fn enable(tx: &mut Tx<'_>) -> Result<()> {
    set(tx, "enable the engine", "enable")
}

fn set(tx: &mut Tx<'_>, text: &str, verb: &str) -> Result<()> {
    let undo = state_of(tx, UNIT)?;
    tx.run(text, undo, &systemctl(&[verb, UNIT]))?;
    Ok(())
}

/// The way back to the state that a unit is in.
fn state_of(tx: &Tx<'_>, unit: &str) -> Result<Undo> {
    let is_enabled = Query::of(Reader::SystemctlIsEnabled).args(["--quiet", unit]);
    Ok(Undo::RestoreUnit {
        unit: unit.to_owned(),
        enabled: tx.host().query(&is_enabled)?.code == 0,
        active: tx.host().unit_is_active(unit)?,
    })
}
