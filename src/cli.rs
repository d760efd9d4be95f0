//! The command line, as types. What the flags mean is in `settings` and `command`.

mod given;
mod probe;
mod read;
mod suggestion;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand};

use crate::daemon_config::schema;
use crate::invocation;
use crate::settings::{Layer, Origins};
use crate::ui::OutputFormat;
pub(crate) use probe::Probe;
pub(crate) use read::output_asked_for;
pub(crate) use verify::{RegistryArgs, VerifyArgs};

/// The variable behind `--output`.
const OUTPUT: &str = "DOCKSTRAP_OUTPUT";

/// Takes a bare Ubuntu host to a Docker Engine that is proven to work, and back.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 80, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: CliCommand,

    /// Print text, or with json a line of JSON for each event and the report as the
    /// last one; text goes to standard error then
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        env = OUTPUT,
        default_value = "text",
        hide_possible_values = true
    )]
    pub output: OutputFormat,

    /// The names of the command: `bundle create`.
    #[arg(skip)]
    pub name: String,

    /// All that was typed behind the program.
    #[arg(skip)]
    pub(crate) words: Vec<OsString>,

    /// The settings that were typed, or came by variables.
    #[arg(skip)]
    pub(crate) given: invocation::Invocation,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do: it works
  1  failed; the message says what state the host is in
  2  the command line or the settings are wrong
  3  plan --check: changes are pending; status: something was changed since
     that install sets again; doctor: something is wrong
  4  the host is not supported, or something on it stands in the way; verify: no
     engine is installed, or the user has no access to it
  5  a certificate, key, signature or hash is not to be trusted
  6  another process held a lock for too long
  7  installed, but the verification failed
  130  cancelled";

#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Set up Docker Engine and verify that it works
    #[command(after_help = EXIT_CODES)]
    Install(InstallArgs),
    /// Show what install would do, and change nothing
    #[command(after_help = EXIT_CODES)]
    Plan(PlanArgs),
    /// Verify that the engine works, by running containers
    ///
    /// Each stage verifies one thing that people use Docker for, with its own objects, which are
    /// labelled and removed again. The image is made of this very program, so no registry is
    /// needed.
    ///
    /// The stage restart restarts the engine. It is skipped where that would stop containers, that
    /// is where some run and live-restore is off or not in daemon.json, unless it is asked for by
    /// name; it fails without a restart where the engine would refuse its file. The stages group
    /// and restart need root.
    ///
    /// The containers have a log driver and a runtime that every engine has, so that none depends on
    /// a log collector or a runtime of the host. Where containers do not start with the host's own
    /// defaults, that is a warning.
    #[command(after_help = EXIT_CODES)]
    Verify(VerifyArgs),
    /// Show what install did, and what was changed since
    #[command(after_help = EXIT_CODES)]
    Status(StatusArgs),
    /// Explain keys of daemon.json
    Explain {
        /// The keys, such as live-restore
        #[arg(
            required = true,
            value_name = "KEY",
            value_parser = key(),
            hide_possible_values = true
        )]
        keys: Vec<String>,
    },
    /// Find what keeps Docker from working, before and after it is installed
    #[command(after_help = EXIT_CODES)]
    Doctor(DoctorArgs),
    /// Undo what install did, and nothing else
    #[command(after_help = EXIT_CODES)]
    Uninstall(UninstallArgs),
    /// Make or look into an offline bundle: all that install fetches, in one file
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Show the settings in force, check a settings file, or print what there can be in one
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
    /// What the unit dockstrap-firstboot.service runs: install, and try again until it
    /// succeeds
    #[command(hide = true)]
    FirstBoot(SettingsArgs),
    /// What runs inside the containers of verify
    #[command(hide = true, subcommand)]
    Probe(Probe),
}

