//! Stage `container`: two containers of one image have each a layer of their own, and the image
//! stays as it is.

use anyhow::{Result, ensure};

use super::probe::FileReport;
use super::verifier::Verifier;
use crate::report::Outcome;

/// A file that is not in the image.
const MARK: &str = "/mark";

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let id = |image: &str| {
        let inspect = verifier.docker().args(["image", "inspect", "--format"]);
        verifier.ask(&inspect.args(["{{.Id}} {{.RootFS.Layers}}", image]))
    };
    let image = verifier.image()?;
    let before = id(image)?;
    let names = [verifier.name("one"), verifier.name("two")];
    for name in &names {
        // Each leaves a mark, and none may find that of the other.
        let container = verifier
            .container("run")
            .args(["--network=none", "--name", name]);
        let run = verifier.probe(container, &["file", MARK, "--write", name])?;
        let file: FileReport = verifier.report_of(name, &run)?;
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
        let start = verifier.docker().args(["start", "--attach", name]);
        let file: FileReport = verifier.report_of(name, &start)?;
        ensure!(
            file.before.as_ref() == Some(name),
            "a container that is started again finds {:?} instead of what it has written",
            file.before
        );
        let diff = verifier.ask(&verifier.docker().args(["diff", name]))?;
        ensure!(
            diff == format!("A {MARK}"),
            "a container has other changes than it made: {diff}"
        );
    }
    verifier.ask(&verifier.docker().arg("rm").args(names))?;
    let container = verifier.container("run").arg("--network=none");
    let file: FileReport = verifier.report("three", container, &["file", MARK])?;
    ensure!(
        file.before.is_none() && id(image)? == before,
        "the image was changed by its containers"
    );
    Ok(Outcome::Passed(
        "two containers kept their files apart; the image stayed as it was".to_owned(),
    ))
}
