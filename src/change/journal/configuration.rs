//! What the journal knows of the changes to daemon.json.

use jiff::Timestamp;

use super::{Act, Journal};
use crate::daemon_config::{Change, Document};
use crate::undo::{Undo, unseal};

impl Journal {
    /// What was done to daemon.json, oldest first, as far as it can be told beside what the file
    /// says by now.
    pub(crate) fn configuration(&self, now: &Document) -> Vec<Change> {
        let changes = self.acts.iter().filter_map(|act| match &act.undo {
            Undo::RestoreDaemonJson { changes, .. } => Some(unseal(changes, now)),
            _ => None,
        });
        changes.flatten().collect()
    }

    /// Acts of runs that came to their end: what of them no longer holds, somebody has changed.
    pub(crate) fn settled(&self) -> impl Iterator<Item = &Act> {
        let acts = self.acts.iter();
        acts.filter(|act| act.act <= self.proven)
    }

    /// What such runs did to daemon.json, told like [`configuration`](Journal::configuration).
    pub(crate) fn settled_configuration(&self, now: &Document) -> Vec<Change> {
        let changes = self.settled().filter_map(|act| match &act.undo {
            Undo::RestoreDaemonJson { changes, .. } => Some(unseal(changes, now)),
            _ => None,
        });
        changes.flatten().collect()
    }

    /// What was done to daemon.json after this time.
    pub(crate) fn configured_since(&self, then: Timestamp) -> impl Iterator<Item = &Change> {
        let acts = self.acts.iter().filter(move |act| act.at > then);
        acts.flat_map(|act| match &act.undo {
            Undo::RestoreDaemonJson { changes, .. } => changes.as_slice(),
            _ => &[],
        })
    }

    /// What runs that were cut short did to daemon.json, up to this act: whether an engine starts
    /// with it is not known.
    pub(crate) fn unproven_configuration(&self, up_to: u64) -> impl Iterator<Item = &Act> {
        let acts = self
            .acts
            .iter()
            .filter(move |act| (self.proven + 1..=up_to).contains(&act.act));
        acts.filter(|act| act.undo.is_of_configuration())
    }
}
