//! Asking before something is changed.

use anyhow::{Context, Result};
use console::user_attended;
use dialoguer::Confirm;

use crate::error::Failure;

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
    let agreed = Confirm::new()
        .with_prompt(question)
        .default(by_default)
        .interact()
        .context("asking")?;
    match agreed {
        true => Ok(()),
        false => Err(Failure::Cancelled("cancelled; nothing was changed".to_owned()).into()),
    }
}

/// dialoguer reads from standard input and draws on standard error.
fn can_ask() -> bool {
    use std::io::IsTerminal;
    user_attended() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
