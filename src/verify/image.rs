//! Stage `image`: images are listed, tagged, inspected, saved and loaded, and removed by id and
//! by name, but not while they are in use.

use anyhow::{Result, ensure};

use super::proof::Proof;
use super::smoke;
use crate::report::Outcome;

pub fn prove(proof: &Proof<'_>) -> Result<Outcome> {
    let name = format!("dockstrap-verify:{}-image", proof.token);
    let tag = format!("dockstrap-verify:{}-tag", proof.token);
    // An image of its own, with nothing in common with the others.
    smoke::import(
        proof,
        &name,
        smoke::archive("content", proof.token.as_bytes())?,
    )?;
    let image = |arguments: &[&str]| proof.docker().arg("image").args(arguments.iter().copied());
    let id = |name: &str| proof.ask(&image(&["inspect", "--format={{.Id}}", name]));
    let before = id(&name)?;
    ensure!(
        list(proof)?.contains(&name),
        "an image that was made is not listed"
    );
    proof.ask(&image(&["tag", &name, &tag]))?;
    ensure!(id(&tag)? == before, "a tag leads to another image");

    let file = proof
        .folder("image")?
        .join("saved.tar")
        .display()
        .to_string();
    proof.ask(&image(&["save", "--output", &file, &name]))?;
    let container = proof.name("image-user");
    let create = proof.container("create").args(["--name", &container, &tag]);
    proof.ask(&create)?;
    proof.ask(&image(&["rm", &name]))?; // its other tag stays
    let in_use = "an image in use must not be removed";
    proof.refused(&image(&["rm", &tag]), in_use)?;
    proof.refused(&image(&["rm", &before]), in_use)?;
    proof.ask(&proof.docker().args(["rm", &container]))?;
    proof.ask(&image(&["rm", &before]))?;
    ensure!(
        !list(proof)?.contains(&tag),
        "an image that was removed by its id is still listed"
    );
    proof.ask(&image(&["load", "--input", &file]))?;
    ensure!(
        id(&name)? == before,
        "an image that was saved and loaded is another than before"
    );
    proof.ask(&image(&["rm", &name]))?;
    ensure!(
        !list(proof)?.contains(&name),
        "an image that was removed by its name is still listed"
    );
    Ok(Outcome::Passed(
        "listed, tagged, saved, loaded and removed; not removed while in use".to_owned(),
    ))
}

/// The names of this run's images.
fn list(proof: &Proof<'_>) -> Result<Vec<String>> {
    let filter = format!("label={}", proof.label());
    let list = [
        "image",
        "ls",
        "--format",
        "{{.Repository}}:{{.Tag}}",
        "--filter",
        &filter,
    ];
    let listed = proof.ask(&proof.docker().args(list))?;
    Ok(listed.lines().map(str::to_owned).collect())
}
