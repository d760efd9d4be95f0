//! Asking before something is changed.

use std::fs::File;
use std::io::{IsTerminal, stderr, stdin, stdout};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use console::Term;
use dialoguer::Confirm;
use nix::sys::termios::{SetArg, tcgetattr, tcsetattr};

use super::text::plain;
use super::{SCREEN, wants_report};
use crate::error::Failure;
use crate::host::signal::stop_flag;

/// How long a signal may wait to be noticed.
const PAUSE: Duration = Duration::from_millis(50);

/// Shows what is going to be done, and asks whether to go on, unless `yes` says so already.
///
/// # Errors
/// [`Failure::Usage`] where there is no terminal to ask on, [`Failure::Cancelled`] for a no.
pub(crate) fn confirm(
    show: impl FnOnce(),
    question: &str,
    yes: bool,
    by_default: bool,
) -> Result<()> {
    if yes {
        show();
        return Ok(());
    }
    let Some(screen) = screen() else {
        show();
        return Err(Failure::Usage(
            "there is no terminal to ask on; nothing was changed. Pass --yes to skip the prompt"
                .to_owned(),
        )
        .into());
    };
    // Nobody can agree to what goes to a file.
    if !is_seen() {
        SCREEN.set(Some(screen.clone()));
    }
    show();
    SCREEN.set(None);
    if ask(screen, question, by_default)? {
        Ok(())
    } else {
        Err(Failure::Cancelled("cancelled; nothing was changed".to_owned()).into())
    }
}

/// The terminal to ask on, if somebody can answer: standard error or else the one that controls this
/// process. Keys are read from standard input.
fn screen() -> Option<Term> {
    if !stdin().is_terminal() {
        return None;
    }
    if stderr().is_terminal() {
        return Some(Term::stderr());
    }
    let terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()?;
    let input = terminal.try_clone().ok()?;
    Some(Term::read_write_pair(input, terminal))
}

/// Whether what is printed for people is seen at the terminal.
fn is_seen() -> bool {
    if wants_report() {
        stderr().is_terminal()
    } else {
        stdout().is_terminal()
    }
}

/// Asks on a thread of its own, since nothing else can end the wait for a key when a signal
/// comes. The terminal is then given back as it was: with its modes, and with a cursor.
fn ask(screen: Term, question: &str, by_default: bool) -> Result<bool> {
    let stopped = stop_flag()?;
    let modes = tcgetattr(stdin()).context("asking the terminal for its modes")?;
    let (sender, answers) = mpsc::channel();
    let question = plain(question);
    let terminal = screen.clone();
    thread::spawn(move || {
        let confirm = Confirm::new().with_prompt(question).default(by_default);
        sender.send(confirm.interact_on(&terminal))
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
        tcsetattr(stdin(), SetArg::TCSANOW, &modes)
            .context("giving the terminal its modes back")?;
        screen.show_cursor().context("showing the cursor")?;
        screen.write_line("").context("ending the line")?;
    }
    match answer {
        // Ctrl-C comes as an error of the reading, with the signal behind it.
        Err(_) if stopped.load(Ordering::Relaxed) => Ok(false),
        answer => answer.context("asking"),
    }
}
