//! The only writer: whatever changes the host goes through here, and into the journal first.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

use super::seal::seal;
use super::way_back::Revert;
use super::{Act, Extent, FOLDER, Journal, Reverted, Run, Undo, files, journal};
use crate::apt::{self, Archives, Lists, Seen};
use crate::daemon_json::{self, Change};
use crate::error::Failure;
use crate::facts::Unfinished;
use crate::host::Host;
use crate::host::command::{Command, Output};
use crate::host::http::Http;
use crate::redact::has_credentials;
use crate::report::{Event, Listener};
use crate::trust::sha256_hex;

/// The right to change the host, one journaled act at a time.
pub struct Tx<'a> {
    host: &'a Host,
    journal: Journal,
    step: &'static str,
    lock_wait: Duration,
    listener: Listener<'a>,
    /// Set by a signal: no further act is begun.
    cancelled: Arc<AtomicBool>,
}

impl<'a> Tx<'a> {
    /// Opens the journal for writing, and writes down that a run begins.
    pub fn begin(
        host: &'a Host,
        mut journal: Journal,
        run: impl Into<Run>,
        lock_wait: Duration,
        listener: Listener<'a>,
        cancelled: Arc<AtomicBool>,
    ) -> Result<Tx<'a>> {
        let begun = journal.open(host).and_then(|()| journal.run(run.into()));
        if let Err(error) = begun {
            if journal.acts().is_empty() {
                // What is there of a new one says nothing, and there may be no room to mend it.
                journal::remove(host)?;
            }
            return Err(error.context("nothing was changed, since it could not be written down"));
        }
        Ok(Tx {
            host,
            journal,
            step: "",
            lock_wait,
            listener,
            cancelled,
        })
    }

    pub fn host(&self) -> &'a Host {
        self.host
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Says which step the following acts belong to.
    pub fn enter(&mut self, step: &'static str) {
        self.step = step;
    }

    /// Tells whoever listens what happens.
    pub fn tell(&self, event: Event) {
        (self.listener)(event);
    }

    /// Makes `bytes` the content of the file at `path`, with this mode. Missing folders are made,
    /// a file that is there is kept for the way back, and one that is right already is left.
    ///
    /// # Errors
    /// [`Failure::Blocked`] for a link: what it leads to is looked after by somebody else.
    pub fn write_file(&mut self, path: &str, bytes: &[u8], mode: u32) -> Result<()> {
        if self
            .host
            .metadata(path)?
            .is_some_and(|there| there.is_symlink())
        {
            return Err(Failure::Blocked(format!(
                "{path} is a link to another file, which is not dockstrap's to change; remove \
                 the link and run this again: rm {path}"
            ))
            .into());
        }
        let old = self.host.read(path)?;
        if old.as_deref() == Some(bytes) && self.mode(path)? == Some(mode) {
            return Ok(());
        }
        self.create_folders(path)?;
        let sha256 = sha256_hex(bytes);
        let target = PathBuf::from(path);
        let undo = match old {
            None => Undo::RemoveFile {
                path: target,
                sha256,
            },
            Some(_) => Undo::RestoreFile {
                backup: self.back_up(path)?,
                path: target,
                sha256: Some(sha256),
            },
        };
        self.act(&format!("write {path}"), undo, |tx| {
            files::write(&tx.host.path(path), bytes, Some(mode))
        })
    }

    /// Makes `bytes` the content of the file at `path`, which is there and keeps its mode.
    pub fn edit_file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let mode = self.mode(path)?;
        let mode = mode.with_context(|| format!("{path} is no longer there"))?;
        self.write_file(path, bytes, mode)
    }

    /// Keeps a copy of the file at `path`, if there is one, for when a package that is purged takes
    /// it along.
    pub fn keep_for_return(&mut self, path: &str) -> Result<()> {
        let restores = |act: &Act| matches!(&act.undo, Undo::RestoreFile { path: of, .. } if of.as_path() == Path::new(path));
        if !self.host.exists(path)? || self.journal.acts().iter().any(restores) {
            return Ok(());
        }
        let undo = Undo::RestoreFile {
            backup: self.back_up(path)?,
            path: path.into(),
            sha256: None,
        };
        self.note(&format!("let a package take over {path}"), undo)
    }

    /// Removes the file at `path`; it is kept for the way back.
    pub fn move_aside(&mut self, path: &str) -> Result<()> {
        if !self.host.exists(path)? {
            return Ok(());
        }
        let undo = Undo::RestoreFile {
            backup: self.back_up(path)?,
            path: path.into(),
            sha256: None,
        };
        self.act(&format!("move {path} aside"), undo, |tx| {
            files::remove(&tx.host.path(path))
        })
    }

    /// Writes daemon.json anew; `changes` are the keys that differ. A file that holds a password
    /// is kept from other users.
    pub fn write_daemon_json(&mut self, text: &str, changes: &[Change]) -> Result<()> {
        let path = daemon_json::PATH;
        self.create_folders(path)?;
        let undo = Undo::RestoreDaemonJson {
            created: !self.host.exists(path)?,
            changes: seal(changes),
        };
        let mode = self.hide_when_secret(path, text)?;
        self.act(&format!("write {path}"), undo, |tx| {
            // A link is followed: it is the file behind it that the engine reads.
            let path = tx.host.path(path);
            let target = path.canonicalize().unwrap_or(path);
            files::write(&target, text.as_bytes(), mode)
        })
    }

    /// Copies apt's own list files to where apt keeps them, under apt's own lock. Docker's are
    /// removed on the way back; the others are of the host's own sources, as `apt-get update`
    /// would have fetched them.
    pub fn publish_lists(&mut self, lists: &Lists) -> Result<()> {
        self.create_apts_own(apt::LISTS)?;
        let locked = apt::lock_lists(self.host, self.lock_wait, self.listener)?;
        let docker = lists.docker.iter().map(|list| (list, true));
        let others = lists.others.iter().map(|list| (list, false));
        for (list, of_docker) in docker.chain(others) {
            let name = list.file_name().unwrap_or_default();
            let path = Path::new(apt::LISTS).join(name);
            let bytes =
                std::fs::read(list).with_context(|| format!("reading {}", list.display()))?;
            let write = |tx: &mut Tx<'_>| files::write(&tx.host.path(&path), &bytes, Some(0o644));
            if of_docker && !self.host.exists(&path)? {
                let undo = Undo::RemoveList { path: path.clone() };
                self.act(&format!("write {}", path.display()), undo, write)?;
            } else {
                write(self)?; // apt's own cache, fetched anew: there is no way back to an old one
            }
        }
        drop(locked);
        Ok(())
    }

    /// Brings package files into apt's archive folder, under apt's own lock. Those that were not
    /// there before are removed on the way back, apt's own among them.
    pub fn fetch_archives(&mut self, http: &Http, archives: &Archives) -> Result<()> {
        self.create_apts_own(apt::ARCHIVES)?;
        let locked = apt::lock_archives(self.host, self.lock_wait, self.listener)?;
        let paths = archives.absent(self.host)?;
        let fetch =
            |tx: &mut Tx<'_>| apt::fetch(tx.host, http, archives, tx.listener, &tx.cancelled);
        if paths.is_empty() {
            fetch(self)?; // at most a bad file is exchanged: there is no way back to that
        } else {
            let text = format!("put package files into {}", apt::ARCHIVES);
            self.act(&text, Undo::RemoveArchives { paths }, fetch)?;
        }
        drop(locked);
        Ok(())
    }

    /// Removes what a run that was cut short has left of package files. A failed one leaves it on
    /// purpose, so that the next goes on with it.
    pub fn remove_partials(&mut self) -> Result<()> {
        apt::remove_partials(self.host)
    }

    /// Runs a command that changes the host.
    pub fn run(&mut self, text: &str, undo: Undo, command: &Command) -> Result<Output> {
        self.act(text, undo, |tx| {
            command.run(tx.host.search_path())?.success()
        })
    }

    /// Runs a command that changes users or groups, once nobody else does.
    pub fn run_for_accounts(&mut self, text: &str, undo: Undo, command: &Command) -> Result<()> {
        self.host.wait_for_accounts(self.lock_wait, self.listener)?;
        self.run(text, undo, command).map(drop)
    }

    /// Runs a command whose change needs no way back of its own, such as starting a unit that
    /// goes with its package.
    pub fn run_covered(&mut self, command: &Command) -> Result<Output> {
        self.check_cancelled()?;
        command.run(self.host.search_path())?.success()
    }

    /// Runs apt, waiting for its locks and telling of its progress.
    pub fn run_apt(&mut self, text: &str, undo: Undo, command: &Command) -> Result<()> {
        apt::wait_for_locks(self.host, self.lock_wait, self.listener)?;
        self.act(text, undo, |tx| {
            apt::run(tx.host, command, tx.lock_wait, tx.listener)
        })
    }

    /// Has dpkg finish what it was cut short at.
    pub fn finish_dpkg(&mut self, unfinished: &Unfinished, undo: Undo) -> Result<()> {
        apt::wait_for_locks(self.host, self.lock_wait, self.listener)?;
        self.act("finish what dpkg was cut short at", undo, |tx| {
            apt::finish(tx.host, unfinished)
        })
    }

    /// Writes down a way back for what others are going to do on our behalf, such as the data
    /// that the engine makes; unless a run that was cut short has written it down.
    pub fn note(&mut self, text: &str, undo: Undo) -> Result<()> {
        if self.journal.acts().iter().any(|act| act.undo == undo) {
            return Ok(());
        }
        self.act(text, undo, |_| Ok(()))
    }

    /// Remembers what a repository offers, so that an older offer is noticed later.
    pub fn remember(&mut self, seen: Seen) -> Result<()> {
        self.journal.remember(seen)
    }

    /// Takes back every act after number `after`, newest first, and returns how many were left as
    /// they are. When nothing is left in the journal, the journal goes as well.
    ///
    /// Where the journal cannot be written, on a full disk, the walk goes on: every way back can be
    /// walked twice.
    pub fn revert(mut self, after: u64, extent: Extent) -> Result<usize> {
        let revert = Revert {
            host: self.host,
            extent,
            lock_wait: self.lock_wait,
            listener: self.listener,
        };
        let mut kept = 0;
        let mut written = Ok(());
        let acts: Vec<Act> = self.journal.acts().to_vec();
        for act in acts.iter().rev().filter(|act| act.act > after) {
            let asked_for = self.asked_for(act)?;
            let outcome = revert
                .undo(&act.undo, &asked_for)
                .with_context(|| format!("taking back: {}", act.text))?;
            written = written.and(self.journal.reverted(act.act));
            let text = act.text.clone();
            self.tell(match outcome {
                Reverted::Done => Event::Reverted { text },
                Reverted::Kept(reason) => {
                    kept += 1;
                    Event::Kept { text, reason }
                }
            });
        }
        match acts.iter().any(|act| act.act <= after) {
            false => journal::remove(self.host)?,
            true => written.and_then(|()| self.end())?,
        }
        Ok(kept)
    }

    /// The packages of an act that somebody has asked apt for since. It is written down before apt
    /// begins to remove the others, for it then forgets who was asked for.
    fn asked_for(&mut self, act: &Act) -> Result<Vec<String>> {
        let (Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages }) = &act.undo
        else {
            return Ok(Vec::new());
        };
        if let Some(known) = self.journal.asked_for(act.act) {
            return Ok(known.to_vec());
        }
        let asked_for = apt::asked_for_since(self.host, packages)?;
        // Where it cannot be written, it is lost only when this run is cut short as well.
        let _ = self.journal.keep(act.act, asked_for.clone());
        Ok(asked_for)
    }

    /// Writes down that the run has come to its end.
    pub fn end(mut self) -> Result<()> {
        self.journal.ended()
    }

    fn act<T>(
        &mut self,
        text: &str,
        undo: Undo,
        change: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.check_cancelled()?;
        let act = self.journal.begin(self.step, text, undo)?;
        let value = change(self)?;
        self.journal.done(act)?;
        Ok(value)
    }

    /// Ends the run here when a signal asked for it.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Failure::Cancelled("cancelled".to_owned()).into());
        }
        Ok(())
    }

    /// The mode that a file with this text must have, if any. One that is there gets it now, with
    /// a way back.
    fn hide_when_secret(&mut self, path: &str, text: &str) -> Result<Option<u32>> {
        if !has_credentials(text) {
            return Ok(None);
        }
        let there = std::fs::metadata(self.host.path(path)).ok();
        let mode = there.map(|there| there.mode() & 0o7777);
        let Some(mode) = mode.filter(|mode| mode & 0o077 != 0) else {
            return Ok(Some(mode.unwrap_or(0o600)));
        };
        let undo = Undo::RestoreMode {
            path: path.into(),
            mode,
        };
        let hidden = mode & !0o077;
        self.act(&format!("keep {path} from other users"), undo, |tx| {
            let path = tx.host.path(path);
            std::fs::set_permissions(&path, Permissions::from_mode(hidden))
                .with_context(|| format!("setting the mode of {}", path.display()))
        })?;
        Ok(Some(hidden))
    }

    /// Makes a folder that apt makes itself wherever it is missing, as on images that were swept;
    /// so there is no way back.
    fn create_apts_own(&self, folder: &str) -> Result<()> {
        self.check_cancelled()?;
        let missing = missing(self.host, Path::new(folder))?;
        let mut missing = missing.iter();
        missing.try_for_each(|folder| files::create_folder(&self.host.path(folder), 0o755))
    }

    /// Makes the folders above a file.
    fn create_folders(&mut self, path: &str) -> Result<()> {
        let above = Path::new(path).parent().unwrap_or(Path::new("/"));
        for folder in missing(self.host, above)? {
            let text = format!("create the folder {}", folder.display());
            let undo = Undo::RemoveFolder {
                path: folder.clone(),
            };
            self.act(&text, undo, |tx| {
                files::create_folder(&tx.host.path(&folder), 0o755)
            })?;
        }
        Ok(())
    }

    fn back_up(&self, path: &str) -> Result<PathBuf> {
        let name = Path::new(path).file_name().unwrap_or_default();
        let number = self.journal.last() + 1;
        let backup = Path::new(FOLDER).join(format!("{number}-{}", name.to_string_lossy()));
        files::copy(&self.host.path(path), &self.host.path(&backup))?;
        Ok(backup)
    }

    fn mode(&self, path: &str) -> Result<Option<u32>> {
        let there = self.host.metadata(path)?;
        Ok(there.map(|there| there.mode() & 0o7777))
    }
}

/// Those of a folder and the folders above it that are not there, outermost first.
fn missing(host: &Host, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    for folder in folder.ancestors() {
        if host.exists(folder)? {
            break;
        }
        missing.push(folder.to_owned());
    }
    missing.reverse();
    Ok(missing)
}

#[cfg(test)]
mod tests;
