//! The way back for what an engine keeps: images, containers and volumes.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Revert, Reverted};
use crate::docker::{CONTAINERD_ROOT, SOCKET};
use crate::facts::{HostPackage, known_packages};
use crate::host::Host;
use crate::host::engine::{DATA_ROOT, is_of_remap};
use crate::host::nofollow;
use crate::shell::{joined, quoted};

/// What an engine makes in its data-root. One that was chosen by the user is a folder like any
/// other, so that only what has one of these names is taken for the engine's there.
///
/// Source: dockerd 20.10 to 29, `daemon/` in <https://github.com/moby/moby>.
const OF_THE_ENGINE: &[&str] = &[
    "btrfs",
    "buildkit",
    "containerd",
    "containers",
    "engine-id",
    "fuse-overlayfs",
    "image",
    "network",
    "overlay2",
    "plugins",
    "rootfs",
    "runtimes",
    "swarm",
    "tmp",
    "trust",
    "vfs",
    "volumes",
    "zfs",
];

/// How the names of what containerd makes in its root begin.
const OF_CONTAINERD: &[&str] = &["io.containerd.", "tmpmounts"];

/// Packages that each bring an engine.
const ENGINES: [&str; 2] = ["docker-ce", "docker.io"];

/// What a file system makes for itself.
const LOST_AND_FOUND: &str = "lost+found";

/// What of these folders, in which was nothing before, is an engine's data by now: the folder as a
/// whole where nobody else keeps anything, or the folders and files in it.
pub(crate) fn data_of(host: &Host, folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut data = Vec::new();
    for folder in folders {
        let mut names = host
            .list(folder)?
            .into_iter()
            .filter(|name| name != LOST_AND_FOUND)
            .peekable();
        if is_dockers_alone(host, folder)? {
            data.extend(names.peek().map(|_| folder.clone()));
        } else {
            let made = names.filter(|name| is_made_by_the_engine(name));
            data.extend(made.map(|name| folder.join(name)));
        }
    }
    Ok(data)
}

/// What is going to be different once it is the data's turn.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    /// The engine's packages that go.
    pub leaving: Vec<String>,
    /// Whether the engine that runs stops, or starts again with other settings.
    pub engine_stops: bool,
    /// Whether its containers stop with it.
    pub containers_stop: bool,
    /// Where an engine keeps its data then; `None` is where it does now.
    pub data_root: Option<PathBuf>,
}

/// What becomes of an engine's data when that is to go, told before anything is taken back.
#[derive(Debug, Default)]
pub(crate) struct Foreseen {
    pub goes: Vec<PathBuf>,
    /// What does not, each with its reason, for people.
    pub stays: Vec<String>,
    /// What goes unless something still is mounted in it, and where that is now.
    pub mounted: Vec<(PathBuf, Vec<PathBuf>)>,
}

impl Foreseen {
    /// `roots` are all folders in which the engine may have kept data; only `folders` of them go.
    pub(crate) fn of(
        host: &Host,
        folders: &[PathBuf],
        roots: &[PathBuf],
        ahead: &Ahead,
    ) -> Result<Foreseen> {
        let mut foreseen = Foreseen::default();
        for folder in folders {
            let data = data_of(host, std::slice::from_ref(folder))?;
            if data.is_empty() {
                continue;
            }
            if let Some(user) = used_by(host, folder, roots, ahead)? {
                foreseen.stays.push(of_user(&user, folder));
                continue;
            }
            if let Some(fault) = host.folder_of_others(folder)? {
                foreseen.stays.push(of_strangers(folder, &fault));
                continue;
            }
            for path in &data {
                let mut mounted = mounted_over(host, path, folder)?;
                if ahead.containers_stop {
                    mounted = host.without_containers(mounted)?;
                }
                if !mounted.is_empty() {
                    foreseen.mounted.push((path.clone(), mounted));
                }
            }
            foreseen.goes.extend(data);
        }
        Ok(foreseen)
    }
}

/// Whether there is an engine, of a package or by hand.
pub(crate) fn has_engine(host: &Host) -> Result<bool> {
    let known = known_packages(host)?;
    Ok(ENGINES.into_iter().any(|it| is_installed(&known, it)) || host.has_unit_by_hand()?)
}

fn is_installed(known: &BTreeMap<String, HostPackage>, package: &str) -> bool {
    known.get(package).is_some_and(HostPackage::is_installed)
}

/// Whether nothing is in a folder, or only what its file system made.
pub(crate) fn is_unused(host: &Host, folder: &Path) -> Result<bool> {
    let names = host.list(folder)?;
    Ok(names.iter().all(|name| name == LOST_AND_FOUND))
}

