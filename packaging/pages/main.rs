//! Writes what is made from the program's own tables and types. `scripts/generate` runs it.
//!
//! `source FOLDER` writes the pages that are kept in the repository, under the paths they have there;
//! `package FOLDER DATE` writes what only a package has: manual pages into `FOLDER/man`, and
//! completions, one file a shell, into `FOLDER/completions`.
//!
//! It is a program of its own, so that the one that is shipped carries none of it.

#![allow(clippy::disallowed_methods, reason = "the pages are its to write")]

mod checks;
mod commands;
mod config;
mod daemon_json;
mod doctor;
mod page;
mod reference;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use clap_complete::Shell;
use dockstrap::reference::{completions, daemon_config, settings};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["source", folder] => source(Path::new(folder)),
        ["package", folder, date] => package(Path::new(folder), date),
        _ => bail!("usage: pages source FOLDER | pages package FOLDER DATE"),
    }
}

/// The pages that are kept in the repository.
fn source(folder: &Path) -> Result<()> {
    let schema = serde_json::to_string_pretty(&settings::schema())? + "\n";
    for (path, text) in [
        ("packaging/config.toml", settings::sample()),
        ("packaging/config.schema.json", schema),
        (
            "packaging/manual/daemon-json.md",
            daemon_config::reference::page(),
        ),
        ("packaging/manual/doctor.md", doctor::page()),
        ("packaging/manual/reference.md", reference::page()),
    ] {
        write(&folder.join(path), &text)?;
    }
    Ok(())
}

/// What only a package has.
fn package(folder: &Path, date: &str) -> Result<()> {
    let tables = [
        config::page(date),
        daemon_json::page(date),
        checks::page(date),
    ];
    for page in commands::pages(date)?.into_iter().chain(tables) {
        write(&folder.join("man").join(page.file_name()), page.text())?;
    }
    for shell in Shell::value_variants() {
        let path = folder.join("completions").join(shell.to_string());
        write(&path, &completions::script(*shell))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
