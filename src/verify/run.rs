//! Stage `run`: a container starts, is process 1 in a world of its own, and its output comes back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Proof;
use super::image::{LABEL, SelfImage};
use super::probe::Hello;
use crate::host::engine::docker;
use crate::report::Outcome;

pub fn prove(proof: &Proof<'_>) -> Result<Outcome> {
    let Proof { host, token, .. } = proof;
    let image = SelfImage::make(host, token)?;
    let run = docker()
        .args(["run", "--rm", "--label", &format!("{LABEL}={token}")])
        .args([&image.name, "probe", "hello", token])
        .deadline(Duration::from_secs(60));
    let output = host.query(&run)?.success().context("running a container")?;
    let hello: Hello = serde_json::from_str(&output.stdout)
        .with_context(|| format!("reading the container's answer `{}`", output.stdout.trim()))?;
    ensure!(
        hello.token == *token,
        "the container answered with another token than it was given"
    );
    ensure!(
        hello.pid == 1,
        "the container shares the host's processes: it is process {}",
        hello.pid
    );
    Ok(Outcome::Passed(
        "a container ran and answered, no registry needed".to_owned(),
    ))
}
