//! The running engine: its unit, what it says of itself over its socket, and the `docker` command.
//!
//! The socket answers in a few milliseconds, where the `docker` command takes ten times that;
//! it is asked whenever a second run must be quick. The `docker` command is what `verify` uses.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Host;
use super::command::Command;

/// The engine's socket, which its unit opens.
pub const SOCKET: &str = "/run/docker.sock";

/// The engine's unit.
pub const UNIT: &str = "docker.service";

/// A part of the engine's answer to `GET /info`.
///
/// Source: <https://docs.docker.com/reference/api/engine/>, `SystemInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "PascalCase"))]
pub struct EngineInfo {
    pub server_version: String,
    pub logging_driver: String,
    pub live_restore_enabled: bool,
    pub containers_running: u64,
    pub driver: String,
    pub cgroup_driver: String,
    pub cgroup_version: String,
    pub docker_root_dir: String,
}

impl Host {
    /// The running engine's account of itself, or `None` where no engine answers.
    ///
    /// # Errors
    /// One that [`is_forbidden`](super::is_forbidden) when the caller may not use the socket.
    pub fn engine_info(&self) -> Result<Option<EngineInfo>> {
        match UnixStream::connect(self.path(SOCKET)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(error).context("asking the engine about itself");
            }
            Err(_) => return Ok(None),
            Ok(_) => {}
        }
        let client = super::http::builder()
            .tls_certs_only([])
            .no_proxy()
            .unix_socket(self.path(SOCKET))
            .timeout(Duration::from_secs(20))
            .build()
            .context("setting up a client for the engine's socket")?;
        let Ok(response) = client.get("http://docker/info").send() else {
            return Ok(None);
        };
        let response = response
            .error_for_status()
            .context("asking the engine about itself")?;
        let text = response.text().context("reading the engine's answer")?;
        let info = serde_json::from_str(&text).context("reading the engine's answer")?;
        Ok(Some(info))
    }
}

/// The `docker` command, sent to this host's engine whatever the user's contexts say.
pub fn docker() -> Command {
    Command::new("docker").args(["--host", "unix:///run/docker.sock"])
}

/// A systemctl command.
pub fn systemctl(arguments: &[&str]) -> Command {
    Command::new("systemctl").args(arguments.iter().copied())
}
