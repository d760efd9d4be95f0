//! `dockstrap status`: what install did, and what was changed since.

use anyhow::Result;

use super::DONE;
use crate::cli;
use crate::error::Failure;
use crate::host::{Host, is_forbidden};
use crate::status::{HostStatus, status};
use crate::ui;

/// The exit code when something was changed since.
const DRIFTED: u8 = 3;

pub(crate) fn run(host: &Host, arguments: &cli::StatusArgs) -> Result<u8> {
    let status = match status(host) {
        Err(error) if is_forbidden(&error) => {
            let error = "only root can read what dockstrap did. Run: sudo dockstrap status";
            return Err(Failure::Usage(error.to_owned()).into());
        }
        status => status?,
    };
    ui::report(&status)?;
    if arguments.json {
        ui::json(&status)?;
    } else {
        ui::print_status(&status);
        ui::line(summary(&status));
    }
    Ok(if status.has_drifted() { DRIFTED } else { DONE })
}

fn summary(status: &HostStatus) -> String {
    if let Some(run) = &status.unfinished {
        return format!(
            "The {} that began at {} UTC has not come to its end: it is still at work, or was cut \
             short. To go on after that: sudo dockstrap install",
            run.purpose.command(),
            run.at.strftime("%F %T")
        );
    }
    let words = match (status.steps.is_empty(), status.has_drifted()) {
        (true, _) => "dockstrap has set up nothing on this host.",
        (false, false) if status.keeps() => {
            "All of it is as dockstrap set it up, or as you changed it since. To put back what you \
             changed: sudo dockstrap install --restore"
        }
        (false, false) => "All of it is as dockstrap set it up.",
        (false, true) => "Changed since. To have it as it was set up: sudo dockstrap install",
    };
    words.to_owned()
}
