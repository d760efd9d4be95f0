//! `dockstrap uninstall`: takes back what install did, and nothing else.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use super::{require_root, tell_of_cut_short};
use crate::change::Extent;
use crate::cli::Uninstall;
use crate::host::{Host, temporary};
use crate::revert::Reversal;
use crate::ui::{self, Live};

pub fn run(host: &Host, arguments: Uninstall) -> Result<ExitCode> {
    require_root("uninstall")?;
    // No settings file: the way back must not hang on what is in it by now.
    let lock_wait = Duration::from_secs(arguments.lock_wait);
    let live = Live::new();
    let show = |event| live.show(event);
    let _lock = host.lock_run(lock_wait, &show)?;
    temporary::sweep();
    let Some(reversal) = Reversal::plan(host)? else {
        Reversal::clear_journal(host, &show)?;
        ui::line("Nothing to do: dockstrap has set up nothing on this host.");
        return Ok(ExitCode::SUCCESS);
    };
    tell_of_cut_short(reversal.journal());
    live.pause(|| {
        ui::print_reversal(&reversal, arguments.purge_data);
        ui::confirm("Take this back?", arguments.yes, false)
    })?;
    let extent = Extent {
        purge_data: arguments.purge_data,
        restore_packages: arguments.restore_packages,
    };
    let kept = reversal.carry_out(host, extent, lock_wait, &show)?;
    drop(live);
    ui::line(match kept {
        0 => "Taken back: the host is as it was.",
        _ => "Taken back, but for what is listed above as kept.",
    });
    Ok(ExitCode::SUCCESS)
}
