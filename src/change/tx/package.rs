//! Acts on what apt and dpkg look after.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Tx;
use crate::apt::{self, Archives, Lists};
use crate::facts::UnfinishedPackages;
use crate::host::Host;
use crate::host::command::Command;
use crate::host::files;
use crate::host::http::Http;
use crate::undo::Undo;

impl Tx<'_> {
    /// Copies apt's own list files to where apt keeps them, under apt's own lock. Docker's are
    /// removed on the way back; the others are of the host's own sources, as `apt-get update`
    /// would have fetched them.
    pub(crate) fn publish_lists(&mut self, lists: &Lists) -> Result<()> {
        self.create_apts_own(apt::LISTS)?;
        let locked = apt::lock_lists(self.host, self.lock_wait, self.listener)?;
        let path_of =
            |list: &Path| Path::new(apt::LISTS).join(list.file_name().unwrap_or_default());
        let put = |tx: &Tx<'_>, path: &Path, bytes: &[u8]| {
            // apt's own cache, fetched anew: there is no way back to an old one.
            files::write(&tx.host.path(path), bytes, Some(0o644))
        };
        for (list, verified) in &lists.docker {
            let path = path_of(list);
            if self.host.exists(&path)? {
                put(self, &path, verified)?;
                continue;
            }
            let text = format!("write {}", path.display());
            let undo = Undo::RemoveList { path: path.clone() };
            self.act(&text, undo, |tx| put(tx, &path, verified))?;
        }
        for list in &lists.others {
            let bytes =
                std::fs::read(list).with_context(|| format!("reading {}", list.display()))?;
            put(self, &path_of(list), &bytes)?;
        }
        drop(locked);
        Ok(())
    }

    /// Brings package files into apt's archive folder, under apt's own lock. Those that were not
    /// there before are removed on the way back, apt's own among them.
    pub(crate) fn fetch_archives(&mut self, http: &Http, archives: &Archives) -> Result<()> {
        self.create_apts_own(apt::ARCHIVES)?;
        let locked = apt::lock_archives(self.host, self.lock_wait, self.listener)?;
        let paths = archives.absent(self.host)?;
        let fetch =
            |tx: &mut Tx<'_>| apt::fetch(&tx.authority, http, archives, tx.listener, &tx.cancelled);
        let files = archives.known();
        if paths.is_empty() && self.journal.knows_archives(&files) {
            fetch(self)?; // at most a bad file is exchanged: there is no way back to that
        } else {
            let verb = if paths.is_empty() { "check" } else { "put" };
            let place = if paths.is_empty() { "in" } else { "into" };
            let text = format!("{verb} package files {place} {}", apt::ARCHIVES);
            self.act(&text, Undo::RemoveArchives { paths, files }, fetch)?;
        }
        drop(locked);
        Ok(())
    }

    /// Removes what a run that was cut short has left of package files. A failed one leaves it on
    /// purpose, so that the next goes on with it.
    pub(crate) fn remove_partials(&mut self) -> Result<()> {
        apt::remove_partials(&self.authority)
    }

    /// Waits until nobody else is at work with apt or dpkg.
    pub(crate) fn wait_for_apt(&self) -> Result<()> {
        apt::wait_for_locks(self.host, self.lock_wait, self.listener)
    }

    /// Has apt download package files; those that were not there before are in the journal since
    /// [`Tx::fetch_archives`].
    pub(crate) fn download(&self, command: &Command) -> Result<()> {
        self.check_cancelled()?;
        apt::run(&self.authority, command, self.lock_wait, self.listener)
            .context("downloading the packages")
    }

    /// Runs apt and tells of its progress. When somebody else has a lock, that is waited for; then
    /// the packages may be others, so that `compare` must find that apt still is to run.
    pub(crate) fn run_apt(
        &mut self,
        text: &str,
        undo: Undo,
        command: &Command,
        compare: impl Fn(&Host) -> Result<()>,
    ) -> Result<()> {
        let install = |tx: &mut Tx<'_>| {
            loop {
                match apt::run(&tx.authority, command, Duration::ZERO, tx.listener) {
                    Err(error) if apt::is_locked_out(&error) => {
                        tx.wait_for_apt()?;
                        tx.check_cancelled()?;
                        compare(tx.host)?;
                    }
                    outcome => return outcome,
                }
            }
        };
        self.configuring(|tx| tx.act(text, undo, install))
    }

    /// Has dpkg finish what it was cut short at.
    pub(crate) fn finish_dpkg(
        &mut self,
        unfinished: &UnfinishedPackages,
        undo: Undo,
    ) -> Result<()> {
        self.wait_for_apt()?;
        let finish = |tx: &mut Tx<'_>| apt::finish(&tx.authority, unfinished);
        let text = "finish what dpkg was cut short at";
        self.configuring(|tx| tx.act(text, undo, finish))
    }

    /// Makes a folder that apt makes itself wherever it is missing, as on images that were swept;
    /// so there is no way back.
    fn create_apts_own(&self, folder: &str) -> Result<()> {
        self.check_cancelled()?;
        let missing = files::missing(self.host, Path::new(folder))?;
        let mut missing = missing.iter();
        missing.try_for_each(|folder| files::create_folder(&self.host.path(folder), 0o755))
    }
}
