//! Stage `image`: images are listed, tagged, inspected, saved and loaded, and removed by id and
//! by name, but not while they are in use.

use anyhow::{Result, ensure};

use super::verifier::{Verifier, archive};
use crate::report::Outcome;

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let name = format!("dockstrap-verify:{}-image", verifier.token);
    let tag = format!("dockstrap-verify:{}-tag", verifier.token);
    // An image of its own, with nothing in common with the others.
    verifier.import(&name, archive("content", verifier.token.as_bytes())?)?;
    let image = |arguments: &[&str]| {
        verifier
            .docker()
            .arg("image")
            .args(arguments.iter().copied())
    };
    let id = |name: &str| verifier.ask(&image(&["inspect", "--format={{.Id}}", name]));
    let before = id(&name)?;
    ensure!(
        list(verifier)?.contains(&name),
        "an image that was made is not listed"
    );
    verifier.ask(&image(&["tag", &name, &tag]))?;
    ensure!(id(&tag)? == before, "a tag leads to another image");

    let file = verifier
        .folder("image")?
        .join("saved.tar")
        .display()
        .to_string();
    verifier.ask(&image(&["save", "--output", &file, &name]))?;
    let container = verifier.name("image-user");
    let create = verifier
        .container("create")
        .args(["--name", &container, &tag]);
    verifier.ask(&create)?;
    verifier.ask(&image(&["rm", &name]))?; // its other tag stays
    let in_use = "an image in use must not be removed";
    verifier.refused(&image(&["rm", &tag]), in_use)?;
    verifier.refused(&image(&["rm", &before]), in_use)?;
    verifier.ask(&verifier.docker().args(["rm", &container]))?;
    verifier.ask(&image(&["rm", &before]))?;
    ensure!(
        !list(verifier)?.contains(&tag),
        "an image that was removed by its id is still listed"
    );
    verifier.ask(&image(&["load", "--input", &file]))?;
    ensure!(
        id(&name)? == before,
        "an image that was saved and loaded is another than before"
    );
    verifier.ask(&image(&["rm", &name]))?;
    ensure!(
        !list(verifier)?.contains(&name),
        "an image that was removed by its name is still listed"
    );
    Ok(Outcome::Passed(
        "listed, tagged, saved, loaded and removed; not removed while in use".to_owned(),
    ))
}

/// The names of this run's images.
fn list(verifier: &Verifier<'_>) -> Result<Vec<String>> {
    let filter = format!("label={}", verifier.label());
    let list = [
        "image",
        "ls",
        "--format",
        "{{.Repository}}:{{.Tag}}",
        "--filter",
        &filter,
    ];
    let listed = verifier.ask(&verifier.docker().args(list))?;
    Ok(listed.lines().map(str::to_owned).collect())
}
