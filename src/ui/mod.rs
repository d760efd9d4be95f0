//! The terminal: the only place that prints, and nothing that it prints shows a password.
//!
//! What a command is asked for goes to standard output; what happens meanwhile, to standard error.

mod doctor;
mod junit;
mod live;
mod plan;
mod prompt;
mod status;

use std::fmt::Display;
use std::io::Write;

use console::style;
use serde::Serialize;

use crate::redact::redact;

pub use doctor::print_diagnosis;
pub use junit::JunitFile;
pub use live::Live;
pub use plan::{print_plan, print_reversal};
pub use prompt::confirm;
pub use status::print_status;

/// Honours `NO_COLOR` (<https://no-color.org>); `console` looks after the rest.
pub fn set_up() {
    if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        console::set_colors_enabled(false);
        console::set_colors_enabled_stderr(false);
    }
}

/// Prints a line on standard output. A reader that went away is no reason to stop.
pub fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{}", redact(&text.to_string()));
}

/// Prints a line on standard error.
pub fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{}", redact(&text.to_string()));
}

/// Prints data as JSON on standard output.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints what clap has to say of the command line: help, or what is wrong with it.
pub fn usage(said: &clap::Error) {
    let rendered = said.render();
    match said.use_stderr() {
        true if console::colors_enabled_stderr() => note(rendered.ansi().to_string().trim_end()),
        true => note(rendered.to_string().trim_end()),
        false if console::colors_enabled() => line(rendered.ansi().to_string().trim_end()),
        false => line(rendered.to_string().trim_end()),
    }
}

/// Prints a failure: what was tried, then each cause.
pub fn error(error: &anyhow::Error) {
    let mut causes = error.chain().map(ToString::to_string);
    let first = causes.next().unwrap_or_default();
    note(format!(
        "{} {first}",
        style("error:").red().bold().for_stderr()
    ));
    for cause in causes {
        note(format!(
            "  {} {cause}",
            style("because:").dim().for_stderr()
        ));
    }
}
