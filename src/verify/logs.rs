//! Stage `logs`: what a container says can be read, and the log driver in force rotates.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::verifier::{OWN_DEFAULTS, Verifier, parse};
use crate::report::Outcome;

/// A container's log driver, as `docker inspect` shows it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LogConfig {
    r#type: String,
    config: Option<BTreeMap<String, String>>,
}

/// Enough to be rotated several times: the lines of the second container, and how much may stay.
const LINES: &str = "4000";
const KEPT: [&str; 4] = ["--log-opt", "max-size=20k", "--log-opt", "max-file=2"];

/// Drivers that keep what containers say on this host, and need nobody else for it.
const KEPT_HERE: [&str; 3] = ["journald", "json-file", "local"];

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let engine = verifier
        .host
        .engine_info()?
        .context("the engine went away")?;
    if !KEPT_HERE.contains(&engine.logging_driver.as_str()) {
        // Whether containers start with it is looked at apart from the stages.
        let (said, _) = speak(verifier, "speaker", &OWN_DEFAULTS[..1], "3")?;
        ensure!(
            said.ends_with("line 3"),
            "`docker logs` gives back something else: {said}"
        );
        return Ok(Outcome::Passed(format!(
            "given to {}, which looks after them itself",
            engine.logging_driver
        )));
    }
    let (
        said,
        LogConfig {
            r#type: driver,
            config,
        },
    ) = speak(verifier, "speaker", &[], "3")?;
    ensure!(
        said.lines().eq(["line 1", "line 2", "line 3"]),
        "`docker logs` does not give back what a container said, but: {said}"
    );
    let limit = config.unwrap_or_default().remove("max-size");
    let passed = match (driver.as_str(), limit) {
        ("local", limit) => format!(
            "kept by local, which rotates at {}",
            limit.as_deref().unwrap_or("20m")
        ),
        ("json-file", Some(limit)) => format!("kept by json-file, which rotates at {limit}"),
        ("json-file", None) => {
            return Ok(Outcome::Failed(
                "logs grow without bound, until the disk is full: the log driver is json-file \
                 without max-size. Put \"log-driver\": \"local\" into /etc/docker/daemon.json, then: \
                 systemctl restart docker (containers keep the driver they were made with)"
                    .to_owned(),
            ));
        }
        (other, _) => {
            return Ok(Outcome::Passed(format!(
                "given to {other}, which looks after them itself"
            )));
        }
    };
    rotates(verifier, &driver)?;
    Ok(Outcome::Passed(passed))
}

/// Writes more than a log may hold: its beginning must go, and its end stay.
fn rotates(verifier: &Verifier<'_>, driver: &str) -> Result<()> {
    let options: Vec<&str> = ["--log-driver", driver].into_iter().chain(KEPT).collect();
    let (said, _) = speak(verifier, "talker", &options, LINES)?;
    let last = format!("line {LINES}");
    ensure!(
        said.lines().last() == Some(last.as_str()),
        "the last line of a log is missing"
    );
    ensure!(
        !said.lines().any(|line| line == "line 1"),
        "the log driver {driver} does not rotate"
    );
    Ok(())
}

/// Lets a container say some lines; returns what its log has, and its driver.
fn speak(
    verifier: &Verifier<'_>,
    name: &str,
    options: &[&str],
    lines: &str,
) -> Result<(String, LogConfig)> {
    let name = verifier.name(name);
    let container = verifier
        .container_with_defaults("run")
        .args([
            "--runtime=runc",
            "--init=false",
            "--network=none",
            "--name",
            &name,
        ])
        .args(options.iter().copied());
    verifier.ask(&verifier.probe(container, &["lines", lines])?)?;
    let said = verifier.ask(&verifier.docker().args(["logs", &name]))?;
    let format = ["inspect", "--format", "{{json .HostConfig.LogConfig}}"];
    let config = verifier.ask(&verifier.docker().args(format).arg(&name))?;
    Ok((said, parse(&config)?))
}
