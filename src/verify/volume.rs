//! Stage `volume`: what one container writes to a volume, the next one finds.

use anyhow::{Result, ensure};

use super::probe::FileReport;
use super::verifier::Verifier;
use crate::report::Outcome;

const PATH: &str = "/data/mark";

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let (name, token) = (verifier.name("volume"), &verifier.token);
    let create = verifier.docker().args(["volume", "create"]);
    verifier.ask(&create.args(["--label", &verifier.label(), &name]))?;
    let file = |options: &str, write: &str| -> Result<FileReport> {
        let volume = format!("{name}:/data{options}");
        let container = verifier
            .container("run")
            .arg("--network=none")
            .args(["--volume", &volume]);
        verifier.report(
            "volume-writer",
            container,
            &["file", PATH, "--write", write],
        )
    };
    let first = file("", token)?;
    ensure!(
        first.before.is_none() && first.refused.is_none(),
        "a container cannot write to a new volume: {}",
        first.refused.unwrap_or_default()
    );
    let second = file(":ro", "something else")?;
    ensure!(
        second.before.as_ref() == Some(token),
        "what one container wrote to a volume, the next did not find"
    );
    ensure!(
        second.refused.is_some(),
        "a container could write to a volume that it was given to read"
    );
    let user = verifier.name("volume-user");
    let create = verifier
        .container("create")
        .args(["--name", &user])
        .args(["--volume", &format!("{name}:/data")]);
    verifier.ask(&verifier.probe(create, &["sleep"])?)?;
    let remove = verifier.docker().args(["volume", "rm", &name]);
    verifier.refused(&remove, "a volume in use must not be removed")?;
    verifier.ask(&verifier.docker().args(["rm", &user]))?;
    verifier.ask(&remove)?;
    Ok(Outcome::Passed(
        "a volume kept what a container wrote, and gave it to the next".to_owned(),
    ))
}
