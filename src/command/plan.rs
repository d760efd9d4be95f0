//! `dockstrap plan`: what install would do. It is never given the means to change anything.

use anyhow::Result;

use super::{DONE, resolve};
use crate::cli;
use crate::doctor;
use crate::facts;
use crate::host::Host;
use crate::invocation;
use crate::plan::Plan;
use crate::report::warn_of;
use crate::ui::{self, Live};

/// The exit code of `--check` when changes are pending.
const PENDING: u8 = 3;

pub(crate) fn run(host: &Host, arguments: cli::PlanArgs) -> Result<u8> {
    let settings = resolve(arguments.settings, arguments.restore)?;
    let live = if arguments.json {
        Live::quiet()
    } else {
        Live::new()
    };
    let show = |event| live.show(event);
    let plan = Plan::make(host, facts::gather(host)?, &settings, &show)?;
    if plan.is_pending() {
        warn_of(doctor::errors_ahead(host, &plan.host), &show);
    }
    drop(live);
    ui::report(&plan)?;
    if arguments.json {
        ui::json(&plan)?;
    } else {
        ui::print_plan(&plan);
        ui::line(if plan.is_pending() {
            format!(
                "Nothing was changed. Set this up with: {}",
                invocation::install(&[])
            )
        } else {
            "Nothing to do.".to_owned()
        });
    }
    Ok(if arguments.check && plan.is_pending() {
        PENDING
    } else {
        DONE
    })
}
