//! For tests: changes tried out on a host, and taken back.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;

use super::{Journal, Purpose, Tx};
use crate::host::Host;
use crate::report::{Event, Listener};
use crate::undo::Extent;

/// A run that waits for nobody and that nobody cancels.
pub(crate) fn begin<'a>(host: &'a Host, listener: Listener<'a>) -> Tx<'a> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let journal = Journal::read(host).unwrap();
    let purpose = Purpose::Install;
    Tx::begin(host, journal, purpose, Duration::ZERO, listener, cancelled).unwrap()
}

/// Makes a change in a run of its own, which is then cut short.
pub(crate) fn run<T>(host: &Host, change: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    change(&mut begin(host, &|_| {}))
}

/// The same in a run that comes to its end.
pub(crate) fn complete(host: &Host, change: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Result<()> {
    let mut tx = begin(host, &|_| {});
    change(&mut tx)?;
    tx.end()
}

/// What the journal says was done and not taken back, oldest first.
pub(crate) fn acts(host: &Host) -> Vec<String> {
    let journal = Journal::read(host).unwrap();
    journal.acts().iter().map(|act| act.text.clone()).collect()
}

/// Takes everything back, data included, and returns what was left, each with its reason.
pub(crate) fn revert(host: &Host) -> Result<Vec<String>> {
    revert_after(host, 0)
}

/// The same for what came after this act.
pub(crate) fn revert_after(host: &Host, act: u64) -> Result<Vec<String>> {
    let kept = RefCell::new(Vec::new());
    let listener = |event| {
        if let Event::Kept { text, reason, .. } = event {
            kept.borrow_mut().push(format!("{text}: {reason}"));
        }
    };
    let extent = Extent {
        purge_data: true,
        restore_packages: true,
    };
    let count = begin(host, &listener).revert(act, extent)?;
    let kept = kept.take();
    assert_eq!(kept.len(), count);
    Ok(kept)
}
