//! Looking for what keeps the engine, or what it is set up for, from working, before and after it
//! is installed.
//!
//! Looking changes nothing: not even a stopped engine is started by it. To add a check: its
//! function in the file of its area, and its row in that file's table; then run
//! `scripts/generate`, which writes the manual's page of checks.

mod access;
mod apt;
mod audit;
mod config;
mod disk;
mod effective;
mod environment;
mod files;
mod firewall;
mod kernel;
mod network;
mod packages;
mod service;

use std::fmt;

use anyhow::{Result, anyhow};
use serde::Serialize;

use crate::change::Tx;
use crate::docker::UNIT;
use crate::facts::{Facts, Init};
use crate::host::Host;
use crate::host::command::Query;
use crate::host::engine::EngineInfo;

/// One thing to look at. Texts are for people; those about what is wrong say it as it is then.
pub struct Check {
    /// Stable: `DS`, the area's digit, and two digits.
    pub id: &'static str,
    pub severity: Level,
    /// What is the case on a sound host.
    pub title: &'static str,
    /// What may go wrong where it is not.
    pub danger: &'static str,
    /// What helps, with the command to type where there is one.
    pub cure: &'static str,
    /// Where more is said of it.
    pub link: &'static str,
    /// What is wrong, if anything. An error says why nobody can tell.
    look: Look,
    /// The cure, where it is ours and there is a way back.
    fix: Option<fn(&mut Tx<'_>) -> Result<()>>,
}

type Look = fn(&Host, &Facts) -> Result<Option<String>>;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something does not work, or will not.
    Error,
    /// It works, but something is likely to surprise.
    Warning,
    /// Good to know.
    Note,
}

/// As it begins a sentence.
impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Level::Error => "Error",
            Level::Warning => "Warning",
            Level::Note => "Note",
        })
    }
}

/// Every area with its checks, in the order of their ids.
pub const AREAS: &[(&str, &[Check])] = &[
    ("environment", environment::CHECKS),
    ("kernel", kernel::CHECKS),
    ("firewall", firewall::CHECKS),
    ("network", network::CHECKS),
    ("disk", disk::CHECKS),
    ("packages", packages::CHECKS),
    ("apt", apt::CHECKS),
    ("access", access::CHECKS),
    ("service", service::CHECKS),
    ("configuration", config::CHECKS),
];

/// The areas whose errors an install can find before it begins, and does not refuse.
const AHEAD: &[&str] = &["environment", "kernel", "network", "disk"];

/// What a plan refuses, or is asked for.
const SAID_ALREADY: &[&str] = &["DS001", "DS004"];

/// Warnings that are errors for an engine that has yet to start for the first time.
const STOPS_NEW_ENGINES: &[&str] = &["DS109"];

/// The errors that are there before an install, and that it does not fix: a line each.
pub(crate) fn errors_ahead(host: &Host, facts: &Facts) -> Vec<String> {
    found(host, facts, |area, check| {
        let is_error = check.severity == Level::Error || STOPS_NEW_ENGINES.contains(&check.id);
        is_error && AHEAD.contains(&area) && !SAID_ALREADY.contains(&check.id)
    })
}

/// The errors of a host on which an engine was just set up: a line each.
pub(crate) fn all_errors(host: &Host, facts: &Facts) -> Vec<String> {
    found(host, facts, |_, check| check.severity == Level::Error)
}

fn found(host: &Host, facts: &Facts, is_meant: impl Fn(&str, &Check) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    for (area, checks) in AREAS {
        for check in checks.iter().filter(|check| is_meant(area, check)) {
            if let CheckOutcome::Found(text) = Examined::of(check, host, facts).verdict {
                lines.push(format!("{text} ({}); fix: {}", check.id, check.cure));
            }
        }
    }
    lines
}

impl Check {
    /// Whether `--fix` fixes what it finds.
    pub fn is_mended(&self) -> bool {
        self.fix.is_some()
    }
}

