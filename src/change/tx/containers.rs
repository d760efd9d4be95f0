//! Stopping containers as they want to be stopped, in a time that is known before.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Tx;
use crate::host::command::Query;
use crate::host::engine::docker;
use crate::host::query::Reader;
use crate::report::Event;

/// How long the engine waits for a container that says nothing else.
const USUAL: Duration = Duration::from_secs(10);

/// How long a container is waited for at most, whatever it says.
const MOST: Duration = Duration::from_secs(300);

/// What the engine may need beyond that.
const SLACK: Duration = Duration::from_secs(60);

/// How many containers one command names; so many the docker command stops at a time.
const BATCH: usize = 50;

/// How many containers are named in one line.
const NAMED: usize = 20;

/// A container that is to be stopped.
struct Running {
    id: String,
    name: String,
    /// How long it asks to be waited for; `None` for as long as it takes.
    patience: Option<Duration>,
}

/// What `docker inspect` says of a container.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedContainer {
    id: String,
    name: String,
    config: ContainerConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerConfig {
    /// In seconds, below 0 for as long as it takes; left out by a container that says nothing.
    stop_timeout: Option<i64>,
}

impl From<InspectedContainer> for Running {
    fn from(inspected: InspectedContainer) -> Running {
        let patience = match inspected.config.stop_timeout {
            Some(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
            None => Some(USUAL),
        };
        Running {
            id: inspected.id,
            name: inspected.name.trim_start_matches('/').to_owned(),
            patience,
        }
    }
}

impl Tx<'_> {
    /// Stops these containers. Each is given the time that it asks for, up to [`MOST`].
    ///
    /// # Errors
    /// When some still run, which are named.
    pub(crate) fn stop_containers(&mut self, ids: &[String]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut failed = None;
        for batch in ids.chunks(BATCH) {
            let (patient, others): (Vec<Running>, Vec<Running>) = self
                .running(batch)?
                .into_iter()
                .partition(|it| it.patience.is_none_or(|patience| patience > MOST));
            self.announce(&patient, &others);
            let most = others.iter().filter_map(|it| it.patience).max();
            let stops = [
                (others, most.unwrap_or(USUAL), None),
                (patient, MOST, Some(format!("-t={}", MOST.as_secs()))),
            ];
            for (containers, patience, limit) in stops {
                if containers.is_empty() {
                    continue;
                }
                let stop = docker()
                    .arg("stop")
                    .args(limit)
                    .args(containers.iter().map(|it| &it.id));
                let stopped = self.run_covered(&stop.deadline(patience + SLACK));
                failed = failed.or(stopped.err());
            }
        }
        let left = self.host().running_containers()?;
        let left: Vec<String> = ids.iter().filter(|id| left.contains(id)).cloned().collect();
        match (left.is_empty(), failed) {
            // One that ended by itself meanwhile is no failure.
            (true, _) => Ok(()),
            (false, Some(error)) => Err(error.context(self.still_running(&left))),
            (false, None) => bail!(self.still_running(&left)),
        }
    }

    fn still_running(&self, left: &[String]) -> String {
        let left = self.running(&left[..left.len().min(NAMED)]).map_or_else(
            |_| left.to_vec(),
            |running| running.into_iter().map(|it| it.name).collect(),
        );
        format!("these containers did not stop: {}", named(&left))
    }

    /// Says for whom the stop waits longer than usual, or not as long as they ask.
    fn announce(&self, patient: &[Running], others: &[Running]) {
        if !patient.is_empty() {
            let names: Vec<String> = patient.iter().map(|it| it.name.clone()).collect();
            let text = format!(
                "containers that ask for more time to stop than {} s are killed after that: {}",
                MOST.as_secs(),
                named(&names)
            );
            self.tell(Event::Warning { text });
        }
        let most = others.iter().filter_map(|it| it.patience).max();
        if let Some(most) = most.filter(|most| *most > USUAL) {
            let text = format!("waiting up to {} s for containers to stop", most.as_secs());
            self.tell(Event::Waiting { text });
        }
    }

    /// What is known of these containers. One that is gone by now is left out.
    fn running(&self, ids: &[String]) -> Result<Vec<Running>> {
        let inspect = Query::of(Reader::DockerInspect)
            .arg("--type=container")
            .args(ids);
        let inspected = self.host().query(&inspect)?.stdout;
        let inspected: Vec<InspectedContainer> =
            serde_json::from_str(&inspected).context("reading what docker inspect says")?;
        Ok(inspected.into_iter().map(Running::from).collect())
    }
}

