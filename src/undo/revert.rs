//! Walking the ways back. Each can be walked twice: what is undone already stays so.
//!
//! What was edited since is left as it is and reported; nothing here guesses.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::{Left, Undo, is_sealed};
use crate::apt::{self, KnownArchive, Leave, Source};
use crate::facts::ENGINE_PACKAGES;
use crate::host::Host;
use crate::host::authority::Authority;
use crate::host::command::{Command, Output};
use crate::host::files;
use crate::host::firewall::NetworkBaseline;
use crate::report::Listener;

/// What became of an undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reverted {
    Done,
    /// Left as it is, for this reason.
    Kept(String),
}

/// How far the way back goes, beyond what was done itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Remove images, containers and volumes.
    pub purge_data: bool,
    /// Install again what was removed to make room.
    pub restore_packages: bool,
}

/// Everything an undo may need beside the host.
pub(crate) struct Revert<'a> {
    pub host: &'a Host,
    pub authority: Authority<'a>,
    pub extent: Extent,
    /// Whether it is a run that failed which is taken back, right away.
    pub is_rollback: bool,
    /// Whether what runs is stopped or restarted, and the network given back: in a chroot nothing
    /// runs but what is of the host around it.
    pub stops: bool,
    /// The packages of the engine that go, now or when the turn comes to their act.
    pub engine: Vec<String>,
    /// The network that was there before any of them.
    pub network: Option<NetworkBaseline>,
    pub lock_wait: std::time::Duration,
    pub listener: Listener<'a>,
    /// Whether our source for Docker's repository was edited, and so stays.
    pub keeps_source: Cell<bool>,
    /// Files that were there before a package took them over, each with its copy.
    pub returned: Vec<(PathBuf, PathBuf)>,
    /// When the first of the acts was done.
    pub since: Timestamp,
    /// What package files must be, if one is to be unpacked again.
    pub archives: Vec<KnownArchive>,
    /// What the run that is taken back has done to daemon.json.
    pub overwritten: Option<Overwritten>,
    /// What of the host's network stays after the act at hand.
    pub left: RefCell<Vec<Left>>,
    /// Whether the engine's configuration had a secret by one of the acts.
    pub had_secret: bool,
    /// The numbers of groups that were made, by name, as far as they are known.
    pub gids: BTreeMap<String, u32>,
}

/// The bytes of daemon.json before and after a run. A password that the run replaced stands in no
/// journal, so that a run which fails gives it back from here.
pub(crate) struct Overwritten {
    pub before: Option<Vec<u8>>,
    pub after: Vec<u8>,
}

