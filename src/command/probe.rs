//! `dockstrap probe`: what runs inside the containers of a verification.

use anyhow::Result;

use super::DONE;
use crate::cli::Probe;
use crate::ui;
use crate::verify::probe;

/// The exit code when something that was to be reached was not.
const UNREACHED: u8 = 1;

pub(crate) fn run(probe: Probe) -> Result<u8> {
    match probe {
        Probe::Hello { echo, exit } => {
            ui::json(&probe::hello(&echo))?;
            return Ok(exit);
        }
        Probe::File { path, write } => ui::json(&probe::file(&path, write.as_deref()))?,
        Probe::Lines { count } => {
            for number in 1..=count {
                ui::line(format!("line {number}"));
            }
        }
        Probe::Reach {
            server,
            name,
            address,
        } => {
            let reach = probe::reach(server.as_deref(), name.as_deref(), address);
            ui::json(&reach)?;
            return Ok(if reach.is_whole() { DONE } else { UNREACHED });
        }
        Probe::Serve { port, text } => probe::serve(port, &text)?,
        Probe::Sleep => probe::sleep_until_asked()?,
    }
    Ok(DONE)
}
