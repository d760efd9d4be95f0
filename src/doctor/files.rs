//! Owners and modes of the engine's files, as section 3 of the CIS Docker Benchmark has them.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;

use anyhow::{Context, Result};

use super::effective::EffectiveConfiguration;
use crate::apt::{Source, source_files};
use crate::daemon_config::{self, Document};
use crate::docker::{GROUP, SOCKET};
use crate::engine::exposed;
use crate::facts::Facts;
use crate::host::Host;

const FOLDER: &str = "/etc/docker";
const CERTIFICATES: &str = "/etc/docker/certs.d";
const DEFAULTS: &str = "/etc/default/docker";
const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// What in a path's owner or mode is looser than it should be.
fn loose(host: &Host, path: &str, group: u32, most: u32) -> Result<Option<String>> {
    // In a test, a folder of whoever runs it stands for the root.
    let root = std::fs::metadata(host.path("/")).context("looking at /")?;
    let there = match std::fs::metadata(host.path(path)) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        there => there.with_context(|| format!("looking at {path}"))?,
    };
    let group = if group == 0 { root.gid() } else { group };
    let (user, its_group, mode) = (there.uid(), there.gid(), there.mode() & 0o7777);
    if (user, its_group) != (root.uid(), group) {
        return Ok(Some(format!(
            "{path} belongs to user {user} and group {its_group}, not to user 0 and group {group}"
        )));
    }
    Ok(
        (mode & !most != 0)
            .then(|| format!("{path} has the mode {mode:04o}, more than {most:04o}")),
    )
}

/// The same for several files of root's.
fn loose_among(
    host: &Host,
    paths: impl IntoIterator<Item = String>,
    most: u32,
) -> Result<Option<String>> {
    let mut texts = Vec::new();
    for path in paths {
        texts.extend(loose(host, &path, 0, most)?);
    }
    Ok((!texts.is_empty()).then(|| texts.join("; ")))
}

pub(super) fn exposed(host: &Host, _: &Facts) -> Result<Option<String>> {
    let exposed = exposed::find(host)?;
    Ok(exposed.map(|(path, exposure)| {
        let cure = exposure.cure();
        format!("{path}: {exposure}; to close it: {cure}")
    }))
}

pub(super) fn readable_secret(host: &Host, _: &Facts) -> Result<Option<String>> {
    let path = daemon_config::PATH;
    let Some(bytes) = host.read(path)? else {
        return Ok(None);
    };
    let mode = std::fs::metadata(host.path(path)).context("looking at the file")?;
    let is_open = mode.mode() & 0o004 != 0;
    let document = Document::parse(&bytes).ok().filter(|_| is_open);
    let holds_secret = document.is_some_and(|document| document.holds_password());
    Ok(holds_secret.then(|| format!("{path} holds a secret, and every user can read it")))
}

pub(super) fn units(host: &Host, _: &Facts) -> Result<Option<String>> {
    loose_among(host, exposed::unit_files(host)?, 0o644)
}

pub(super) fn folder(host: &Host, _: &Facts) -> Result<Option<String>> {
    loose(host, FOLDER, 0, 0o755)
}

pub(super) fn certificates(host: &Host, _: &Facts) -> Result<Option<String>> {
    let mut files = Vec::new();
    for registry in host.list(CERTIFICATES)? {
        let folder = format!("{CERTIFICATES}/{registry}");
        let names = host.list(&folder)?.into_iter();
        files.extend(names.map(|name| format!("{folder}/{name}")));
    }
    // A client's key is for the engine alone.
    let (keys, others): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.ends_with(".key"));
    let keys = loose_among(host, keys, 0o400)?;
    let texts: Vec<String> = keys
        .into_iter()
        .chain(loose_among(host, others, 0o444)?)
        .collect();
    Ok((!texts.is_empty()).then(|| texts.join("; ")))
}

pub(super) fn tls(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let effective = EffectiveConfiguration::of(host, facts)?;
    let named = |key: &str| effective.text(key).filter(|path| path.starts_with('/'));
    let certificates = ["tlscacert", "tlscert"].into_iter().filter_map(named);
    let certificates = loose_among(host, certificates, 0o444)?;
    let key = loose_among(host, named("tlskey"), 0o400)?;
    let texts: Vec<String> = certificates.into_iter().chain(key).collect();
    Ok((!texts.is_empty()).then(|| texts.join("; ")))
}