/// What one check found.
#[derive(Serialize)]
pub(crate) struct Examined {
    pub id: &'static str,
    pub severity: Level,
    pub title: &'static str,
    #[serde(flatten)]
    pub verdict: CheckOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<&'static str>,
    pub link: &'static str,
    #[serde(skip)]
    check: &'static Check,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "text", rename_all = "lowercase")]
pub(crate) enum CheckOutcome {
    Sound,
    Found(String),
    /// It could not be looked at; the text says why.
    Unseen(String),
}

/// What all checks found.
#[derive(Serialize)]
pub(crate) struct Diagnosis {
    /// The version of this structure, for those who read it as JSON.
    pub schema: u32,
    pub checks: Vec<Examined>,
}

/// Looks at everything.
pub(crate) fn examine(host: &Host, facts: &Facts) -> Diagnosis {
    let checks = AREAS.iter().flat_map(|(_, checks)| checks.iter());
    Diagnosis {
        schema: 1,
        checks: checks
            .map(|check| Examined::of(check, host, facts))
            .collect(),
    }
}

impl Diagnosis {
    /// The findings of this severity.
    pub(crate) fn found(&self, severity: Level) -> impl Iterator<Item = &Examined> {
        let found = |examined: &&Examined| matches!(examined.verdict, CheckOutcome::Found(_));
        let checks = self.checks.iter().filter(found);
        checks.filter(move |examined| examined.severity == severity)
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found(Level::Error).next().is_some()
    }

    /// The findings that [`Examined::fix`] fixes.
    pub(crate) fn fixable(&self) -> impl Iterator<Item = &Examined> {
        self.checks.iter().filter(|examined| examined.is_fixable())
    }
}

impl Examined {
    fn of(check: &'static Check, host: &Host, facts: &Facts) -> Examined {
        let verdict = match (check.look)(host, facts) {
            Ok(None) => CheckOutcome::Sound,
            Ok(Some(text)) => CheckOutcome::Found(text),
            Err(error) if crate::host::is_forbidden(&error) => {
                CheckOutcome::Unseen("only root can look".to_owned())
            }
            Err(error) => CheckOutcome::Unseen(format!("{error:#}")),
        };
        Examined {
            id: check.id,
            severity: check.severity,
            title: check.title,
            cure: matches!(verdict, CheckOutcome::Found(_)).then_some(check.cure),
            link: check.link,
            verdict,
            check,
        }
    }

    /// Whether the cure is ours.
    pub(crate) fn is_fixable(&self) -> bool {
        matches!(self.verdict, CheckOutcome::Found(_)) && self.check.is_mended()
    }

    /// Fixes it.
    pub(crate) fn fix(&self, tx: &mut Tx<'_>) -> Result<()> {
        tx.enter("doctor");
        match self.check.fix {
            Some(fix) if self.is_fixable() => fix(tx),
            _ => Ok(()),
        }
    }
}

/// An error where only root can look.
fn require_root() -> Result<()> {
    if nix::unistd::geteuid().is_root() {
        Ok(())
    } else {
        Err(anyhow!("only root can look"))
    }
}

fn is_active(host: &Host, facts: &Facts, unit: &str) -> Result<bool> {
    if facts.init == Init::None {
        return Ok(false);
    }
    host.unit_is_active(unit)
}

/// What a running engine says of itself. One that is stopped is left alone: a connection to its
/// socket would start it.
fn engine(host: &Host, facts: &Facts) -> Result<Option<EngineInfo>> {
    if is_active(host, facts, UNIT)? {
        host.engine_info()
    } else {
        Ok(None)
    }
}

/// What a program prints, whether it likes its task or not; nothing where there is no such program.
fn said(host: &Host, query: &Query) -> Option<String> {
    host.query(query).ok().map(|output| output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_say_the_area() {
        let mut seen = std::collections::BTreeSet::new();
        for (area, (name, checks)) in AREAS.iter().enumerate() {
            for check in *checks {
                assert!(seen.insert(check.id), "{} is there twice", check.id);
                assert!(
                    check.id.starts_with(&format!("DS{area}")),
                    "{name}: {}",
                    check.id
                );
                assert_eq!(check.id.len(), 5, "{}", check.id);
                assert!(check.link.starts_with("https://"), "{}", check.id);
            }
            assert!(checks.is_sorted_by_key(|check| check.id), "{name}");
        }
    }
}
