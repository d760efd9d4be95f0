//! One way to run a program: an argument list, a clean environment, no terminal, a deadline.
//!
//! There is no shell in between, ever. A command that may change the host is run with an
//! [`Authority`], which only `change::Tx` and a verification have; one that only reads is a
//! [`Query`], of which there is a closed list.

#![expect(clippy::disallowed_methods, reason = "this is where programs are run")]

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::fs::{MemfdFlags, memfd_create};

use super::Host;
use super::authority::Authority;
use super::environment;
use super::signal::{AtWork, at_work};
use crate::error::Failure;
use crate::redact::redact;

/// How long a command may take unless it is told otherwise.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a flag that stops commands may go unnoticed.
const PAUSE: Duration = Duration::from_millis(50);

/// How many of a failed command's last lines the error shows.
const TAIL: usize = 20;

/// A program and its arguments. Shown without secrets, and without its variables.
pub struct Command<K = Acts> {
    program: String,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
    input: Option<Vec<u8>>,
    deadline: Duration,
    stop: Option<Arc<AtomicBool>>,
    kind: PhantomData<K>,
}

impl<K> Clone for Command<K> {
    fn clone(&self) -> Self {
        Command {
            program: self.program.clone(),
            arguments: self.arguments.clone(),
            variables: self.variables.clone(),
            input: self.input.clone(),
            deadline: self.deadline,
            stop: self.stop.clone(),
            kind: PhantomData,
        }
    }
}

/// A command of which nothing is known: it may change the host.
#[derive(Debug, Clone)]
pub struct Acts;

/// A command that only reads.
#[derive(Debug, Clone)]
pub struct Asks;

/// A command that only reads.
pub type Query = Command<Asks>;

/// A program that runs to its end whatever becomes of us. What it says goes to files in memory: a
/// pipe would break with us, and a package's script that then says a word dies halfway.
struct Uncut {
    _at_work: AtWork,
    handle: duct::Handle,
    stdout: File,
    stderr: File,
}

/// What a command printed, and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    shown_as: String,
}

impl Command {
    pub fn new(program: &str) -> Command {
        Command::named(program)
    }

    /// As [`Command::run`], for what changes the host: in a process group of its own, so that
    /// Ctrl-C in the terminal reaches us alone, and what has begun comes to its end.
    pub(crate) fn run_apart(&self, host: &Authority<'_>) -> Result<Output> {
        self.follow(host.search_path(), true)
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
        self.end_uncut(self.start_uncut(host.search_path())?)
    }

    /// As [`Command::run_uncut`], and gives each line that the program writes to a pipe of its own
    /// to `on_line`. The pipe's number takes the place of `{}` in `pipe_argument`.
    pub(crate) fn run_watched(
        &self,
        host: &Authority<'_>,
        pipe_argument: &str,
        on_line: impl FnMut(&str),
    ) -> Result<Output> {
        self.watch(host.search_path(), pipe_argument, on_line)
    }

    /// The same command as one that only tells, by a flag that makes it so.
    pub(super) fn asking_by(self, flag: &str) -> Query {
        let Command {
            program,
            arguments,
            variables,
            input,
            deadline,
            stop,
            ..
        } = self.arg(flag);
        Command {
            program,
            arguments,
            variables,
            input,
            deadline,
            stop,
            kind: PhantomData,
        }
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
        self.watch(host.search_path(), pipe_argument, on_line)
    }
}

impl<K> Command<K> {
    fn named(program: &str) -> Command<K> {
        Command {
            program: program.to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            input: None,
            deadline: DEADLINE,
            stop: None,
            kind: PhantomData,
        }
    }

    pub fn arg(mut self, argument: impl Into<OsString>) -> Command<K> {
        self.arguments.push(argument.into());
        self
    }

    pub fn args<I>(mut self, arguments: I) -> Command<K>
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Command<K> {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Bytes for the program's standard input, which is empty otherwise.
    pub fn input(mut self, bytes: Vec<u8>) -> Command<K> {
        self.input = Some(bytes);
        self
    }

    pub fn deadline(mut self, deadline: Duration) -> Command<K> {
        self.deadline = deadline;
        self
    }

    /// Ends the program, and every program that it started, once the flag is set. It gets a process
    /// group of its own, so that Ctrl-C in the terminal reaches us alone.
    pub fn stopped_by(mut self, flag: &Arc<AtomicBool>) -> Command<K> {
        self.stop = Some(Arc::clone(flag));
        self
    }

    /// Runs the program to its end. Errors when it cannot be started or outlives its deadline;
    /// an exit code other than 0 is not an error here, see [`Output::success`].
    ///
    /// # Errors
    /// [`Failure::Cancelled`] when a flag stopped it.
    pub(super) fn run(&self, search_path: &OsStr) -> Result<Output> {
        self.follow(search_path, self.stop.is_some())
    }

    fn follow(&self, search_path: &OsStr, is_apart: bool) -> Result<Output> {
        let mut expression = self
            .expression(search_path)
            .with_context(|| self.starting())?
            .stdout_capture()
            .stderr_capture();
        if is_apart {
            expression = apart(&expression);
        }
        let changes_host = is_apart && self.stop.is_none();
        let _at_work = changes_host.then(|| at_work(&self.program));
        let handle = expression.start().with_context(|| self.starting())?;
        let begun = Instant::now();
        loop {
            let left = self.deadline.saturating_sub(begun.elapsed());
            let pause = self.stop.as_ref().map_or(left, |_| left.min(PAUSE));
            let finished = handle
                .wait_timeout(pause)
                .with_context(|| format!("waiting for {}", self.program))?;
            if let Some(output) = finished {
                return Ok(self.output(output));
            }
            let stopped = self.stop.as_ref();
            if stopped.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                self.end(&handle, is_apart)?;
                let cancelled = format!("`{self}` was cancelled");
                return Err(Failure::Cancelled(cancelled).into());
            }
            if begun.elapsed() >= self.deadline {
                self.end(&handle, is_apart)?;
                let seconds = self.deadline.as_secs();
                bail!("`{self}` did not end within {seconds} seconds");
            }
        }
    }

