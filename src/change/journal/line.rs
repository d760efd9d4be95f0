//! The lines of the journal, as they stand in its file.

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::apt::Seen;
use crate::change::Undo;
use crate::settings::{Given, Settings};

/// The version of the lines that are written; older ones are read.
pub(super) const SCHEMA: u32 = 1;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub(super) enum Line {
    Journal {
        schema: u32,
        dockstrap: String,
        created: Timestamp,
    },
    Run(Run),
    Act(Act),
    Done {
        act: u64,
    },
    Reverted {
        act: u64,
    },
    /// The packages of an act that stay when it is taken back, since somebody has asked apt for
    /// them.
    AskedFor {
        act: u64,
        packages: Vec<String>,
    },
    Seen(Seen),
    Verified(Verified),
    /// The run has come to its end.
    Ended {
        /// Whether it took back what it did, instead of reaching its aim.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        took_back: bool,
    },
}

/// A run of dockstrap that changes the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub purpose: Purpose,
    pub at: Timestamp,
    /// The version of dockstrap.
    pub dockstrap: String,
    /// The settings that somebody gave it, and how.
    #[serde(default, skip_serializing_if = "Given::is_empty")]
    pub given: Given,
    /// Whether it was to start nothing, so that nothing need run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_start: bool,
}

/// What a verification came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    pub at: Timestamp,
    /// The stages that were run and passed.
    pub passed: Vec<String>,
    pub failed: Vec<String>,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    Install,
    Uninstall,
    Doctor,
    Verify,
}

impl Purpose {
    /// The command that is run for it.
    pub fn command(self) -> &'static str {
        match self {
            Purpose::Install => "install",
            Purpose::Uninstall => "uninstall",
            Purpose::Doctor => "doctor --fix",
            Purpose::Verify => "verify",
        }
    }
}

impl Run {
    /// A run that begins now.
    pub fn now(purpose: Purpose, given: Given) -> Run {
        Run {
            purpose,
            at: Timestamp::now(),
            dockstrap: env!("CARGO_PKG_VERSION").to_owned(),
            given,
            no_start: false,
        }
    }

    /// An install that begins now.
    pub fn install(settings: &Settings) -> Run {
        Run {
            no_start: settings.no_start,
            ..Run::now(Purpose::Install, settings.given.clone())
        }
    }
}

impl From<Purpose> for Run {
    fn from(purpose: Purpose) -> Run {
        Run::now(purpose, Given::new())
    }
}

/// Something done to the host, and the way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// Its number, counted from 1.
    pub act: u64,
    pub at: Timestamp,
    /// The step that did it.
    pub step: String,
    /// What was done, for people.
    pub text: String,
    pub undo: Undo,
}

/// Reads a line; the first one must name the schema.
pub(super) fn parse(number: usize, line: &str) -> Result<Line> {
    let parsed = serde_json::from_str(line);
    match (number, parsed) {
        (0, Ok(Line::Journal { schema, .. })) if schema == SCHEMA => {}
        (0, _) => match schema_of(line) {
            Some(schema) if schema > SCHEMA => bail!("a newer dockstrap wrote it"),
            _ => bail!("it is no journal of dockstrap's"),
        },
        (_, Ok(line)) => return Ok(line),
        (_, Err(error)) => return Err(error).context("it is damaged"),
    }
    serde_json::from_str(line).context("it is damaged")
}

fn schema_of(line: &str) -> Option<u32> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    u32::try_from(value.get("schema")?.as_u64()?).ok()
}
