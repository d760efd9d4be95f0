//! The running engine: its unit, what it says of itself over its socket, and the `docker` command.
//!
//! The socket answers in a few milliseconds, where the `docker` command takes ten times that;
//! it is asked whenever a second run must be quick. The `docker` command is what `verify` uses.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Host;
use super::command::{Command, Query};
use super::query::Reader;
use crate::daemon_config::{self, Document};
use crate::docker::{CONTAINERD_CONFIG, CONTAINERD_ROOT, NO_CONFIG, SOCKET, UNIT};

pub(crate) use crate::daemon_config::DATA_ROOT;

/// What `systemctl is-active` exits with for a unit that is not active, and for one that is not there.
const INACTIVE: i32 = 3;
const NO_SUCH_UNIT: i32 = 4;

/// `{"type":["daemon"],"event":["reload"]}`, as a URL has it.
const RELOADS: &str = "%7B%22type%22%3A%5B%22daemon%22%5D%2C%22event%22%3A%5B%22reload%22%5D%7D";

/// A part of the engine's answer to `GET /info`.
///
/// Source: <https://docs.docker.com/reference/api/engine/>, `SystemInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "PascalCase"))]
pub(crate) struct EngineInfo {
    pub server_version: String,
    pub logging_driver: String,
    pub live_restore_enabled: bool,
    pub containers_running: u64,
    #[serde(default, skip_serializing)]
    pub containers_paused: u64,
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
    pub(crate) fn engine_info(&self) -> Result<Option<EngineInfo>> {
        let Some(info) = self.engine_says("/info")? else {
            return Ok(None);
        };
        let info = serde_json::from_str(&info).context("reading the engine's answer")?;
        Ok(Some(info))
    }

    /// The version of the engine that runs; `None` when none does, or none that says so.
    pub(crate) fn running_version(&self) -> Option<String> {
        // To ask one that is stopped would start it.
        if !self.engine_is_active().unwrap_or(false) {
            return None;
        }
        let engine = self.engine_info().ok().flatten()?;
        Some(engine.server_version)
    }

    /// All of the engine's account of itself.
    ///
    /// # Errors
    /// As [`Host::engine_info`].
    pub(crate) fn engine_account(&self) -> Result<Option<Value>> {
        let Some(info) = self.engine_says("/info")? else {
            return Ok(None);
        };
        let info = serde_json::from_str(&info).context("reading the engine's answer")?;
        Ok(Some(info))
    }

    /// Whether the engine has taken up its configuration by a reload since then. One that finds
    /// fault with it says so in its log only.
    pub(crate) fn engine_has_reloaded_since(&self, then: Timestamp) -> Result<bool> {
        let now = Timestamp::now();
        let question = format!(
            "/events?since={}&until={}&filters={RELOADS}",
            seconds(then),
            seconds(now)
        );
        let events = self.engine_says(&question)?;
        Ok(events.is_some_and(|events| !events.trim().is_empty()))
    }

    /// What the engine answers to a question of its API, or `None` where no engine does.
    fn engine_says(&self, question: &str) -> Result<Option<String>> {
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
        let Ok(response) = client.get(format!("http://docker{question}")).send() else {
            return Ok(None);
        };
        let response = response
            .error_for_status()
            .context("asking the engine about itself")?;
        let text = response.text().context("reading the engine's answer")?;
        Ok(Some(text))
    }
}

/// The time as the engine's API takes it: seconds with nine digits behind the point.
fn seconds(time: Timestamp) -> String {
    format!("{}.{:09}", time.as_second(), time.subsec_nanosecond())
}

impl Host {
    /// What systemd says of a unit, by its own names for it. Where systemd does not run, its files
    /// tell whether there is the unit and whether it is enabled, and it is not active.
    pub(crate) fn unit(&self, unit: &str) -> Result<BTreeMap<String, String>> {
        if self.runs_systemd()? {
            let show = Query::of(Reader::SystemctlShow).args([
                "--timestamp=us+utc",
                "--property=LoadState,UnitFileState,ActiveState,StateChangeTimestamp",
                "--",
                unit,
            ]);
            let shown = self.query(&show)?.success()?.stdout;
            let lines = shown.lines().filter_map(|line| line.split_once('='));
            return Ok(lines
                .map(|(key, value)| (key.into(), value.into()))
                .collect());
        }
        let asked = self
            .query(&Query::of(Reader::SystemctlIsEnabled).args(["--", unit]))?
            .stdout;
        let (load, file) = match asked.trim() {
            // Older than 252, it says so in words for people.
            "" | "not-found" => ("not-found", ""),
            "masked" | "masked-runtime" => ("masked", "masked"),
            state => ("loaded", state),
        };
        let state = [
            ("LoadState", load),
            ("UnitFileState", file),
            ("ActiveState", "inactive"),
        ];
        Ok(state.map(|(key, value)| (key.into(), value.into())).into())
    }

    /// Whether the engine's unit was written by hand, as for an engine of no package.
    pub(crate) fn has_unit_by_hand(&self) -> Result<bool> {
        self.exists(format!("/etc/systemd/system/{UNIT}"))
    }

