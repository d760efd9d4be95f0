//! The uninstall: takes back what install did, and nothing else. The command line and Ansible call
//! it.

mod containers;
mod reversal;

use crate::host::Host;
use crate::report::{Done, Event, StepReport, Verdict};

pub use reversal::Reversal;

/// What is said of an error that is in nobody's way.
pub fn warning(error: &anyhow::Error) -> Event {
    let text = format!("{error:#}");
    Event::Warning { text }
}

/// What an event says of a change that was to be taken back.
pub fn step_report(event: &Event) -> Option<StepReport> {
    let (step, verdict, text, details) = match event {
        Event::Reverted { step, text } => (step, Verdict::Reverted, text, Vec::new()),
        Event::Kept { step, text, reason } => (step, Verdict::Kept, text, vec![reason.clone()]),
        _ => return None,
    };
    Some(StepReport {
        step: step.clone(),
        verdict,
        text: text.clone(),
        details,
        diff: None,
    })
}

/// What was taken back, or is to be.
pub fn report(host: &Host, steps: Vec<StepReport>) -> Done {
    Done {
        schema: 1,
        changed: steps.iter().any(|it| it.verdict == Verdict::Reverted),
        steps,
        verification: None,
        engine_version: host.running_version(),
    }
}
