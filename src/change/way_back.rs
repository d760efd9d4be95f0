//! Walking the ways back. Each can be walked twice: what is undone already stays so.
//!
//! What was edited since is left as it is and reported; nothing here guesses.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::seal::unseal;
use super::{Undo, files, traces};
use crate::apt::{self, Leave};
use crate::daemon_json::{self, Change, Document};
use crate::facts::unfinished_packages;
use crate::host::Host;
use crate::host::command::{Command, Output};
use crate::host::engine::{UNIT, docker, systemctl};
use crate::host::firewall::Network;
use crate::redact::has_credentials;
use crate::report::Listener;
use crate::trust::sha256_hex;

/// What became of an undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reverted {
    Done,
    /// Left as it is, for this reason.
    Kept(String),
}

/// How far the way back goes, beyond what was done itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Remove images, containers and volumes.
    pub purge_data: bool,
    /// Install again what was removed to make room.
    pub restore_packages: bool,
}

/// Everything an undo may need beside the host.
pub(super) struct Revert<'a> {
    pub host: &'a Host,
    pub extent: Extent,
    pub lock_wait: std::time::Duration,
    pub listener: Listener<'a>,
}

impl Revert<'_> {
    /// Walks one way back. Of packages, those that somebody has `asked_for` stay.
    pub fn undo(&self, undo: &Undo, asked_for: &[String]) -> Result<Reverted> {
        match undo {
            Undo::RemoveFile { path, sha256 } => self.remove_file(path, sha256),
            Undo::RestoreFile {
                path,
                sha256,
                backup,
            } => self.restore_file(path, sha256.as_deref(), backup),
            Undo::RemoveList { path } => {
                files::remove(&self.host.path(path)).map(|()| Reverted::Done)
            }
            Undo::RemoveArchives { paths } => {
                let mut paths = paths.iter();
                paths.try_for_each(|path| files::remove(&self.host.path(path)))?;
                Ok(Reverted::Done)
            }
            Undo::RemoveFolder { path } => self.remove_folder(path),
            Undo::RestoreMode { path, mode } => self.restore_mode(path, *mode),
            Undo::RestoreDaemonJson { created, changes } => {
                self.restore_daemon_json(*created, changes)
            }
            Undo::RestartEngine { containers } => self.restart_engine(containers),
            Undo::PurgePackages { packages, network } => {
                self.purge(packages, asked_for, Leave::Nothing, network.as_ref())
            }
            Undo::RemovePackages { packages } => {
                self.purge(packages, asked_for, Leave::Configuration, None)
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
            Undo::RemoveData { paths } => self.remove_data(paths),
            Undo::RemoveGroup { group } => self.remove_group(group),
            Undo::RemoveMember { group, user } => self.remove_member(group, user),
            Undo::RestoreUnit {
                unit,
                enabled,
                active,
            } => self.restore_unit(unit, *enabled, *active),
        }
    }

    fn remove_file(&self, path: &Path, sha256: &str) -> Result<Reverted> {
        match self.host.read(path)? {
            Some(bytes) if sha256_hex(&bytes) != sha256 => Ok(edited_since()),
            _ => files::remove(&self.host.path(path)).map(|()| Reverted::Done),
        }
    }

    fn restore_file(&self, path: &Path, ours: Option<&str>, backup: &Path) -> Result<Reverted> {
        let Some(old) = self.host.read(backup)? else {
            return Ok(Reverted::Done); // put back already, or never moved away
        };
        if let Some(bytes) = self.host.read(path)?
            && bytes != old
            && ours != Some(sha256_hex(&bytes).as_str())
        {
            let beside = format!("{}.before-dockstrap", path.display());
            files::copy(&self.host.path(backup), &self.host.path(&beside))?;
            let since = match ours {
                Some(_) => "it was edited since",
                None => "another file stands there by now",
            };
            let reason = format!("{since}; what was there before is in {beside}");
            return Ok(Reverted::Kept(reason));
        }
        let target = self.host.path(path);
        if let Some(folder) = target.parent() {
            // A package that was purged may have taken it along.
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        files::copy(&self.host.path(backup), &target)?;
        Ok(Reverted::Done)
    }

    fn remove_folder(&self, path: &Path) -> Result<Reverted> {
        use std::io::ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound};
        if files::is_gone(&self.host.path(path)) {
            return Ok(Reverted::Done);
        }
        match fs::remove_dir(self.host.path(path)) {
            Err(error) if error.kind() == DirectoryNotEmpty => {
                Ok(Reverted::Kept("other files are in it".to_owned()))
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

    fn restore_mode(&self, path: &Path, mode: u32) -> Result<Reverted> {
        let text = self.host.read_text(path)?.unwrap_or_default();
        if mode & 0o077 != 0 && has_credentials(&text) {
            return Ok(Reverted::Kept(
                "it holds a password, which other users could then read".to_owned(),
            ));
        }
        use std::os::unix::fs::PermissionsExt;
        match fs::set_permissions(self.host.path(path), fs::Permissions::from_mode(mode)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("setting the mode of {}", path.display()))
            }
            _ => Ok(Reverted::Done),
        }
    }

    fn restore_daemon_json(&self, created: bool, changes: &[Change]) -> Result<Reverted> {
        let Some(current) = self.host.read(daemon_json::PATH)? else {
            return Ok(Reverted::Done);
        };
        let path = self.host.path(daemon_json::PATH);
        let document = match Document::parse(&current) {
            Ok(document) => document,
            Err(refusal) => return Ok(Reverted::Kept(format!("it cannot be read: {refusal}"))),
        };
        let daemon_json::Reverted { document, kept } = {
            let changes = unseal(changes, &document);
            daemon_json::revert(document, &changes)
        };
        if created && document.is_empty() {
            files::remove(&path)?;
        } else if document.text().as_bytes() != current {
            let target = path.canonicalize().unwrap_or(path);
            files::write(&target, document.text().as_bytes(), None)?;
        }
        match kept.as_slice() {
            [] => Ok(Reverted::Done),
            kept => Ok(Reverted::Kept(format!("edited since: {}", kept.join(", ")))),
        }
    }

    /// A running engine takes up its configuration again; one that failed with ours, and may be
    /// about to try again, gets another chance. Containers are not stopped for it.
    fn restart_engine(&self, containers: &[String]) -> Result<Reverted> {
        let show = systemctl(&["show", UNIT, "--property=ActiveState", "--value"]);
        let state = self.output(&show)?.success()?.stdout;
        let make = |verb: &str| self.output(&systemctl(&[verb, UNIT]))?.success();
        match state.trim() {
            "active" => {
                if !self.host.running_containers()?.is_empty() && !self.keeps_containers()? {
                    make("reload")?;
                    return Ok(Reverted::Kept(
                        "a restart may stop the running containers; when it suits: \
                         systemctl restart docker"
                            .to_owned(),
                    ));
                }
                // systemd refuses a unit that was started often of late, by us or by its failing.
                make("reset-failed")?;
                make("restart")?;
            }
            "inactive" => {}
            _ => {
                make("reset-failed")?;
                make("restart")?;
                return self.start_again(containers);
            }
        }
        Ok(Reverted::Done)
    }

    /// Whether containers outlive a restart: the engine that stops must keep them, and the one
    /// that starts as well.
    fn keeps_containers(&self) -> Result<bool> {
        let bytes = self.host.read(daemon_json::PATH)?.unwrap_or_default();
        let file = Document::parse(&bytes).ok();
        let starts = file.is_some_and(|file| file.get("live-restore") == Some(&true.into()));
        let stops = self.host.engine_info()?;
        Ok(starts && stops.is_some_and(|engine| engine.live_restore_enabled))
    }

    /// Starts those of the containers that an engine without live-restore stopped.
    fn start_again(&self, containers: &[String]) -> Result<Reverted> {
        let running = self.host.running_containers()?;
        let stopped: Vec<&String> = containers
            .iter()
            .filter(|id| !running.contains(id))
            .collect();
        if stopped.is_empty() {
            return Ok(Reverted::Done);
        }
        let started = self.output(&docker().arg("start").args(stopped))?;
        Ok(match started.code {
            0 => Reverted::Done,
            _ => Reverted::Kept(format!(
                "not every container is up again: {}",
                started.tail()
            )),
        })
    }

    fn purge(
        &self,
        packages: &[String],
        asked_for: &[String],
        leave: Leave,
        network: Option<&Network>,
    ) -> Result<Reverted> {
        let unfinished = unfinished_packages(self.host)?;
        if !unfinished.is_empty() {
            apt::wait_for_locks(self.host, self.lock_wait, self.listener)?;
            apt::clear_for_purge(self.host, &unfinished, packages)?;
        }
        let Some(purge) = apt::Purge::plan(self.host, packages, asked_for)? else {
            // Killed after they went, an earlier run may not have come to the network.
            let kept = self.restore_network(network)?;
            return Ok(kept.map_or(Reverted::Done, Reverted::Kept));
        };
        let mut reasons = Vec::new();
        if let Some(command) = purge.command(leave) {
            apt::wait_for_locks(self.host, self.lock_wait, self.listener)?;
            // Before they go: iptables may be one of them.
            let engine_goes = network.filter(|_| purge.takes("docker-ce"));
            reasons.extend(self.restore_network(engine_goes)?);
            apt::run(self.host, &command, self.lock_wait, self.listener)?;
            if engine_goes.is_some() {
                traces::clear_runtime(self.host);
            }
        }
        for (packages, reason) in [
            (purge.needed_by_others, "other packages need"),
            (purge.asked_for, "somebody has asked apt for"),
        ] {
            if !packages.is_empty() {
                reasons.push(format!("{reason} {}", packages.join(", ")));
            }
        }
        Ok(match reasons.as_slice() {
            [] => Reverted::Done,
            reasons => Reverted::Kept(reasons.join("; ")),
        })
    }

    /// Installs again what made room for the engine, when that is asked for.
    fn offer(&self, asked_for: &[String], automatic: &[String]) -> Result<Reverted> {
        if !self.extent.restore_packages {
            return Ok(Reverted::Kept(format!(
                "they made room for Docker's; to have them back: apt-get install {}",
                asked_for.join(" ")
            )));
        }
        let install = apt::apt_get().arg("install");
        let install = install.args(asked_for).args(automatic);
        apt::wait_for_locks(self.host, self.lock_wait, self.listener)?;
        apt::run(self.host, &install, self.lock_wait, self.listener)
            .context("to have them back later: apt-get install, with their names")?;
        if !automatic.is_empty() {
            let mark = Command::new("apt-mark").arg("auto").args(automatic);
            self.output(&mark)?.success()?;
        }
        Ok(Reverted::Done)
    }

    fn restore_network(&self, before: Option<&Network>) -> Result<Option<String>> {
        let Some(before) = before else {
            return Ok(None);
        };
        traces::stop_engine(self.host);
        traces::restore_network(self.host, before)
    }

    fn remove_data(&self, paths: &[PathBuf]) -> Result<Reverted> {
        let mut kept = Vec::new();
        for path in paths {
            if self.host.list(path)?.is_empty() {
                continue;
            }
            if self.extent.purge_data {
                empty_folder(&self.host.path(path))?;
            } else {
                kept.push(path.display().to_string());
            }
        }
        match kept.as_slice() {
            [] => Ok(Reverted::Done),
            kept => Ok(Reverted::Kept(format!(
                "images, containers and volumes are yours; to remove them: rm -r {}",
                kept.join(" ")
            ))),
        }
    }

    fn remove_group(&self, group: &str) -> Result<Reverted> {
        match self
            .host
            .group_members(group)?
            .unwrap_or_default()
            .as_slice()
        {
            [] => {}
            members => {
                let members = members.join(", ");
                return Ok(Reverted::Kept(format!(
                    "others are members by now: {members}"
                )));
            }
        }
        self.host.wait_for_accounts(self.lock_wait, self.listener)?;
        let output = self.output(&Command::new("groupdel").arg(group))?;
        match output.code {
            6 => Ok(Reverted::Done), // there is no such group
            8 => Ok(Reverted::Kept(format!(
                "{group} is the primary group of a user"
            ))),
            _ => output.success().map(|_| Reverted::Done),
        }
    }

    fn remove_member(&self, group: &str, user: &str) -> Result<Reverted> {
        let delete = Command::new("gpasswd").args(["--delete", user, group]);
        self.host.wait_for_accounts(self.lock_wait, self.listener)?;
        let output = self.output(&delete)?;
        match output.code {
            3 => Ok(Reverted::Done), // the user is no member, or there is no such group
            _ => output.success().map(|_| Reverted::Done),
        }
    }

    fn restore_unit(&self, unit: &str, enabled: bool, active: bool) -> Result<Reverted> {
        if self.output(&systemctl(&["cat", unit]))?.code != 0 {
            return Ok(Reverted::Done); // it went with its package
        }
        if !enabled {
            let disable = systemctl(&["disable", unit]);
            disable.run(self.host.search_path())?.success()?;
        }
        if !active {
            let stop = systemctl(&["stop", unit]);
            stop.run(self.host.search_path())?.success()?;
        }
        Ok(Reverted::Done)
    }

    fn output(&self, command: &Command) -> Result<Output> {
        command.run(self.host.search_path())
    }
}

fn edited_since() -> Reverted {
    Reverted::Kept("it was edited since".to_owned())
}

/// Removes all that is in a folder, and leaves the folder.
fn empty_folder(path: &Path) -> Result<()> {
    let removing = || format!("removing what is in {}", path.display());
    for entry in fs::read_dir(path).with_context(removing)? {
        let entry = entry.with_context(removing)?;
        let removed = match entry.file_type().with_context(removing)?.is_dir() {
            true => fs::remove_dir_all(entry.path()),
            false => fs::remove_file(entry.path()),
        };
        removed.with_context(removing)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
