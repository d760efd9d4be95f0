//! Containers as the processes that they are: with live-restore, they run on when their engine is
//! stopped or dies.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

use super::Host;
use super::engine::is_of_remap;
use crate::reading;

/// What containerd starts for each container, and what the engine calls its own there; with
/// userns-remap, the first identifiers follow.
///
/// Source: <https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md>; moby,
/// `RemapContainerdNamespaces` in `daemon/daemon_unix.go`.
const SHIM: &str = "containerd-shim";
const NAMESPACE: &str = "moby";

/// Where only root can put programs.
const PROGRAM_FOLDERS: &[&str] = &["/usr", "/bin", "/sbin", "/opt"];

/// The digits of a container's identifier.
const ID_LENGTH: usize = 64;

/// What the kernel puts behind the path of a program that was removed or replaced meanwhile.
const DELETED: &[u8] = b" (deleted)";

/// A container that runs, whether or not its engine does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunningContainer {
    /// What the user calls it, or the beginning of its identifier.
    pub name: String,
    /// The folder in which its engine keeps its data.
    pub root: PathBuf,
    /// What was started in it, and the shim that has started that.
    pub processes: Vec<i32>,
}

/// The identifier of a container: 64 hexadecimal digits, and so nothing but a name in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ContainerId(String);

impl ContainerId {
    fn parse(text: &str) -> Option<ContainerId> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_id = text.len() == ID_LENGTH && text.bytes().all(is_digit);
        is_id.then(|| ContainerId(text.to_owned()))
    }

    fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl Host {
    /// The containers that run of engines that keep their data in one of these folders. Those of
    /// others, as of an engine in a container or of a user's own, look alike.
    pub(crate) fn contained_of(&self, roots: &[PathBuf]) -> Result<Vec<RunningContainer>> {
        let pids = self.pids()?;
        let mut found = Vec::new();
        for shim in &pids {
            let Some(id) = self.container_of(*shim) else {
                continue;
            };
            for root in roots {
                if let Some(name) = self.container_name(root, &id)? {
                    found.push((*shim, name, root));
                    break;
                }
            }
        }
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let parents: Vec<Option<i32>> = pids.iter().map(|pid| self.parent_of(*pid)).collect();
        let contained = found.into_iter().map(|(shim, name, root)| {
            let of_all = pids.iter().zip(&parents);
            let children = of_all.filter(|(_, parent)| **parent == Some(shim));
            let mut processes: Vec<i32> = children.map(|(pid, _)| *pid).collect();
            processes.push(shim);
            RunningContainer {
                name,
                root: root.clone(),
                processes,
            }
        });
        Ok(contained.collect())
    }

    /// The container that this process looks after, if it is a shim that this host's root started.
    /// What a process says of itself, by its command line, anybody can make up.
    fn container_of(&self, pid: i32) -> Option<ContainerId> {
        if !self.is_of_root(pid)? || !self.is_shim(pid)? {
            return None;
        }
        container_in(&self.read_text(format!("/proc/{pid}/cmdline")).ok()??)
    }

    /// Whether all user identifiers of a process are root's, and root is this host's own.
    fn is_of_root(&self, pid: i32) -> Option<bool> {
        let status = self.read_text(format!("/proc/{pid}/status")).ok()??;
        let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let is_root = ids.split_whitespace().all(|id| id == "0");
        Some(is_root && self.is_beside_us(pid, "user")? && self.is_beside_us(pid, "pid")?)
    }

    /// Whether the program of a process is a shim among this host's programs. A container has
    /// other files under the same names.
    fn is_shim(&self, pid: i32) -> Option<bool> {
        let link = self.path(format!("/proc/{pid}/exe"));
        let program = fs::read_link(&link).ok()?;
        let (program, is_deleted) = match program.as_os_str().as_bytes().strip_suffix(DELETED) {
            Some(path) => (PathBuf::from(std::ffi::OsStr::from_bytes(path)), true),
            None => (program, false),
        };
        let shown = Path::new("/").join(program.strip_prefix(&self.root).ok()?);
        let is_named_so = shown
            .file_name()
            .is_some_and(|name| name.as_bytes().starts_with(SHIM.as_bytes()));
        if !is_named_so || !PROGRAM_FOLDERS.iter().any(|it| shown.starts_with(it)) {
            return Some(false);
        }
        if is_deleted {
            return self.is_beside_us(pid, "mnt"); // an upgrade has replaced it
        }
        let (running, there) = (fs::metadata(link).ok()?, fs::metadata(program).ok()?);
        Some((running.dev(), running.ino()) == (there.dev(), there.ino()))
    }

    /// Whether a process is in the same namespace of this kind as we are.
    fn is_beside_us(&self, pid: i32, kind: &str) -> Option<bool> {
        let of = |pid: &str| fs::read_link(self.path(format!("/proc/{pid}/ns/{kind}"))).ok();
        Some(of(&pid.to_string())? == of("self")?)
    }

    /// The name of a container, if an engine has it there.
    fn container_name(&self, root: &Path, id: &ContainerId) -> Result<Option<String>> {
        let remapped = self.list(root)?.into_iter().filter(|it| is_of_remap(it));
        let mut folders = vec![root.to_owned()];
        folders.extend(remapped.map(|name| root.join(name)));
        for folder in folders {
            let folder = folder.join("containers").join(&id.0);
            if !self.metadata(&folder)?.is_some_and(|there| there.is_dir()) {
                continue;
            }
            let file = self.path(folder.join("config.v2.json"));
            let kept = reading::read_unlinked(&file, reading::CONFIGURATION).ok();
            let kept: Option<Value> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
            let name = kept.as_ref().and_then(|kept| kept["Name"].as_str());
            let name = name.map(|name| name.trim_start_matches('/'));
            let name = name.filter(|name| is_name(name)).unwrap_or(id.short());
            return Ok(Some(name.to_owned()));
        }
        Ok(None)
    }
}

/// The container of an engine's that a shim with this command line looks after.
fn container_in(line: &str) -> Option<ContainerId> {
    let words: Vec<&str> = line.split('\0').collect();
    let after = |word: &str| Some(words.windows(2).find(|pair| pair[0] == word)?[1]);
    let behind = after("-namespace")?.strip_prefix(NAMESPACE)?;
    let is_of_engine = behind.is_empty() || behind.strip_prefix('-').is_some_and(is_of_remap);
    ContainerId::parse(after("-id")?).filter(|_| is_of_engine)
}

/// Whether the engine gives such names to containers.
///
/// Source: moby, `RestrictedNameChars` in `daemon/names/names.go`.
fn is_name(text: &str) -> bool {
    let is_of_name = |it: char| it.is_ascii_alphanumeric() || "_.-".contains(it);
    !text.is_empty() && text.chars().all(is_of_name)
}

#[cfg(test)]
mod tests;
