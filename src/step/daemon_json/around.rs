//! The host as far as a configuration touches it.

use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use serde_json::Value;

use crate::daemon_json::{Document, Found, Surroundings, named_paths};
use crate::host::Host;
use crate::host::engine::{CONTAINERD_ROOT, DATA_ROOT};

/// Finds out what this configuration has to fit.
pub fn look(host: &Host, document: &Document) -> Result<Surroundings> {
    let text = |key: &str| {
        let value = document.get(key).and_then(Value::as_str);
        value.filter(|text| !text.is_empty())
    };
    let data_root = text("data-root").unwrap_or(DATA_ROOT);
    let paths = named_paths(document).into_iter();
    let paths = paths.map(|path| Ok((path.clone(), found(host, &path)?)));
    let group = match text("group") {
        Some(group) if host.group_members(group)?.is_none() => Some(group.to_owned()),
        _ => None,
    };
    Ok(Surroundings {
        routes: host.routes()?,
        // Only root may look; a plan that someone else makes takes it that there is no swarm.
        is_swarm_member: host
            .exists(format!("{data_root}/swarm/docker-state.json"))
            .unwrap_or(false),
        paths: paths.collect::<Result<_>>()?,
        absent_group: group,
        most_open_files: host.most_open_files()?,
        data_root: match data_root.starts_with('/') {
            true => host.disk_under(data_root)?,
            false => None,
        },
        containerd_root: host.disk_under(CONTAINERD_ROOT)?,
    })
}

/// What stands at a path, links followed.
fn found(host: &Host, path: &str) -> Result<Found> {
    Ok(match std::fs::metadata(host.path(path)) {
        Ok(there) if there.is_dir() => Found::Folder,
        Ok(there) if there.permissions().mode() & 0o111 != 0 => Found::Program,
        // A folder on the way that only root may enter is no proof of anything.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Found::Nothing,
        _ => Found::File,
    })
}
