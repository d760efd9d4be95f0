//! `dockstrap doctor`: looks for what keeps the engine from working, and mends what is ours.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{DONE, require_root};
use crate::change::{Journal, Purpose, Tx, withdraw_verification};
use crate::cli;
use crate::doctor::{self, Diagnosis};
use crate::facts;
use crate::host::Host;
use crate::host::signal::stop_flag;
use crate::report::{Event, Listener};
use crate::settings::LOCK_WAIT;
use crate::ui::{self, Live};
use crate::undo::Extent;

/// The exit code when something is wrong.
const FOUND: u8 = 3;

pub(crate) fn run(host: &Host, arguments: &cli::DoctorArgs) -> Result<u8> {
    if arguments.fix {
        require_root("doctor --fix")?;
        let live = if arguments.json {
            Live::quiet()
        } else {
            Live::new()
        };
        let show = |event| live.show(event);
        let wait = Duration::from_secs(LOCK_WAIT);
        let _lock = host.lock_run(wait, &show)?;
        withdraw_verification(host, &show)?;
        // What is mended is written down there: refused before it is known what there is to mend.
        Journal::read(host)?;
        // Looked at with the lock held: another run may be what is mending it.
        fix(host, &examine(host)?, wait, &show)?;
    }
    let diagnosis = examine(host)?;
    ui::report(&diagnosis)?;
    if arguments.json {
        ui::json(&diagnosis)?
    } else {
        ui::print_diagnosis(&diagnosis)
    }
    Ok(if diagnosis.has_errors() { FOUND } else { DONE })
}

fn examine(host: &Host) -> Result<Diagnosis> {
    Ok(doctor::examine(host, &facts::gather_anyway(host)?))
}

/// Mends what was found and is ours, each with its way back. What fails is taken back.
fn fix(host: &Host, found: &Diagnosis, wait: Duration, listener: Listener<'_>) -> Result<()> {
    for examined in found.fixable() {
        let journal = Journal::read(host)?;
        let before = journal.last();
        let begun = Instant::now();
        let mut tx = Tx::begin(host, journal, Purpose::Doctor, wait, listener, stop_flag()?)?;
        if let Err(error) = examined.fix(&mut tx) {
            tx.revert(before, Extent::default())
                .with_context(|| format!("undoing what was done for {}", examined.id))?;
            return Err(error.context(format!(
                "{} could not be fixed; what was done for it is undone, and what was fixed \
                 before it stays so",
                examined.id
            )));
        }
        tx.tell(Event::StepDone {
            step: "doctor",
            text: format!("fixed {}: {}", examined.id, examined.title),
            seconds: begun.elapsed(),
        });
        tx.end()?;
    }
    Ok(())
}
