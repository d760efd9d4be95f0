//! Running apt-get and reporting how far it is.

use std::time::Duration;

use anyhow::{Context, Result};
use thiserror::Error;

use super::refusal::{Phase, answered, late_hook};
use crate::host::Host;
use crate::host::authority::Authority;
use crate::host::command::{Command, Output, Query};
use crate::report::{Event, Listener};

/// Runs an apt-get command to its end, however long that takes, and tells of its progress.
pub(crate) fn run(
    host: &Authority<'_>,
    command: &Command,
    lock_wait: Duration,
    listener: Listener<'_>,
) -> Result<()> {
    let command = with_patience(command, lock_wait);
    let output = command.run_watched(host, STATUS_PIPE, |line| tell(line, listener));
    judge(host, output, listener)
}

/// As [`run`], of a command that fetches into folders of this run.
pub(super) fn fetch_apart(host: &Host, query: &Query, listener: Listener<'_>) -> Result<()> {
    let query = with_patience(query, Duration::ZERO);
    let output = query.ask_watched(host, STATUS_PIPE, |line| tell(line, listener));
    judge(host, output, listener)
}

/// The argument with which apt tells how far it is.
const STATUS_PIPE: &str = "-oAPT::Status-Fd={}";

/// The command, which waits for who has taken a lock since it was looked at.
fn with_patience<K>(command: &Command<K>, lock_wait: Duration) -> Command<K> {
    let patience = format!("-oDPkg::Lock::Timeout={}", lock_wait.as_secs());
    command.clone().arg(patience)
}

fn tell(line: &str, listener: Listener<'_>) {
    if let Some(event) = progress(line) {
        listener(event);
    }
}

fn judge(host: &Host, output: Result<Output>, listener: Listener<'_>) -> Result<()> {
    let output = output.context("running apt-get")?;
    if output.code != 0 && is_about_a_lock(&output.stderr) {
        return output.success().map(drop).context(LockedOut);
    }
    if let Some(text) = late_hook(host, &output)? {
        listener(Event::Warning { text });
        return Ok(());
    }
    answered(host, output, Phase::Changing).map(drop)
}

/// Somebody else has a lock of apt's or dpkg's, so that apt did nothing.
#[derive(Debug, Error)]
#[error("another package manager is at work")]
struct LockedOut;

/// Whether apt did nothing, since somebody else has a lock.
pub(crate) fn is_locked_out(error: &anyhow::Error) -> bool {
    error.is::<LockedOut>()
}

/// Whether apt says that it got no lock. It asks for all of them before it does anything.
fn is_about_a_lock(stderr: &str) -> bool {
    let mut lines = stderr.lines();
    lines.any(|line| line.starts_with("E: Could not get lock /"))
}

/// Reads a line of apt's status pipe: `dlstatus:N:PERCENT:TEXT` while it downloads,
/// `pmstatus:PACKAGE:PERCENT:TEXT` while dpkg works.
fn progress(line: &str) -> Option<Event> {
    let mut fields = line.splitn(4, ':');
    let kind = fields.next()?;
    let package = fields.next()?;
    let percent: f64 = fields.next()?.parse().ok()?;
    let text = fields.next()?.trim();
    let (percent, text) = match kind {
        // Next to nothing is left to apt to download.
        "dlstatus" => (0.0, "downloading".to_owned()),
        "pmstatus" if text.contains(package) => (percent, text.to_owned()),
        "pmstatus" => (percent, format!("{text} ({package})")),
        _ => return None,
    };
    Some(Event::Progress { percent, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_somebody_else_has_is_told_from_what_else_goes_wrong() {
        // apt 2.6 to 3.3, and where a lock is not there to be had at all.
        for (stderr, is_lock) in [
            (
                "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (x)\n\
                 E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend)\n",
                true,
            ),
            (
                "E: Could not get lock /var/cache/apt/archives/lock. x\n",
                true,
            ),
            ("E: Unable to locate package x\n", false),
            (
                "dpkg: error: dpkg frontend lock was locked by another process\n",
                false,
            ),
        ] {
            assert_eq!(is_about_a_lock(stderr), is_lock, "{stderr}");
        }
    }

    #[test]
    fn the_progress_is_that_of_dpkg() {
        let percent = |line: &str| match progress(line) {
            Some(Event::Progress { percent, .. }) => percent,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            percent("dlstatus:1:50.0000:Retrieving file 3 of 7 (1s remaining)"),
            0.0
        );
        assert_eq!(
            percent("pmstatus:docker-ce:50.0000:Unpacking docker-ce (amd64)"),
            50.0
        );
        assert_eq!(progress("media-change: x"), None);
        assert_eq!(progress("nonsense"), None);
    }
}
