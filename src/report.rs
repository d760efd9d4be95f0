//! What happens and what came of it, as plain data: the terminal prints it, `--output json` writes it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Something that happens while a command works.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event {
    /// A longer act begins; `text` says what it is.
    Started { text: String },
    /// A step begins with its changes; what happens until it is done belongs to it.
    StepStarted { step: &'static str, text: String },
    /// How far the act at hand is, in percent, and what it does right now.
    Progress { percent: f64, text: String },
    /// Another process must finish first.
    Waiting { text: String },
    /// A signal asked to stop, and something must finish first.
    Stopping { text: String },
    /// A step has made its changes.
    StepDone {
        step: &'static str,
        text: String,
        #[serde(serialize_with = "as_seconds")]
        seconds: Duration,
    },
    /// A change was taken back, which this step had made.
    Reverted { step: String, text: String },
    /// Something that this step had made was left as it is; `reason` says why.
    Kept {
        step: String,
        text: String,
        reason: String,
    },
    /// A stage of the verification ended.
    StageDone(StageReport),
    /// Something that is good to know.
    Note { text: String },
    /// Something the user should know, although it stops nothing.
    Warning { text: String },
}

/// Whoever wants to know what happens.
pub(crate) type Listener<'a> = &'a dyn Fn(Event);

/// Warns of each.
pub(crate) fn warn_of(texts: Vec<String>, listener: Listener<'_>) {
    for text in texts {
        listener(Event::Warning { text });
    }
}

/// What an install or an uninstall came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Done {
    /// The version of this structure.
    pub schema: u32,
    /// Whether the host is another one than before.
    pub changed: bool,
    pub steps: Vec<StepReport>,
    /// How the stages went; `None` when nothing was proven.
    pub verification: Option<Vec<StageReport>>,
    /// The version of the engine that runs; `None` when none does.
    pub engine_version: Option<String>,
}

/// What became of a step, or of a change that it had made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StepReport {
    pub step: String,
    pub verdict: Verdict,
    /// What is there, or what was done.
    pub text: String,
    /// The same in detail, a line each; for what was kept, the reason.
    pub details: Vec<String>,
    /// How the text of a file changed, as a unified diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// What was done for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Nothing: all was there.
    Satisfied,
    /// It was made so.
    Changed,
    /// It was taken back.
    Reverted,
    /// It was to be taken back and was left as it is.
    Kept,
}

/// How a stage of the verification went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct StageReport {
    pub stage: &'static str,
    #[serde(flatten)]
    pub outcome: Outcome,
    #[serde(serialize_with = "as_seconds")]
    pub seconds: Duration,
}

/// What a stage found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "text", rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Passed(String),
    Failed(String),
    Skipped(String),
    /// A registry could not be reached.
    Unreachable(String),
    /// A registry answers no more for a while.
    RateLimited(String),
}

/// Something that somebody changed since it was set up, and that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Yours {
    /// By which `install --restore` knows it.
    pub name: String,
    /// What is there now: the value of a key, or what became of it.
    pub now: String,
}

impl fmt::Display for Yours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kept: yours: {} ({})", self.name, self.now)
    }
}

/// What was kept on the way back, and why. How to remove it stands last, to be copied.
pub(crate) fn kept(text: &str, reason: &str) -> String {
    match reason.split_once("; ") {
        Some((why, how)) if how.contains(": ") => format!("kept: {text} ({why}); {how}"),
        _ => format!("kept: {text} ({reason})"),
    }
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1000.0).round() / 1000.0)
}

impl StageReport {
    /// Whether it proved what it was there to prove.
    pub(crate) fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed(_))
    }
}
