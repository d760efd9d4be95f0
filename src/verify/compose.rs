//! Stage `compose`: two services, one of which needs the other, come up, are healthy, talk, and go
//! without a trace.

#![expect(
    clippy::disallowed_methods,
    reason = "all is written into the folder of the verification"
)]

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::addresses;
use super::probe::ReachReport;
use super::verifier::Verifier;
use crate::report::Outcome;

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    if let Some(failed) = verifier.plugin_fault("compose")? {
        return Ok(failed);
    }
    let file = verifier.folder("compose")?.join("compose.yaml");
    let write = |range: Option<&str>| {
        let text = services(verifier, range)?;
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
    };
    write(None)?;
    let project = verifier.name("compose");
    let compose = |arguments: &[&str]| {
        let compose = verifier
            .docker()
            .args(["compose", "--project-name", &project, "--file"])
            .arg(&file)
            .args(arguments.iter().copied());
        compose.deadline(Duration::from_secs(90))
    };
    let up = compose(&[
        "up",
        "--detach",
        "--wait",
        "--wait-timeout=30",
        "--pull=never",
    ]);
    let begun = verifier.run(&up)?;
    if begun.code != 0 && addresses::are_exhausted(&begun.tail()) {
        verifier.find(addresses::shortage(&begun.tail()));
        write(Some(&addresses::own_range(1)))?;
        verifier.ask(&up)?;
    } else {
        begun.success()?;
    }
    let talk = [
        "exec",
        "-T",
        "front",
        "/dockstrap",
        "probe",
        "reach",
        "--server",
        "back:8080",
    ];
    let reach: ReachReport = verifier.read(&compose(&talk))?;
    ensure!(
        reach.answer == Some(Ok(verifier.token.clone())),
        "one service does not reach the other: {:?}",
        reach.answer
    );
    ensure!(
        started(verifier, &project, "back")? < started(verifier, &project, "front")?,
        "a service was started before the one that it depends on"
    );
    verifier.ask(&compose(&["down", "--volumes"]))?;
    nothing_is_left(verifier, &project)?;
    Ok(Outcome::Passed(
        "two services came up in order, were healthy, talked and went".to_owned(),
    ))
}

/// When the container of a service was started.
fn started(verifier: &Verifier<'_>, project: &str, service: &str) -> Result<jiff::Timestamp> {
    let inspect = verifier
        .docker()
        .args(["inspect", "--format={{.State.StartedAt}}"])
        .arg(format!("{project}-{service}-1"));
    let started = verifier.ask(&inspect)?;
    started.parse().context("reading a time")
}

fn nothing_is_left(verifier: &Verifier<'_>, project: &str) -> Result<()> {
    let filter = format!("label=com.docker.compose.project={project}");
    for list in [["ps", "--all"], ["network", "ls"], ["volume", "ls"]] {
        let list = verifier
            .docker()
            .args(list)
            .args(["--quiet", "--filter", &filter]);
        let left = verifier.ask(&list)?;
        ensure!(left.is_empty(), "`docker compose down` left behind: {left}");
    }
    Ok(())
}

/// The project, as JSON, which is YAML as well. Its network has this range, or one of the engine's.
fn services(verifier: &Verifier<'_>, range: Option<&str>) -> Result<String> {
    let serve = |port: &str| serde_json::json!(["probe", "serve", port, verifier.token]);
    let labels = serde_json::json!([verifier.label()]);
    let image = verifier.image()?;
    let logging = serde_json::json!({ "driver": "json-file" });
    let mut network = serde_json::json!({ "labels": labels });
    if let Some(range) = range {
        network["ipam"] = serde_json::json!({ "config": [{ "subnet": range }] });
    }
    let healthy = serde_json::json!({
        "test": ["CMD", "/dockstrap", "probe", "reach", "--server", "127.0.0.1:8080"],
        "interval": "500ms",
        "timeout": "10s",
        "retries": 20,
    });
    let services = serde_json::json!({
        "services": {
            "back": {
                "image": image,
                "command": serve("8080"),
                "labels": labels,
                "logging": logging,
                "runtime": "runc",
                "init": false,
                "healthcheck": healthy,
                "volumes": ["data:/data"],
            },
            "front": {
                "image": image,
                "command": serve("8080"),
                "labels": labels,
                "logging": logging,
                "runtime": "runc",
                "init": false,
                "healthcheck": healthy,
                "depends_on": { "back": { "condition": "service_healthy" } },
            },
        },
        "networks": { "default": network },
        "volumes": { "data": { "labels": labels } },
    });
    Ok(services.to_string())
}
