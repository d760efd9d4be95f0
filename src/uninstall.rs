//! The uninstall: takes back what install did, and nothing else. The command line and Ansible call
//! it.

mod containers;
mod data_folders;
mod plan;

use std::cell::RefCell;
use std::fs::File;
use std::time::Duration;

use anyhow::Result;

use crate::change::{Act, withdraw_verification};
use crate::history::tell_of_cut_short;
use crate::host::{Host, temporary};
use crate::report::{Done, Event, Listener, StepReport, Verdict};
use crate::undo::Extent;

pub(crate) use plan::UninstallPlan;

/// An uninstall that is planned, while no other run is at work.
pub(crate) struct PreparedUninstall<'a> {
    host: &'a Host,
    extent: Extent,
    lock_wait: Duration,
    /// `None` when there is nothing to undo.
    pub(crate) reversal: Option<UninstallPlan>,
    undone: Undone,
    lock: File,
}

/// How an uninstall went.
pub(crate) struct Uninstalled<'a> {
    host: &'a Host,
    /// How much was left as it is; `None` when there was nothing to undo.
    pub(crate) kept: Option<usize>,
    steps: Vec<StepReport>,
    /// Held until the report is made.
    _lock: File,
}

impl<'a> PreparedUninstall<'a> {
    /// Waits for other runs, and plans.
    pub(crate) fn new(
        host: &'a Host,
        extent: Extent,
        lock_wait: Duration,
        listener: Listener<'_>,
    ) -> Result<PreparedUninstall<'a>> {
        let undone = Undone::default();
        let show = |event| undone.pass(event, listener);
        let lock = host.lock_run(lock_wait, &show)?;
        let _ = temporary::sweep(); // nothing is put there
        if let Err(error) = withdraw_verification(host, &show) {
            let text = format!("{error:#}");
            show(Event::Warning { text }); // it is among what is undone now
        }
        let reversal = UninstallPlan::plan(host)?;
        if let Some(reversal) = &reversal {
            tell_of_cut_short(reversal.journal(), &show);
        }
        Ok(PreparedUninstall {
            host,
            extent,
            lock_wait,
            reversal,
            undone,
            lock,
        })
    }

    /// Undoes what install did. Where that is nothing, only the journal of a run that was cut short
    /// before its first change is removed.
    pub(crate) fn carry_out(self, listener: Listener<'_>) -> Result<Uninstalled<'a>> {
        let PreparedUninstall { host, extent, .. } = self;
        let kept = match self.reversal {
            Some(reversal) => {
                let show = |event| self.undone.pass(event, listener);
                Some(reversal.carry_out(host, extent, self.lock_wait, &show)?)
            }
            None => {
                UninstallPlan::clear_journal(host, extent.purge_data, listener)?;
                None
            }
        };
        let steps = kept.map(|_| self.undone.0.into_inner());
        Ok(Uninstalled {
            host,
            kept,
            steps: steps.unwrap_or_default(),
            _lock: self.lock,
        })
    }
}

impl Uninstalled<'_> {
    /// What was undone.
    pub(crate) fn report(&self) -> Done {
        report(self.host, self.steps.clone())
    }
}

/// What an uninstall would undo.
pub(crate) fn foreseen(host: &Host, reversal: Option<&UninstallPlan>) -> Done {
    let step = |act: &Act| StepReport {
        step: act.step.clone(),
        verdict: Verdict::Reverted,
        text: act.text.clone(),
        details: Vec::new(),
        diff: None,
    };
    let acts = reversal.into_iter().flat_map(UninstallPlan::acts);
    report(host, acts.map(step).collect())
}

fn report(host: &Host, steps: Vec<StepReport>) -> Done {
    Done {
        schema: 1,
        changed: steps.iter().any(|it| it.verdict == Verdict::Reverted),
        steps,
        verification: None,
        engine_version: host.running_version(),
    }
}

/// What has been undone so far, or was kept.
#[derive(Default)]
struct Undone(RefCell<Vec<StepReport>>);

impl Undone {
    /// Notes what the event says of it, and passes the event on.
    fn pass(&self, event: Event, listener: Listener<'_>) {
        self.0.borrow_mut().extend(step_report(&event));
        listener(event);
    }
}

/// What an event says of a change that was to be undone.
fn step_report(event: &Event) -> Option<StepReport> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::host::stub::StubHost;

    #[test]
    fn what_is_undone_or_kept_is_noted_and_every_event_goes_on() {
        let owned = str::to_owned;
        let events = [
            Event::Reverted {
                step: owned("apt-key"),
                text: owned("write a"),
            },
            Event::Note {
                text: owned("it takes a while"),
            },
            Event::Kept {
                step: owned("apt-key"),
                text: owned("write b"),
                reason: owned("edited since"),
            },
        ];
        let (undone, heard) = (Undone::default(), RefCell::new(Vec::new()));
        for event in events.clone() {
            undone.pass(event, &|event| heard.borrow_mut().push(event));
        }
        assert_eq!(heard.into_inner(), events);
        let steps = undone.0.into_inner();
        let noted: Vec<_> = steps.iter().map(|it| (&*it.text, it.verdict)).collect();
        assert_eq!(
            noted,
            [("write a", Verdict::Reverted), ("write b", Verdict::Kept)]
        );
        assert_eq!(steps[1].details, ["edited since"]);
    }

    #[test]
    fn what_an_uninstall_would_undo_is_all_that_was_done() {
        let stub = StubHost::new();
        let host = stub.host();
        assert!(UninstallPlan::plan(host).unwrap().is_none());
        assert!(!foreseen(host, None).changed);
        trial::complete(host, |tx| tx.write_file("/etc/ours", b"x", 0o644)).unwrap();
        let reversal = UninstallPlan::plan(host).unwrap();
        let done = foreseen(host, reversal.as_ref());
        assert!(done.changed);
        assert_eq!(done.steps.len(), 1);
        assert_eq!(done.steps[0].text, "write /etc/ours");
        assert_eq!(done.steps[0].verdict, Verdict::Reverted);
    }
}
