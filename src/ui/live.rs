//! What happens, while it happens: a bar on a terminal, plain lines elsewhere.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use console::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::journal::Priority;
use super::text::{Text, plain};
use super::{emit, say, say_warning};
use crate::host::signal::acknowledgement;
use crate::report::{self, Event, Outcome, StageReport};

/// How long a signal may go unanswered.
const PAUSE: Duration = Duration::from_millis(50);

/// Shows events on standard error.
pub(crate) struct Live {
    bar: ProgressBar,
    quiet: bool,
    /// Answers a signal at once, while a program that is not cut short is waited for.
    watcher: Option<Watcher>,
}

struct Watcher {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

impl Live {
    /// Shows everything.
    pub(crate) fn new() -> Live {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(spinner());
        Live {
            watcher: Some(Watcher::start(bar.clone())),
            quiet: false,
            bar,
        }
    }

    /// Shows warnings and waiting only, for commands whose answer is all that is wanted.
    pub(crate) fn quiet() -> Live {
        Live {
            bar: ProgressBar::hidden(),
            quiet: true,
            watcher: None,
        }
    }

    /// Shows one event.
    pub(crate) fn show(&self, event: Event) {
        emit(&event);
        match event {
            Event::Started { text } | Event::StepStarted { text, .. } => self.start(text),
            Event::Progress { percent, text } => self.progress(percent, text),
            Event::Waiting { text } => self.print(
                Text::styled(Style::new().yellow().for_stderr(), "…")
                    .and(" ")
                    .and(text),
            ),
            Event::Stopping { text } => self.print(Text::plain(text).and("…")),
            Event::Warning { text } => self.bar.suspend(|| say_warning(&text)),
            Event::Note { text } => self.print(Text::plain(text)),
            _ if self.quiet => {}
            Event::StepDone { text, seconds, .. } => {
                self.print(timed(done().and(" ").and(text).and(" "), seconds));
            }
            Event::Reverted { text, .. } => self.print(done().and(" undid: ").and(text)),
            Event::Kept { text, reason, .. } => {
                let mark = Text::styled(Style::new().yellow().for_stderr(), "-");
                self.print(mark.and(format!(" {}", report::kept(&text, &reason))));
            }
            Event::StageDone(report) => self.print(stage(&report)),
        }
    }

    /// Clears the bar while something else uses the terminal.
    pub(crate) fn pause<T>(&self, other: impl FnOnce() -> T) -> T {
        self.bar.disable_steady_tick();
        self.bar.suspend(other)
    }

    fn start(&self, text: String) {
        if self.quiet {
            return;
        }
        self.bar.set_style(spinner());
        self.bar.set_message(one_line(&text));
        self.bar.enable_steady_tick(Duration::from_millis(120));
    }

    fn progress(&self, percent: f64, text: String) {
        if self.quiet {
            return;
        }
        self.bar.set_style(bar());
        self.bar.set_length(100);
        // Percent of one run, 0 to 100: nothing is lost that a bar could show.
        self.bar.set_position(percent.clamp(0.0, 100.0) as u64);
        self.bar.set_message(one_line(&text));
    }

    fn print(&self, line: Text) {
        print(&self.bar, line);
    }
}

fn print(bar: &ProgressBar, line: Text) {
    bar.suspend(|| say(Priority::Info, line.shortened()));
}

impl Watcher {
    fn start(bar: ProgressBar) -> Watcher {
        let (end, ended) = channel();
        let watch = move || {
            while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                if let Some(text) = acknowledgement() {
                    emit(&Event::Stopping { text: text.clone() });
                    print(&bar, Text::plain(text).and("…"));
                }
            }
        };
        let thread = std::thread::spawn(watch);
        Watcher { end, thread }
    }
}

impl Default for Live {
    fn default() -> Live {
        Live::new()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(Watcher { end, thread }) = self.watcher.take() {
            drop(end);
            let _ = thread.join(); // one that could not print is no failure
        }
        self.bar.finish_and_clear();
    }
}

fn spinner() -> ProgressStyle {
    template("{spinner} {wide_msg}")
}

fn bar() -> ProgressStyle {
    template("{bar:24.cyan/dim} {percent:>3}% {wide_msg}").progress_chars("━━─")
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// A bar has a single line.
fn one_line(text: &str) -> String {
    plain(text).replace(['\n', '\t'], " ")
}

fn done() -> Text {
    Text::styled(Style::new().green().for_stderr(), "✓")
}

/// With how long it took behind it, where that is worth a word.
fn timed(text: Text, time: Duration) -> Text {
    let seconds = time.as_secs_f64();
    let time = if seconds >= 0.05 {
        format!("({seconds:.1} s)")
    } else {
        String::new()
    };
    text.and_styled(Style::new().dim().for_stderr(), time)
}

/// What ends with a command stays free of the time behind it.
fn stage(report: &StageReport) -> Text {
    let StageReport { stage, seconds, .. } = report;
    match &report.outcome {
        Outcome::Passed(text) => timed(done().and(format!(" {stage}: {text} ")), *seconds),
        Outcome::Failed(text) => {
            Text::styled(Style::new().red().for_stderr(), "✗").and(format!(" {stage}: {text}"))
        }
        Outcome::Skipped(text) | Outcome::Unreachable(text) | Outcome::RateLimited(text) => {
            Text::styled(Style::new().yellow().for_stderr(), "-").and(format!(" {stage}: {text}"))
        }
    }
}
