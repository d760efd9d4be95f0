//! What an uninstall does: it undoes everything that the journal names, newest first.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::containers;
use super::data_folders::DataFolders;
use crate::apt::{self, FRESHNESS};
use crate::change::{self, Act, Journal, Purpose, Tx};
use crate::daemon_config;
use crate::docker::{CLI_PACKAGE, CONTAINERD_PACKAGE, PACKAGE, UNIT};
use crate::facts::unfinished_packages;
use crate::host::Host;
use crate::host::signal::{run_to_end, stop_flag};
use crate::report::{Event, Listener};
use crate::undo::{Ahead, Extent, Foreseen, Undo};

/// Packages without which no engine runs.
const OF_THE_ENGINE: &[&str] = &[PACKAGE, CLI_PACKAGE, CONTAINERD_PACKAGE];

/// What an uninstall is going to do.
pub(crate) struct UninstallPlan {
    journal: Journal,
    removes_packages: bool,
    /// Whether the engine stops: it goes, or it was stopped before.
    engine_stops: bool,
    /// Whether it goes.
    engine_goes: bool,
    /// The folders in which it may have kept data.
    roots: Vec<PathBuf>,
    /// Running containers; they must stop when the engine goes.
    pub(crate) containers: Vec<String>,
    /// Those that run on without it, and so must stop as well when it goes.
    pub(crate) orphans: Vec<String>,
    /// What becomes of what the engine keeps.
    pub(crate) data: Foreseen,
    /// Whether the engine is not ours, and neither is what it keeps.
    pub(crate) leaves_engine: bool,
    /// Folders of the engine's in which was something before it came: they stay as they are.
    pub(crate) data_from_before: Vec<PathBuf>,
}

