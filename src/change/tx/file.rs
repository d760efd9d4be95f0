//! Acts on single files.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Tx;
use crate::change::Act;
use crate::daemon_config::{self, Change, Document};
use crate::error::Failure;
use crate::host::{files, nofollow};
use crate::shell::quoted;
use crate::trust::Sha256;
use crate::undo::{FOLDER, Overwritten, Undo, hashes, remember_configuration, seal};

impl Tx<'_> {
    /// Makes `bytes` the content of the file at `path`, with this mode. Missing folders are made,
    /// a file that is there is kept for the way back, and one that is right already is left.
    ///
    /// # Errors
    /// [`Failure::Blocked`] for a link: what it leads to is looked after by somebody else.
    pub(crate) fn write_file(&mut self, path: &str, bytes: &[u8], mode: u32) -> Result<()> {
        if self
            .host
            .metadata(path)?
            .is_some_and(|there| there.is_symlink())
        {
            return Err(Failure::Blocked(format!(
                "{path} is a link to another file, which is not dockstrap's to change; remove \
                 the link and run this again: rm {}",
                quoted(path)
            ))
            .into());
        }
        let old = self.host.sha256(path)?;
        let new = Sha256::of(bytes);
        if old == Some(new) && self.mode(path)? == Some(mode) {
            return Ok(());
        }
        self.create_folders(path)?;
        let sha256 = new.to_string();
        let target = PathBuf::from(path);
        let undo = match old {
            None => Undo::RemoveFile {
                path: target,
                sha256,
            },
            Some(old) => Undo::RestoreFile {
                backup: self.back_up(path)?,
                path: target,
                sha256: Some(sha256),
                backup_sha256: Some(old.to_string()),
            },
        };
        self.act(&format!("write {path}"), undo, |tx| {
            files::write(&tx.host.path(path), bytes, Some(mode))
        })
    }

    /// Makes `bytes` the content of the file at `path`, which is there and keeps its mode.
    pub(crate) fn edit_file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let mode = self
            .mode(path)?
            .with_context(|| format!("{path} is no longer there"))?;
        self.write_file(path, bytes, mode)
    }

    /// Keeps a copy of the file at `path`, if there is one, for when a package that is purged takes
    /// it along.
    pub(crate) fn keep_for_return(&mut self, path: &str) -> Result<()> {
        let restores = |act: &Act| matches!(&act.undo, Undo::RestoreFile { path: of, .. } if of.as_path() == Path::new(path));
        if !self.host.exists(path)? || self.journal.acts().iter().any(restores) {
            return Ok(());
        }
        let undo = Undo::RestoreFile {
            backup: self.back_up(path)?,
            path: path.into(),
            sha256: None,
            backup_sha256: None, // it takes over what is edited until then
        };
        self.note(&format!("let a package take over {path}"), undo)
    }

    /// Removes the file at `path`; it is kept for the way back.
    pub(crate) fn move_aside(&mut self, path: &str) -> Result<()> {
        let Some(old) = self.host.sha256(path)? else {
            return Ok(());
        };
        let undo = Undo::RestoreFile {
            backup: self.back_up(path)?,
            path: path.into(),
            sha256: None,
            backup_sha256: Some(old.to_string()),
        };
        self.act(&format!("move {path} aside"), undo, |tx| {
            files::remove(&tx.host.path(path))
        })
    }

    /// Writes daemon.json anew; `changes` are the keys that differ. A file that gets a password is
    /// kept from other users.
    pub(crate) fn write_daemon_json(
        &mut self,
        bytes: impl AsRef<[u8]>,
        changes: &[Change],
    ) -> Result<()> {
        let bytes = bytes.as_ref();
        let path = daemon_config::PATH;
        self.create_folders(path)?;
        let before = self.host.read(path)?;
        let document = before
            .as_ref()
            .and_then(|it| Document::parse(it).ok())
            .unwrap_or_default();
        let is_empty = before.is_some() && document.is_empty();
        let changes = seal(changes);
        let undo = Undo::RestoreDaemonJson {
            created: before.is_none(),
            empty: is_empty.then(|| document.text().to_owned()),
            written: written(&document, &changes),
            changes,
        };
        let mode = match Document::parse(bytes) {
            Ok(after) if after.adds_password_to(&document) => self.hide(path, &document)?,
            _ => None,
        };
        let before = match self.overwritten.take() {
            Some(earlier) => earlier.before,
            None => self.host.read(path)?,
        };
        self.overwritten = Some(Overwritten {
            before,
            after: bytes.to_vec(),
        });
        self.act(&format!("write {path}"), undo, |tx| {
            // A link is followed: it is the file behind it that the engine reads.
            let target = files::behind_links(tx.host.path(path));
            files::write(&target, bytes, mode)
        })
    }

    /// Keeps a copy of the file, which the engine runs with. One with a password is not copied.
    pub(crate) fn remember_configuration(&self) -> Result<()> {
        remember_configuration(&self.authority)
    }

    /// The mode that keeps a file from other users. One that is there, and says this, gets it now,
    /// with a way back.
    fn hide(&mut self, path: &str, document: &Document) -> Result<Option<u32>> {
        let Ok(there) = std::fs::metadata(self.host.path(path)) else {
            return Ok(Some(0o600));
        };
        let mode = there.mode() & 0o7777;
        let hidden = mode & !0o077;
        if hidden != mode {
            let text = format!("keep {path} from other users");
            let undo = Undo::RestoreMode {
                path: path.into(),
                mode,
                given: Some(hidden),
                owner: Some((there.uid(), there.gid())),
                open: hashes(&document.passwords()),
            };
            self.change_mode(&text, Path::new(path), hidden, undo)?;
        }
        Ok(Some(hidden))
    }

    /// Gives a file or folder another mode; of a link, to what it leads to.
    pub(crate) fn set_mode(&mut self, path: &Path, mode: u32) -> Result<()> {
        let there = std::fs::metadata(self.host.path(path))
            .with_context(|| format!("looking at {}", path.display()))?;
        let text = format!("give {} the mode {mode:04o}", path.display());
        let undo = Undo::RestoreMode {
            path: path.into(),
            mode: there.mode() & 0o7777,
            given: Some(mode),
            owner: Some((there.uid(), there.gid())),
            open: Vec::new(),
        };
        self.change_mode(&text, path, mode, undo)
    }

    fn change_mode(&mut self, text: &str, path: &Path, mode: u32, undo: Undo) -> Result<()> {
        self.act(text, undo, |tx| {
            let path = tx.host.path(path);
            nofollow::set_mode(&path, mode)
                .with_context(|| format!("setting the mode of {}", path.display()))
        })
    }

    /// Makes the folders above a file.
    fn create_folders(&mut self, path: &str) -> Result<()> {
        let above = Path::new(path).parent().unwrap_or(Path::new("/"));
        for folder in files::missing(self.host, above)? {
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

/// How the values are written that the changes replace. One that is sealed is not that of the file.
fn written(document: &Document, sealed: &[Change]) -> BTreeMap<String, String> {
    let replaced = sealed.iter().filter(|change| {
        let before = change.before.as_ref();
        before.is_some() && before == document.get(&change.key)
    });
    let written = replaced.filter_map(|change| {
        let written = document.written(&change.key)?;
        Some((change.key.clone(), written.to_owned()))
    });
    written.collect()
}
