//! One file a subcommand, each wiring what stands below it.

mod bundle;
mod completions;
mod doctor;
mod install;
mod plan;
mod probe;
mod status;
mod uninstall;
mod verify;

use std::process::ExitCode;

use anyhow::Result;
use jiff::Timestamp;

use crate::change::{Journal, Run, Verified};
use crate::cli::{Cli, Command};
use crate::daemon_json::reference;
use crate::error::Failure;
use crate::host::Host;
use crate::ui;
use crate::verify::Verification;

/// Runs the subcommand.
pub fn run(cli: Cli) -> Result<ExitCode> {
    let host = Host::real();
    match cli.command {
        Command::Install(arguments) => install::run(&host, arguments),
        Command::Plan(arguments) => plan::run(&host, arguments),
        Command::Verify(arguments) => verify::run(&host, arguments),
        Command::Status(arguments) => status::run(&host, &arguments),
        Command::Explain { keys } => {
            for key in keys {
                ui::line(reference::explained(&key).trim_end());
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(arguments) => doctor::run(&host, &arguments),
        Command::Uninstall(arguments) => uninstall::run(&host, arguments),
        Command::Bundle(bundle) => bundle::run(&host, bundle),
        Command::Completions { shell } => {
            ui::line(completions::script(shell).trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Probe(probe) => probe::run(probe),
    }
}

/// Refuses to change the host for anyone but root, before anything is looked at.
fn require_root(command: &str) -> Result<()> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "only root can change this host; nothing was changed. Run: sudo dockstrap {command}"
    ))
    .into())
}

/// Writes down what a verification came to, for `status`. Only root can, and only on a host that
/// dockstrap has set up. That it cannot be written makes the proof no worse.
fn remember(host: &Host, verification: &Verification) {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let owned = |stages: Vec<&str>| stages.into_iter().map(str::to_owned).collect();
    let verified = Verified {
        at: Timestamp::now(),
        passed: owned(verification.passed()),
        failed: owned(verification.failed()),
    };
    let noted = Journal::read(host).and_then(|journal| journal.note_verified(host, verified));
    if let Err(error) = noted {
        ui::note(format!(
            "warning: status will not know of this verification: {error:#}"
        ));
    }
}

/// Says that the last run never came to its end, and that this one goes on.
fn tell_of_cut_short(journal: &Journal) {
    let Some(Run { purpose, at, .. }) = journal.cut_short() else {
        return;
    };
    let purpose = purpose.command();
    let at = at.strftime("%F %T");
    ui::note(format!(
        "The {purpose} that began at {at} UTC was cut short; going on from what its journal says."
    ));
}
