//! The lines of the journal, as they stand in its file.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::apt::{Freshness, PROXY as APT_PROXY, Source};
use crate::daemon_config::names;
use crate::docker::authority;
use crate::settings::{Origins, ProxyUser, Settings};
use crate::undo::{Undo, all, member, package};

/// The version of the lines that are written; older ones are read.
pub(super) const SCHEMA: u32 = 1;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub(super) enum Line {
    /// The first line, and again where a newer dockstrap goes on with the journal of an older one.
    Journal {
        schema: u32,
        dockstrap: String,
        created: Timestamp,
    },
    Run(Run),
    Act(Act),
    Done {
        act: u64,
        /// The number of the group that it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gid: Option<u32>,
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
    /// No longer written: it has a file of its own by now.
    Seen(Seen),
    /// The proof of an install begins; `Verified` says that it came to its end.
    Proving,
    Verified(VerificationRecord),
    /// The run has come to its end.
    Ended {
        /// Whether it took back what it did, instead of reaching its aim.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        took_back: bool,
    },
}

/// A run of dockstrap that changes the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub purpose: Purpose,
    pub at: Timestamp,
    /// The version of dockstrap.
    pub dockstrap: String,
    /// The settings that somebody gave it, and how.
    #[serde(default, skip_serializing_if = "Origins::is_empty")]
    pub given: Origins,
    /// Whether it was to start nothing, so that nothing need run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_start: bool,
    /// What of the host the settings of an install named: the next one sets it again, whoever
    /// changed it. `None` where an older dockstrap did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<BTreeSet<String>>,
}

/// The newest that a suite was seen to offer, as it was kept at first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The suite's address.
    pub suite: String,
    date: Timestamp,
    engine: String,
}

impl Seen {
    pub(crate) fn freshness(&self) -> Freshness {
        let name = self.suite.rsplit("/dists/").next();
        Freshness {
            key: None,
            suite: name.unwrap_or_default().to_owned(),
            architecture: None,
            date: self.date,
            engine: self.engine.clone(),
        }
    }
}

/// What a verification came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct VerificationRecord {
    pub at: Timestamp,
    /// The stages that were run and passed.
    pub passed: Vec<String>,
    pub failed: Vec<String>,
    /// The stages that found nothing to try on this host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    Install,
    Uninstall,
    Doctor,
    Verify,
}

impl Purpose {
    /// The command that is run for it.
    pub(crate) fn command(self) -> &'static str {
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
    pub(crate) fn now(purpose: Purpose, given: Origins) -> Run {
        Run {
            purpose,
            at: Timestamp::now(),
            dockstrap: env!("CARGO_PKG_VERSION").to_owned(),
            given,
            no_start: false,
            named: None,
        }
    }

    /// An install that begins now.
    pub(crate) fn install(settings: &Settings) -> Run {
        Run {
            no_start: settings.no_start,
            named: Some(named(settings)),
            ..Run::now(Purpose::Install, settings.given.clone())
        }
    }
}

/// What the settings name: keys of daemon.json and entries of them, users, and files. The address of
/// the repository and its suite are what a source says.
pub(crate) fn named(settings: &Settings) -> BTreeSet<String> {
    let keys = settings.daemon.exposed().iter();
    let mut named: BTreeSet<String> = keys.flat_map(|(key, value)| names(key, value)).collect();
    let users = settings.users.iter().flatten();
    named.extend(users.map(|user| member(user.as_str())));
    for user in &settings.proxy_for {
        named.insert(match user {
            ProxyUser::Apt => APT_PROXY.to_owned(),
            ProxyUser::Engine => "proxies".to_owned(),
        });
    }
    if ["mirror", "suite"]
        .iter()
        .any(|key| settings.given.contains_key(*key))
    {
        named.insert(Source::PATH.to_owned());
    }
    let registries = settings.registries.iter();
    named.extend(registries.map(|registry| authority(&registry.host)));
    named
}

impl From<Purpose> for Run {
    fn from(purpose: Purpose) -> Run {
        Run::now(purpose, Origins::new())
    }
}

/// Something done to the host, and the way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Act {
    /// Its number, counted from 1.
    pub act: u64,
    pub at: Timestamp,
    /// The step that did it.
    pub step: String,
    /// What was done, for people.
    pub text: String,
    pub undo: Undo,
}

impl Act {
    /// What there is to undo, and when it was done.
    pub(crate) fn undone(&self) -> (Timestamp, &Undo) {
        (self.at, &self.undo)
    }
}

/// A journal with lines of a newer dockstrap, which this one may not understand.
#[derive(Debug, Error)]
pub(super) struct Newer {
    schema: u32,
    /// The version of that dockstrap.
    pub writer: Option<String>,
}

impl Display for Newer {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let writer = self.writer.as_deref().unwrap_or("of another version");
        write!(
            out,
            "a newer dockstrap wrote it ({writer}, schema {}; this is {}, which knows schema {SCHEMA})",
            self.schema,
            env!("CARGO_PKG_VERSION")
        )
    }
}

/// What every version says of the schema, whatever else it says beside it.
#[derive(Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
enum SchemaLine {
    Journal {
        schema: u32,
        dockstrap: Option<String>,
    },
}

/// Reads a line. The first one must name the schema; one further down is of a newer dockstrap, which
/// wrote the lines that follow.
///
/// # Errors
/// [`Newer`] when that schema is not known, and [`Forged`](crate::undo::Forged) for what
/// dockstrap never writes.
pub(super) fn parse(number: usize, line: &str) -> Result<Line> {
    if let Ok(SchemaLine::Journal { schema, dockstrap }) = serde_json::from_str(line)
        && schema > SCHEMA
    {
        let writer = dockstrap;
        return Err(Newer { schema, writer }.into());
    }
    match (number, serde_json::from_str(line)) {
        (0, Ok(parsed @ Line::Journal { .. })) => Ok(parsed),
        (0, _) => bail!("it is no journal of dockstrap's"),
        (_, parsed) => {
            let parsed = parsed.context("it is damaged")?;
            match &parsed {
                Line::Act(act) => act.undo.check()?,
                Line::AskedFor { packages, .. } => all(packages, package)?,
                _ => {}
            }
            Ok(parsed)
        }
    }
}
