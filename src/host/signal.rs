//! Signals that ask to stop: noticed, and obeyed at the next safe place.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// A flag that the usual signals set from now on, instead of ending the process. Nothing is cut
/// short by them: whoever holds the flag finishes what is at work and begins nothing further.
pub fn stop_flag() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("watching for signals")?;
    }
    Ok(flag)
}
