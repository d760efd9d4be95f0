//! The steps: each owns one thing on the host, says whether it is as it should be, and makes it so.
//!
//! To add one: a file here with a type that implements [`Step`], its module in this file, and its place
//! in `plan::inspect_all`.

mod apt_key;
mod apt_proxy;
mod apt_source;
pub(crate) mod daemon_json;
mod docker_group;
mod dpkg;
pub(crate) mod first_boot;
pub(crate) mod packages;
pub(crate) mod registries;
mod service;
mod unmanaged_engine;

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::apt::Transaction;
use crate::change::Tx;
use crate::daemon_config::Redacted;
use crate::error::Failure;
use crate::host::Host;
use crate::report::Yours;

pub(crate) use apt_key::AptKey;
pub(crate) use apt_proxy::AptProxy;
pub(crate) use apt_source::AptSource;
pub(crate) use daemon_json::DaemonJson;
pub(crate) use docker_group::DockerGroup;
pub(crate) use dpkg::Dpkg;
pub(crate) use first_boot::FirstBoot;
pub(crate) use packages::Packages;
pub(crate) use registries::Registries;
pub(crate) use service::EngineService;
pub(crate) use unmanaged_engine::UnmanagedEngine;

/// How long containers, and the engine with them, may take to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(120);

/// One thing on the host that dockstrap sets up.
pub(crate) trait Step {
    /// The stable name: the journal's key, and what `--json` says.
    fn id(&self) -> &'static str;
    /// The name for people.
    fn title(&self) -> &'static str;
    /// What is there, and what is to be done about it.
    fn inspect(&self, host: &Host) -> Result<Inspection>;
    /// Makes it so.
    fn apply(&self, tx: &mut Tx<'_>) -> Result<()>;
    /// The files that are written, edited or taken away when it is applied now.
    fn writes(&self, _host: &Host) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    /// What apt is going to do, for the step that runs it.
    fn transaction(&self) -> Option<&Transaction> {
        None
    }
}

/// What a step found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Inspection {
    /// Whether there is nothing to do.
    pub satisfied: bool,
    /// What is there when satisfied, what is going to be done otherwise.
    pub summary: String,
    /// The same in detail, a line each.
    pub details: Vec<String>,
    /// The keys of a file that change, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Explained>,
    /// How the text of a file changes, as a unified diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// What the user should know, although it stops nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What somebody changed since it was set up, and so is left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Yours>,
}

/// One key of a file before and after, and why; what is absent is `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Explained {
    pub key: String,
    pub old: Option<Redacted>,
    pub new: Option<Redacted>,
    pub why: String,
}

impl Inspection {
    pub(crate) fn satisfied(summary: impl Into<String>) -> Inspection {
        Inspection {
            satisfied: true,
            summary: summary.into(),
            ..Inspection::default()
        }
    }

    pub(crate) fn pending(summary: impl Into<String>, details: Vec<String>) -> Inspection {
        Inspection {
            satisfied: false,
            summary: summary.into(),
            details,
            ..Inspection::default()
        }
    }

    pub(crate) fn with_changes(self, changes: Vec<Explained>) -> Inspection {
        Inspection { changes, ..self }
    }

    pub(crate) fn with_warnings(self, warnings: Vec<String>) -> Inspection {
        Inspection { warnings, ..self }
    }

    /// Whether its details are about more than what is left.
    pub(crate) fn has_more_than_kept(&self) -> bool {
        self.details.len() > self.kept.len()
    }

    /// With what is left, which is told in its details as well.
    pub(crate) fn keeping(mut self, kept: Vec<Yours>) -> Inspection {
        self.details.extend(kept.iter().map(Yours::to_string));
        self.kept.extend(kept);
        self
    }
}

/// A step with what it found.
pub(crate) struct InspectedStep {
    pub step: Box<dyn Step>,
    pub finding: Inspection,
}

impl InspectedStep {
    /// Inspects the host with a step, which must be able to write what it has to.
    pub(crate) fn of(step: impl Step + 'static, host: &Host) -> Result<InspectedStep> {
        let finding = step.inspect(host).map_err(|error| {
            // A refusal says what it is about.
            if error.chain().any(|cause| cause.is::<Failure>()) {
                error
            } else {
                error.context(format!("looking at the {}", step.title()))
            }
        })?;
        if !finding.satisfied {
            for path in step.writes(host)? {
                host.refuse_unreachable(&path)?;
                host.refuse_immutable(path)?;
            }
        }
        Ok(InspectedStep {
            step: Box::new(step),
            finding,
        })
    }
}
