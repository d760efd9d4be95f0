//! Stage `engine`: the socket answers, and the `docker` command and the engine belong together.

use std::os::unix::net::UnixStream;

use anyhow::Result;

use super::Proof;
use crate::host::engine::SOCKET;
use crate::host::engine::docker;
use crate::report::Outcome;

pub fn prove(proof: &Proof<'_>) -> Result<Outcome> {
    let socket = proof.host.path(SOCKET);
    if let Err(error) = UnixStream::connect(&socket) {
        let cure = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "run it with sudo, or join group docker",
            _ => "see why with: systemctl status docker",
        };
        return Ok(Outcome::Failed(format!("{SOCKET}: {error}; {cure}")));
    }
    let Some(engine) = proof.host.engine_info()? else {
        return Ok(Outcome::Failed(format!(
            "{SOCKET} is open, but no engine answers on it; see why with: systemctl status docker"
        )));
    };
    let version = docker().args(["version", "--format", "{{.Client.Version}}"]);
    let client = proof.host.query(&version)?.success()?.stdout;
    let (client, server) = (client.trim(), engine.server_version.as_str());
    if client != server {
        return Ok(Outcome::Failed(format!(
            "the docker command is {client}, but the running engine is {server}; \
             restart the engine: systemctl restart docker"
        )));
    }
    Ok(Outcome::Passed(format!(
        "Docker Engine {server}, {} storage, cgroup v{} by {}",
        engine.driver, engine.cgroup_version, engine.cgroup_driver
    )))
}
