//! The host as far as a configuration touches it: plain facts, found out by others.
//!
//! It must not look at the host itself.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

/// What a configuration has to fit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostFacts {
    /// Where the host sends packets, without its way to everywhere else.
    pub routes: Vec<Route>,
    pub is_swarm_member: bool,
    pub has_systemd: bool,
    /// Whether its control groups are those of version 2 alone.
    pub has_cgroups_v2: bool,
    /// What stands at the paths that the configuration names, and the programs that it names without
    /// one, see [`named_paths`](crate::daemon_config::named_paths).
    pub paths: BTreeMap<String, PathKind>,
    /// The group that the configuration names, where the host has none of that name.
    pub absent_group: Option<String>,
    /// The bridge that the configuration names, where the host has none of that name.
    pub absent_bridge: Option<String>,
    /// Of the plug-ins that the configuration names for authorization, those that there are not.
    pub absent_plugins: BTreeSet<String>,
    /// Where the engine looks for its certificate when a flag asks for TLS, as far as that matters.
    pub certificates: Option<Certificates>,
    /// Of the hosts that it has the engine listen on, those that are none of this host's.
    pub foreign_hosts: BTreeSet<String>,
    /// Why root cannot be mapped to the user that it names.
    pub remap_fault: Option<String>,
    /// How many files a process of the engine's may have open at most, where that is known.
    pub most_open_files: Option<u64>,
    /// Where the engine is going to keep its data.
    pub data_root: Option<Disk>,
    /// Of the folders in which the engine and containerd keep what they run by, those whose place
    /// others can change: by the key that names it, why and what to do about it.
    pub folders_of_others: BTreeMap<&'static str, String>,
    /// Where containerd keeps its own, which are the images by now.
    pub containerd_root: Option<Disk>,
}

/// A network that the host reaches by itself, and through which device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub network: IpNet,
    pub device: String,
    /// Whether the engine made it: it is no reason to keep away from the network.
    pub is_engines: bool,
}

/// The files of a certificate that the engine uses where no others are named.
pub(crate) const CERTIFICATE_FILES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];

/// The folder in which the engine looks for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificates {
    pub folder: String,
    /// Those of them that are not there.
    pub absent: Vec<&'static str>,
    /// Whether the unit's environment asks for TLS as a flag does.
    pub is_asked_for: bool,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    Nothing,
    Folder,
    File,
    /// A file that may be executed.
    Program,
}

/// The file system under a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    pub folder: String,
    /// Where it is mounted.
    pub mount: String,
    /// Its kind, such as `ext4`.
    pub kind: String,
    /// Whether it can keep one folder within a size.
    pub has_project_quotas: bool,
    pub is_noexec: bool,
    pub is_read_only: bool,
    /// Its size, in bytes.
    pub size: u64,
}
