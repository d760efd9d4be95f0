//! Stage `volume`: what one container writes to a volume, the next one finds.

use anyhow::{Result, ensure};

use super::probe::File;
use super::proof::Proof;
use crate::report::Outcome;

const PATH: &str = "/data/mark";

pub fn prove(proof: &Proof<'_>) -> Result<Outcome> {
    let (name, token) = (proof.name("volume"), &proof.token);
    let create = proof.docker().args(["volume", "create"]);
    proof.ask(&create.args(["--label", &proof.label(), &name]))?;
    let file = |options: &str, write: &str| -> Result<File> {
        let volume = format!("{name}:/data{options}");
        let container = proof
            .container("run")
            .arg("--network=none")
            .args(["--volume", &volume]);
        proof.report(
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
    let user = proof.name("volume-user");
    let create = proof
        .container("create")
        .args(["--name", &user])
        .args(["--volume", &format!("{name}:/data")]);
    proof.ask(&proof.probe(create, &["sleep"])?)?;
    let remove = proof.docker().args(["volume", "rm", &name]);
    proof.refused(&remove, "a volume in use must not be removed")?;
    proof.ask(&proof.docker().args(["rm", &user]))?;
    proof.ask(&remove)?;
    Ok(Outcome::Passed(
        "a volume kept what a container wrote, and gave it to the next".to_owned(),
    ))
}
