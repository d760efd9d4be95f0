//! Writes the manual pages and the completions that the package ships, made from the types of the
//! command line: `cargo run --example pages -- FOLDER`.
//!
//! A program of its own, so that the one that is shipped carries none of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use dockstrap::cli::Cli;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.context("usage: pages FOLDER")?;
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let mut command = Cli::command();
    command.build();
    write_pages(&folder, &command, None)
}

/// The page of the command and those of the commands below it, but for hidden ones.
fn write_pages(folder: &Path, command: &Command, above: Option<&str>) -> Result<()> {
    let name = match above {
        Some(above) => format!("{above}-{}", command.get_name()),
        None => command.get_name().to_owned(),
    };
    let mut page = Vec::new();
    Man::new(command.clone().display_name(&name)).render(&mut page)?;
    let path = folder.join(format!("{name}.1"));
    fs::write(&path, page).with_context(|| format!("writing {}", path.display()))?;
    let shown = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set());
    for below in shown.filter(|below| below.get_name() != "help") {
        write_pages(folder, below, Some(&name))?;
    }
    Ok(())
}
