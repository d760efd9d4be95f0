//! One file a subcommand, each wiring what stands below it.

pub mod ansible;
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
use jiff::Timestamp;
use serde_json::json;

use crate::change::{Journal, Run, Verified};
use crate::cli::{Cli, Command};
use crate::daemon_json::explain::explained;
use crate::error::Failure;
use crate::host::Host;
use crate::invocation;
use crate::report::{Event, Listener};
use crate::ui;
use crate::verify::Verification;

/// The exit code of what is done, or had nothing to do.
const DONE: u8 = 0;

/// Runs the subcommand, and returns the exit code.
pub fn run(cli: Cli) -> Result<u8> {
    let host = Host::real();
    invocation::remember(cli.given);
    match cli.command {
        Command::Install(arguments) => install::run(&host, arguments),
        Command::Plan(arguments) => plan::run(&host, arguments),
        Command::Verify(arguments) => verify::run(&host, arguments, &cli.words),
        Command::Status(arguments) => status::run(&host, &arguments),
        Command::Explain { keys } => explain(&keys),
        Command::Doctor(arguments) => doctor::run(&host, &arguments),
        Command::Uninstall(arguments) => uninstall::run(&host, arguments),
        Command::Bundle(bundle) => bundle::run(&host, bundle),
        Command::Settings(settings) => settings::run(settings),
        Command::Completions { shell } => {
            let script = completions::script(shell);
            ui::answer(script.trim_end())?;
            ui::report(&json!({ "script": script }))?;
            Ok(DONE)
        }
        Command::FirstBoot(settings) => first_boot::run(&host, settings),
        Command::Probe(probe) => probe::run(probe),
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

/// Writes down what a verification came to, for `status`. Only root can, and only on a host that
/// dockstrap has set up. That it cannot be written makes the proof no worse.
fn remember(host: &Host, verification: &Verification, listener: Listener<'_>) {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let owned = |stages: Vec<&str>| stages.into_iter().map(str::to_owned).collect();
    let verified = Verified {
        at: Timestamp::now(),
        passed: owned(verification.passed()),
        failed: owned(verification.failed()),
        skipped: owned(verification.skipped()),
    };
    let noted = Journal::read(host).and_then(|journal| journal.note_verified(host, verified));
    if let Err(error) = noted {
        let text = format!("status will not know of this verification: {error:#}");
        listener(Event::Warning { text });
    }
}

/// Warns of errors that the doctor sees.
fn warn_of(errors: Vec<String>, listener: Listener<'_>) {
    for text in errors {
        listener(Event::Warning { text });
    }
}

/// Says that the last run never came to its end, and that this one goes on.
fn tell_of_cut_short(journal: &Journal, listener: Listener<'_>) {
    let Some(Run { purpose, at, .. }) = journal.cut_short() else {
        return;
    };
    let purpose = purpose.command();
    let at = at.strftime("%F %T");
    let text = format!(
        "The {purpose} that began at {at} UTC was cut short; going on from what its journal says."
    );
    listener(Event::Note { text });
}

/// The version of the engine that runs; `None` when none does, or none that says so.
fn running_version(host: &Host) -> Option<String> {
    // To ask one that is stopped would start it.
    if !host.engine_is_active().unwrap_or(false) {
        return None;
    }
    let engine = host.engine_info().ok().flatten()?;
    Some(engine.server_version)
}
