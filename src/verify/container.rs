//! Stage `container`: two containers of one image have each a layer of their own, and the image
//! stays as it is.

use anyhow::{Result, ensure};

use super::probe::File;
use super::proof::Proof;
use crate::report::Outcome;

/// A file that is not in the image.
const MARK: &str = "/mark";

pub fn prove(proof: &Proof<'_>) -> Result<Outcome> {
    let id = |image: &str| {
        let inspect = proof.docker().args(["image", "inspect", "--format"]);
        proof.ask(&inspect.args(["{{.Id}} {{.RootFS.Layers}}", image]))
    };
    let image = proof.image()?;
    let before = id(image)?;
    let names = [proof.name("one"), proof.name("two")];
    for name in &names {
        // Each leaves a mark, and none may find that of the other.
        let container = proof
            .container("run")
            .args(["--network=none", "--name", name]);
        let run = proof.probe(container, &["file", MARK, "--write", name])?;
        let file: File = proof.report_of(name, &run)?;
        ensure!(
            file.before.is_none(),
            "a new container finds a file that another has written"
        );
        ensure!(
            file.refused.is_none(),
            "a container cannot write into its own layer: {}",
            file.refused.unwrap_or_default()
        );
    }
    for name in &names {
        // Started again, it finds its own mark.
        let start = proof.docker().args(["start", "--attach", name]);
        let file: File = proof.report_of(name, &start)?;
        ensure!(
            file.before.as_ref() == Some(name),
            "a container that is started again finds {:?} instead of what it has written",
            file.before
        );
        let diff = proof.ask(&proof.docker().args(["diff", name]))?;
        ensure!(
            diff == format!("A {MARK}"),
            "a container has other changes than it made: {diff}"
        );
    }
    proof.ask(&proof.docker().arg("rm").args(names))?;
    let container = proof.container("run").arg("--network=none");
    let file: File = proof.report("three", container, &["file", MARK])?;
    ensure!(
        file.before.is_none() && id(image)? == before,
        "the image was changed by its containers"
    );
    Ok(Outcome::Passed(
        "two containers kept their files apart; the image stayed as it was".to_owned(),
    ))
}