impl UninstallPlan {
    /// Reads the journal; `None` when there is nothing to undo.
    ///
    /// # Errors
    /// [`Failure::Blocked`](crate::error::Failure::Blocked) when apt is told to hold a package that
    /// has to go, a file is marked as not to be changed, or groups cannot be changed.
    pub(crate) fn plan(host: &Host) -> Result<Option<UninstallPlan>> {
        let journal = Journal::read(host)?;
        if journal.acts().is_empty() {
            return Ok(None);
        }
        let packages = installed_packages(&journal);
        if !packages.is_empty() {
            apt::refuse_held(host, &packages)?;
        }
        for path in journal.acts().iter().filter_map(|act| act.undo.file()) {
            host.refuse_immutable(path)?;
        }
        refuse_locked_accounts(host, &journal)?;
        let mut undos = journal.acts().iter().map(|act| &act.undo);
        let leaving = leaving_of_engine(host, &packages)?;
        let engine_stops = undos.any(stops_unit) || !leaving.is_empty();
        let engine_goes = !leaving.is_empty() || is_gone(host, &packages)?;
        let containers = if engine_stops && host.engine_is_active()? {
            host.running_names()?
        } else {
            Vec::new()
        };
        let is_of_data = |act: &Act| matches!(act.undo, Undo::RemoveData { .. });
        let leaves_engine = !journal.acts().iter().any(is_of_data);
        let DataFolders {
            folders,
            roots,
            data_from_before,
        } = DataFolders::of(host, &journal)?;
        let orphans = if engine_goes {
            containers::orphans(host, &roots)?
        } else {
            Vec::new()
        };
        let ahead = Ahead {
            leaving,
            engine_stops: engine_stops || restarts_engine(host, &journal)?,
            containers_stop: engine_stops && (orphans.is_empty() || crate::undo::has_engine(host)?),
            data_root: Some(data_root_before(host, &journal)?),
        };
        Ok(Some(UninstallPlan {
            data: Foreseen::of(host, &folders, &roots, &ahead)?,
            roots,
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

    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Removes the journal of a run that was cut short before its first act: there is nothing to
    /// take back, and nobody to be asked.
    pub(super) fn clear_journal(
        host: &Host,
        purge_data: bool,
        listener: Listener<'_>,
    ) -> Result<()> {
        if host.exists(crate::undo::JOURNAL)? {
            let journal = Journal::read(host)?;
            let (purpose, wait) = (Purpose::Uninstall, Duration::ZERO);
            let mut tx = Tx::begin(host, journal, purpose, wait, listener, Arc::default())?;
            tx.remove_partials()?;
            tx.revert(0, Extent::default())?;
        }
        if purge_data && change::remove_freshness(host)? {
            let text = format!("removed: {FRESHNESS}");
            listener(Event::Note { text });
        }
        change::remove_empty_folder(host)
    }

    /// What was done and is going to be taken back, newest first.
    pub(crate) fn acts(&self) -> impl Iterator<Item = &Act> {
        self.journal.acts().iter().rev()
    }

    /// Undoes everything; returns how much was left as it is, each with its reason told.
    pub(super) fn carry_out(
        self,
        host: &Host,
        extent: Extent,
        lock_wait: Duration,
        listener: Listener<'_>,
    ) -> Result<usize> {
        let (engine_stops, engine_goes, roots) = (self.engine_stops, self.engine_goes, self.roots);
        // From here on a signal neither ends the process nor is obeyed: half of an undo is worse than
        // all of it.
        stop_flag()?;
        run_to_end("The uninstall");
        if self.removes_packages {
            // Before anything is stopped, so that a host that is busy for long is not touched.
            apt::wait_for_locks(host, lock_wait, listener)?;
        }
        let mut tx = Tx::begin(
            host,
            self.journal,
            Purpose::Uninstall,
            lock_wait,
            listener,
            Arc::default(),
        )?;
        let taken_up = engine_goes && containers::take_up_orphans(host, &roots, &mut tx)?;
        if (engine_stops || taken_up) && host.engine_is_active()? {
            let stopped = containers::stop(host, &mut tx);
            if !taken_up {
                stopped?;
            }
        }
        // Also where the engine was started for them and could not stop them.
        let left = if engine_goes {
            containers::tell_left(host, &roots, listener)?
        } else {
            0
        };
        tx.remove_partials()?;
        tx.remove_stale_files()?;
        if let Err(error) = tx.keep_memory() {
            let text = format!("how new the repository was will not be remembered: {error:#}");
            listener(Event::Warning { text });
        }
        let left = left + tx.revert(0, extent)?;
        if extent.purge_data {
            change::remove_freshness(host)?;
        } else if host.exists(FRESHNESS)? {
            let text = format!(
                "kept: {FRESHNESS} (newest index date seen; protects against rollback; \
                 --purge-data removes it)"
            );
            listener(Event::Note { text });
        }
        Ok(left)
    }
}

/// The packages that installs brought.
fn installed_packages(journal: &Journal) -> Vec<String> {
    let packages = journal.acts().iter().filter_map(|act| match &act.undo {
        Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. } => {
            Some(packages.as_slice())
        }
        _ => None,
    });
    packages.flatten().cloned().collect()
}

/// Refuses to begin where a group or a member could not be removed.
fn refuse_locked_accounts(host: &Host, journal: &Journal) -> Result<()> {
    for act in journal.acts() {
        let is_there = match &act.undo {
            Undo::RemoveGroup { group } => host.group_members(group)?.is_some(),
            Undo::RemoveMember { group, user } => host
                .group_members(group)?
                .is_some_and(|members| members.contains(user)),
            _ => false,
        };
        if is_there {
            return host.refuse_stale_account_locks();
        }
    }
    Ok(())
}

/// Whether this undo stops the engine's unit.
fn stops_unit(undo: &Undo) -> bool {
    matches!(undo, Undo::RestoreUnit { unit, active, .. } if unit == UNIT && !active)
}

/// Whether the uninstall restarts the engine that runs, with the configuration from before; it does
/// not where containers run.
fn restarts_engine(host: &Host, journal: &Journal) -> Result<bool> {
    let is_restart = |act: &Act| matches!(act.undo, Undo::RestartEngine { .. });
    Ok(journal.acts().iter().any(is_restart)
        && host.engine_is_active()?
        && host.running_containers()?.is_empty())
}

/// Whether packages of the engine's are no longer there, nor any other engine.
fn is_gone(host: &Host, packages: &[String]) -> Result<bool> {
    Ok(packages.iter().any(|it| is_of_engine(it)) && !crate::undo::has_engine(host)?)
}

/// Where an engine keeps its data once daemon.json is as it was.
fn data_root_before(host: &Host, journal: &Journal) -> Result<PathBuf> {
    let folder = |value: &Option<Value>| daemon_config::data_root(value.as_ref()).to_owned();
    let mut data_root = host.data_root()?;
    for act in journal.acts().iter().rev() {
        let Undo::RestoreDaemonJson { changes, .. } = &act.undo else {
            continue;
        };
        let moves = changes.iter().rev().filter(|it| it.key == "data-root");
        for change in moves {
            if folder(&change.after) == data_root {
                data_root = folder(&change.before);
            }
        }
    }
    Ok(data_root)
}

fn is_of_engine(package: &str) -> bool {
    OF_THE_ENGINE.contains(&package)
}

/// The engine's own of these packages that go. They stay when others have come to need them; and once
/// they are gone, an engine that runs has come by other packages.
fn leaving_of_engine(host: &Host, packages: &[String]) -> Result<Vec<String>> {
    let ours: Vec<String> = packages
        .iter()
        .filter(|package| is_of_engine(package))
        .cloned()
        .collect();
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
    use crate::change::trial;
    use crate::daemon_config::Change;
    use crate::host::stub::StubHost;
    use serde_json::json;

    #[test]
    fn an_engine_goes_back_to_where_it_kept_its_data() {
        let stub = StubHost::new();
        let change = |before: Option<&str>, after: &str| Change {
            key: "data-root".to_owned(),
            before: before.map(Value::from),
            after: Some(after.into()),
        };
        let first = change(None, "/srv/one");
        let second = change(Some("/srv/one"), "/srv/two");
        for change in [first, second] {
            let text = json!({"data-root": change.after}).to_string();
            trial::complete(stub.host(), |tx| tx.write_daemon_json(&text, &[change])).unwrap();
        }
        let root = || data_root_before(stub.host(), &Journal::read(stub.host()).unwrap()).unwrap();
        assert_eq!(root(), PathBuf::from(daemon_config::DATA_ROOT));
        // What was edited since is left.
        stub.write("/etc/docker/daemon.json", r#"{"data-root": "/srv/three"}"#);
        assert_eq!(root(), PathBuf::from("/srv/three"));
    }

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
