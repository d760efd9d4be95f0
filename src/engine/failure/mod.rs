//! Why the engine did not start.

mod cause;
mod failed_unit;
mod last_words;

use anyhow::Result;

use crate::docker::UNIT;
use crate::error::quote;
use crate::host::Host;
pub(crate) use last_words::with_last_words;
use last_words::{words_of, words_of_engine};

/// Why the engine did not start: the unit that failed, what is known of the cause, and the unit's own
/// words.
pub(crate) fn failure_reason(host: &Host) -> String {
    let found = failed_unit::find(host).ok().flatten();
    let (text, words) = match &found {
        Some((state, fault)) if state.unit != UNIT => (
            format!("the engine did not start, since {} {fault}", state.unit),
            words_of(host, state),
        ),
        _ => ("the engine did not start".to_owned(), words_of_engine(host)),
    };
    match cause::of(host, &words) {
        Some(cause) => quote(
            &format!("{text}: {cause}"),
            &format!("its last words:\n{words}"),
        ),
        None => quote(&format!("{text}; its last words:"), &words),
    }
}

/// Why the engine did not start, when it was started and failed.
pub(crate) fn failure(host: &Host) -> Result<Option<String>> {
    if !host.runs_systemd()? {
        return Ok(None);
    }
    Ok(failed_unit::find(host)?.map(|_| failure_reason(host)))
}
