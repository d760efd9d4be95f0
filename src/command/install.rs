//! `dockstrap install`: plan, ask, apply, prove.

use std::time::Instant;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{DONE, remember, require_root, running_version, tell_of_cut_short};
use crate::change::Journal;
use crate::cli::Install;
use crate::facts::{self, Facts};
use crate::host::{Host, temporary};
use crate::plan::{Plan, Planned};
use crate::report::{Done, StepReport, Verdict};
use crate::settings::Settings;
use crate::ui::{self, Live};
use crate::verify::{Choice, Verification};
use crate::{apply, apt, verify};

pub fn run(host: &Host, arguments: Install) -> Result<u8> {
    require_root("install")?;
    let file = arguments.settings.config.as_deref();
    let settings =
        Settings::resolve(arguments.settings.layer, file)?.given(arguments.settings.given);
    let live = Live::new();
    let show = |event| live.show(event);
    let _lock = host.lock_run(settings.lock_wait, &show)?;
    temporary::sweep();
    let journal = Journal::read(host)?;
    tell_of_cut_short(&journal);
    let mut facts = facts::gather(host)?;
    if !facts.unfinished.is_empty() {
        // Another package manager may be in the middle of its work, not cut short.
        apt::wait_for_locks(host, settings.lock_wait, &show)?;
        facts = facts::gather(host)?;
    }
    warn_of_age(&facts);
    let plan = Plan::make(host, facts, &settings, &show)?;
    if !plan.is_pending() {
        if journal.cut_short().is_some() {
            apply::settle(host, journal, &settings, &show)?;
        }
        report(host, &plan, None)?;
        drop(live);
        ui::line("Nothing to do: Docker Engine is set up and running.");
        return Ok(DONE);
    }
    live.pause(|| {
        ui::print_plan(&plan);
        ui::confirm("Set this up?", arguments.yes, true)
    })?;
    let begun = Instant::now();
    apply::apply(host, &plan, &settings, &show)?;
    let applied = begun.elapsed();
    let proven = if arguments.no_verify {
        report(host, &plan, None)?;
        "is set up"
    } else {
        let verification = verify::verify(host, &Choice::quick(), &show)?;
        live.pause(|| remember(host, &verification));
        report(host, &plan, Some(&verification))?;
        verification.require()?;
        "works on this host"
    };
    drop(live);
    let version = engine_version(host)?;
    ui::line(format!(
        "Docker Engine {version} {proven} (set up in {:.1} s).",
        applied.as_secs_f64()
    ));
    let new_members =
        |planned: &Planned| planned.id == "docker-group" && !planned.finding.details.is_empty();
    if plan.pending().any(new_members) {
        ui::line("New members of group docker must log in again before they can use it.");
    }
    if let Some(hint) = proxy_hint(&settings)? {
        ui::note(hint);
    }
    Ok(DONE)
}

/// What was found and done, for the last line of JSON.
fn report(host: &Host, plan: &Plan, verification: Option<&Verification>) -> Result<()> {
    if !ui::wants_report() {
        return Ok(());
    }
    let step = |planned: &Planned| StepReport {
        step: planned.id.to_owned(),
        verdict: match planned.finding.satisfied {
            true => Verdict::Satisfied,
            false => Verdict::Changed,
        },
        text: planned.finding.summary.clone(),
        details: planned.finding.details.clone(),
        diff: planned.finding.diff.clone(),
    };
    ui::report(&Done {
        schema: 1,
        changed: plan.is_pending(),
        steps: plan.steps.iter().map(step).collect(),
        verification: verification.map(|it| it.stages.clone()),
        engine_version: running_version(host),
    })
}

/// How to keep a proxy that this run went through, unless that was asked for.
fn proxy_hint(settings: &Settings) -> Result<Option<String>> {
    let network = settings.network()?;
    let proxy = network.https().or(network.http());
    Ok(proxy.filter(|_| settings.proxy_for.is_empty()).map(|proxy| {
        format!(
            "The proxy {proxy} was for this run. To give it to apt and the engine for good, say \
             beside it: dockstrap install --proxy-for apt,engine"
        )
    }))
}

fn engine_version(host: &Host) -> Result<String> {
    let engine = host.engine_info()?;
    ensure!(
        engine.is_some(),
        "the engine went away; see why with: systemctl status docker"
    );
    Ok(engine
        .map(|engine| engine.server_version)
        .unwrap_or_default())
}

fn warn_of_age(facts: &Facts) {
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    if let Some(release) = facts.release.filter(|release| release.has_ended(today)) {
        ui::warn(format!(
            "Ubuntu's standard support for {} ended on {}",
            release.version, release.support_ends
        ));
    }
}
