//! The steps: each owns one thing on the host, says whether it is as it should be, and makes it so.
//!
//! To add one: a file here with a type that implements [`Step`], and its two lines in this file,
//! the module and the place in [`list`].

mod apt_key;
mod apt_source;
mod conflicts;
mod daemon_json;
mod docker_group;
mod packages;
mod repository;
mod service;

use anyhow::Result;
use serde::Serialize;

use crate::apt::Transaction;
use crate::change::Tx;
use crate::facts::Facts;
use crate::host::Host;
use crate::report::Listener;
use crate::settings::Settings;

use repository::Repository;

/// One thing on the host that dockstrap sets up.
pub trait Step {
    /// The stable name: the journal's key, and what `--json` says.
    fn id(&self) -> &'static str;
    /// The name for people.
    fn title(&self) -> &'static str;
    /// What is there, and what is to be done about it.
    fn inspect(&self, host: &Host) -> Result<Finding>;
    /// Makes it so.
    fn apply(&self, tx: &mut Tx<'_>) -> Result<()>;
    /// What apt is going to do, for the step that runs it.
    fn transaction(&self) -> Option<&Transaction> {
        None
    }
}

/// What a step found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether there is nothing to do.
    pub satisfied: bool,
    /// What is there when satisfied, what is going to be done otherwise.
    pub summary: String,
    /// The same in detail, a line each.
    pub details: Vec<String>,
}

impl Finding {
    pub fn satisfied(summary: impl Into<String>) -> Finding {
        Finding {
            satisfied: true,
            summary: summary.into(),
            details: Vec::new(),
        }
    }

    pub fn pending(summary: impl Into<String>, details: Vec<String>) -> Finding {
        Finding {
            satisfied: false,
            summary: summary.into(),
            details,
        }
    }
}

/// Every step, in the order in which they are applied.
///
/// The configuration and the group stand before the packages: the engine then starts once, with
/// its configuration in force. The network is used only when a step will need what it brings.
pub fn list(
    host: &Host,
    facts: &Facts,
    settings: &Settings,
    listener: Listener<'_>,
) -> Result<Vec<Box<dyn Step>>> {
    conflicts::check(host, facts)?;
    // What needs no network is looked at first, so that a host that cannot be set up is told so
    // without one.
    let daemon_json = daemon_json::DaemonJson;
    let service = service::Service::new(&daemon_json.pending(host)?);
    let docker_group = docker_group::DockerGroup::new(host, facts, settings)?;
    service.inspect(host)?;
    let repository = Repository::resolve(host, facts, settings, listener)?;
    let packages = packages::Packages::plan(host, facts, &repository, listener)?;
    Ok(vec![
        Box::new(apt_key::AptKey::new(&repository)),
        Box::new(apt_source::AptSource::new(&repository)),
        Box::new(daemon_json),
        Box::new(docker_group),
        Box::new(packages),
        Box::new(service),
    ])
}
