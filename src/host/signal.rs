//! Signals that ask to stop: noticed, and obeyed at the next safe place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The flag that the usual signals set from the first call on, instead of ending the process.
/// Nothing is cut short by them: whoever works looks at the flag at each place where the host is
/// in a known state, and begins nothing further when it is set.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>> {
    if let Some(flag) = FLAG.get() {
        return Ok(Arc::clone(flag));
    }
    let flag = Arc::clone(FLAG.get_or_init(Arc::default));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("watching for signals")?;
    }
    Ok(flag)
}

static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Whether a signal has asked to stop. It never has before the first call of [`stop_flag`]: until
/// then signals end the process.
pub(crate) fn is_stopped() -> bool {
    FLAG.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// The program that changes the host right now, and is not cut short.
static AT_WORK: Mutex<Option<String>> = Mutex::new(None);

/// What no signal stops once it has begun.
static UNSTOPPABLE: Mutex<Option<&str>> = Mutex::new(None);

static IS_ACKNOWLEDGED: AtomicBool = AtomicBool::new(false);

/// Lasts as long as a program is at work that a signal does not cut short.
pub(super) struct AtWork;

/// Names the program that is at work from now on.
pub(super) fn at_work(program: &str) -> AtWork {
    // apt-get has long fetched everything, and waits for dpkg.
    let program = if program == "apt-get" {
        "dpkg"
    } else {
        program
    };
    *AT_WORK.lock().unwrap_or_else(PoisonError::into_inner) = Some(program.to_owned());
    AtWork
}

impl Drop for AtWork {
    fn drop(&mut self) {
        *AT_WORK.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Says that this runs to its end from now on, whatever signals come.
pub(crate) fn run_to_end(what: &'static str) {
    *UNSTOPPABLE.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
}

/// What is to be said to whoever has just asked to stop: why nothing stops yet. It is said once.
pub(crate) fn acknowledgement() -> Option<String> {
    if !is_stopped() || IS_ACKNOWLEDGED.load(Ordering::Relaxed) {
        return None;
    }
    let unstoppable = *UNSTOPPABLE.lock().unwrap_or_else(PoisonError::into_inner);
    let program = AT_WORK.lock().unwrap_or_else(PoisonError::into_inner);
    let text = reply(unstoppable, program.as_deref())?;
    IS_ACKNOWLEDGED.store(true, Ordering::Relaxed);
    Some(text)
}

fn reply(unstoppable: Option<&str>, program: Option<&str>) -> Option<String> {
    match (unstoppable, program) {
        (Some(what), _) => Some(format!("{what} runs to its end")),
        (None, Some(program)) => Some(format!("Stopping after {program} finishes")),
        (None, None) => None, // it stops right away
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_answered_by_what_has_to_finish_first() {
        let reply = |what, program| reply(what, program).unwrap_or_default();
        assert_eq!(reply(None, Some("dpkg")), "Stopping after dpkg finishes");
        let uninstall = "The uninstall runs to its end";
        assert_eq!(reply(Some("The uninstall"), Some("dpkg")), uninstall);
        assert_eq!(reply(None, None), "");
        assert_eq!(acknowledgement(), None, "nobody has asked to stop");
    }
}
