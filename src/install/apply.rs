//! Making the plan true, one step after the other; all of it or, when a step fails, none of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::apt;
use crate::change::{Journal, Run, Tx};
use crate::host::Host;
use crate::host::signal::{run_to_end, stop_flag};
use crate::invocation;
use crate::plan::{Plan, Planned};
use crate::report::{Event, Listener};
use crate::settings::Settings;
use crate::step::first_boot;
use crate::undo::Extent;

/// Applies the plan. When a step fails, or a signal asks to stop, what this run did is taken back.
pub(super) fn apply(
    host: &Host,
    plan: &Plan,
    settings: &Settings,
    listener: Listener<'_>,
) -> Result<()> {
    if plan.pending().any(|planned| planned.transaction.is_some()) {
        // Before the first act, so that a host that is busy for long is not touched at all.
        apt::wait_to_begin(host, settings.lock_wait, listener)?;
    }
    let journal = Journal::read(host)?;
    let before = journal.last();
    let older = journal.cut_short().is_some();
    let unproven = journal.unproven_configuration(before).next().is_some();
    let mut tx = Tx::begin(
        host,
        journal,
        Run::install(settings),
        settings.lock_wait,
        listener,
        stop_flag()?,
    )?;
    let applied = tx
        .withdraw_policy()
        .and_then(|()| apply_steps(&mut tx, plan));
    let failure = match applied {
        Ok(()) => return tx.end(),
        Err(failure) => failure,
    };
    listener(Event::Started {
        text: "rolling back".to_owned(),
    });
    run_to_end("The rollback");
    // What the engine keeps did not exist before this run, or it would not be in the journal.
    let extent = Extent {
        purge_data: true,
        restore_packages: true,
    };
    let outcome = state_after_rollback(tx.revert(before, extent));
    let exception = if unproven {
        ", except for its change of daemon.json, which no engine had loaded"
    } else {
        ""
    };
    Err(failure.context(if older {
        format!(
            "{outcome}. What the run before, which was cut short, has set up still stands\
             {exception}; to undo that as well: sudo dockstrap uninstall"
        )
    } else {
        outcome
    }))
}

/// What a failure says of the host: how much was left as it is, or that undoing failed.
fn state_after_rollback(left: Result<usize>) -> String {
    match left {
        Ok(0) => "the install failed; the host was put back as it was".to_owned(),
        Ok(_) => {
            "the install failed; the host was put back, except for what is listed above as kept"
                .to_owned()
        }
        Err(error) => format!(
            "the install failed, and the host could not be put back as it was ({error:#}); fix \
             that, and go on with `{}`, or undo it with `sudo dockstrap uninstall`",
            invocation::install(&[])
        ),
    }
}

/// Writes down an install that has nothing to do: it closes one that was cut short, and says that
/// what was placed only is to run from now on.
pub(super) fn settle(
    host: &Host,
    journal: Journal,
    settings: &Settings,
    listener: Listener<'_>,
) -> Result<()> {
    let cancelled = Arc::default();
    let mut tx = Tx::begin(
        host,
        journal,
        Run::install(settings),
        Duration::ZERO,
        listener,
        cancelled,
    )?;
    tx.withdraw_policy()?;
    tx.end()
}

/// Ends the first boot, if there is still to be one: an install has succeeded on the host.
pub(super) fn end_first_boot(
    host: &Host,
    settings: &Settings,
    listener: Listener<'_>,
) -> Result<()> {
    if !first_boot::is_enabled(host)? {
        return Ok(());
    }
    let journal = Journal::read(host)?;
    let knew_nothing = journal.knows_nothing();
    let (run, cancelled) = (Run::install(settings), Arc::default());
    let mut tx = Tx::begin(host, journal, run, settings.lock_wait, listener, cancelled)?;
    first_boot::end(&mut tx)?;
    if knew_nothing {
        // dockstrap has set up nothing here
        tx.revert(0, Extent::default()).map(drop)
    } else {
        tx.end()
    }
}

fn apply_steps(tx: &mut Tx<'_>, plan: &Plan) -> Result<()> {
    for planned in plan.pending() {
        tx.enter(planned.id);
        let begun = Instant::now();
        tx.tell(Event::StepStarted {
            step: planned.id,
            text: planned.finding.summary.clone(),
        });
        apply_step(tx, planned)?;
        tx.check_cancelled()?;
        tx.tell(Event::StepDone {
            step: planned.id,
            text: planned.finding.summary.clone(),
            seconds: begun.elapsed(),
        });
    }
    Ok(())
}

fn apply_step(tx: &mut Tx<'_>, planned: &Planned) -> Result<()> {
    let Planned { step, title, .. } = planned;
    step.apply(tx)
        .with_context(|| format!("setting up the {title}"))?;
    let after = step.inspect(tx.host())?;
    if after.satisfied {
        Ok(())
    } else {
        Err(anyhow!(
            "the {title} is not as it should be, though it was set up: still to do: {}",
            after.summary
        ))
    }
}

#[cfg(test)]
mod tests;
