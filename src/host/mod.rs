//! The machine: what stands on its disk, what its programs answer, what its network serves.
//!
//! Everything here reads. A [`Host`] cannot change the machine; only `change::Tx` can.

mod account;
mod account_locks;
pub(crate) mod authority;
pub(crate) mod bundle;
pub(crate) mod command;
pub(crate) mod engine;
pub(crate) mod environment;
pub(crate) mod exposure;
pub(crate) mod files;
pub(crate) mod firewall;
mod firewalld;
pub(crate) mod folder;
pub(crate) mod gids;
pub(crate) mod http;
mod immutable;
mod limits;
pub(crate) mod links;
pub(crate) mod listening;
pub(crate) mod lock;
pub(crate) mod mark;
mod mounts;
pub(crate) mod network;
pub(crate) mod nofollow;
pub(crate) mod plugins;
mod private_folder;
mod process;
pub(crate) mod query;
mod reachable;
mod routes;
pub(crate) mod running_containers;
pub(crate) mod service;
pub(crate) mod signal;
#[cfg(test)]
pub(crate) mod stub;
mod sysctl;
pub(crate) mod temporary;
mod ufw;

pub(crate) use account::{Group, NoName, UserName};

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::reading;
use crate::trust::Sha256;
use command::{Output, Query};

/// Where records are kept, which grow with the host; everything else is configuration.
const RECORDED: &[&str] = &[
    "/proc",
    "/sys",
    "/var/lib",
    "/var/log",
    "/etc/group",
    "/etc/gshadow",
];

/// A machine to look at: the real one, or a folder that stands for one in tests.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    root: PathBuf,
    /// Where programs are looked up.
    search_path: OsString,
}

impl Host {
    /// The machine this process runs on.
    pub(crate) fn real() -> Host {
        Host {
            root: PathBuf::from("/"),
            search_path: environment::SEARCH_PATH.into(),
        }
    }

    /// A machine whose files stand under `root` and whose programs are those in `programs`.
    #[cfg(test)]
    pub(crate) fn at(root: &Path, programs: &Path) -> Host {
        Host {
            root: root.to_owned(),
            search_path: programs.into(),
        }
    }

    /// Where the absolute `path` of this host is to be found from here.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The bytes of the file at `path`, or `None` where there is no such file.
    ///
    /// # Errors
    /// Also when it is not a regular file, or larger than such a file ever is.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>> {
        let path = path.as_ref();
        absent_as_none(reading::read(&self.path(path), limit(path)))
            .with_context(|| format!("reading {}", path.display()))
    }

    /// The text of the file at `path`, or `None` where there is no such file.
    /// Bytes that are not UTF-8 are replaced.
    pub(crate) fn read_text(&self, path: impl AsRef<Path>) -> Result<Option<String>> {
        let bytes = self.read(path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The SHA-256 of the file at `path`, of whatever size; `None` where there is none.
    pub(crate) fn sha256(&self, path: impl AsRef<Path>) -> Result<Option<Sha256>> {
        let path = path.as_ref();
        let hash = reading::open_or_null(&self.path(path)).and_then(Sha256::of_stream);
        absent_as_none(hash).with_context(|| format!("reading {}", path.display()))
    }

    /// What stands at `path` itself, symbolic links not followed; `None` where nothing does.
    pub(crate) fn metadata(&self, path: impl AsRef<Path>) -> Result<Option<fs::Metadata>> {
        let path = path.as_ref();
        absent_as_none(fs::symlink_metadata(self.path(path)))
            .with_context(|| format!("looking at {}", path.display()))
    }

    /// Whether anything stands at `path`.
    pub(crate) fn exists(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.metadata(path)?.is_some())
    }

    /// The names in the folder at `path`, sorted; none where there is no such folder.
    pub(crate) fn list(&self, path: impl AsRef<Path>) -> Result<Vec<String>> {
        let path = path.as_ref();
        let entries = absent_as_none(fs::read_dir(self.path(path)))
            .with_context(|| format!("listing {}", path.display()))?;
        let mut names = Vec::new();
        for entry in entries.into_iter().flatten() {
            let entry = entry.with_context(|| format!("listing {}", path.display()))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// Whether systemd runs on this host, asked the way `sd_booted(3)` does. It does not for who is
    /// in a chroot, even one that is shown the `/run` of the host around it: systemctl then does
    /// nothing, and calls it a success.
    pub(crate) fn runs_systemd(&self) -> Result<bool> {
        let root = |path: &str| fs::metadata(self.path(path)).ok();
        let apart = root("/proc/1/root")
            .zip(root("/"))
            .is_some_and(|(init, own)| (init.dev(), init.ino()) != (own.dev(), own.ino()));
        Ok(!apart && self.exists("/run/systemd/system")?)
    }

    /// Asks a program, which changes nothing, and returns what it printed and its exit code.
    pub(crate) fn query(&self, query: &Query) -> Result<Output> {
        query.run(&self.search_path)
    }

    /// Whether a program of this name is there to be run.
    pub(crate) fn has_program(&self, name: &str) -> bool {
        command::find(name, &self.search_path).is_some()
    }

    pub(crate) fn search_path(&self) -> &OsString {
        &self.search_path
    }
}

/// Whether something failed because only another user may see it, as it does when a plan is made
/// by someone who is not root.
pub(crate) fn is_forbidden(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    cause.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// How large the file at `path` may be.
fn limit(path: &Path) -> u64 {
    if RECORDED.iter().any(|it| path.starts_with(it)) {
        reading::RECORDS
    } else {
        reading::CONFIGURATION
    }
}

fn absent_as_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_file_is_none_and_a_folder_read_as_a_file_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::at(root.path(), root.path());
        assert_eq!(host.read("/etc/nothing").unwrap(), None);
        fs::create_dir(root.path().join("etc")).unwrap();
        let error = host.read("/etc").unwrap_err();
        assert!(error.to_string().contains("reading /etc"), "{error}");
    }

    #[test]
    fn paths_are_taken_from_the_hosts_root() {
        let host = Host::at(Path::new("/srv/root"), Path::new("/srv/bin"));
        assert_eq!(
            host.path("/etc/docker"),
            PathBuf::from("/srv/root/etc/docker")
        );
    }
}
