//! A program that is called: how it is started, followed, stopped and waited for.

#![expect(clippy::disallowed_methods, reason = "this is where programs are run")]

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
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

use super::Output;
use crate::error::Failure;
use crate::host::environment;
use crate::host::signal::{AtWork, at_work};
use crate::redact::redact;

/// How long a command may take unless it is told otherwise.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a flag that stops commands may go unnoticed.
const PAUSE: Duration = Duration::from_millis(50);

/// A program with all that it is given.
#[derive(Clone)]
pub(super) struct Execution {
    pub program: String,
    pub arguments: Vec<OsString>,
    pub variables: Vec<(String, String)>,
    pub input: Option<Vec<u8>>,
    pub deadline: Duration,
    pub stop: Option<Arc<AtomicBool>>,
}

/// A program that runs to its end whatever becomes of us. What it says goes to files in memory: a
/// pipe would break with us, and a package's script that then says a word dies halfway.
struct Uncut {
    _at_work: AtWork,
    handle: duct::Handle,
    stdout: File,
    stderr: File,
}

impl Execution {
    pub(crate) fn of(program: &str) -> Execution {
        Execution {
            program: program.to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            input: None,
            deadline: DEADLINE,
            stop: None,
        }
    }

    /// Runs the program to its end, however long it takes.
    pub(crate) fn run_uncut(&self, search_path: &OsStr) -> Result<Output> {
        self.end_uncut(self.start_uncut(search_path)?)
    }

    /// Runs the program to its end. Errors when it cannot be started or outlives its deadline;
    /// an exit code other than 0 is not an error here, see [`Output::success`].
    ///
    /// # Errors
    /// [`Failure::Cancelled`] when a flag stopped it.
    pub(crate) fn run(&self, search_path: &OsStr) -> Result<Output> {
        self.follow(search_path, self.stop.is_some())
    }

    pub(crate) fn follow(&self, search_path: &OsStr, is_apart: bool) -> Result<Output> {
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
    pub(crate) fn watch(
        &self,
        search_path: &OsStr,
        pipe_argument: &str,
        mut on_line: impl FnMut(&str),
    ) -> Result<Output> {
        let (reader, writer) = os_pipe::pipe().context("making a pipe")?;
        // Pipes close on exec by default; this end is meant for the child.
        fcntl(writer.as_fd(), FcntlArg::F_SETFD(FdFlag::empty())).context("sharing a pipe")?;
        let number = writer.as_raw_fd().to_string();
        let mut command = self.clone();
        command
            .arguments
            .push(pipe_argument.replace("{}", &number).into());
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

/// The command for people: without the `-o NAME=VALUE` options, of which apt gets many.
impl fmt::Display for Execution {
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
pub(in crate::host) fn find(program: &str, search_path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}
