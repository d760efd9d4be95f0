//! What happens, as plain data: the terminal prints it, `--json` writes it.

use std::time::Duration;

use serde::Serialize;

/// Something that happens while a command works.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A longer act begins; `text` says what it is.
    Started { text: String },
    /// How far the act at hand is, in percent, and what it does right now.
    Progress { percent: f64, text: String },
    /// Another process must finish first.
    Waiting { text: String },
    /// A step has made its changes.
    StepDone {
        step: &'static str,
        text: String,
        #[serde(serialize_with = "as_seconds")]
        seconds: Duration,
    },
    /// A change was taken back.
    Reverted { text: String },
    /// Something was left as it is; `reason` says why.
    Kept { text: String, reason: String },
    /// A stage of the verification ended.
    StageDone(StageReport),
    /// Something the user should know, although it stops nothing.
    Warning { text: String },
}

/// Whoever wants to know what happens.
pub type Listener<'a> = &'a dyn Fn(Event);

/// How a stage of the verification went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageReport {
    pub stage: &'static str,
    #[serde(flatten)]
    pub outcome: Outcome,
    #[serde(serialize_with = "as_seconds")]
    pub seconds: Duration,
}

/// What a stage found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "text", rename_all = "kebab-case")]
pub enum Outcome {
    Passed(String),
    Failed(String),
    Skipped(String),
    /// A registry could not be reached.
    Unreachable(String),
    /// A registry answers no more for a while.
    RateLimited(String),
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1000.0).round() / 1000.0)
}

impl StageReport {
    /// Whether it proved what it was there to prove.
    pub fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed(_))
    }
}
