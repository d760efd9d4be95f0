//! Stage `hub`: an image is pulled from Docker Hub, or from the mirror that the engine is told to
//! use, by tag and by digest, and runs; and images can be searched for.
//!
//! A host without a way to the registry is still a working Docker host, so that is an outcome of
//! its own, and so is a registry that has had enough of us. The image is Docker's own and carries
//! no label of ours; it goes again unless it was there before.

mod mirror;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::reach::{classify, trouble};
use super::verifier::Verifier;
use crate::host::command::Command;
use crate::report::Outcome;

const IMAGE: &str = "hello-world:latest";
const GREETING: &str = "Hello from Docker!";

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let docker = || verifier.docker().deadline(Duration::from_secs(120));
    // The engine goes past a mirror that does not answer, and says nothing of it.
    let mirrors = mirror::ask(verifier.host)?;
    let mut visit = Visit::begin(verifier)?;
    if let Some(outcome) = trouble(verifier.run(&docker().args(["pull", "--quiet", IMAGE])))? {
        return Ok(outcome);
    }
    let digest = &digest_of_pulled(verifier)?;
    visit.digest = Some(digest.clone());
    if visit.before.is_none() {
        verifier.ask(&docker().args(["image", "rm", IMAGE]))?;
    }
    if let Some(outcome) = trouble(verifier.run(&docker().args(["pull", "--quiet", digest])))? {
        return Ok(outcome);
    }
    let name = verifier.name("hub");
    let run = verifier
        .container("run")
        .deadline(Duration::from_secs(120))
        .args(["--name", &name, digest]);
    let said = verifier.run_to_end(&name, &run)?.success()?.stdout;
    ensure!(
        said.contains(GREETING),
        "{IMAGE} ran, but did not greet: {said}"
    );
    if let Some(silent) = mirrors.silent {
        return Ok(Outcome::Unreachable(format!(
            "an image was pulled by tag and digest and ran, but past the mirror {silent}; fix it, \
             or take it out of registry-mirrors in /etc/docker/daemon.json"
        )));
    }
    let from = match &mirrors.first {
        Some(mirror) => format!("pulled by tag and digest, with the mirror {mirror}"),
        None => "pulled by tag and digest".to_owned(),
    };

    let search = docker().args(["search", "--format", "{{.Name}}", "hello-world"]);
    let found = verifier.run(&search)?;
    if found.code != 0 {
        // Searching goes past every mirror.
        return Ok(match (classify(&found.tail()), &mirrors.first) {
            (Outcome::Unreachable(_), Some(_)) => Outcome::Passed(format!(
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

/// The image's name with its digest, as it was pulled.
fn digest_of_pulled(verifier: &Verifier<'_>) -> Result<String> {
    let format = "{{range .RepoDigests}}{{println .}}{{end}}";
    let inspect = verifier
        .docker()
        .args(["image", "inspect", "--format", format, IMAGE]);
    let digests = verifier.ask(&inspect)?;
    digests
        .lines()
        .find(|digest| digest.starts_with("hello-world@"))
        .map(str::to_owned)
        .context("an image that was pulled has no digest")
}

/// The host's own images, which are as before when this goes.
struct Visit<'a> {
    verifier: &'a Verifier<'a>,
    /// What [`IMAGE`] was.
    before: Option<String>,
    /// What an image was known by: identifiers, and digests.
    known: BTreeSet<String>,
    digest: Option<String>,
}

impl<'a> Visit<'a> {
    fn begin(verifier: &'a Verifier<'_>) -> Result<Visit<'a>> {
        let format = "--format={{.ID}} {{.Repository}}@{{.Digest}}";
        let list = ["image", "ls", "--all", "--no-trunc", "--digests", format];
        let listed = verifier.ask(&verifier.docker().args(list))?;
        Ok(Visit {
            before: identifier(verifier, &verifier.docker()),
            known: listed.split_whitespace().map(str::to_owned).collect(),
            verifier,
            digest: None,
        })
    }
}

/// What [`IMAGE`] is now, if it is there.
fn identifier(verifier: &Verifier<'_>, docker: &Command) -> Option<String> {
    let inspect = ["image", "inspect", "--format", "{{.Id}}", IMAGE];
    let found = verifier.run(&docker.clone().args(inspect)).ok()?;
    (found.code == 0).then(|| found.stdout.trim().to_owned())
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let docker = self.verifier.sheltered();
        let pulled = identifier(self.verifier, &docker);
        let tell = |arguments: &[&str]| {
            let command = docker.clone().args(arguments.iter().copied());
            let _ = self.verifier.run(&command);
        };
        match &self.before {
            Some(before) => tell(&["tag", before, IMAGE]),
            None => tell(&["image", "rm", "--force", IMAGE]),
        }
        for name in [&self.digest, &pulled].into_iter().flatten() {
            if !self.known.contains(name) {
                tell(&["image", "rm", "--force", name]);
            }
        }
    }
}
