//! Stage `run`: a container starts, is process 1 in a world of its own, is who it was told to be,
//! and what it says and how it ends comes back.

use anyhow::{Context, Result, ensure};

use super::probe::{Hello, VARIABLE};
use super::verifier::{Verifier, parse};
use crate::report::Outcome;

const USER: u32 = 4321;
const GROUP: u32 = 8765;
const CODE: i32 = 42;

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let token = &verifier.token;
    let container = verifier
        .container("run")
        .args(["--env", &format!("{VARIABLE}={token}")])
        .args(["--user", &format!("{USER}:{GROUP}")]);
    let code = CODE.to_string();
    let name = verifier.name("hello");
    let container = container.args(["--name", &name]);
    let run = verifier.probe(container, &["hello", token, "--exit", &code])?;
    let output = verifier.run_to_end(&name, &run)?;
    if output.code != CODE {
        let ended = output.code;
        output.success().context("running a container")?;
        anyhow::bail!("a container that ends with {CODE} ended with {ended}");
    }
    let hello: Hello = parse(&output.stdout)?;
    ensure!(
        hello.echo == *token,
        "the container answered with another token than it was given"
    );
    ensure!(
        hello.variable.as_ref() == Some(token),
        "the container did not get its environment"
    );
    ensure!(
        (hello.user, hello.group) == (USER, GROUP),
        "the container ran as user {} and group {} instead of {USER} and {GROUP}",
        hello.user,
        hello.group
    );
    ensure!(
        hello.pid == 1,
        "the container shares the host's processes: it is process {}",
        hello.pid
    );
    Ok(Outcome::Passed(
        "exit code, output, environment and user come through; no registry needed".to_owned(),
    ))
}