impl<'a> Revert<'a> {
    /// The way back over these acts, oldest first, each with its time.
    pub(crate) fn of<'b>(
        authority: &Authority<'a>,
        acts: impl Iterator<Item = (Timestamp, &'b Undo)>,
        extent: Extent,
        lock_wait: std::time::Duration,
        listener: Listener<'a>,
    ) -> Result<Revert<'a>> {
        let host = authority.host();
        let mut revert = Revert {
            host,
            authority: authority.clone(),
            extent,
            is_rollback: false,
            stops: host.runs_systemd()?,
            engine: Vec::new(),
            network: None,
            lock_wait,
            listener,
            keeps_source: Cell::default(),
            returned: Vec::new(),
            since: Timestamp::now(),
            archives: Vec::new(),
            overwritten: None,
            left: RefCell::default(),
            had_secret: false,
            gids: BTreeMap::new(),
        };
        for (at, undo) in acts {
            revert.since = revert.since.min(at);
            if let Undo::PurgePackages { packages, network }
            | Undo::RemovePackages { packages, network } = undo
            {
                let is_engine = |it: &&String| ENGINE_PACKAGES.contains(&it.as_str());
                revert
                    .engine
                    .extend(packages.iter().filter(is_engine).cloned());
                revert.network = revert.network.or_else(|| network.clone());
            }
            if let Undo::RestoreDaemonJson { changes, .. } = undo {
                let mut values = changes.iter().flat_map(|it| [&it.before, &it.after]);
                revert.had_secret |= values.any(|it| it.as_ref().is_some_and(is_sealed));
            }
            if let Undo::RemoveArchives { files, .. } = undo {
                revert.archives.extend_from_slice(files);
            }
            if let Undo::RestoreFile {
                path,
                sha256: None,
                backup,
                ..
            } = undo
            {
                revert.returned.push((path.clone(), backup.clone()));
            }
        }
        Ok(revert)
    }

    /// Walks one way back. Of packages, those that somebody has `asked_for` stay.
    pub(crate) fn undo(&self, undo: &Undo, asked_for: &[String]) -> Result<Reverted> {
        match undo {
            Undo::RemoveFile { path, sha256 } => self.remove_file(path, sha256),
            Undo::RestoreFile {
                path,
                sha256,
                backup,
                backup_sha256,
            } => self.restore_file(path, sha256.as_deref(), backup, backup_sha256.as_deref()),
            Undo::RestoreLink { path, target } => {
                files::link(&self.host.path(path), target).map(|()| Reverted::Done)
            }
            Undo::RemoveList { path } => {
                files::remove(&self.host.path(path)).map(|()| Reverted::Done)
            }
            Undo::RemoveArchives { paths, .. } => {
                let mut paths = paths.iter();
                paths.try_for_each(|path| files::remove(&self.host.path(path)))?;
                Ok(Reverted::Done)
            }
            Undo::RemoveFolder { path } => self.remove_folder(path),
            Undo::RestoreMode {
                path,
                mode,
                given,
                owner,
                open,
            } => self.restore_mode(path, *mode, *given, *owner, open),
            Undo::RestoreDaemonJson {
                created,
                empty,
                written,
                changes,
            } => self.restore_daemon_json(*created, empty.as_deref(), written, changes),
            Undo::RestartEngine { containers } => self.restart_engine(containers),
            Undo::PurgePackages { packages, .. } => self.purge(packages, asked_for, Leave::Nothing),
            Undo::RemovePackages { packages, .. } => {
                self.purge(packages, asked_for, Leave::Configuration)
            }
            Undo::OfferPackages {
                asked_for,
                automatic,
            } => self.offer(asked_for, automatic),
            Undo::KeepUpgrades { packages } => {
                let upgraded = packages.join(", ");
                Ok(Reverted::Kept(format!("apt does not go back: {upgraded}")))
            }
            Undo::KeepConfigured { packages } => Ok(match packages.as_slice() {
                [] => Reverted::Done,
                finished => Reverted::Kept(format!("they work now: {}", finished.join(", "))),
            }),
            Undo::RemoveData { paths, used } => self.remove_data(paths, used),
            Undo::RemoveGroup { group } => self.remove_group(group),
            Undo::RemoveMember { group, user } => self.remove_member(group, user),
            Undo::StartUnits {
                enabled,
                active,
                containers,
            } => self.start_units(enabled, active, containers),
            Undo::RestoreUnit {
                unit,
                enabled,
                active,
            } => self.restore_unit(unit, *enabled, *active),
        }
    }

    fn remove_file(&self, path: &Path, sha256: &str) -> Result<Reverted> {
        match self.host.sha256(path)? {
            Some(now) if now.to_string() != sha256 => {
                self.keep_source(path);
                Ok(edited_since())
            }
            Some(_) if self.kept_source_names(path)? => Ok(Reverted::Kept(format!(
                "{}, which is kept, names it",
                Source::PATH
            ))),
            _ => files::remove(&self.host.path(path)).map(|()| Reverted::Done),
        }
    }

    fn restore_file(
        &self,
        path: &Path,
        ours: Option<&str>,
        backup: &Path,
        backup_sha256: Option<&str>,
    ) -> Result<Reverted> {
        let Some(old) = self.host.sha256(backup)? else {
            return Ok(Reverted::Done); // put back already, or never moved away
        };
        if backup_sha256.is_some_and(|sha256| old.to_string() != sha256) {
            self.keep_source(path);
            let beside = self.put_beside(path, backup)?;
            return Ok(Reverted::Kept(format!(
                "the copy of what was there before is damaged; what is left of it is in {beside}"
            )));
        }
        let edited = match self.host.sha256(path)? {
            Some(now) if now != old && ours != Some(now.to_string().as_str()) => {
                self.keep_source(path);
                Some(match ours {
                    Some(_) => "it was edited since".to_owned(),
                    None => "another file stands there by now".to_owned(),
                })
            }
            _ => None,
        };
        // apt does nothing at all with two keyrings for one repository, nor with the wrong one.
        let in_the_way =
            self.keeps_source.get() && apt::is_source_file(path) || self.kept_source_names(path)?;
        let reason = edited.or_else(|| {
            let source = Source::PATH;
            in_the_way
                .then(|| format!("{source} was edited since and is kept, and apt takes only one"))
        });
        if let Some(reason) = reason {
            let beside = self.put_beside(path, backup)?;
            let reason = format!("{reason}; what was there before is in {beside}");
            return Ok(Reverted::Kept(reason));
        }
        let target = self.host.path(path);
        // A package that was purged may have taken its folder along.
        for folder in files::missing(self.host, path.parent().unwrap_or(Path::new("/")))? {
            files::create_folder(&self.host.path(folder), 0o755)?;
        }
        files::copy(&self.host.path(backup), &target)?;
        Ok(Reverted::Done)
    }

    /// Puts a copy beside the file that it was made of, and returns where that is.
    pub(super) fn put_beside(&self, path: &Path, backup: &Path) -> Result<String> {
        // apt passes over files with this ending.
        let beside = format!("{}.before-dockstrap", path.display());
        files::copy(&self.host.path(backup), &self.host.path(&beside))?;
        Ok(beside)
    }

    /// Notes that a file stays which we have written, when it is our source.
    fn keep_source(&self, path: &Path) {
        if path == Path::new(Source::PATH) {
            self.keeps_source.set(true);
        }
    }

    /// Whether our source was edited and so stays, and names this file: as its keyring.
    fn kept_source_names(&self, path: &Path) -> Result<bool> {
        if !self.keeps_source.get() {
            return Ok(false);
        }
        let text = self.host.read_text(Source::PATH)?.unwrap_or_default();
        Ok(text.contains(&*path.to_string_lossy()))
    }

    fn remove_folder(&self, path: &Path) -> Result<Reverted> {
        use std::io::ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound, ResourceBusy};
        if files::is_gone(&self.host.path(path)) {
            return Ok(Reverted::Done);
        }
        match fs::remove_dir(self.host.path(path)) {
            Err(error) if error.kind() == DirectoryNotEmpty => {
                Ok(Reverted::Kept("other files are in it".to_owned()))
            }
            Err(error) if error.kind() == ResourceBusy => {
                Ok(Reverted::Kept("something is mounted on it".to_owned()))
            }
            Err(error) if error.kind() == NotADirectory => {
                Ok(Reverted::Kept("it is no folder any more".to_owned()))
            }
            Err(error) if error.kind() != NotFound => {
                Err(error).with_context(|| format!("removing the folder {}", path.display()))
            }
            _ => Ok(Reverted::Done),
        }
    }

    pub(super) fn output(&self, command: &Command) -> Result<Output> {
        command.run_apart(&self.authority)
    }
}

pub(super) fn edited_since() -> Reverted {
    Reverted::Kept("it was edited since".to_owned())
}
