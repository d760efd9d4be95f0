//! `dockstrap verify`: proves that the engine works.

use std::process::ExitCode;

use anyhow::Result;

use super::require_proof;
use crate::cli;
use crate::host::Host;
use crate::ui::{self, Live};
use crate::verify;

pub fn run(host: &Host, arguments: &cli::Verify) -> Result<ExitCode> {
    let live = match arguments.json {
        true => Live::quiet(),
        false => Live::new(),
    };
    let verification = verify::verify(host, &arguments.stages, &|event| live.show(event))?;
    drop(live);
    if arguments.json {
        ui::json(&verification)?;
    }
    require_proof(&verification)?;
    if !arguments.json {
        ui::line(format!(
            "The engine works (proven in {:.1} s).",
            verification.seconds
        ));
    }
    Ok(ExitCode::SUCCESS)
}
