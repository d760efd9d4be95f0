//! The way back: everything that the journal says was done, newest first.

mod containers;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::apt;
use crate::change::{self, Act, Extent, Foreseen, Journal, Purpose, Tx, Undo, is_unused};
use crate::facts::unfinished_packages;
use crate::host::Host;
use crate::host::engine::UNIT;
use crate::host::signal::stop_flag;
use crate::report::Listener;

/// Packages without which no engine runs.
const OF_THE_ENGINE: &[&str] = &["docker-ce", "docker-ce-cli", "containerd.io"];

/// What an uninstall is going to do.
pub struct Reversal {
    journal: Journal,
    removes_packages: bool,
    /// Whether the engine stops: it goes, or it was stopped before.
    engine_stops: bool,
    /// Whether it goes.
    engine_goes: bool,
    /// Running containers; they must stop when the engine goes.
    pub containers: Vec<String>,
    /// Those that run on without it, and so must stop as well when it goes.
    pub orphans: Vec<String>,
    /// What becomes of what the engine keeps.
    pub data: Foreseen,
    /// Whether the engine is not ours, and neither is what it keeps.
    pub leaves_engine: bool,
    /// Folders of the engine's in which was something before it came: they stay as they are.
    pub data_from_before: Vec<PathBuf>,
}

impl Reversal {
    /// Reads the journal; `None` when there is nothing to take back.
    ///
    /// # Errors
    /// [`Failure::Blocked`](crate::error::Failure::Blocked) when apt is told to hold a package that
    /// has to go, or a file is marked as not to be changed.
    pub fn plan(host: &Host) -> Result<Option<Reversal>> {
        let journal = Journal::read(host)?;
        if journal.acts().is_empty() {
            return Ok(None);
        }
        let packages = journal.acts().iter().filter_map(|act| match &act.undo {
            Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. } => {
                Some(packages.as_slice())
            }
            _ => None,
        });
        let packages: Vec<String> = packages.flatten().cloned().collect();
        if !packages.is_empty() {
            apt::refuse_held(host, &packages)?;
        }
        for path in journal.acts().iter().filter_map(|act| act.undo.file()) {
            host.refuse_immutable(path)?;
        }
        let mut undos = journal.acts().iter().map(|act| &act.undo);
        let leaving = leaving_of_engine(host, &packages)?;
        let engine_goes = !leaving.is_empty();
        let engine_stops = undos.any(stops_unit) || engine_goes;
        let containers = match engine_stops && host.engine_is_active()? {
            true => host.running_names()?,
            false => Vec::new(),
        };
        let orphans = match engine_goes {
            true => host.orphans()?,
            false => Vec::new(),
        };
        let is_of_data = |act: &Act| matches!(act.undo, Undo::RemoveData { .. });
        let leaves_engine = !journal.acts().iter().any(is_of_data);
        let (mut folders, mut data_from_before) = (Vec::new(), Vec::new());
        for act in journal.acts() {
            if let Undo::RemoveData { paths, used } = &act.undo {
                folders.extend_from_slice(paths);
                for folder in used {
                    if !is_unused(host, folder)? {
                        data_from_before.push(folder.clone());
                    }
                }
            }
        }
        Ok(Some(Reversal {
            data: Foreseen::of(host, &folders, &leaving, engine_stops)?,
            data_from_before,
            leaves_engine,
            journal,
            removes_packages: !packages.is_empty(),
            engine_stops,
            engine_goes,
            containers,
            orphans: orphans.into_iter().map(|it| it.name).collect(),
        }))
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Removes the journal of a run that was cut short before its first act: there is nothing to
    /// take back, and nobody to be asked.
    pub fn clear_journal(host: &Host, listener: Listener<'_>) -> Result<()> {
        if !host.exists(change::PATH)? {
            return change::remove_empty_folder(host);
        }
        let journal = Journal::read(host)?;
        let (purpose, wait) = (Purpose::Uninstall, Duration::ZERO);
        let mut tx = Tx::begin(host, journal, purpose, wait, listener, Arc::default())?;
        tx.remove_partials()?;
        tx.revert(0, Extent::default()).map(drop)
    }

    /// What was done and is going to be taken back, newest first.
    pub fn acts(&self) -> impl Iterator<Item = &Act> {
        self.journal.acts().iter().rev()
    }

    /// Takes everything back; returns how much was left as it is, each with its reason told.
    pub fn carry_out(
        self,
        host: &Host,
        extent: Extent,
        lock_wait: Duration,
        listener: Listener<'_>,
    ) -> Result<usize> {
        let Reversal {
            journal,
            removes_packages,
            engine_stops,
            engine_goes,
            ..
        } = self;
        // From here on a signal no longer ends the process. It is not obeyed either: a way back
        // that is walked half is worse than one that is walked to its end.
        stop_flag()?;
        if removes_packages {
            // Before anything is stopped, so that a host that is busy for long is not touched.
            apt::wait_for_locks(host, lock_wait, listener)?;
        }
        let mut tx = Tx::begin(
            host,
            journal,
            Purpose::Uninstall,
            lock_wait,
            listener,
            Arc::default(),
        )?;
        let left = match engine_goes {
            true => containers::take_up_orphans(host, &mut tx, listener)?,
            false => 0,
        };
        if engine_stops && host.engine_is_active()? {
            containers::stop(host, &mut tx)?;
        }
        tx.remove_partials()?;
        tx.remove_leftovers()?;
        Ok(left + tx.revert(0, extent)?)
    }
}

/// Whether the engine's unit stops by this way back.
fn stops_unit(undo: &Undo) -> bool {
    matches!(undo, Undo::RestoreUnit { unit, active, .. } if unit == UNIT && !active)
}

/// The engine's own of these packages that go. They stay when others have come to need them; and once
/// they are gone, an engine that runs has come by other packages.
fn leaving_of_engine(host: &Host, packages: &[String]) -> Result<Vec<String>> {
    let of_engine = OF_THE_ENGINE.iter().map(|package| (*package).to_owned());
    let ours: Vec<String> = of_engine.filter(|it| packages.contains(it)).collect();
    if ours.is_empty() || !unfinished_packages(host)?.is_empty() {
        return Ok(ours); // apt says nothing before what is unfinished is cleared up
    }
    let purge = apt::Purge::plan(host, packages, &[], packages)?;
    let goes = |package: &String| purge.as_ref().is_some_and(|purge| purge.takes(package));
    Ok(ours.into_iter().filter(goes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn an_engine_that_others_need_or_that_is_not_ours_does_not_stop() {
        let packages = ["containerd.io", "docker-ce", "git"].map(str::to_owned);
        let stub = |dpkg: &str, taken: &str| {
            StubHost::new().program("dpkg-query", dpkg).program(
                "apt-get",
                &format!("for it in {taken}; do echo Purg $it; done"),
            )
        };
        let leaving = |stub: &StubHost| leaving_of_engine(stub.host(), &packages).unwrap();
        let there = "echo docker-ce installed";
        assert_eq!(leaving(&stub(there, "docker-ce")), ["docker-ce"]);
        assert_eq!(leaving(&stub(there, "docker-ce dokku")), [""; 0]);
        assert_eq!(leaving(&stub("echo git installed", "git")), [""; 0]);
        assert_eq!(leaving(&stub("exit 1", "")), [""; 0]);
        let others = leaving_of_engine(StubHost::new().host(), &packages[2..]);
        assert_eq!(others.unwrap(), [""; 0]);
    }
}
