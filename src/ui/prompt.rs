//! Asking before something is changed.

use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use console::{Term, user_attended};
use dialoguer::Confirm;

use crate::error::Failure;
use crate::host::signal::stop_flag;

/// Asks whether to go on, unless `yes` says so already.
///
/// # Errors
/// [`Failure::Usage`] where there is no terminal to ask on, [`Failure::Cancelled`] for a no.
pub fn confirm(question: &str, yes: bool, by_default: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(Failure::Usage(
            "there is no terminal to ask on; nothing was changed. Say --yes to go on without \
             being asked"
                .to_owned(),
        )
        .into());
    }
    // Ctrl-C at the question comes back as an error, and not as the end of the process: dialoguer
    // hides the cursor, and it must be shown again.
    let interrupted = stop_flag()?;
    let answer = Confirm::new()
        .with_prompt(question)
        .default(by_default)
        .interact();
    let cancelled = || Failure::Cancelled("cancelled; nothing was changed".to_owned()).into();
    match answer {
        Ok(true) => Ok(()),
        Ok(false) => Err(cancelled()),
        Err(error) => {
            Term::stderr().show_cursor().context("showing the cursor")?;
            match interrupted.load(Ordering::Relaxed) {
                true => Err(cancelled()),
                false => Err(error).context("asking"),
            }
        }
    }
}

/// dialoguer reads from standard input and draws on standard error.
fn can_ask() -> bool {
    use std::io::IsTerminal;
    user_attended() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
