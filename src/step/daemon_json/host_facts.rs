//! The facts of the host that a configuration depends on, as they are now.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Error, Result};
use serde_json::Value;

use super::{certificates, plugins, user_namespaces};
use crate::daemon_config::{
    BRIDGE, Document, HostFacts, PathKind, authorization_plugins, listening_hosts, named_paths,
    remaps_root,
};
use crate::docker::CONTAINERD_ROOT;
use crate::engine::unit::Environment;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::engine::DATA_ROOT;
use crate::host::query::Reader;

/// The words for a bridge that need not be there: none at all, and dockerd's own.
const NO_OTHERS: &[&str] = &["none", BRIDGE];

/// Where dockerd keeps what it runs by where it is told no other.
const EXEC_ROOT: &str = "/run/docker";

const DEVICES: &str = "/sys/class/net";

/// Whose environment decides where runtimes are looked for: it starts them.
const STARTER: &str = "containerd.service";

/// Where systemd's services look for programs.
const SERVICE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Finds out what this configuration has to fit.
pub(crate) fn read(host: &Host, document: &Document) -> Result<HostFacts> {
    let text = |key: &str| {
        let value = document.get(key).and_then(Value::as_str);
        value.filter(|text| !text.is_empty())
    };
    let data_root = text("data-root").unwrap_or(DATA_ROOT);
    let paths = named_paths(document).into_iter().map(|path| {
        let found = if path.contains('/') {
            found(host, &path)?
        } else {
            found_by_name(host, &path)?
        };
        Ok((path, found))
    });
    let bridge = text("bridge").filter(|bridge| !NO_OTHERS.contains(bridge));
    let is_absent =
        |bridge: &str| Ok::<_, Error>(!host.exists(format!("{DEVICES}/{bridge}/bridge"))?);
    let absent_bridge = match bridge {
        Some(bridge) if is_absent(bridge)? => Some(bridge.to_owned()),
        _ => None,
    };
    let group = match text("group") {
        Some(group) if host.group_members(group)?.is_none() => Some(group.to_owned()),
        _ => None,
    };
    let names = authorization_plugins(document);
    Ok(HostFacts {
        absent_plugins: plugins::absent(host, data_root, remaps_root(document), &names),
        certificates: certificates::look(host, document)?,
        foreign_hosts: foreign_hosts(host, listening_hosts(document))?,
        remap_fault: user_namespaces::fault(host, text("userns-remap").unwrap_or_default())?,
        routes: host.routes_of_all_tables()?,
        // Only root may look; a plan that someone else makes takes it that there is no swarm.
        is_swarm_member: host
            .exists(format!("{data_root}/swarm/docker-state.json"))
            .unwrap_or(false),
        has_systemd: host.exists("/run/systemd/system")?,
        has_cgroups_v2: host.exists("/sys/fs/cgroup/cgroup.controllers")?,
        absent_bridge,
        paths: paths.collect::<Result<_>>()?,
        absent_group: group,
        most_open_files: host.most_open_files()?,
        data_root: if data_root.starts_with('/') {
            host.disk_under(data_root)?
        } else {
            None
        },
        containerd_root: host.disk_under(CONTAINERD_ROOT)?,
        folders_of_others: folders_of_others(host, data_root, text("exec-root"))?,
    })
}

/// Those of the folders of the engine and containerd whose place others can change. containerd's own
/// has no key, and is told of with the data-root, beside which it is.
fn folders_of_others(
    host: &Host,
    data_root: &str,
    exec_root: Option<&str>,
) -> Result<BTreeMap<&'static str, String>> {
    let containerd = host.containerd_root()?;
    let folders = [
        ("data-root", Path::new(data_root)),
        ("exec-root", Path::new(exec_root.unwrap_or(EXEC_ROOT))),
        ("data-root", containerd.as_path()),
    ];
    let mut of_others = BTreeMap::new();
    for (key, folder) in folders {
        // Another path is an error by itself.
        if folder.is_absolute()
            && let Some(fault) = host.folder_of_others(folder)?
        {
            of_others.entry(key).or_insert(fault);
        }
    }
    Ok(of_others)
}

/// What stands at a path, links followed.
fn found(host: &Host, path: &str) -> Result<PathKind> {
    Ok(match std::fs::metadata(host.path(path)) {
        Ok(there) if there.is_dir() => PathKind::Folder,
        Ok(there) if there.permissions().mode() & 0o111 != 0 => PathKind::Program,
        // A folder on the way that only root may enter is no proof of anything.
        Err(error) if error.kind() == ErrorKind::NotFound => PathKind::Nothing,
        _ => PathKind::File,
    })
}

/// What stands under this name where containerd looks for programs.
fn found_by_name(host: &Host, name: &str) -> Result<PathKind> {
    let environment = Environment::of(host, STARTER)?;
    let path = environment.get("PATH").unwrap_or(SERVICE_PATH);
    for folder in path.split(':') {
        let found = found(host, &format!("{folder}/{name}"))?;
        if found == PathKind::Program {
            return Ok(found);
        }
    }
    Ok(PathKind::Nothing)
}

/// Those of the hosts on which no program of this host can listen.
fn foreign_hosts(host: &Host, hosts: BTreeSet<String>) -> Result<BTreeSet<String>> {
    let mut foreign = BTreeSet::new();
    for name in hosts {
        let is_foreign = match name.parse::<IpAddr>() {
            Ok(address) => is_of_others(address),
            Err(_) if name.contains('%') => false, // an address of one device
            Err(_) => !is_known(host, &name)?,
        };
        if is_foreign {
            foreign.insert(name);
        }
    }
    Ok(foreign)
}

/// Asks the kernel, at a port that it chooses, and listens no longer than that takes.
fn is_of_others(address: IpAddr) -> bool {
    let listening = TcpListener::bind((address, 0));
    listening.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable)
}

fn is_known(host: &Host, name: &str) -> Result<bool> {
    /// What `getent(1)` exits with where there is no such entry.
    const NO_SUCH_KEY: i32 = 2;
    if name.starts_with('-') {
        return Ok(false);
    }
    let asked = host.query(&Query::of(Reader::Getent).args(["ahosts", name]))?;
    Ok(asked.code != NO_SUCH_KEY)
}

#[cfg(test)]
mod tests;
