//! Parse, dispatch, and turn an error into an exit code.

use std::process::ExitCode;

use dockstrap::ansible;
use dockstrap::host::environment;
use dockstrap::{cli, command, ui};

fn main() -> ExitCode {
    environment::fix_umask();
    if let Some(call) = ansible::Call::of(std::env::args_os()) {
        return ExitCode::from(ansible::run(call));
    }
    let code = match cli::Cli::read() {
        Ok(cli) => {
            ui::set_up(cli.output);
            let name = cli.name.clone();
            ui::end(&name, &command::run(cli))
        }
        Err(said) => {
            ui::set_up(cli::output_asked_for(std::env::args_os()));
            ui::usage(&said)
        }
    };
    ExitCode::from(code)
}
