//! Parse, dispatch, and turn an error into an exit code.

use std::process::ExitCode;

use dockstrap::{cli, command, error, ui};

fn main() -> ExitCode {
    ui::set_up();
    let cli = match cli::Cli::read() {
        Ok(cli) => cli,
        Err(said) => {
            ui::usage(&said);
            return ExitCode::from(u8::try_from(said.exit_code()).unwrap_or(2));
        }
    };
    match command::run(cli) {
        Ok(code) => code,
        Err(failure) => {
            ui::error(&failure);
            ExitCode::from(error::exit_code(&failure))
        }
    }
}
