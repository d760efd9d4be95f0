//! Writes the manual pages that the package ships: `cargo run --example pages -- FOLDER DATE`.
//!
//! Those of the commands are made from the types of the command line, the others from the tables
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

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, date] = arguments.as_slice() else {
        bail!("usage: pages FOLDER DATE");
    };
    let folder = Path::new(folder);
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let tables = [
        config::page(date),
        daemon_json::page(date),
        checks::page(date),
    ];
    for page in commands::pages(date)?.into_iter().chain(tables) {
        let path = folder.join(page.file_name());
        fs::write(&path, page.text()).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
