//! `dockstrap probe`: what runs inside the containers of a verification.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Probe;
use crate::ui;
use crate::verify::probe;

pub fn run(probe: Probe) -> Result<ExitCode> {
    match probe {
        Probe::Hello { token, exit } => {
            ui::json(&probe::hello(&token))?;
            return Ok(ExitCode::from(exit));
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
            return Ok(match reach.is_whole() {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            });
        }
        Probe::Serve { port, text } => probe::serve(port, &text)?,
        Probe::Sleep => probe::sleep_until_asked()?,
    }
    Ok(ExitCode::SUCCESS)
}
