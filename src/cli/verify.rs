//! What `verify` is to prove.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::verify::STAGES;

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// What to verify [default: all that needs nothing beyond the host]
    #[arg(value_name = "STAGE", value_parser = stage())]
    pub stages: Vec<String>,

    /// Prove registry and hub as well, which need more than the host
    #[arg(long, conflicts_with = "stages")]
    pub all: bool,

    /// Leave out STAGE; repeatable
    #[arg(
        long,
        value_name = "STAGE",
        value_parser = stage(),
        hide_possible_values = true
    )]
    pub skip: Vec<String>,

    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,

    /// Write the outcome to FILE as JUnit's XML as well
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    #[command(flatten)]
    pub registry: RegistryArgs,
}

/// A private registry to verify.
#[derive(Debug, Args)]
pub struct RegistryArgs {
    /// Prove this private registry as well
    #[arg(long = "registry", value_name = "HOST[:PORT]")]
    pub address: Option<String>,

    /// Log in to it as NAME, with the password in DOCKSTRAP_REGISTRY_PASSWORD or in
    /// the file named by --registry-password-file
    #[arg(
        long = "registry-user",
        value_name = "NAME",
        env = "DOCKSTRAP_REGISTRY_USER"
    )]
    pub user: Option<String>,

    /// Read the password from FILE
    #[arg(long = "registry-password-file", value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// Trust the authority in FILE (PEM) for it, for the time of this run
    #[arg(long, alias = "ca", value_name = "FILE", requires = "address")]
    pub ca_cert: Option<PathBuf>,
}

fn stage() -> PossibleValuesParser {
    let stages = STAGES.iter();
    PossibleValuesParser::new(stages.map(|it| PossibleValue::new(it.id).help(it.title)))
}
