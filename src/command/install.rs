//! `dockstrap install`: plan, ask, apply, prove.

use anyhow::Result;

use super::{DONE, require_root};
use crate::cli::Install;
use crate::host::Host;
use crate::install::{Prepared, proxy_hint, report};
use crate::invocation;
use crate::plan::Planned;
use crate::settings::{Restore, Settings};
use crate::ui::{self, Live};
use crate::verify::Verification;

pub fn run(host: &Host, arguments: Install) -> Result<u8> {
    require_root("install")?;
    let file = arguments.settings.config.as_deref();
    let settings =
        Settings::resolve(arguments.settings.layer, file)?.given(arguments.settings.given);
    let settings = settings.restoring(Restore::of(arguments.restore.restore));
    let live = Live::new();
    let show = |event| live.show(event);
    let prepared = Prepared::new(host, &settings, &show)?;
    let tell = |verification: Option<&Verification>| {
        if ui::wants_report() {
            ui::report(&report(host, &prepared.plan, verification))
        } else {
            Ok(())
        }
    };
    if !prepared.plan.is_pending() {
        let settled = prepared.settle(!arguments.no_verify, &show)?;
        tell(settled.verification.as_ref())?;
        settled.require()?;
        drop(live);
        ui::line(format!("{}.", settled.nothing_to_do()));
        for kept in prepared.plan.steps.iter().flat_map(|it| &it.finding.kept) {
            ui::note(kept);
        }
        return Ok(DONE);
    }
    let show_plan = || ui::print_plan(&prepared.plan);
    live.pause(|| ui::confirm(show_plan, "Set this up?", arguments.yes, true))?;
    let installed = prepared.carry_out(!arguments.no_verify, &show)?;
    tell(installed.verification.as_ref())?;
    installed.require()?;
    drop(live);
    let summary = installed.summary(host)?;
    let seconds = installed.applied.as_secs_f64();
    ui::line(format!("{summary} (set up in {seconds:.1} s)."));
    if !installed.is_running {
        let again = invocation::install(&["--no-start=false"]);
        ui::note(format!(
            "It starts at the next boot. To verify it then: {again}"
        ));
    }
    let new_members =
        |planned: &Planned| planned.id == "docker-group" && planned.finding.has_more_than_kept();
    if prepared.plan.pending().any(new_members) {
        ui::line("New members of group docker must log in again before they can use it.");
    }
    if let Some(hint) = proxy_hint(&settings)? {
        ui::note(hint);
    }
    Ok(DONE)
}
