//! Cutting a run of dockstrap short in the midst of its work, so that it has no time for anything.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::host::{LabHost, shown};
use crate::outcome::Outcome;

/// Where, or when, a run is cut short.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    /// Right after it has written so many lines into the journal: what the last of them tells of
    /// is not begun yet.
    AfterLine(usize),
    /// Right after it, or what it started, has changed so many files of the host's, with every
    /// process that it started.
    AfterChange(usize),
    /// After so long, dockstrap alone; a package manager that it runs lives on.
    Alone(Duration),
    /// After so long, with every process that it started, as by a power cut.
    WithAll(Duration),
}

/// Runs a command in a cgroup, so that it can be ended together with all that it starts.
const IN_GROUP: &str = r#"
    mkdir -p /sys/fs/cgroup/cut-short
    echo $$ >/sys/fs/cgroup/cut-short/cgroup.procs
    exec "$@"
"#;

const END_GROUP: &str = "echo 1 >/sys/fs/cgroup/cut-short/cgroup.kill";

/// Runs a command, and ends it after some seconds together with all that it started. Ends with 0
/// when it was the command that ended first.
const WITH_ALL: &str = r#"
    seconds=$1 in_group=$2 end_group=$3
    shift 3
    sh -uc "$in_group" sh "$@" &
    sleep "$seconds"
    sh -uc "$end_group"
    wait $!
"#;

impl LabHost {
    /// Runs dockstrap as root and cuts it short. Returns how long it took when it had come to a
    /// good end before.
    #[track_caller]
    pub(crate) fn cut_short<const N: usize>(
        &self,
        cut: Cut,
        arguments: [&str; N],
    ) -> Option<Duration> {
        let begun = Instant::now();
        let seconds = |time: Duration| time.as_secs_f64().to_string();
        let outcome = match cut {
            Cut::AfterLine(line) => self.dockstrap_under(&after_line(line), arguments),
            Cut::AfterChange(change) => self.cut_after_change(change, arguments),
            Cut::Alone(time) => {
                let timeout = ["timeout", "--foreground", "--signal=KILL", &seconds(time)];
                self.dockstrap_by(timeout, arguments)
            }
            Cut::WithAll(time) => {
                let seconds = seconds(time);
                let shell = ["sh", "-uc", WITH_ALL, "sh", &seconds, IN_GROUP, END_GROUP];
                self.dockstrap_by(shell, arguments)
            }
        };
        if outcome.has_succeeded() {
            return Some(begun.elapsed());
        }
        outcome.exits(128 + 9);
        None
    }

    /// The tracer tells of each change. It is stopped at the one that was meant, and so is all that
    /// it traces, at the next call that would change anything: until it was ended.
    fn cut_after_change<const N: usize>(&self, change: usize, arguments: [&str; N]) -> Outcome {
        let in_group = ["sh", "-uc", IN_GROUP, "sh"];
        let mut command = self.under(&change_by_change(), in_group, arguments);
        let shown = shown(&command);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut tracer = command.spawn().expect("starting strace");
        let lines = BufReader::new(tracer.stdout.take().expect("a pipe"))
            .lines()
            .map(|line| line.expect("reading what strace tells"));
        let pid = Pid::from_raw(tracer.id().try_into().expect("a process"));
        let signal = |signal| kill(pid, signal).expect("reaching strace");
        for (number, _) in lines.filter(|line| is_change(line)).enumerate() {
            if number + 1 == change {
                signal(Signal::SIGSTOP);
                self.run(["sh", "-uc", END_GROUP]).exits(0);
                signal(Signal::SIGCONT);
            }
        }
        let output = tracer.wait_with_output().expect("waiting for strace");
        Outcome::new(shown, &output)
    }
}

/// Whether strace tells that a file was made, renamed, removed or made accessible to others, of those
/// that a comparison looks at and that more than one program has to do with.
fn is_change(line: &str) -> bool {
    let has = |texts: &[&str]| texts.iter().any(|it| line.contains(it));
    let has_failed = has(&[" = -1 "]);
    let is_opened_only = has(&[" open"]) && !has(&["O_CREAT"]);
    let is_kept = has(&["\"/etc/", "\"/var/lib/"]);
    let is_of_the_engine = has(&["/var/lib/docker/", "/var/lib/containerd/"]);
    // dpkg makes and removes a note for each state of each package.
    let is_note = has(&["/var/lib/dpkg/updates/"]) && !has(&["rename"]);
    !has_failed && !is_opened_only && is_kept && !is_of_the_engine && !is_note
}

/// What tells of each call by which names, owners and modes of files change.
fn change_by_change() -> [String; 7] {
    let calls = "rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mkdir,\
                 mkdirat,rmdir,open,openat,creat,chmod,fchmod,fchmodat,chown,fchown";
    [
        "strace",
        "--follow-forks",
        "--seccomp-bpf",
        "--quiet=all",
        "--decode-fds",
        "--output=/dev/stdout",
        &format!("--trace={calls}"),
    ]
    .map(str::to_owned)
}

/// What kills a process as it is about to flush so many lines of the journal to the disk, which
/// is the only thing that is flushed in this way.
fn after_line(line: usize) -> [String; 6] {
    let inject = format!("--inject=fdatasync:signal=KILL:when={line}");
    [
        "strace",
        "--follow-forks",
        "--quiet=all",
        "--output=/dev/null",
        "--trace=fdatasync",
        &inject,
    ]
    .map(str::to_owned)
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cut::AfterLine(line) => write!(formatter, "killed after line {line} of the journal"),
            Cut::AfterChange(change) => {
                write!(
                    formatter,
                    "killed with all it started after change {change} of a file"
                )
            }
            Cut::Alone(time) => write!(formatter, "killed alone after {time:?}"),
            Cut::WithAll(time) => write!(formatter, "killed with all it started after {time:?}"),
        }
    }
}
