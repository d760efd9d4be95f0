//! One file a subcommand, each wiring what stands below it.

mod bundle;
pub mod completions;
mod doctor;
mod first_boot;
mod install;
mod plan;
mod probe;
mod settings;
mod status;
mod uninstall;
mod verify;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::json;

use crate::cli::{Cli, CliCommand, RestoreArgs, SettingsArgs};
use crate::daemon_config::docs::explain::explained;
use crate::error::Failure;
use crate::host::Host;
use crate::invocation;
use crate::settings::{Restore, Settings};
use crate::ui;

/// The exit code of what is done, or had nothing to do.
const DONE: u8 = 0;

/// Runs the subcommand, and returns the exit code.
pub(crate) fn run(cli: Cli) -> Result<u8> {
    let host = Host::real();
    invocation::remember(cli.given);
    match cli.command {
        CliCommand::Install(arguments) => install::run(&host, arguments),
        CliCommand::Plan(arguments) => plan::run(&host, arguments),
        CliCommand::Verify(arguments) => verify::run(&host, arguments, &cli.words),
        CliCommand::Status(arguments) => status::run(&host, &arguments),
        CliCommand::Explain { keys } => explain(&keys),
        CliCommand::Doctor(arguments) => doctor::run(&host, &arguments),
        CliCommand::Uninstall(arguments) => uninstall::run(&host, arguments),
        CliCommand::Bundle(bundle) => bundle::run(&host, bundle),
        CliCommand::Settings(settings) => settings::run(settings),
        CliCommand::Completions { shell } => {
            let script = completions::script(shell);
            ui::answer(script.trim_end())?;
            ui::report(&json!({ "script": script }))?;
            Ok(DONE)
        }
        CliCommand::FirstBoot(settings) => first_boot::run(&host, settings),
        CliCommand::Probe(probe) => probe::run(probe),
    }
}

fn explain(keys: &[String]) -> Result<u8> {
    let explained: BTreeMap<&String, String> =
        keys.iter().map(|key| (key, explained(key))).collect();
    for key in keys {
        ui::answer(explained[key].trim_end())?;
    }
    ui::report(&json!({ "keys": explained }))?;
    Ok(DONE)
}

/// The settings of a run: its arguments over the settings file.
fn resolve(arguments: SettingsArgs, restore: RestoreArgs) -> Result<Settings> {
    let settings = Settings::resolve(arguments.layer, arguments.config.as_deref())?;
    Ok(settings
        .given(arguments.given)
        .restoring(Restore::of(restore.restore)))
}

/// Refuses to change the host for anyone but root, before anything is looked at.
fn require_root(command: &str) -> Result<()> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let again = match command {
        "install" => invocation::install(&[]),
        _ => format!("sudo dockstrap {command}"),
    };
    Err(Failure::Usage(format!(
        "only root can change this host; nothing was changed. Run: {again}"
    ))
    .into())
}