impl Revert<'_> {
    pub(super) fn remove_data(&self, paths: &[PathBuf], used: &[PathBuf]) -> Result<Reverted> {
        let mut reasons = Vec::new();
        let roots = [paths, used, &[self.host.data_root()?]].concat();
        if self.extent.purge_data {
            for folder in paths {
                reasons.extend(self.empty(folder, &roots)?);
            }
        } else {
            reasons.extend(self.offer_to_remove(paths, &roots)?);
        }
        // What a run that fails has found stays without a word.
        if self.extent.purge_data && !self.is_rollback {
            for folder in used {
                if !is_unused(self.host, folder)? {
                    let folder = folder.display();
                    reasons.push(format!(
                        "something was in {folder} before the engine came, so all of it stays"
                    ));
                }
            }
        }
        Ok(match reasons.as_slice() {
            [] => Reverted::Done,
            reasons => Reverted::Kept(reasons.join("; ")),
        })
    }

    /// Says how to remove what the engine has kept, where nothing uses it any more.
    fn offer_to_remove(&self, paths: &[PathBuf], roots: &[PathBuf]) -> Result<Option<String>> {
        let mut left = Vec::new();
        for folder in paths {
            let data = data_of(self.host, std::slice::from_ref(folder))?;
            if !data.is_empty() && used_by(self.host, folder, roots, &Ahead::default())?.is_none() {
                left.extend(data);
            }
        }
        Ok((!left.is_empty()).then(|| {
            let left = joined(&left);
            format!("images, containers and volumes are yours; to remove them: rm -r {left}")
        }))
    }

    /// Removes what the engine keeps in a folder; returns what stays, for people.
    fn empty(&self, folder: &Path, roots: &[PathBuf]) -> Result<Vec<String>> {
        let host = self.host;
        if is_unused(host, folder)? {
            return Ok(Vec::new());
        }
        if let Some(user) = used_by(host, folder, roots, &Ahead::default())? {
            return Ok(vec![of_user(&user, folder)]);
        }
        if let Some(fault) = host.folder_of_others(folder)? {
            return Ok(vec![of_strangers(folder, &fault)]);
        }
        let mut reasons = Vec::new();
        for path in data_of(host, &[folder.to_owned()])? {
            match mounted_over(host, &path, folder)?.as_slice() {
                [] => remove(host, folder, &path)?,
                mounted => reasons.push(of_others(&path, mounted)),
            }
        }
        if reasons.is_empty() && !is_unused(host, folder)? {
            let shown = folder.display();
            reasons.push(format!("what is left in {shown} is not of the engine"));
        }
        Ok(reasons)
    }
}

/// What goes on using a folder: an engine that came by other packages since, or one that others need,
/// or that runs with it yet, or a container that runs on. What those need may be in containerd's
/// folder as well.
fn used_by(host: &Host, folder: &Path, roots: &[PathBuf], ahead: &Ahead) -> Result<Option<String>> {
    let known = known_packages(host)?;
    let staying = |packages: [&str; 2]| {
        let mut packages = packages.into_iter().map(str::to_owned);
        packages.find(|it| is_installed(&known, it) && !ahead.leaving.contains(it))
    };
    let data_root = match &ahead.data_root {
        Some(data_root) => data_root.clone(),
        None => host.data_root()?,
    };
    let engine = staying(ENGINES);
    if engine.is_some() && folder == data_root {
        return Ok(engine);
    }
    let containerd = staying(["containerd.io", "containerd"]);
    let is_of_containerd = folder == host.containerd_root()?;
    if containerd.is_some() && is_of_containerd {
        return Ok(containerd);
    }
    if !ahead.containers_stop {
        let mut running = host.contained_of(roots)?.into_iter();
        if let Some(container) = running.find(|it| is_of_containerd || it.root == folder) {
            return Ok(Some(format!("the container {}", container.name)));
        }
    }
    if ahead.engine_stops || !host.exists(SOCKET)? || !host.engine_is_active()? {
        return Ok(None);
    }
    let uses = |root: &str| Path::new(root).starts_with(folder);
    let running = host
        .engine_info()?
        .filter(|engine| uses(&engine.docker_root_dir));
    Ok(running.map(|_| "the engine that runs".to_owned()))
}

/// The places on which something is mounted that would be lost with what is at `path`: a folder of the
/// engine's, which itself stays, or something in it.
fn mounted_over(host: &Host, path: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    if path == folder {
        host.mounted_in(path)
    } else {
        host.mounted_at(path)
    }
}

/// Why a folder stays that something goes on using.
fn of_user(user: &str, folder: &Path) -> String {
    let folder = folder.display();
    format!("{user} stays and keeps its data in {folder}, so that stays as well")
}

/// Why something stays in which others are mounted: what is removed there would be removed from where
/// it comes from, as a folder of the host that a volume shows.
fn of_others(path: &Path, mounted: &[PathBuf]) -> String {
    format!(
        "something is mounted in {} that may be of others, so all of it stays; to remove it: \
         umount {}; rm -r --one-file-system {}",
        path.display(),
        joined(mounted),
        quoted(path)
    )
}

/// Why what is in a folder stays that others could exchange for another meanwhile.
fn of_strangers(folder: &Path, fault: &str) -> String {
    let folder = folder.display();
    format!("{fault}; until then nothing is removed from {folder}, which may be another by now")
}

/// Whether this is the folder of a package's own, in which nobody else keeps anything. Where it is
/// another name of a folder that stands elsewhere, others may.
fn is_dockers_alone(host: &Host, folder: &Path) -> Result<bool> {
    let mut defaults = [DATA_ROOT, CONTAINERD_ROOT].iter();
    Ok(defaults.any(|it| folder == Path::new(it)) && !host.is_alias(folder)?)
}

fn is_made_by_the_engine(name: &str) -> bool {
    OF_THE_ENGINE.contains(&name)
        || OF_CONTAINERD.iter().any(|start| name.starts_with(start))
        || is_of_remap(name)
}

/// Removes what stands at `path` in `folder`; of the folder itself, what is in it. The folder is
/// opened through no link but those that lead to it now, and all else is reached from there.
fn remove(host: &Host, folder: &Path, path: &Path) -> Result<()> {
    let removing = || format!("removing {}", path.display());
    let there = host.path(folder).canonicalize().with_context(removing)?;
    let opened = nofollow::open_folder(&there).with_context(removing)?;
    let c_string = |name: &[u8]| CString::new(name).with_context(removing);
    let removed = match path.strip_prefix(folder) {
        Ok(name) if !name.as_os_str().is_empty() => {
            nofollow::remove(&opened, &c_string(name.as_os_str().as_bytes())?)
        }
        _ => nofollow::clear(&opened, Some(&c_string(LOST_AND_FOUND.as_bytes())?)),
    };
    removed.with_context(removing)
}

#[cfg(test)]
mod tests;
