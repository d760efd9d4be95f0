//! Proving the engine, stage by stage, with containers made of this very program.
//!
//! Every object is labelled and removed again, also after a failure. To add a stage: a file here
//! with its function, and its row in [`STAGES`].

mod engine;
mod image;
pub mod probe;
mod pull;
mod run;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::error::Failure;
use crate::host::Host;
use crate::host::signal::stop_flag;
use crate::report::{Event, Listener, Outcome, StageReport};

/// One thing to prove.
pub struct Stage {
    pub id: &'static str,
    /// What is proven, for people.
    pub title: &'static str,
    prove: fn(&Proof<'_>) -> Result<Outcome>,
}

/// Every stage, in order.
pub const STAGES: &[Stage] = &[
    Stage {
        id: "engine",
        title: "the engine answers on its socket",
        prove: engine::prove,
    },
    Stage {
        id: "run",
        title: "a container runs, from an image made of this program",
        prove: run::prove,
    },
    Stage {
        id: "pull",
        title: "an image is pulled from the registry and runs",
        prove: pull::prove,
    },
];

/// What a stage needs to prove something.
pub struct Proof<'a> {
    host: &'a Host,
    /// Whether the user asked for just this stage; then "cannot be proven" is a failure.
    asked_for: bool,
    /// Marks the objects of this run.
    token: String,
}

/// How the whole verification went.
#[derive(Debug, Serialize)]
pub struct Verification {
    /// The version of this structure, for those who read it as JSON.
    pub schema: u32,
    pub stages: Vec<StageReport>,
    pub seconds: f64,
}

impl Verification {
    /// The stages that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = |report: &&StageReport| matches!(report.outcome, Outcome::Failed(_));
        let reports = self.stages.iter().filter(failed);
        reports.map(|report| report.stage).collect()
    }
}

/// Proves the named stages, or all when none is named. When the engine does not answer, the rest
/// is skipped.
///
/// # Errors
/// [`Failure::Cancelled`] when a signal asks to stop; what was made is removed all the same.
pub fn verify(host: &Host, names: &[String], listener: Listener<'_>) -> Result<Verification> {
    let stopped = stop_flag()?;
    let begun = Instant::now();
    let proof = Proof {
        host,
        asked_for: !names.is_empty(),
        token: token(),
    };
    let mut stages: Vec<StageReport> = Vec::new();
    let chosen = |stage: &&Stage| names.is_empty() || names.iter().any(|name| name == stage.id);
    for stage in STAGES.iter().filter(chosen) {
        listener(Event::Started {
            text: stage.title.to_owned(),
        });
        let engine_failed = stages
            .first()
            .is_some_and(|first| first.stage == "engine" && !first.passed());
        let report = match engine_failed {
            true => StageReport {
                stage: stage.id,
                outcome: Outcome::Skipped("the engine does not answer".to_owned()),
                seconds: Duration::ZERO,
            },
            false => prove(stage, &proof),
        };
        if stopped.load(Ordering::Relaxed) {
            let cancelled = "cancelled; the engine is not proven";
            return Err(Failure::Cancelled(cancelled.to_owned()).into());
        }
        listener(Event::StageDone(report.clone()));
        stages.push(report);
    }
    Ok(Verification {
        schema: 1,
        stages,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

fn prove(stage: &Stage, proof: &Proof<'_>) -> StageReport {
    let begun = Instant::now();
    let outcome = (stage.prove)(proof);
    StageReport {
        stage: stage.id,
        outcome: outcome.unwrap_or_else(|error| Outcome::Failed(format!("{error:#}"))),
        seconds: begun.elapsed(),
    }
}

/// A mark that no other run has: the process and the time.
fn token() -> String {
    let time = jiff::Timestamp::now().as_nanosecond();
    format!("{}-{time:x}", std::process::id())
}
