//! `dockstrap settings`: what is in force, what is wrong with a file, and what there can be.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::DONE;
use crate::cli::{SettingsArgs, SettingsCommand};
use crate::daemon_config::Severity;
use crate::error::Failure;
use crate::reading;
use crate::settings::{self, Effective};
use crate::ui;

/// The exit code for a file that is wrong.
const WRONG: u8 = 2;

/// The name that stands for standard input.
const STDIN: &str = "-";

pub(crate) fn run(command: SettingsCommand) -> Result<u8> {
    match command {
        SettingsCommand::Check { file, json } => check(&file, json),
        SettingsCommand::Show { settings, json } => show(*settings, json),
        SettingsCommand::Sample => {
            let sample = settings::sample();
            ui::answer(sample.trim_end())?;
            ui::report(&json!({ "sample": sample }))?;
            Ok(DONE)
        }
        SettingsCommand::Schema => {
            let schema = settings::schema();
            ui::json(&schema)?;
            ui::report(&schema)?;
            Ok(DONE)
        }
    }
}

fn check(file: &Path, json: bool) -> Result<u8> {
    let is_stdin = file == Path::new(STDIN);
    let text = if is_stdin {
        reading::read_stdin(reading::CONFIGURATION)
    } else {
        reading::read_named_text(file, reading::CONFIGURATION)
    };
    let text = text.map_err(|error| {
        let path = file.display();
        Failure::Usage(format!("cannot read the settings file {path}: {error}"))
    })?;
    let problems = settings::check(&text);
    let is_wrong = problems.iter().any(|it| it.severity == Severity::Error);
    // A name need not be UTF-8, but the report is.
    let name = file.to_string_lossy();
    let report = json!({ "schema": 1, "file": name, "valid": !is_wrong, "problems": problems });
    ui::report(&report)?;
    let shown = if is_stdin {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    };
    if json {
        ui::json(&report)?
    } else {
        ui::print_problems(&shown, &problems)
    }
    Ok(if is_wrong { WRONG } else { DONE })
}

fn show(arguments: SettingsArgs, json: bool) -> Result<u8> {
    let file = arguments.config.as_deref();
    let in_force = Effective::of(arguments.layer, file, arguments.given)?;
    ui::report(&in_force)?;
    if json {
        ui::json(&in_force)?
    } else {
        ui::print_settings(&in_force)
    }
    Ok(DONE)
}
