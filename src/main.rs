//! Parse, dispatch, and turn an error into an exit code.

use std::process::ExitCode;

use clap::Parser;
use dockstrap::{cli, command, error, ui};

fn main() -> ExitCode {
    ui::set_up();
    match command::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(failure) => {
            ui::error(&failure);
            ExitCode::from(error::exit_code(&failure))
        }
    }
}
