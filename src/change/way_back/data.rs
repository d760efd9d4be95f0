//! The way back for what an engine keeps: images, containers and volumes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Revert, Reverted};
use crate::host::Host;
use crate::host::engine::{CONTAINERD_ROOT, DATA_ROOT};

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

/// What a file system makes for itself.
const LOST_AND_FOUND: &str = "lost+found";

/// What of these folders, in which was nothing before, is an engine's data by now: the folder as a
/// whole where nobody else keeps anything, or the folders and files in it.
pub fn data_of(host: &Host, folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut data = Vec::new();
    for folder in folders {
        let names = host.list(folder)?.into_iter();
        let mut names = names.filter(|name| name != LOST_AND_FOUND).peekable();
        if is_dockers_alone(folder) {
            data.extend(names.peek().map(|_| folder.clone()));
        } else {
            let made = names.filter(|name| is_made_by_the_engine(name));
            data.extend(made.map(|name| folder.join(name)));
        }
    }
    Ok(data)
}

/// Whether nothing is in a folder, or only what its file system made.
pub fn is_unused(host: &Host, folder: &Path) -> Result<bool> {
    let names = host.list(folder)?;
    Ok(names.iter().all(|name| name == LOST_AND_FOUND))
}

impl Revert<'_> {
    pub(super) fn remove_data(&self, paths: &[PathBuf], used: &[PathBuf]) -> Result<Reverted> {
        let data = data_of(self.host, paths)?;
        let mut reasons = Vec::new();
        if self.extent.purge_data {
            for path in &data {
                remove(&self.host.path(path), is_dockers_alone(path))?;
            }
            for folder in paths {
                if !is_unused(self.host, folder)? {
                    let folder = folder.display();
                    reasons.push(format!("what is left in {folder} is not of the engine"));
                }
            }
        } else if !data.is_empty() {
            let data: Vec<String> = data.iter().map(|path| path.display().to_string()).collect();
            reasons.push(format!(
                "images, containers and volumes are yours; to remove them: rm -r {}",
                data.join(" ")
            ));
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
}

/// Whether this is the folder of a package's own, in which nobody else keeps anything.
fn is_dockers_alone(folder: &Path) -> bool {
    [DATA_ROOT, CONTAINERD_ROOT]
        .iter()
        .any(|it| folder == Path::new(it))
}

fn is_made_by_the_engine(name: &str) -> bool {
    // With userns-remap, it keeps all in a folder that is named by the first identifiers.
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let is_of_remap = name
        .split_once('.')
        .is_some_and(|(user, group)| is_number(user) && is_number(group));
    OF_THE_ENGINE.contains(&name)
        || OF_CONTAINERD.iter().any(|start| name.starts_with(start))
        || is_of_remap
}

/// Removes what stands at `path`, or only what is in it.
fn remove(path: &Path, only_what_is_in_it: bool) -> Result<()> {
    let removing = || format!("removing {}", path.display());
    if !only_what_is_in_it {
        let there = fs::symlink_metadata(path).with_context(removing)?;
        return match there.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        }
        .with_context(removing);
    }
    for entry in fs::read_dir(path).with_context(removing)? {
        let entry = entry.with_context(removing)?;
        if entry.file_name() != LOST_AND_FOUND {
            remove(&entry.path(), false)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::way_back::Extent;
    use crate::host::stub::StubHost;
    use std::time::Duration;

    fn removed(stub: &StubHost, purge_data: bool, paths: &[&str], used: &[&str]) -> Reverted {
        let extent = Extent {
            purge_data,
            restore_packages: false,
        };
        let none = std::iter::empty();
        let revert = Revert::of(stub.host(), none, extent, Duration::ZERO, &|_| {}).unwrap();
        let owned = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        revert.remove_data(&owned(paths), &owned(used)).unwrap()
    }

    #[test]
    fn of_a_folder_that_the_user_chose_only_what_the_engine_makes_goes() {
        let stub = StubHost::new()
            .file("/srv/docker/volumes/v/_data/file", "")
            .file("/srv/docker/100000.100000/image/x", "")
            .file("/srv/docker/engine-id", "id")
            .file("/srv/docker/letters/one", "kept")
            .folder("/srv/docker/lost+found");
        let folder = [PathBuf::from("/srv/docker")];
        let expected = ["100000.100000", "engine-id", "volumes"];
        let expected = expected.map(|name| folder[0].join(name));
        assert_eq!(data_of(stub.host(), &folder).unwrap(), expected);
        let Reverted::Kept(reason) = removed(&stub, false, &["/srv/docker"], &[]) else {
            panic!("nothing was asked for");
        };
        assert!(
            reason.ends_with("/srv/docker/engine-id /srv/docker/volumes"),
            "{reason}"
        );
        let Reverted::Kept(reason) = removed(&stub, true, &["/srv/docker"], &[]) else {
            panic!("something is left");
        };
        assert_eq!(reason, "what is left in /srv/docker is not of the engine");
        let left = stub.host().list("/srv/docker").unwrap();
        assert_eq!(left, ["letters", "lost+found"]);
    }

    #[test]
    fn dockers_own_folders_are_emptied_but_for_what_the_file_system_made() {
        let stub = StubHost::new()
            .file("/var/lib/docker/whatever/x", "")
            .folder("/var/lib/docker/lost+found")
            .file("/var/lib/containerd/x", "");
        let paths = ["/var/lib/docker", "/var/lib/containerd"];
        assert_eq!(removed(&stub, true, &paths, &[]), Reverted::Done);
        assert_eq!(stub.host().list(paths[0]).unwrap(), [LOST_AND_FOUND]);
        assert_eq!(stub.host().list(paths[1]).unwrap(), [""; 0]);
        assert_eq!(
            data_of(stub.host(), &paths.map(PathBuf::from)).unwrap(),
            [""; 0].map(PathBuf::from)
        );
    }

    #[test]
    fn a_folder_in_which_was_something_stays_and_is_told_of_when_data_is_to_go() {
        let stub = StubHost::new().file("/srv/volumes/theirs", "data");
        assert_eq!(removed(&stub, false, &[], &["/srv"]), Reverted::Done);
        let Reverted::Kept(reason) = removed(&stub, true, &[], &["/srv"]) else {
            panic!("nothing is said");
        };
        assert!(
            reason.contains("in /srv before the engine came"),
            "{reason}"
        );
        assert_eq!(stub.read("/srv/volumes/theirs"), "data");
    }
}
