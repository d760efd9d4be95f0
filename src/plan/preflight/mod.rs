//! What would keep the engine from starting, found before anything is changed: its units, its own
//! files and containerd's, and the programs that it needs.
//!
//! An engine that runs is proof enough for most of it, and is not judged again.

mod conflicts;
mod dpkg_rules;
mod listeners;
mod place;
mod service;
mod unit_files;
mod units;

use anyhow::Result;

use super::{Scope, suite};
use crate::apt::{self, Source};

use crate::daemon_config::Document;
use crate::docker::UNIT;
use crate::engine::exposed;
use crate::engine::obstacle::{self, Obstacle};
use crate::error::blocked;
use crate::host::Host;
use crate::report::Listener;
use crate::step::{Dpkg, UnmanagedEngine};

/// What a host that can be set up has to be minded of.
pub(super) struct Passed {
    /// Docker's repository for this host.
    pub source: Source,
    /// An engine that is to be moved aside.
    pub unmanaged_engine: Option<UnmanagedEngine>,
    /// What dpkg has left to finish.
    pub dpkg: Option<Dpkg>,
}

/// Refuses a host that cannot be set up, as far as that is seen without the network and whatever the
/// configuration is.
pub(super) fn pass(scope: &Scope<'_>) -> Result<Passed> {
    let Scope {
        host,
        facts,
        settings,
        listener,
        ..
    } = *scope;
    let source = suite::source(facts, settings, listener)?;
    conflicts::check(host, facts, settings)?;
    let unmanaged_engine = UnmanagedEngine::of(host, facts)?;
    if let Some(unmanaged_engine) = &unmanaged_engine {
        unmanaged_engine.check(host, settings.replace)?;
    }
    exposed::refuse(host)?;
    check_units(host, unmanaged_engine.is_some(), listener)?;
    conflicts::warn(host, listener)?;
    let dpkg = Dpkg::plan(host, facts, settings.repair)?;
    if !facts.missing_packages().is_empty() {
        apt::check_configuration(host)?;
        dpkg_rules::check(host, listener)?;
    }
    Ok(Passed {
        source,
        unmanaged_engine,
        dpkg,
    })
}

/// Refuses a host on which systemd could not start the engine, whatever it is setup to do.
/// `is_replaced` says that another engine's own units are moved aside by this run.
///
/// # Errors
/// [`Failure::Blocked`](crate::error::Failure::Blocked), with the file or unit and the command that
/// helps.
fn check_units(host: &Host, is_replaced: bool, listener: Listener<'_>) -> Result<()> {
    refuse(unit_files::odd(host)?)?;
    let runs = host.engine_is_active()?;
    // An engine that runs may do without the socket's unit, or without containerd's.
    let needed = match (runs, is_replaced) {
        (true, _) => vec![UNIT],
        (false, true) => units::UNITS.to_vec(),
        (false, false) => units::needed(host)?,
    };
    refuse(units::masked(host, &needed)?)?;
    if host.runs_systemd()? {
        // In a chroot, what stands there is of the host around it.
        refuse(place::socket(host)?)?;
    }
    if is_replaced || runs {
        return Ok(());
    }
    refuse(service::check(host, listener)?)?;
    refuse(units::unloadable(host)?)
}

/// Refuses a host on which containerd could not start, or an engine that does not run could not start
/// with this configuration and these flags of its unit.
///
/// # Errors
/// As [`check_units`].
pub(super) fn check_engine(
    host: &Host,
    configuration: &Document,
    flags: &[String],
    listener: Listener<'_>,
) -> Result<()> {
    refuse(obstacle::containerd_problem(host, None)?)?;
    if host.engine_is_active()? {
        return Ok(());
    }
    refuse(listeners::check(host, configuration, flags, listener)?)?;
    refuse(obstacle::containerd_elsewhere(host, configuration)?)?;
    refuse(obstacle::iptables_problem(host, configuration)?)?;
    refuse(place::folders(host, configuration)?)?;
    if host.runs_systemd()? {
        refuse(obstacle::process_file_problem(host, configuration)?)?;
    }
    refuse(obstacle::kept_files_problem(host, configuration)?)
}

/// Refuses a configuration of containerd's that the containerd of this package's version would not
/// take.
///
/// # Errors
/// As [`check_units`].
pub(super) fn check_containerd(host: &Host, version: &str) -> Result<()> {
    refuse(obstacle::containerd_problem(host, Some(version))?)
}

fn refuse(obstacle: Option<Obstacle>) -> Result<()> {
    match obstacle {
        None => Ok(()),
        Some(Obstacle { cause, cure }) => Err(blocked(&cause, &cure)),
    }
}
