//! Stage `engine`: units and socket are up, and the docker command belongs to the engine.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::verifier::{Verifier, parse};
use crate::docker::{CONTAINERD_UNIT, SOCKET, UNIT};
use crate::facts::{Init, detect_init};
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;
use crate::report::Outcome;

/// This stage's name: the others are not tried without it.
pub(crate) const ID: &str = "engine";

/// The answer of `docker version`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Versions {
    client: Version,
    server: Version,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    version: String,
    #[serde(alias = "APIVersion")]
    api_version: String,
}

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let host = verifier.host;
    if let Some(reason) = silence(host)? {
        return Ok(Outcome::Failed(reason));
    }
    let engine = host.engine_info()?.context("the engine went away")?;
    let version = verifier
        .docker()
        .args(["version", "--format", "{{json .}}"]);
    let Versions { client, server } = parse(&verifier.ask(&version)?)?;
    if client.version != server.version {
        return Ok(Outcome::Failed(format!(
            "the docker command is {}, but the running engine is {}; let the engine that is \
             installed take over: systemctl restart docker",
            client.version, server.version
        )));
    }
    ensure!(
        engine.server_version == server.version,
        "two engines answer: {} over the socket, {} to the docker command",
        engine.server_version,
        server.version
    );
    Ok(Outcome::Passed(format!(
        "Docker Engine {}, API {}, {} storage, cgroup v{} by {}",
        server.version,
        server.api_version,
        engine.driver,
        engine.cgroup_version,
        engine.cgroup_driver
    )))
}

/// Why the engine does not answer, with what helps; nothing when it does.
pub(crate) fn silence(host: &Host) -> Result<Option<String>> {
    // First, since a connection to its socket would start an engine that is stopped.
    if let Some(reason) = units(host)? {
        return Ok(Some(reason));
    }
    if let Err(error) = UnixStream::connect(host.path(SOCKET)) {
        return Ok(Some(format!(
            "{SOCKET}: {error}; let systemd make it again: systemctl restart docker.socket \
             docker.service"
        )));
    }
    Ok(match host.engine_info()? {
        Some(_) => None,
        None => Some(format!(
            "{SOCKET} is open, but no engine answers on it; see why with: journalctl --unit {UNIT} \
             --lines 50"
        )),
    })
}

/// What is wrong with the units of the engine and of containerd.
fn units(host: &Host) -> Result<Option<String>> {
    if detect_init(host)? == Init::None {
        return Ok(None);
    }
    for unit in [CONTAINERD_UNIT, UNIT] {
        let show = Query::of(Reader::SystemctlShow)
            .args([unit, "--property=LoadState,ActiveState,Result"]);
        let shown = host.query(&show)?.success()?.stdout;
        let state: BTreeMap<&str, &str> = shown
            .lines()
            .filter_map(|line| line.split_once('='))
            .collect();
        let value = |key: &str| state.get(key).copied().unwrap_or_default();
        if let Some(reason) = wrong(unit, value) {
            return Ok(Some(reason));
        }
    }
    Ok(None)
}

fn wrong<'a>(unit: &str, value: impl Fn(&str) -> &'a str) -> Option<String> {
    match (value("LoadState"), value("ActiveState")) {
        (_, "active" | "reloading") => None,
        ("not-found", _) => Some(format!(
            "there is no {unit}; put it back: sudo dockstrap install"
        )),
        ("masked", _) => Some(format!(
            "{unit} is masked, so it cannot run; allow it and start it: systemctl unmask --now {unit}"
        )),
        (_, "failed") => Some(format!(
            "{unit} has failed ({}); see why with: journalctl --unit {unit} --lines 50",
            value("Result")
        )),
        (_, state) => Some(format!(
            "{unit} is {state}; start it with: systemctl start {unit}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    /// Why an engine does not answer whose units are all in this state.
    fn silence_of(state: &str) -> Option<String> {
        let stub = StubHost::noble().program("systemctl", &format!("printf '{state}'"));
        silence(stub.host()).unwrap()
    }

    #[test]
    fn fault_43_a_unit_that_is_masked_failed_or_stopped_is_named_with_the_way_out() {
        for (state, cure) in [
            (
                "LoadState=masked\nActiveState=inactive\n",
                "systemctl unmask --now containerd.service",
            ),
            (
                "LoadState=loaded\nActiveState=failed\nResult=exit-code\n",
                "journalctl --unit containerd.service --lines 50",
            ),
            (
                "LoadState=loaded\nActiveState=inactive\n",
                "systemctl start containerd.service",
            ),
            (
                "LoadState=not-found\nActiveState=inactive\n",
                "sudo dockstrap install",
            ),
        ] {
            let reason = silence_of(state).unwrap();
            assert!(reason.ends_with(cure), "{reason}");
        }
    }

    #[test]
    fn with_units_that_run_it_is_the_socket_that_is_missing() {
        let reason = silence_of("LoadState=loaded\nActiveState=active\n").unwrap();
        assert!(reason.starts_with(SOCKET), "{reason}");
    }
}
