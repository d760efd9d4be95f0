//! Stage `hub`: an image is pulled from Docker Hub, or from the mirror that the engine is told to
//! use, by tag and by digest, and runs; and images can be searched for.
//!
//! A host without a way to the registry is still a working Docker host, so that is an outcome of
//! its own, and so is a registry that has had enough of us.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::proof::Proof;
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

/// What it says when the registry answers no more for a while.
const RATE_LIMITED: &[&str] = &["toomanyrequests", "Too Many Requests", "pull rate limit"];

pub fn prove(proof: &Proof<'_>) -> Result<Outcome> {
    let docker = || proof.docker().deadline(Duration::from_secs(120));
    let mut visit = Visit::begin(proof)?;
    let pulled = proof
        .host
        .query(&docker().args(["pull", "--quiet", IMAGE]))?;
    if pulled.code != 0 {
        return Ok(classify(&pulled.tail()));
    }
    let format = "{{range .RepoDigests}}{{println .}}{{end}}";
    let digests = proof.ask(&docker().args(["image", "inspect", "--format", format, IMAGE]))?;
    let digest = digests
        .lines()
        .find(|digest| digest.starts_with("hello-world@"));
    let digest = digest.context("an image that was pulled has no digest")?;
    visit.digest = Some(digest.to_owned());
    if visit.before.is_none() {
        proof.ask(&docker().args(["image", "rm", IMAGE]))?;
    }
    let pulled = proof
        .host
        .query(&docker().args(["pull", "--quiet", digest]))?;
    if pulled.code != 0 {
        return Ok(classify(&pulled.tail()));
    }
    let run = docker().args(["run", "--rm", "--pull=never", "--label", &proof.label()]);
    let said = proof.ask(&run.arg(digest))?;
    ensure!(
        said.contains(GREETING),
        "{IMAGE} ran, but did not greet: {said}"
    );

    let search = docker().args(["search", "--format", "{{.Name}}", "hello-world"]);
    let found = proof.host.query(&search)?;
    let format = "{{range .RegistryConfig.Mirrors}}{{println .}}{{end}}";
    let mirrors = proof.ask(&docker().args(["info", "--format", format]))?;
    let from = match mirrors.lines().next() {
        Some(mirror) => format!("pulled by tag and digest, with the mirror {mirror}"),
        None => "pulled by tag and digest".to_owned(),
    };
    if found.code != 0 {
        // Searching goes past every mirror.
        return Ok(match (classify(&found.tail()), mirrors.is_empty()) {
            (Outcome::Unreachable(_), false) => Outcome::Passed(format!(
                "{from}; Docker Hub itself, to search, is unreachable"
            )),
            (outcome, _) => outcome,
        });
    }
    ensure!(
        found.stdout.lines().any(|name| name == "hello-world"),
        "a search for hello-world does not find it"
    );
    Ok(Outcome::Passed(format!(
        "{from}, ran, and found by a search"
    )))
}

fn classify(said: &str) -> Outcome {
    let is_any = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
    if is_any(RATE_LIMITED) {
        return Outcome::RateLimited(format!(
            "the engine works, but the registry's rate limit is reached: {said}; wait, or name a \
             mirror as registry-mirrors in /etc/docker/daemon.json"
        ));
    }
    if is_any(UNREACHABLE) {
        return Outcome::Unreachable(format!(
            "the engine works, but the registry is unreachable: {said}; where a proxy leads there, \
             give it to the engine: sudo dockstrap install --proxy URL --proxy-for engine"
        ));
    }
    Outcome::Failed(format!("{said}; {}", super::cure::of(said)))
}

/// The host's own [`IMAGE`], which is as before when this goes.
struct Visit<'a> {
    proof: &'a Proof<'a>,
    before: Option<String>,
    digest: Option<String>,
}

impl<'a> Visit<'a> {
    fn begin(proof: &'a Proof<'_>) -> Result<Visit<'a>> {
        let inspect = ["image", "inspect", "--format", "{{.Id}}", IMAGE];
        let found = proof.host.query(&proof.docker().args(inspect))?;
        let before = (found.code == 0).then(|| found.stdout.trim().to_owned());
        Ok(Visit {
            proof,
            before,
            digest: None,
        })
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let docker = self.proof.sheltered();
        let _ = match &self.before {
            Some(before) => self.proof.host.query(&docker.args(["tag", before, IMAGE])),
            None => {
                let names = [IMAGE].into_iter().chain(self.digest.as_deref());
                let remove = docker.args(["image", "rm", "--force"]).args(names);
                self.proof.host.query(&remove)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_47_an_unreachable_registry_is_an_outcome_of_its_own() {
        let said = "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host";
        assert!(matches!(classify(said), Outcome::Unreachable(_)));
    }

    #[test]
    fn fault_47_so_is_its_rate_limit() {
        let said =
            "Error response from daemon: toomanyrequests: You have reached your pull rate limit.";
        assert!(matches!(classify(said), Outcome::RateLimited(_)));
    }

    #[test]
    fn any_other_refusal_is_a_failure() {
        let said = "Error response from daemon: x509: certificate signed by unknown authority";
        assert!(matches!(classify(said), Outcome::Failed(_)));
    }
}
