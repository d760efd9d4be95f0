//! Signals that ask to stop: noticed, and obeyed at the next safe place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The flag that the usual signals set from the first call on, instead of ending the process.
/// Nothing is cut short by them: whoever works looks at the flag at each place where the host is
/// in a known state, and begins nothing further when it is set.
pub fn stop_flag() -> Result<Arc<AtomicBool>> {
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
pub fn is_stopped() -> bool {
    FLAG.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}
