//! Asking before something is changed.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use console::{Term, user_attended};
use dialoguer::Confirm;
use nix::sys::termios::{SetArg, tcgetattr, tcsetattr};

use super::journal::Priority;
use super::say;
use crate::error::Failure;
use crate::host::signal::stop_flag;

/// How long a signal may wait to be noticed.
const PAUSE: Duration = Duration::from_millis(50);

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
    match ask(question, by_default)? {
        true => Ok(()),
        false => Err(Failure::Cancelled("cancelled; nothing was changed".to_owned()).into()),
    }
}

/// Asks on a thread of its own, since nothing else can end the wait for a key when a signal
/// comes. The terminal is then given back as it was: with its modes, and with a cursor.
fn ask(question: &str, by_default: bool) -> Result<bool> {
    let stopped = stop_flag()?;
    let modes = tcgetattr(std::io::stdin()).context("asking the terminal for its modes")?;
    let (sender, answers) = mpsc::channel();
    let question = question.to_owned();
    thread::spawn(move || {
        let confirm = Confirm::new().with_prompt(question).default(by_default);
        sender.send(confirm.interact())
    });
    let answer = loop {
        match answers.recv_timeout(PAUSE) {
            Ok(answer) => break answer,
            Err(RecvTimeoutError::Disconnected) => bail!("asking failed"),
            Err(RecvTimeoutError::Timeout) if stopped.load(Ordering::Relaxed) => break Ok(false),
            Err(RecvTimeoutError::Timeout) => {}
        }
    };
    if answer.is_err() || stopped.load(Ordering::Relaxed) {
        tcsetattr(std::io::stdin(), SetArg::TCSANOW, &modes)
            .context("giving the terminal its modes back")?;
        Term::stderr().show_cursor().context("showing the cursor")?;
        say(Priority::Info, "");
    }
    match answer {
        // Ctrl-C comes as an error of the reading, with the signal behind it.
        Err(_) if stopped.load(Ordering::Relaxed) => Ok(false),
        answer => answer.context("asking"),
    }
}

/// dialoguer reads from standard input and draws on standard error.
fn can_ask() -> bool {
    use std::io::IsTerminal;
    user_attended() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
