//! One way to run a program: an argument list, a clean environment, no terminal, a deadline.
//!
//! There is no shell in between, ever. A command that may change the host is run with an
//! [`Authority`], which only `change::Tx` and a verification have; one that only reads is a
//! [`Query`], of which there is a closed list.

mod execution;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Result, bail};

use super::Host;
use super::authority::Authority;
use crate::redact::redact;
use execution::Execution;
pub(super) use execution::find;

/// How many of a failed command's last lines the error shows.
const TAIL: usize = 20;

/// A program and its arguments. Shown without secrets, and without its variables.
pub(crate) struct Command<K = Acts> {
    call: Execution,
    kind: PhantomData<K>,
}

/// A command of which nothing is known: it may change the host.
#[derive(Debug, Clone)]
pub(crate) struct Acts;

/// A command that only reads.
#[derive(Debug, Clone)]
pub(crate) struct Asks;

/// A command that only reads.
pub(crate) type Query = Command<Asks>;

impl<K> Clone for Command<K> {
    fn clone(&self) -> Self {
        Command::from(self.call.clone())
    }
}

impl<K> From<Execution> for Command<K> {
    fn from(call: Execution) -> Self {
        Command {
            call,
            kind: PhantomData,
        }
    }
}

/// What a command printed, and how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    shown_as: String,
}

impl Command {
    pub(crate) fn new(program: &str) -> Command {
        Command::named(program)
    }

    /// As [`Command::run`], for what changes the host: in a process group of its own, so that
    /// Ctrl-C in the terminal reaches us alone, and what has begun comes to its end.
    pub(crate) fn run_apart(&self, host: &Authority<'_>) -> Result<Output> {
        self.call.follow(host.search_path(), true)
    }

    /// Runs a command whose work can be cut short at any time, such as one on labelled objects.
    pub(crate) fn run_on(&self, host: &Authority<'_>) -> Result<Output> {
        self.run(host.search_path())
    }

    /// Runs the program to its end, however long it takes.
    ///
    /// The program gets a process group of its own: Ctrl-C in the terminal reaches us alone, and
    /// a package manager in the middle of its work is not cut short.
    pub(crate) fn run_uncut(&self, host: &Authority<'_>) -> Result<Output> {
        self.call.run_uncut(host.search_path())
    }

    /// As [`Command::run_uncut`], and gives each line that the program writes to a pipe of its own
    /// to `on_line`. The pipe's number takes the place of `{}` in `pipe_argument`.
    pub(crate) fn run_watched(
        &self,
        host: &Authority<'_>,
        pipe_argument: &str,
        on_line: impl FnMut(&str),
    ) -> Result<Output> {
        self.call.watch(host.search_path(), pipe_argument, on_line)
    }

    /// The same command as one that only tells, by a flag that makes it so.
    pub(super) fn asking_by(self, flag: &str) -> Query {
        Command::from(self.arg(flag).call)
    }
}

impl Query {
    /// A question; which ones there are is known in [`super::query`].
    pub(super) fn asking(program: &str) -> Query {
        Command::named(program)
    }

    /// As [`Command::run_watched`], of what only reads or fetches into a folder of the run.
    pub(crate) fn ask_watched(
        &self,
        host: &Host,
        pipe_argument: &str,
        on_line: impl FnMut(&str),
    ) -> Result<Output> {
        self.call.watch(host.search_path(), pipe_argument, on_line)
    }
}

impl<K> Command<K> {
    fn named(program: &str) -> Command<K> {
        Command::from(Execution::of(program))
    }

    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Command<K> {
        self.call.arguments.push(argument.into());
        self
    }

    pub(crate) fn args<I>(mut self, arguments: I) -> Command<K>
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        self.call
            .arguments
            .extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Command<K> {
        self.call
            .variables
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// Bytes for the program's standard input, which is empty otherwise.
    pub(crate) fn input(mut self, bytes: Vec<u8>) -> Command<K> {
        self.call.input = Some(bytes);
        self
    }

    pub(crate) fn deadline(mut self, deadline: Duration) -> Command<K> {
        self.call.deadline = deadline;
        self
    }

    /// Ends the program, and every program that it started, once the flag is set. It gets a process
    /// group of its own, so that Ctrl-C in the terminal reaches us alone.
    pub(crate) fn stopped_by(mut self, flag: &Arc<AtomicBool>) -> Command<K> {
        self.call.stop = Some(Arc::clone(flag));
        self
    }

    /// Runs the program to its end. Errors when it cannot be started or outlives its deadline;
    /// an exit code other than 0 is not an error here, see [`Output::success`].
    ///
    /// # Errors
    /// [`Failure::Cancelled`](crate::error::Failure::Cancelled) when a flag stopped it.
    pub(super) fn run(&self, search_path: &OsStr) -> Result<Output> {
        self.call.run(search_path)
    }
}

impl Output {
    /// What a program has said that failed.
    #[cfg(test)]
    pub(crate) fn failed(stdout: &str, stderr: &str) -> Output {
        Output {
            code: 1,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            shown_as: "false".to_owned(),
        }
    }

    /// The output of a command that exited 0; otherwise an error with its last lines.
    pub(crate) fn success(self) -> Result<Output> {
        if self.code == 0 {
            return Ok(self);
        }
        bail!(
            "`{}` exited with {}:\n{}",
            self.shown_as,
            self.code,
            self.tail()
        )
    }

    /// The last lines of what it complained about, or of what it printed when it did not;
    /// without secrets.
    pub(crate) fn tail(&self) -> String {
        let text = match self.stderr.trim() {
            "" => self.stdout.trim(),
            complaint => complaint,
        };
        let lines: Vec<&str> = text.lines().collect();
        redact(&lines[lines.len().saturating_sub(TAIL)..].join("\n")).into_owned()
    }
}

impl<K> fmt::Display for Command<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(formatter)
    }
}

impl<K> fmt::Debug for Command<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{self}`")
    }
}

#[cfg(test)]
mod tests;
