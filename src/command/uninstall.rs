//! `dockstrap uninstall`: takes back what install did, and nothing else.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::Result;

use super::{DONE, require_root};
use crate::change::{Extent, withdraw_verification};
use crate::cli::Uninstall;
use crate::history::tell_of_cut_short;
use crate::host::{Host, temporary};
use crate::report::StepReport;
use crate::ui::{self, Live};
use crate::uninstall::{Reversal, report, step_report, warning};

pub fn run(host: &Host, arguments: Uninstall) -> Result<u8> {
    require_root("uninstall")?;
    // No settings file: the way back must not hang on what is in it by now.
    let lock_wait = Duration::from_secs(arguments.lock_wait);
    let live = Live::new();
    let undone = RefCell::new(Vec::new());
    let show = |event| {
        undone.borrow_mut().extend(step_report(&event));
        live.show(event);
    };
    let tell = |steps: Vec<StepReport>| {
        if ui::wants_report() {
            ui::report(&report(host, steps))
        } else {
            Ok(())
        }
    };
    let _lock = host.lock_run(lock_wait, &show)?;
    let _ = temporary::sweep(); // nothing is put there
    if let Err(error) = withdraw_verification(host, &show) {
        show(warning(&error)); // it is among what is taken back now
    }
    let Some(reversal) = Reversal::plan(host)? else {
        Reversal::clear_journal(host, arguments.purge_data, &show)?;
        tell(Vec::new())?;
        ui::line("Nothing to do: dockstrap has set up nothing on this host.");
        return Ok(DONE);
    };
    tell_of_cut_short(reversal.journal(), &show);
    let show_plan = || ui::print_reversal(&reversal, arguments.purge_data);
    live.pause(|| ui::confirm(show_plan, "Take this back?", arguments.yes, false))?;
    let extent = Extent {
        purge_data: arguments.purge_data,
        restore_packages: arguments.restore_packages,
    };
    let kept = reversal.carry_out(host, extent, lock_wait, &show)?;
    tell(undone.take())?;
    drop(live);
    ui::line(match kept {
        0 => "Taken back: the host is as it was.",
        _ => "Taken back, but for what is listed above as kept.",
    });
    Ok(DONE)
}
