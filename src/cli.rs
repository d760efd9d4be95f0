//! The command line, as types. What the flags mean is in `settings` and `command`.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand};

use crate::daemon_json::schema::KEYS;
use crate::settings::Layer;

/// Takes a bare Ubuntu host to a Docker Engine that is proven to work, and back.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 80, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do: it works
  1  failed; the message says what state the host is in
  2  the command line or the settings are wrong
  3  plan --check: changes are pending; status: something was changed since
  4  the host is not supported, or something on it stands in the way
  5  a certificate, key, signature or hash is not to be trusted
  6  another process held a lock for too long
  7  installed, but the verification failed
  130  cancelled";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set up Docker Engine and prove that it works
    #[command(after_help = EXIT_CODES)]
    Install(Install),
    /// Show what install would do, and change nothing
    #[command(after_help = EXIT_CODES)]
    Plan(Plan),
    /// Prove that the engine works, by running containers
    #[command(after_help = EXIT_CODES)]
    Verify(Verify),
    /// Show what install did, and what was changed since
    #[command(after_help = EXIT_CODES)]
    Status(Status),
    /// Tell what is known of keys of daemon.json
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
    /// Take back what install did, and nothing else
    #[command(after_help = EXIT_CODES)]
    Uninstall(Uninstall),
    /// Make or look into an offline bundle: all that install fetches, in one file
    #[command(subcommand)]
    Bundle(Bundle),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
    /// What runs inside the containers of verify
    #[command(hide = true, subcommand)]
    Probe(Probe),
}

#[derive(Debug, Args)]
pub struct Install {
    #[command(flatten)]
    pub settings: SettingsArgs,

    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    pub yes: bool,

    /// Leave out the verification at the end
    #[arg(long)]
    pub no_verify: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub settings: SettingsArgs,

    /// Print the plan as JSON
    #[arg(long)]
    pub json: bool,

    /// Exit with 3 when there are changes to be made
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// What to prove: engine, run, pull [default: all]
    #[arg(value_name = "STAGE", value_parser = stage())]
    pub stages: Vec<String>,

    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Status {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Uninstall {
    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    pub yes: bool,

    /// Remove images, containers and volumes as well
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

#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// Read settings from FILE [default: /etc/dockstrap/config.toml, if there]
    #[arg(long, value_name = "FILE", env = "DOCKSTRAP_CONFIG")]
    pub config: Option<PathBuf>,

    #[command(flatten)]
    pub layer: Layer,
}

#[derive(Debug, Subcommand)]
pub enum Bundle {
    /// Fetch and verify all that hosts like this one need, into one file
    #[command(after_help = EXIT_CODES)]
    Create {
        #[command(flatten)]
        settings: SettingsArgs,

        /// Write to FILE [default: dockstrap-RELEASE-ARCHITECTURE-VERSION.tar, here]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
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
pub enum Probe {
    /// Say hello with the token
    Hello { token: String },
}

fn stage() -> clap::builder::PossibleValuesParser {
    let ids = crate::verify::STAGES.iter().map(|stage| stage.id);
    clap::builder::PossibleValuesParser::new(ids)
}

fn key() -> clap::builder::PossibleValuesParser {
    let keys = KEYS
        .iter()
        .map(|key| PossibleValue::new(key.name).help(key.about));
    clap::builder::PossibleValuesParser::new(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

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
