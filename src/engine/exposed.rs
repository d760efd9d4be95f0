//! The files that decide what the engine does as root: whoever can change one of them is root.

use std::path::Path;

use anyhow::{Context, Result};

use super::unit::directives::{self, UnitFile};
use crate::daemon_config;
use crate::docker::{CONTAINERD_CONFIG, CONTAINERD_UNIT, SOCKET_UNIT, UNIT};
use crate::error::Failure;
use crate::host::exposure::Exposure;
use crate::host::{Host, is_forbidden};

const UNITS: [&str; 3] = [UNIT, SOCKET_UNIT, CONTAINERD_UNIT];

/// The units of the engine with their drop-ins, as far as they are there.
pub(crate) fn unit_files(host: &Host) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in directives::FOLDERS {
        for unit in UNITS {
            let path = format!("{folder}/{unit}");
            let drop_ins = host
                .list(format!("{path}.d"))?
                .into_iter()
                .filter(|name| name.ends_with(".conf"));
            files.extend(drop_ins.map(|name| format!("{path}.d/{name}")));
            if host.exists(&path)? {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// The files from which units take the environment of the engine.
fn environment_files(host: &Host, units: &[String]) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for unit in units {
        let UnitFile::Text(text) = directives::content(host, unit)? else {
            continue;
        };
        let named = text.lines().filter_map(|line| {
            let (name, path) = line.trim().split_once('=')?;
            let path = path.trim().trim_start_matches('-');
            (name.trim_end() == "EnvironmentFile" && path.starts_with('/')).then_some(path)
        });
        files.extend(named.map(str::to_owned));
    }
    Ok(files)
}

/// The first of the files that others than root can change, or replace, and how.
pub(crate) fn find(host: &Host) -> Result<Option<(String, Exposure)>> {
    let units = unit_files(host)?;
    let environment = environment_files(host, &units)?;
    let told = [daemon_config::PATH, CONTAINERD_CONFIG].map(str::to_owned);
    for path in told.into_iter().chain(units).chain(environment) {
        let exposure = host.exposure(Path::new(&path));
        if let Some(exposure) = exposure.with_context(|| format!("looking at {path}"))? {
            return Ok(Some((path, exposure)));
        }
    }
    Ok(None)
}

/// Refuses a host on which others decide what the engine does.
///
/// It is not fixed on the way: what somebody may have written there already must be checked, or
/// the engine would start with it.
///
/// # Errors
/// [`Failure::Blocked`], with the command that helps.
pub(crate) fn refuse(host: &Host) -> Result<()> {
    let exposed = match find(host) {
        // Only root may look.
        Err(error) if is_forbidden(&error) => return Ok(()),
        exposed => exposed?,
    };
    let Some((path, exposure)) = exposed else {
        return Ok(());
    };
    Err(Failure::Blocked(format!(
        "{path}: {exposure}, who could then do anything as root through the engine; nothing was \
         changed. Check what it says, then run: {}",
        exposure.cure()
    ))
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{exit_code, next_command};
    use crate::host::stub::StubHost;

    const DROP_IN: &str = "/etc/systemd/system/docker.service.d/own.conf";

    #[test]
    fn whatever_decides_for_the_engine_is_refused_when_others_can_write_it() {
        let stub = StubHost::new()
            .file(daemon_config::PATH, "{}")
            .file("/etc/containerd/config.toml", "")
            .file("/usr/lib/systemd/system/docker.service", "")
            .file("/usr/lib/systemd/system/docker.socket", "")
            .file(DROP_IN, "[Service]\nEnvironmentFile=-/srv/docker.env\n")
            .file("/srv/docker.env", "");
        refuse(stub.host()).unwrap();
        for path in [
            daemon_config::PATH,
            "/etc/docker",
            "/etc/containerd/config.toml",
            "/usr/lib/systemd/system/docker.service",
            "/usr/lib/systemd/system/docker.socket",
            "/etc/systemd/system/docker.service.d",
            DROP_IN,
            "/srv",
            "/srv/docker.env",
        ] {
            let mode = stub.mode(path);
            stub.set_mode(path, mode | 0o002);
            let error = refuse(stub.host()).unwrap_err();
            assert_eq!(exit_code(&error), 4, "{path}");
            let next = next_command(&error, Some("install"));
            assert_eq!(next, format!("sudo chmod go-w {path}"), "{error}");
            stub.set_mode(path, mode);
        }
        refuse(stub.host()).unwrap();
    }

    #[test]
    fn a_folder_counts_before_there_is_a_file() {
        let stub = StubHost::new().folder("/etc/docker");
        refuse(stub.host()).unwrap();
        stub.set_mode("/etc/docker", 0o777);
        let error = refuse(stub.host()).unwrap_err().to_string();
        let start = "/etc/docker/daemon.json: other users can write to /etc/docker, who could";
        assert!(error.starts_with(start), "{error}");
    }
}
