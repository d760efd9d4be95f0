//! Writes what the package ships for people: `cargo run --example pages -- FOLDER DATE` puts manual
//! pages into `FOLDER/man` and completions, a file a shell, into `FOLDER/completions`.
//!
//! The pages of the commands are made from the types of the command line, the others from the tables
//! that files and hosts are checked against. A program of its own, so that the one that is shipped
//! carries none of it.

mod checks;
mod commands;
mod config;
mod daemon_json;
mod page;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use clap_complete::Shell;
use dockstrap::command::completions;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, date] = arguments.as_slice() else {
        bail!("usage: pages FOLDER DATE");
    };
    let folder = Path::new(folder);
    let tables = [
        config::page(date),
        daemon_json::page(date),
        checks::page(date),
    ];
    for page in commands::pages(date)?.into_iter().chain(tables) {
        write(folder, "man", &page.file_name(), page.text())?;
    }
    for shell in Shell::value_variants() {
        let script = completions::script(*shell);
        write(folder, "completions", &shell.to_string(), &script)?;
    }
    Ok(())
}

fn write(folder: &Path, kind: &str, name: &str, text: &str) -> Result<()> {
    let folder = folder.join(kind);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
}