pub(super) fn socket(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let group = EffectiveConfiguration::of(host, facts)?.text("group");
    let group = group.as_deref().unwrap_or(GROUP);
    match host.group_number(group)? {
        Some(number) => loose(host, SOCKET, number, 0o660),
        None => Ok(None), // that there is no such group is found by another check
    }
}

pub(super) fn configuration(host: &Host, _: &Facts) -> Result<Option<String>> {
    loose(host, daemon_config::PATH, 0, 0o644)
}

pub(super) fn defaults(host: &Host, _: &Facts) -> Result<Option<String>> {
    loose(host, DEFAULTS, 0, 0o644)
}

pub(super) fn containerd_socket(host: &Host, _: &Facts) -> Result<Option<String>> {
    loose(host, CONTAINERD_SOCKET, 0, 0o660)
}

pub(super) fn keyring(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let source = Source {
        uri: "https://download.docker.com/linux/ubuntu".to_owned(),
        suite: facts.codename.clone(),
        architecture: facts.architecture.clone(),
    };
    let files = source_files(host)?;
    let keyrings = files.iter().flat_map(|file| file.keyrings(&source));
    loose_among(host, keyrings.map(|it| it.to_string()), 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Look;
    use crate::facts;
    use crate::host::stub::StubHost;

    const UNIT: &str = "/usr/lib/systemd/system/docker.service";
    const KEY: &str = "/etc/docker/certs.d/registry.example/client.key";
    const AUTHORITY: &str = "/etc/docker/certs.d/registry.example/ca.crt";

    fn host() -> StubHost {
        let told = r#"{"tlscacert": "/tls/ca", "tlscert": "/tls/cert", "tlskey": "/tls/key",
            "log-driver": "splunk", "log-opts": {"splunk-token": "s3cret"}}"#;
        let line =
            "deb [signed-by=/keys/d.asc] https://download.docker.com/linux/ubuntu noble stable\n";
        let stub = StubHost::noble()
            .program("systemctl", "")
            .file(daemon_config::PATH, told)
            .file(UNIT, "")
            .file(DEFAULTS, "")
            .file(CONTAINERD_SOCKET, "")
            .file("/etc/apt/sources.list.d/docker.list", line);
        for path in [
            KEY,
            AUTHORITY,
            "/tls/ca",
            "/tls/cert",
            "/tls/key",
            "/keys/d.asc",
        ] {
            stub.write(path, "");
        }
        for (path, mode) in [
            ("/", 0o755),
            (FOLDER, 0o755),
            (daemon_config::PATH, 0o640),
            (AUTHORITY, 0o444),
            (KEY, 0o400),
            ("/tls/ca", 0o444),
            ("/tls/cert", 0o444),
            ("/tls/key", 0o400),
            (CONTAINERD_SOCKET, 0o660),
        ] {
            stub.set_mode(path, mode);
        }
        stub
    }

    #[test]
    fn each_file_is_content_with_its_mode_and_named_with_a_looser_one() {
        let cases: &[(Look, &str, u32)] = &[
            (exposed, daemon_config::PATH, 0o642),
            (exposed, UNIT, 0o646),
            (readable_secret, daemon_config::PATH, 0o644),
            (units, UNIT, 0o755),
            (folder, FOLDER, 0o775),
            (certificates, AUTHORITY, 0o644),
            (certificates, KEY, 0o444),
            (tls, "/tls/cert", 0o644),
            (tls, "/tls/key", 0o444),
            (configuration, daemon_config::PATH, 0o664),
            (defaults, DEFAULTS, 0o666),
            (containerd_socket, CONTAINERD_SOCKET, 0o666),
            (keyring, "/keys/d.asc", 0o664),
        ];
        let stub = host();
        let facts = facts::gather(stub.host()).unwrap();
        for (look, path, looser) in cases {
            assert_eq!(look(stub.host(), &facts).unwrap(), None, "{path}");
            let mode = stub.mode(path);
            stub.set_mode(path, *looser);
            let found = look(stub.host(), &facts).unwrap().unwrap();
            assert!(found.contains(path), "{found}");
            stub.set_mode(path, mode);
        }
    }

    #[test]
    fn an_owner_who_is_not_root_is_named() {
        if !nix::unistd::geteuid().is_root() {
            return; // only root can give a file away
        }
        let stub = host();
        let facts = facts::gather(stub.host()).unwrap();
        std::os::unix::fs::chown(stub.host().path(UNIT), None, Some(4321)).unwrap();
        let found = units(stub.host(), &facts).unwrap().unwrap();
        assert!(
            found.starts_with(&format!("{UNIT} belongs to user 0 and group 4321")),
            "{found}"
        );
    }
}
