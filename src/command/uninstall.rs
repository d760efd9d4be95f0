//! `dockstrap uninstall`: takes back what install did, and nothing else.

use std::time::Duration;

use anyhow::Result;

use super::{DONE, require_root};
use crate::cli::UninstallArgs;
use crate::host::Host;
use crate::ui::{self, Live};
use crate::undo::Extent;
use crate::uninstall::PreparedUninstall;

pub(crate) fn run(host: &Host, arguments: UninstallArgs) -> Result<u8> {
    require_root("uninstall")?;
    // No settings file: an uninstall must not depend on what is in it by now.
    let lock_wait = Duration::from_secs(arguments.lock_wait);
    let extent = Extent {
        purge_data: arguments.purge_data,
        restore_packages: arguments.restore_packages,
    };
    let live = Live::new();
    let show = |event| live.show(event);
    let prepared = PreparedUninstall::new(host, extent, lock_wait, &show)?;
    if let Some(reversal) = &prepared.reversal {
        let show_plan = || ui::print_reversal(reversal, extent.purge_data);
        live.pause(|| ui::confirm(show_plan, "Take this back?", arguments.yes, false))?;
    }
    let uninstalled = prepared.carry_out(&show)?;
    ui::report_of(|| uninstalled.report())?;
    drop(live);
    ui::print_uninstalled(&uninstalled);
    Ok(DONE)
}
