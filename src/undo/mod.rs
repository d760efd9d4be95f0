//! The closed list of ways back, as plain data: it stands in the journal. How each is walked is in
//! `revert`.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the door through which the host changes"
)]

mod accounts;
mod check;
mod cleanup;
mod data;
mod drift;
mod engine;
mod last_run;
mod mode;
mod network;
mod packages;
mod revert;
mod seal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::apt::KnownArchive;
use crate::daemon_config::{self, Change};
use crate::docker::CONTAINERD_UNIT;
use crate::host::firewall::NetworkBaseline;

pub(crate) use check::{Forged, all, package};
pub(crate) use data::{Ahead, Foreseen, has_engine, is_unused};
pub(crate) use drift::{Lost, ManagedUnit, member, user_of};
pub(crate) use engine::keeps_containers;
pub(crate) use last_run::remember as remember_configuration;
pub(crate) use mode::hashes;
pub(crate) use network::Left;
pub(crate) use revert::{Extent, Reverted};
pub(crate) use revert::{Overwritten, Revert};
pub(crate) use seal::is_sealed;
pub(crate) use seal::{seal, unseal};

/// Where dockstrap keeps what it must remember about this host, and copies of files to put back.
pub(crate) const FOLDER: &str = "/var/lib/dockstrap";

/// The journal, in which the ways back stand.
pub const JOURNAL: &str = "/var/lib/dockstrap/journal";

/// Folders of Docker's packages, or of the engine's, that somebody may keep elsewhere behind a link.
pub(crate) const LINKED: &[&str] = &[
    "/etc/docker",
    "/etc/containerd",
    "/etc/cni",
    "/opt/containerd",
    "/var/lib/docker",
    "/var/lib/containerd",
];

/// How to take one act back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Undo {
    /// Remove a file of ours, unless its content is no longer the one with this hash.
    RemoveFile { path: PathBuf, sha256: String },
    /// Put back the file that stood there, unless ours, which has this hash, was edited since.
    /// Without a hash we removed the file; then one that is there by now is not ours.
    RestoreFile {
        path: PathBuf,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        backup: PathBuf,
        /// The hash of the copy, where nothing changes that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup_sha256: Option<String>,
    },
    /// Put back a link to a folder, where a package that is purged took it along: dpkg does not tell it
    /// from the folder that the package has in its place.
    RestoreLink { path: PathBuf, target: PathBuf },
    /// Remove one of apt's lists of Docker's repository, whatever apt made of it since: its source
    /// goes as well.
    RemoveList { path: PathBuf },
    /// Remove package files from apt's archive folder, whatever apt made of them since: it is
    /// only a cache.
    RemoveArchives {
        paths: Vec<PathBuf>,
        /// What each file of the transaction must be, also those that were there before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<KnownArchive>,
    },
    /// Remove a folder of ours when it is empty.
    RemoveFolder { path: PathBuf },
    /// Give a file or folder the mode it had, unless its mode or owner was changed since.
    RestoreMode {
        path: PathBuf,
        mode: u32,
        /// The mode that it got; without it, one that keeps all others out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        given: Option<u32>,
        /// The numbers of its user and its group, where they were written down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<(u32, u32)>,
        /// The hashes of secrets that it already held when others could read it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        open: Vec<String>,
    },
    /// Take our keys out of daemon.json, those that are still as we set them.
    RestoreDaemonJson {
        created: bool,
        /// The text of a file that was there and had no key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        empty: Option<String>,
        /// How the replaced values were written, by key, except those with a secret.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        written: BTreeMap<String, String>,
        changes: Vec<Change>,
    },
    /// Let a running engine read its configuration again. One that failed with ours is started,
    /// and with it those of these containers that it stopped.
    RestartEngine {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        containers: Vec<String>,
    },
    /// Purge packages that were not there before. When the engine is one of them, the host gets
    /// back the network that it had before there was one.
    PurgePackages {
        packages: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<NetworkBaseline>,
    },
    /// Remove packages that were not there before, and leave their configuration files, which were.
    RemovePackages {
        packages: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<NetworkBaseline>,
    },
    /// Packages that were removed to make room for the engine: those that somebody had asked apt
    /// for, and those that had come along with them. They are installed again when that is asked
    /// for, and named otherwise.
    OfferPackages {
        asked_for: Vec<String>,
        automatic: Vec<String>,
    },
    /// Packages that were upgraded: apt does not go back, so they stay and are reported.
    KeepUpgrades { packages: Vec<String> },
    /// Packages of others that dpkg was made to finish with: they stay so, and are reported.
    KeepConfigured { packages: Vec<String> },
    /// Images, containers and volumes: removed only when that is asked for.
    RemoveData {
        /// Folders in which was nothing before the engine came.
        paths: Vec<PathBuf>,
        /// Folders in which was something: nothing there can be told from what the engine made.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        used: Vec<PathBuf>,
    },
    /// Remove a group of ours.
    RemoveGroup { group: String },
    /// Take a user out of a group.
    RemoveMember { group: String, user: String },
    /// Enable and start units again that were stopped to make room for those of the packages, and
    /// then these containers, which ran under them.
    StartUnits {
        enabled: Vec<String>,
        active: Vec<String>,
        containers: Vec<String>,
    },
    /// Put a unit back into the state it was in.
    RestoreUnit {
        unit: String,
        enabled: bool,
        active: bool,
    },
}

impl Undo {
    /// The file or folder that is put back or removed, where it is a single one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Undo::RemoveFile { path, .. }
            | Undo::RestoreFile { path, .. }
            | Undo::RestoreLink { path, .. }
            | Undo::RemoveFolder { path }
            | Undo::RestoreMode { path, .. } => Some(path),
            Undo::RestoreDaemonJson { .. } => Some(Path::new(daemon_config::PATH)),
            _ => None,
        }
    }

    /// Whether it is about groups and members, with which nothing else has to do.
    pub(crate) fn is_of_accounts(&self) -> bool {
        matches!(self, Undo::RemoveGroup { .. } | Undo::RemoveMember { .. })
    }

    /// Whether it is about what the engine is told by its file.
    pub(crate) fn is_of_configuration(&self) -> bool {
        matches!(
            self,
            Undo::RestoreDaemonJson { .. } | Undo::RestartEngine { .. }
        )
    }

    /// Whether the act changed the engine: its packages, its configuration, its unit or its group. A
    /// verification from before says nothing of the engine after it.
    pub(crate) fn concerns_engine(&self) -> bool {
        match self {
            Undo::RestoreUnit { unit, .. } => {
                unit.starts_with("docker.") || unit == CONTAINERD_UNIT
            }
            Undo::RestoreDaemonJson { .. }
            | Undo::RestartEngine { .. }
            | Undo::PurgePackages { .. }
            | Undo::RemovePackages { .. }
            | Undo::OfferPackages { .. }
            | Undo::KeepUpgrades { .. }
            | Undo::KeepConfigured { .. }
            | Undo::RemoveGroup { .. }
            | Undo::RemoveMember { .. }
            | Undo::StartUnits { .. } => true,
            Undo::RemoveFile { .. }
            | Undo::RestoreFile { .. }
            | Undo::RestoreLink { .. }
            | Undo::RemoveList { .. }
            | Undo::RemoveArchives { .. }
            | Undo::RemoveFolder { .. }
            | Undo::RestoreMode { .. }
            | Undo::RemoveData { .. } => false,
        }
    }

    /// For what needs no way back of its own.
    pub(crate) fn nothing() -> Undo {
        Undo::KeepConfigured {
            packages: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
