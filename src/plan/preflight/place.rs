//! Places where the engine makes something, and something else stands.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::daemon_config::{self, Document};
use crate::docker::SOCKET;
use crate::engine::obstacle::Obstacle;
use crate::host::Host;
use crate::shell::quoted;

/// Where the engine and containerd keep what runs.
const OF_WHAT_RUNS: [&str; 2] = ["/run/docker", "/run/containerd"];

/// A folder in the place of the engine's socket. Docker itself makes one when a container is to get
/// the socket while there is none. Anything else there, systemd replaces.
pub(super) fn socket(host: &Host) -> Result<Option<Obstacle>> {
    let there = host.metadata(SOCKET)?;
    if !there.is_some_and(|there| there.is_dir()) {
        return Ok(None);
    }
    let cause = format!("{SOCKET} is a folder, so the engine cannot make its socket there");
    let is_mounted = host
        .mounted_at(Path::new(SOCKET))?
        .iter()
        .any(|at| at == Path::new(SOCKET));
    let remove = match host.list(SOCKET)?.as_slice() {
        _ if is_mounted => format!("sudo umount {SOCKET} && sudo rmdir {SOCKET}"),
        [] => format!("sudo rmdir {SOCKET}"),
        _ => format!("sudo mv {SOCKET} {SOCKET}.before"),
    };
    let cure = format!("Remove it and run this again: {remove}");
    Ok(Some(Obstacle::new(cause, cure)))
}

/// A file, or a link that leads nowhere, in the place of one of the engine's folders.
pub(super) fn folders(host: &Host, configuration: &Document) -> Result<Option<Obstacle>> {
    let data_root = daemon_config::data_root(configuration.get("data-root")).to_owned();
    let fixed = OF_WHAT_RUNS.map(PathBuf::from);
    for folder in [data_root, host.containerd_root()?].iter().chain(&fixed) {
        let Some(there) = host.metadata(folder)? else {
            continue;
        };
        let is_link = there.is_symlink();
        let behind = match std::fs::metadata(host.path(folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            // Only root may look.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => continue,
            behind => Some(behind.with_context(|| format!("looking at {}", folder.display()))?),
        };
        let what = match behind {
            Some(behind) if behind.is_dir() => continue,
            Some(_) => "is not a folder",
            None if is_link => "is a link that leads nowhere",
            None => continue, // gone meanwhile
        };
        let shown = folder.display().to_string();
        let (from, to) = (quoted(&shown), quoted(format!("{shown}.before")));
        return Ok(Some(Obstacle::new(
            format!("{shown} {what}, and the engine keeps its files in a folder there"),
            format!("Move it away and run this again: sudo mv {from} {to}"),
        )));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn only_a_folder_is_in_the_way_of_the_socket() {
        let cure = |stub: &StubHost| socket(stub.host()).unwrap().map(|it| it.cure);
        assert_eq!(cure(&StubHost::new()), None);
        assert_eq!(cure(&StubHost::new().file(SOCKET, "")), None);
        let empty = StubHost::new().folder(SOCKET);
        let empty = cure(&empty).unwrap();
        assert!(empty.ends_with(": sudo rmdir /run/docker.sock"), "{empty}");
        let filled = StubHost::new().file("/run/docker.sock/x", "");
        let filled = cure(&filled).unwrap();
        assert!(filled.ends_with("sudo mv /run/docker.sock /run/docker.sock.before"));
    }

    #[test]
    fn a_file_or_a_dead_link_in_the_place_of_a_folder_is_named() {
        let found = |stub: &StubHost, text: &str| {
            let document = Document::parse(text.as_bytes()).unwrap();
            folders(stub.host(), &document).unwrap()
        };
        let stub = StubHost::new().folder("/var/lib/docker");
        assert_eq!(found(&stub, "{}"), None);
        let file = StubHost::new().file("/var/lib/docker", "");
        let file = found(&file, "{}").unwrap();
        assert!(file.cause.starts_with("/var/lib/docker is not a folder"));
        assert!(
            file.cure
                .ends_with("sudo mv /var/lib/docker /var/lib/docker.before")
        );
        let link = StubHost::new().link("/srv/my docker", "/nowhere");
        let link = found(&link, r#"{"data-root": "/srv/my docker"}"#).unwrap();
        assert!(link.cause.contains("leads nowhere"), "{}", link.cause);
        assert!(
            link.cure
                .ends_with("sudo mv '/srv/my docker' '/srv/my docker.before'")
        );
    }
}
