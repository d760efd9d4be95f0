//! dockstrap takes a bare Ubuntu host to a Docker Engine that is proven to work, and back.
//!
//! The one way data flows: arguments and file become [`settings`]; the [`host`] becomes
//! [`facts`]; both become the steps, which inspect the host and make a [`plan`]; the plan is
//! applied, each change journaled before it is made, and the engine is proven.
//!
//! Each module imports only from those above it in this list; `tests/source` checks it. An empty
//! line keeps rustfmt from sorting what must stay in order.

#![deny(unreachable_pub)]
// A test makes the host that it works on.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

use std::process::ExitCode;

mod reading;
mod redact;
mod relative_path;
mod release;
mod shell;

mod invocation;

mod error;
mod report;

mod docker;

mod daemon_config;
mod trust;

mod host;

mod engine;

mod output_file;
mod settings;

mod facts;

mod apt;

mod undo;

mod change;

mod step;

mod plan;

mod bundle;
mod doctor;
mod status;
mod verify;

mod history;

mod install;
mod uninstall;

mod ui;

mod cli;

mod ansible;
mod command;

#[cfg(fuzzing)]
pub mod fuzzed;
pub mod reference;

/// Runs the program: parses its arguments, dispatches, and turns an error into an exit code.
pub fn run() -> ExitCode {
    host::environment::fix_umask();
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
