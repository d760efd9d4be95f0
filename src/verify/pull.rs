//! Stage `pull`: an image comes from the registry and runs.
//!
//! A host without a way to the registry is still a working Docker host: then this is skipped,
//! unless it was asked for by name.

use std::time::Duration;

use anyhow::Result;

use super::Proof;
use super::image::LABEL;
use crate::host::Host;
use crate::host::engine::docker;
use crate::report::Outcome;

const IMAGE: &str = "hello-world:latest";
const GREETING: &str = "Hello from Docker!";

/// What the engine says when it cannot reach a registry at all.
const UNREACHABLE: &[&str] = &[
    "no such host",
    "connection refused",
    "network is unreachable",
    "no route to host",
    "i/o timeout",
    "TLS handshake timeout",
    "deadline exceeded",
    "Client.Timeout",
    "server misbehaving",
    "connection reset",
    "EOF",
];

pub fn prove(proof: &Proof<'_>) -> Result<Outcome> {
    let Proof { host, token, .. } = proof;
    let was_there = is_there(host)?;
    let pull = docker()
        .args(["pull", "--quiet", IMAGE])
        .deadline(Duration::from_secs(120));
    let pulled = host.query(&pull)?;
    if pulled.code != 0 {
        return Ok(classify(&pulled.tail(), proof.asked_for));
    }
    let run = docker()
        .args(["run", "--rm", "--label", &format!("{LABEL}={token}"), IMAGE])
        .deadline(Duration::from_secs(60));
    let ran = host.query(&run)?;
    if !was_there {
        host.query(&docker().args(["image", "rm", IMAGE]))?;
    }
    let ran = ran.success()?;
    Ok(match ran.stdout.contains(GREETING) {
        true => Outcome::Passed(format!("{IMAGE} was pulled and ran")),
        false => Outcome::Failed(format!("{IMAGE} ran, but did not greet: {}", ran.tail())),
    })
}

fn is_there(host: &Host) -> Result<bool> {
    let inspect = docker().args(["image", "inspect", "--format", "{{.Id}}", IMAGE]);
    Ok(host.query(&inspect)?.code == 0)
}

fn classify(said: &str, asked_for: bool) -> Outcome {
    let unreachable = UNREACHABLE.iter().any(|sign| said.contains(sign));
    let limited = said.contains("toomanyrequests");
    let why = match (unreachable, limited) {
        (true, _) => format!("engine up, registry unreachable: {said}"),
        (_, true) => format!("engine up, the registry's rate limit is reached: {said}"),
        _ => return Outcome::Failed(said.to_owned()),
    };
    match asked_for {
        true => Outcome::Failed(why),
        false => Outcome::Skipped(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_47_an_unreachable_registry_is_skipped_unless_asked_for() {
        let said = "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host";
        assert!(matches!(classify(said, false), Outcome::Skipped(_)));
        assert!(matches!(classify(said, true), Outcome::Failed(_)));
    }

    #[test]
    fn any_other_refusal_is_a_failure() {
        let said = "Error response from daemon: x509: certificate signed by unknown authority";
        assert!(matches!(classify(said, false), Outcome::Failed(_)));
    }
}
