//! Cutting a run of dockstrap short in the midst of its work, so that it has no time for anything.

use std::fmt;
use std::time::{Duration, Instant};

use crate::host::LabHost;

/// Where, or when, a run is cut short.
#[derive(Clone, Copy)]
pub enum Cut {
    /// Right after it has written so many lines into the journal: what the last of them tells of
    /// is not begun yet.
    AfterLine(usize),
    /// After so long, dockstrap alone; a package manager that it runs lives on.
    Alone(Duration),
    /// After so long, with every process that it started, as by a power cut.
    WithAll(Duration),
}

/// Runs a command, and ends it after some seconds together with all that it started: that is what
/// is in the cgroup with it. Ends with 0 when it was the command that ended first.
const WITH_ALL: &str = r#"
    seconds=$1
    shift
    group=/sys/fs/cgroup/cut-short
    mkdir -p "$group"
    sh -c 'echo $$ >"$1"/cgroup.procs; shift; exec "$@"' sh "$group" "$@" &
    sleep "$seconds"
    echo 1 >"$group"/cgroup.kill
    wait $!
"#;

impl LabHost {
    /// Runs dockstrap as root and cuts it short. Returns how long it took when it had come to a
    /// good end before.
    #[track_caller]
    pub fn cut_short<const N: usize>(&self, cut: Cut, arguments: [&str; N]) -> Option<Duration> {
        let begun = Instant::now();
        let seconds = |time: Duration| time.as_secs_f64().to_string();
        let outcome = match cut {
            Cut::AfterLine(line) => self.dockstrap_under(&after_line(line), arguments),
            Cut::Alone(time) => {
                let timeout = ["timeout", "--foreground", "--signal=KILL", &seconds(time)];
                self.dockstrap_by(timeout, arguments)
            }
            Cut::WithAll(time) => {
                let shell = ["sh", "-uc", WITH_ALL, "sh", &seconds(time)];
                self.dockstrap_by(shell, arguments)
            }
        };
        if outcome.has_succeeded() {
            return Some(begun.elapsed());
        }
        outcome.exits(128 + 9);
        None
    }
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
            Cut::Alone(time) => write!(formatter, "killed alone after {time:?}"),
            Cut::WithAll(time) => write!(formatter, "killed with all it started after {time:?}"),
        }
    }
}