    /// Where the engine keeps its data, as its file says.
    pub(crate) fn data_root(&self) -> Result<PathBuf> {
        let bytes = self.read(daemon_config::PATH)?.unwrap_or_default();
        let file = Document::parse(&bytes).unwrap_or_default();
        Ok(daemon_config::data_root(file.get("data-root")).to_owned())
    }

    /// Where containerd keeps its data, as its file says.
    pub(crate) fn containerd_root(&self) -> Result<PathBuf> {
        let text = self.read_text(CONTAINERD_CONFIG)?.unwrap_or_default();
        let table: toml::Table = text.parse().unwrap_or_default();
        let chosen = table
            .get("root")
            .and_then(toml::Value::as_str)
            .filter(|path| path.starts_with('/'));
        Ok(chosen.unwrap_or(CONTAINERD_ROOT).into())
    }

    /// Whether the engine's unit runs. Who is not to start it asks this before the engine itself:
    /// a connection to its socket starts one that is stopped.
    pub(crate) fn engine_is_active(&self) -> Result<bool> {
        self.unit_is_active(UNIT)
    }

    /// Whether a unit is active; none is where systemd does not run.
    pub(crate) fn unit_is_active(&self, unit: &str) -> Result<bool> {
        if !self.runs_systemd()? {
            return Ok(false);
        }
        let asked = self.query(&Query::of(Reader::SystemctlIsActive).args(["--", unit]))?;
        match asked.code {
            INACTIVE | NO_SUCH_UNIT => Ok(false),
            _ => asked.success().map(|_| true),
        }
    }

    /// The identifiers of the containers that run now; none where no engine answers.
    pub(crate) fn running_containers(&self) -> Result<Vec<String>> {
        self.running("{{.ID}}")
    }

    /// The identifiers of all containers that there are, stopped ones as well.
    pub(crate) fn all_containers(&self) -> Result<Vec<String>> {
        let list = Query::of(Reader::DockerPs).args(["--all", "--no-trunc", "--format", "{{.ID}}"]);
        let listed = self.query(&list)?.success()?.stdout;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// The names of the containers that run now, for people.
    pub(crate) fn running_names(&self) -> Result<Vec<String>> {
        self.running("{{.Names}}")
    }

    fn running(&self, format: &str) -> Result<Vec<String>> {
        let none = |engine: EngineInfo| engine.containers_running + engine.containers_paused == 0;
        if self.engine_info()?.is_none_or(none) {
            return Ok(Vec::new());
        }
        let list = Query::of(Reader::DockerPs).args(["--no-trunc", "--format", format]);
        let listed = self.query(&list)?.success()?.stdout;
        Ok(listed.lines().map(str::to_owned).collect())
    }
}

/// Whether this is how a folder is named that an engine with userns-remap keeps all in: by the first
/// identifiers of user and group.
pub(crate) fn is_of_remap(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    name.split_once('.')
        .is_some_and(|(user, group)| is_number(user) && is_number(group))
}

/// The `docker` command, sent to this host's engine, without any user's configuration or plugins.
pub(crate) fn docker() -> Command {
    Command::new("docker")
        .args(["--host", "unix:///run/docker.sock"])
        .env("DOCKER_CONFIG", NO_CONFIG)
}

/// A systemctl command.
pub(crate) fn systemctl(arguments: &[&str]) -> Command {
    Command::new("systemctl").args(arguments.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::host::stub::StubHost;

    #[test]
    fn a_systemd_that_cannot_be_asked_has_not_said_that_the_engine_is_stopped() {
        let asked = |code: u8| {
            let stub = StubHost::new().program("systemctl", &format!("exit {code}"));
            stub.host().engine_is_active().ok()
        };
        assert_eq!([0, 3, 4].map(asked), [Some(true), Some(false), Some(false)]);
        assert_eq!([1, 127].map(asked), [None, None]);
    }

    #[test]
    fn a_unit_whose_name_begins_with_a_dash_is_no_option() {
        let with = StubHost::new().program("systemctl", "echo LoadState=loaded");
        assert_eq!(with.host().unit("-.mount").unwrap()["LoadState"], "loaded");
        let call = with.calls().pop().unwrap();
        assert!(call.ends_with(" -- -.mount"), "{call}");
        let apart = StubHost::new()
            .program("systemctl", "echo enabled")
            .without_systemd();
        apart.host().unit("-.mount").unwrap();
        let call = apart.calls().pop().unwrap();
        assert!(call.ends_with("is-enabled -- -.mount"), "{call}");
    }

    #[test]
    fn containerd_keeps_images_where_its_own_file_says() {
        let root = |stub: &StubHost| stub.host().containerd_root().unwrap();
        let stub = StubHost::new();
        assert_eq!(root(&stub), Path::new("/var/lib/containerd"));
        let text = "version = 3\nroot = '/srv/containerd'\n[plugins]\nroot = '/other'\n";
        let stub = stub.file("/etc/containerd/config.toml", text);
        assert_eq!(root(&stub), Path::new("/srv/containerd"));
    }
}
