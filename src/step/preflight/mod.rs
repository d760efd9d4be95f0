//! What would keep the engine from starting, found before anything is changed: its units, its own
//! files and containerd's, and the programs that it needs.
//!
//! An engine that runs is proof enough for most of it, and is not judged again.

mod confinement;
mod containerd;
mod iptables;
mod kept_files;
mod listeners;
mod place;
mod process_file;
mod service;
mod unit_files;
mod units;

use anyhow::Result;

use crate::host::Host;
use crate::host::engine::UNIT;
use crate::report::Listener;
use crate::step::conflicts::blocked;
use crate::step::daemon_json::DaemonJson;

pub(crate) use confinement::problem as confinement_problem;
pub(crate) use containerd::problem as containerd_problem;
pub(crate) use iptables::problem as iptables_problem;
pub(crate) use kept_files::problem as kept_files_problem;
pub(crate) use process_file::problem as process_file_problem;

/// Something that is in the way, and the command that removes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Obstacle {
    pub cause: String,
    /// What to do, ending with a command.
    pub cure: String,
}

impl Obstacle {
    fn new(cause: impl Into<String>, cure: impl Into<String>) -> Obstacle {
        Obstacle {
            cause: cause.into(),
            cure: cure.into(),
        }
    }
}

/// Refuses a host on which systemd could not start the engine, whatever it is configured to do.
/// `is_replaced` says that another engine's own units are moved aside by this run.
///
/// # Errors
/// [`Failure::Blocked`](crate::error::Failure::Blocked), with the file or unit and the command that
/// helps.
pub(super) fn check_units(host: &Host, is_replaced: bool, listener: Listener<'_>) -> Result<()> {
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

/// Refuses a host on which the engine could not start with this configuration.
///
/// # Errors
/// As [`check_units`].
pub(super) fn check_engine(host: &Host, step: &DaemonJson, listener: Listener<'_>) -> Result<()> {
    refuse(containerd::problem(host, None)?)?;
    if host.engine_is_active()? {
        return Ok(());
    }
    let configuration = step.effective(host)?;
    refuse(listeners::check(
        host,
        &configuration,
        step.flags(),
        listener,
    )?)?;
    refuse(containerd::elsewhere(host, &configuration)?)?;
    refuse(iptables::problem(host, &configuration)?)?;
    refuse(place::folders(host, &configuration)?)?;
    if host.runs_systemd()? {
        refuse(process_file::problem(host, &configuration)?)?;
    }
    refuse(kept_files::problem(host, &configuration)?)
}

/// Refuses a configuration of containerd's that the containerd of this package's version would not
/// take.
///
/// # Errors
/// As [`check_units`].
pub(super) fn check_containerd(host: &Host, version: &str) -> Result<()> {
    refuse(containerd::problem(host, Some(version))?)
}

fn refuse(obstacle: Option<Obstacle>) -> Result<()> {
    match obstacle {
        None => Ok(()),
        Some(Obstacle { cause, cure }) => Err(blocked(&cause, &cure)),
    }
}
