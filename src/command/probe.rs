//! `dockstrap probe`: what runs inside the containers of a verification.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Probe;
use crate::ui;
use crate::verify::probe;

pub fn run(probe: &Probe) -> Result<ExitCode> {
    match probe {
        Probe::Hello { token } => ui::json(&probe::hello(token))?,
    }
    Ok(ExitCode::SUCCESS)
}