/// Their names, or the first of them and how many more there are.
fn named(names: &[String]) -> String {
    match names.get(NAMED..) {
        Some(more) if !more.is_empty() => {
            format!("{} and {} more", names[..NAMED].join(", "), more.len())
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use crate::change::trial;
    use crate::host::stub::StubHost;
    use crate::report::Event;

    fn engine(running: u64) -> serde_json::Value {
        json!({
            "ServerVersion": "29.5.3", "LoggingDriver": "local", "LiveRestoreEnabled": true,
            "ContainersRunning": running, "Driver": "overlay2", "CgroupDriver": "systemd",
            "CgroupVersion": "2", "DockerRootDir": "/var/lib/docker",
        })
    }

    /// Stops containers; returns what was called and what was said.
    fn stopped(stub: &StubHost, ids: &[&str]) -> (Vec<String>, Vec<String>, Option<String>) {
        let said = RefCell::new(Vec::new());
        let listen = |event| match event {
            Event::Warning { text } | Event::Waiting { text } => said.borrow_mut().push(text),
            _ => {}
        };
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut tx = trial::begin(stub.host(), &listen);
        let failed = tx.stop_containers(&ids).err();
        let mut calls = stub.calls();
        calls.retain(|call| call.contains(" stop "));
        (calls, said.take(), failed.map(|error| format!("{error:#}")))
    }

    /// A docker command that knows these containers, and lists those of `runs` as running.
    fn docker(containers: &[(&str, &str, Option<i64>)], runs: &str) -> String {
        let inspected = containers.iter().map(|(id, name, timeout)| {
            // The engine leaves the key out where nothing was asked for.
            let config = timeout.map_or(json!({}), |it| json!({"StopTimeout": it}));
            json!({"Id": id, "Name": format!("/{name}"), "Config": config})
        });
        let inspected = serde_json::Value::from_iter(inspected);
        format!(
            "case \"$*\" in
                *inspect*) echo '{inspected}' ;;
                *ps*) echo {runs} ;;
            esac"
        )
    }

    #[test]
    fn each_gets_the_time_that_it_asks_for_up_to_a_limit() {
        let containers = [
            ("a", "web", None),
            ("b", "db", Some(30)),
            ("c", "slow", Some(600)),
            ("d", "never", Some(-1)),
        ];
        let stub = StubHost::new()
            .program("docker", &docker(&containers, "c"))
            .engine(engine(0));
        let (calls, said, failed) = stopped(&stub, &["a", "b", "c", "d"]);
        assert_eq!(failed, None);
        assert_eq!(
            calls,
            [
                "docker --host unix:///run/docker.sock stop a b",
                "docker --host unix:///run/docker.sock stop -t=300 c d"
            ]
        );
        assert_eq!(
            said,
            [
                "containers that ask for more time to stop than 300 s are killed after that: \
                 slow, never",
                "waiting up to 30 s for containers to stop"
            ]
        );
    }

    #[test]
    fn those_that_go_on_are_named() {
        let stub = StubHost::new()
            .program("docker", &docker(&[("c", "slow", Some(600))], "c"))
            .engine(engine(1));
        let (_, _, failed) = stopped(&stub, &["c"]);
        assert_eq!(
            failed.as_deref(),
            Some("these containers did not stop: slow")
        );
    }

    #[test]
    fn thousands_are_stopped_in_batches() {
        let body = "case \"$*\" in
            *inspect*)
                shift 4; printf '['; comma=''
                for id; do
                    printf '%s{\"Id\": \"%s\", \"Name\": \"/n\", \"Config\": {}}' \"$comma\" $id; comma=,
                done
                echo ']' ;;
        esac";
        let stub = StubHost::new().program("docker", body).engine(engine(0));
        let ids: Vec<String> = (0..120).map(|number| format!("{number:064}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (calls, said, failed) = stopped(&stub, &ids);
        assert_eq!((calls.len(), said.len(), failed), (3, 0, None));
        let all = calls.join(" ");
        assert!(ids.iter().all(|id| all.contains(id)));
    }
}
