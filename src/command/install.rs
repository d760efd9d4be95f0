//! `dockstrap install`: plan, ask, apply, verify.

use anyhow::Result;

use super::{DONE, require_root, resolve};
use crate::cli::InstallArgs;
use crate::host::Host;
use crate::install::PreparedInstall;
use crate::ui::{self, Live};

pub(crate) fn run(host: &Host, arguments: InstallArgs) -> Result<u8> {
    require_root("install")?;
    let settings = resolve(arguments.settings, arguments.restore)?;
    let live = Live::new();
    let show = |event| live.show(event);
    let prepared = PreparedInstall::new(host, &settings, &show)?;
    if prepared.plan.is_pending() {
        let show_plan = || ui::print_plan(&prepared.plan);
        live.pause(|| ui::confirm(show_plan, "Set this up?", arguments.yes, true))?;
    }
    let installed = prepared.carry_out(!arguments.no_verify, &show)?;
    ui::report_of(|| installed.report())?;
    installed.require()?;
    drop(live);
    ui::print_installed(&installed)?;
    Ok(DONE)
}
