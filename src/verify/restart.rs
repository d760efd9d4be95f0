//! Stage `restart`: a container with a restart policy is there again after the engine was
//! restarted; with live-restore it never goes.
//!
//! The restart changes nothing that lasts, but others may notice it. So it is not made where it
//! would stop the containers of others, unless this stage was asked for by name; and never where
//! the engine would not come back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::objects::LABEL;
use super::verifier::Verifier;
use crate::docker::UNIT;
use crate::engine::failure::failure_reason;
use crate::host::engine::systemctl;
use crate::report::Outcome;
use crate::step::daemon_json::refuse_unsound;
use crate::undo::keeps_containers;

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    if !nix::unistd::geteuid().is_root() {
        let reason = "only root can restart the engine; run it with sudo";
        return Ok(Outcome::Skipped(reason.to_owned()));
    }
    let engine = verifier
        .host
        .engine_info()?
        .context("the engine went away")?;
    // What the engine that runs is told may not be what it will be told when it starts.
    let lives_on = keeps_containers(verifier.host)?;
    let others = containers_of_others(verifier)?;
    if !others.is_empty() && !lives_on && !verifier.choice.names("restart") {
        let off = if engine.live_restore_enabled {
            "live-restore is on, but not in /etc/docker/daemon.json"
        } else {
            "live-restore is off"
        };
        return Ok(Outcome::Skipped(format!(
            "it would stop running containers, since {off}: {}; to do it all the same: dockstrap \
             verify restart",
            others.join(", ")
        )));
    }
    if let Err(error) = refuse_unsound(verifier.host, &engine.server_version) {
        return Ok(Outcome::Failed(format!(
            "a restart was not tried, as the engine would not come back: {error:#}"
        )));
    }
    let name = verifier.name("keeper");
    let container = verifier
        .container("run")
        .args(["--detach", "--restart=always", "--network=none"])
        .args(["--name", &name]);
    verifier.ask(&verifier.probe(container, &["sleep"])?)?;
    let before = process(verifier, &name)?;
    // systemd refuses the fourth start within a minute, unless it is told to forget the others.
    verifier.ask(&systemctl(&["reset-failed", UNIT]))?;
    let restart = systemctl(&["restart", UNIT]).deadline(Duration::from_secs(120));
    verifier
        .ask(&restart)
        .with_context(|| failure_reason(verifier.host))?;
    let after = verifier.wait(
        "the return of a container after the engine was restarted",
        || {
            Ok(process(verifier, &name)
                .ok()
                .filter(|process| process != "0"))
        },
    )?;
    ensure!(
        !lives_on || after == before,
        "live-restore is on, but a container did not outlive a restart of the engine"
    );
    Ok(Outcome::Passed(if after == before {
        "a container lived on while the engine was restarted".to_owned()
    } else {
        "a container was started again after the engine was restarted".to_owned()
    }))
}

/// The process of a container; `0` when it does not run.
fn process(verifier: &Verifier<'_>, name: &str) -> Result<String> {
    let inspect = verifier
        .docker()
        .args(["inspect", "--format", "{{.State.Pid}}"]);
    verifier.ask(&inspect.arg(name))
}

/// The running containers that no verification has made.
fn containers_of_others(verifier: &Verifier<'_>) -> Result<Vec<String>> {
    let format = format!("{{{{.Names}}}} {{{{.Label \"{LABEL}\"}}}}");
    let listed = verifier.ask(&verifier.docker().args(["ps", "--format", &format]))?;
    let of_others = |line: &&str| !line.trim().contains(' ');
    let names = listed.lines().filter(of_others);
    Ok(names.map(|line| line.trim().to_owned()).collect())
}
