//! Stage `build`: buildx builds an image from a Dockerfile, wherever that is called, of what is in
//! the build context and nothing else, and the second time from its cache.

#![expect(
    clippy::disallowed_methods,
    reason = "all is written into the folder of the verification"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::verifier::Verifier;
use crate::host::command::{Command, Output};
use crate::report::Outcome;

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    if let Some(failed) = verifier.plugin_fault("buildx")? {
        return Ok(failed);
    }
    let folder = verifier.folder("build")?;
    let context = folder.join("context");
    let token = &verifier.token;
    write_files(verifier, &folder, &context)?;
    let _cache = Cache::watch(verifier)?;
    let tag = |of: &str| format!("dockstrap-verify:{token}-{of}");
    let build = |file: &Path, tag: &str| -> Result<Output> {
        let build = verifier
            .docker()
            .args(["buildx", "build", "--progress=plain"])
            .args(["--label", &verifier.label(), "--tag", tag, "--file"])
            .arg(file)
            .arg(&context)
            .deadline(Duration::from_secs(120));
        verifier.run(&build)
    };

    build(&context.join("Dockerfile"), &tag("build"))?.success()?;
    for path in ["/greeting", "/mark"] {
        holds_token(verifier, &tag("build"), path)?;
    }
    let again = build(&context.join("Dockerfile"), &tag("build"))?.success()?;
    let cached = again
        .stderr
        .lines()
        .filter(|line| line.ends_with(" CACHED"));
    ensure!(
        cached.count() == 2,
        "the second build of the same did not come from the cache:\n{}",
        again.tail()
    );
    build(&folder.join("other.name"), &tag("other"))?
        .success()
        .context("building from a Dockerfile of another name")?;
    let escaped = build(&folder.join("escape"), &tag("escape"))?;
    ensure!(
        escaped.code != 0 && escaped.tail().contains("outside-"),
        "a COPY from outside of the build context was not refused:\n{}",
        escaped.tail()
    );
    Ok(Outcome::Passed(
        "built by buildx, the second time from its cache; a COPY from outside is refused"
            .to_owned(),
    ))
}

/// Writes the Dockerfiles and what they copy.
fn write_files(verifier: &Verifier<'_>, folder: &Path, context: &Path) -> Result<()> {
    let (image, token) = (verifier.image()?, &verifier.token);
    // The token makes each step one that was never built before.
    let greeting = format!("greeting-{token}");
    let start = format!("FROM {image}\n");
    let copy = format!("{start}COPY {greeting} /greeting\n");
    let whole = format!(
        "{copy}RUN [\"/dockstrap\", \"probe\", \"file\", \"/mark\", \"--write\", \"{token}\"]\n"
    );
    let escape = format!("{start}COPY ../outside-{token} /outside\n");
    for (path, text) in [
        (context.join(&greeting), token.as_str()),
        (context.join("Dockerfile"), &whole),
        (folder.join("other.name"), &copy),
        (folder.join("escape"), &escape),
        (folder.join(format!("outside-{token}")), "not to be seen"),
    ] {
        write(&path, text)?;
    }
    Ok(())
}

/// Whether a file of an image holds what this run had put into it.
fn holds_token(verifier: &Verifier<'_>, image: &str, path: &str) -> Result<()> {
    let name = verifier.name("built");
    let run = verifier
        .container("run")
        .args(["--network=none", "--name", &name])
        .args([image, "probe", "file", path]);
    let said = verifier.run_to_end(&name, &run)?.success()?;
    ensure!(
        said.stdout.contains(&*verifier.token),
        "the image that was built lacks {path}"
    );
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("writing {}", path.display()))
}

/// What this stage puts into the build cache; it goes when this goes.
struct Cache<'a> {
    verifier: &'a Verifier<'a>,
    before: BTreeSet<String>,
}

impl<'a> Cache<'a> {
    fn watch(verifier: &'a Verifier<'_>) -> Result<Cache<'a>> {
        let usage = verifier.run(&usage(verifier.docker()))?.success()?;
        Ok(Cache {
            verifier,
            before: records(&usage.stdout, &verifier.token),
        })
    }
}

impl Drop for Cache<'_> {
    /// What a build that was cut short uses can only be removed once the engine has noticed. Some
    /// bytes that stay all the same are thrown away by the engine itself in time.
    fn drop(&mut self) {
        let Verifier { token, .. } = self.verifier;
        for _ in 0..5 {
            let usage = self.verifier.run(&usage(self.verifier.sheltered()));
            let after = usage
                .map(|usage| records(&usage.stdout, token))
                .unwrap_or_default();
            let made: Vec<&str> = after.difference(&self.before).map(String::as_str).collect();
            if made.is_empty() {
                break;
            }
            let filter = format!("id={}", made.join("|"));
            let prune = ["buildx", "prune", "--all", "--force", "--filter", &filter];
            let _ = self.verifier.run(&self.verifier.sheltered().args(prune));
            sleep(Duration::from_millis(100));
        }
    }
}

fn usage(docker: Command) -> Command {
    docker.args(["buildx", "du", "--verbose"])
}

/// The records of the build cache that are of a build with this token, or do not say of which.
/// The latter are copies of what was sent, which a build of somebody else at the same time would
/// just send anew.
fn records(usage: &str, token: &str) -> BTreeSet<String> {
    let of_ours = |record: &&str| {
        let says = |text: &str| record.contains(text);
        // What a containerd store keeps of a base image is described by nothing.
        says(token) || says("local source for") || says("from local") || !says("Description:")
    };
    let records = usage.split("\n\n").filter(of_ours);
    let ids = records.filter_map(|record| {
        let id = record.lines().find_map(|line| line.strip_prefix("ID:"))?;
        Some(id.trim().to_owned())
    });
    ids.collect()
}