    /// Ends the program at once; with what it started when that is in a group with it.
    fn end(&self, handle: &duct::Handle, is_apart: bool) -> Result<()> {
        let ended = if is_apart {
            end_groups(&handle.pids())
        } else {
            handle.kill()
        };
        ended.with_context(|| format!("ending {}", self.program))
    }

    /// As `run_uncut`, and gives each line that the program writes to a pipe of its own
    /// to `on_line`. The pipe's number takes the place of `{}` in `pipe_argument`.
    fn watch(
        &self,
        search_path: &OsStr,
        pipe_argument: &str,
        mut on_line: impl FnMut(&str),
    ) -> Result<Output> {
        let (reader, writer) = os_pipe::pipe().context("making a pipe")?;
        // Pipes close on exec by default; this end is meant for the child.
        fcntl(writer.as_fd(), FcntlArg::F_SETFD(FdFlag::empty())).context("sharing a pipe")?;
        let number = writer.as_raw_fd().to_string();
        let command = self.clone().arg(pipe_argument.replace("{}", &number));
        let uncut = command.start_uncut(search_path)?;
        drop(writer);
        for line in BufReader::new(reader).split(b'\n') {
            let line = line.with_context(|| format!("following {}", self.program))?;
            on_line(&String::from_utf8_lossy(&line));
        }
        self.end_uncut(uncut)
    }

    fn start_uncut(&self, search_path: &OsStr) -> Result<Uncut> {
        let file = || memfd_create("dockstrap", MemfdFlags::CLOEXEC).map(File::from);
        let start = || -> io::Result<Uncut> {
            let (stdout, stderr) = (file()?, file()?);
            let expression = self
                .expression(search_path)?
                .stdout_file(stdout.try_clone()?)
                .stderr_file(stderr.try_clone()?);
            Ok(Uncut {
                _at_work: at_work(&self.program),
                handle: apart(&expression).start()?,
                stdout,
                stderr,
            })
        };
        start().with_context(|| self.starting())
    }

    fn end_uncut(&self, uncut: Uncut) -> Result<Output> {
        let end = || -> io::Result<std::process::Output> {
            let status = uncut.handle.wait()?.status;
            Ok(std::process::Output {
                status,
                stdout: all_of(uncut.stdout)?,
                stderr: all_of(uncut.stderr)?,
            })
        };
        let output = end().with_context(|| format!("waiting for {}", self.program))?;
        Ok(self.output(&output))
    }

    fn expression(&self, search_path: &OsStr) -> io::Result<duct::Expression> {
        // A bare name would be looked up by others, and elsewhere.
        let program = find(&self.program, search_path).ok_or(io::ErrorKind::NotFound)?;
        let expression = duct::cmd(program, &self.arguments)
            .full_env(environment::of_child(search_path, &self.variables))
            .dir(environment::FOLDER)
            .unchecked();
        Ok(match &self.input {
            Some(bytes) => expression.stdin_bytes(bytes.clone()),
            None => expression.stdin_null(),
        })
    }

    fn output(&self, output: &std::process::Output) -> Output {
        use std::os::unix::process::ExitStatusExt;
        let by_signal = output.status.signal().map(|signal| 128 + signal);
        Output {
            code: output.status.code().or(by_signal).unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            shown_as: self.to_string(),
        }
    }

    fn starting(&self) -> String {
        format!("starting {}", self.program)
    }
}

impl Output {
    /// The output of a command that exited 0; otherwise an error with its last lines.
    pub fn success(self) -> Result<Output> {
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
    pub fn tail(&self) -> String {
        let text = match self.stderr.trim() {
            "" => self.stdout.trim(),
            complaint => complaint,
        };
        let lines: Vec<&str> = text.lines().collect();
        redact(&lines[lines.len().saturating_sub(TAIL)..].join("\n")).into_owned()
    }
}

/// The command for people: without the `-o NAME=VALUE` options, of which apt gets many.
impl<K> fmt::Display for Command<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.program)?;
        let mut arguments = self.arguments.iter().map(|it| it.to_string_lossy());
        while let Some(argument) = arguments.next() {
            if argument == "-o" {
                arguments.next();
            } else if !argument.starts_with("-o") {
                write!(formatter, " {}", redact(&argument))?;
            }
        }
        Ok(())
    }
}

impl<K> fmt::Debug for Command<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{self}`")
    }
}

fn all_of(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Ends the process groups of these processes, each the first of its group.
fn end_groups(leaders: &[u32]) -> io::Result<()> {
    for leader in leaders.iter().filter_map(|id| i32::try_from(*id).ok()) {
        killpg(Pid::from_raw(leader), Signal::SIGKILL)?;
    }
    Ok(())
}

/// The same in a process group of its own.
fn apart(expression: &duct::Expression) -> duct::Expression {
    expression.before_spawn(|child| {
        child.process_group(0);
        Ok(())
    })
}

/// Where a program of this name is to be found; one that is named by its path is there or not.
pub(super) fn find(program: &str, search_path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests;