impl CliCommand {
    /// The settings that the command is given, where it takes any.
    fn settings(&mut self) -> Option<&mut SettingsArgs> {
        match self {
            CliCommand::Install(InstallArgs { settings, .. })
            | CliCommand::Plan(PlanArgs { settings, .. })
            | CliCommand::FirstBoot(settings)
            | CliCommand::Bundle(
                BundleCommand::Create { settings, .. } | BundleCommand::Inspect { settings, .. },
            ) => Some(settings),
            CliCommand::Settings(SettingsCommand::Show { settings, .. }) => Some(settings.as_mut()),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
pub struct InstallArgs {
    #[command(flatten)]
    pub settings: SettingsArgs,

    #[command(flatten)]
    pub restore: RestoreArgs,

    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    pub yes: bool,

    /// Leave out the verification at the end: the stages engine, group, run and
    /// network, the quick ones that disturb nobody else. The next install
    /// without this flag runs it
    #[arg(long)]
    pub no_verify: bool,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub settings: SettingsArgs,

    #[command(flatten)]
    pub restore: RestoreArgs,

    /// Print the plan as JSON
    #[arg(long)]
    pub json: bool,

    /// Exit with 3 when there are changes to be made
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print what was checked and found as JSON
    #[arg(long)]
    pub json: bool,

    /// Fix what dockstrap can fix and undo: the key's mode, a stopped or
    /// disabled engine. Needs root
    #[arg(long)]
    pub fix: bool,
}

#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    pub yes: bool,

    /// Remove images, containers and volumes as well, and the record of how
    /// new the repository was
    #[arg(long)]
    pub purge_data: bool,

    /// Install again what install --replace has removed
    #[arg(long)]
    pub restore_packages: bool,

    /// Wait up to SECONDS for other package managers
    #[arg(
        long,
        value_name = "SECONDS",
        env = "DOCKSTRAP_LOCK_WAIT",
        default_value_t = crate::settings::LOCK_WAIT
    )]
    pub lock_wait: u64,
}

#[derive(Debug, Clone, Args)]
pub struct SettingsArgs {
    /// Read settings from FILE [default: /etc/dockstrap/config.toml, if there]
    #[arg(long, value_name = "FILE", env = "DOCKSTRAP_CONFIG")]
    pub config: Option<PathBuf>,

    #[command(flatten)]
    pub layer: Layer,

    /// Which of them came by flags, and which by variables.
    #[arg(skip)]
    pub given: Origins,
}

#[derive(Debug, Clone, Default, Args)]
pub struct RestoreArgs {
    /// Put back what was changed since the last install, which otherwise stays: all of it,
    /// or what status and plan show as "kept: yours" under NAME, such as live-restore,
    /// log-opts.max-size or docker.service
    #[arg(long, value_name = "NAME", num_args = 0.., value_delimiter = ',')]
    pub restore: Option<Vec<String>>,
}

#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Fetch and verify all that hosts like this one need, into one file
    #[command(after_help = EXIT_CODES)]
    Create {
        #[command(flatten)]
        settings: SettingsArgs,

        /// Write to FILE [default: dockstrap-RELEASE-ARCHITECTURE-VERSION.tar, here]
        #[arg(short, long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Verify a bundle and say what is in it
    #[command(after_help = EXIT_CODES)]
    Inspect {
        /// The bundle
        file: PathBuf,

        #[command(flatten)]
        settings: SettingsArgs,

        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Say all that is wrong with a settings file, each with its line and column
    ///
    /// It is checked as install checks it. Files that it names and that are not there are only
    /// warned of, so that it can be checked on another host.
    #[command(after_help = EXIT_CODES)]
    Check {
        /// The settings file, or - for standard input
        file: PathBuf,

        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show every setting in force, and where its value came from
    #[command(after_help = EXIT_CODES)]
    Show {
        #[command(flatten)]
        settings: Box<SettingsArgs>,

        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a settings file with all there is, commented out
    Sample,
    /// Print the JSON Schema of the settings file, for editors
    Schema,
}

fn key() -> clap::builder::PossibleValuesParser {
    let keys = schema::keys().map(|key| PossibleValue::new(key.name).help(key.about));
    clap::builder::PossibleValuesParser::new(keys)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_fits_into_80_columns() {
        let mut cli = Cli::command().term_width(80);
        cli.build();
        for command in std::iter::once(&mut cli.clone()).chain(cli.get_subcommands_mut()) {
            let help = command
                .clone()
                .term_width(80)
                .render_long_help()
                .to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}
