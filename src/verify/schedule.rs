//! The order of the stages: the engine first, then side by side what may be, then the rest.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::verifier::Verifier;
use super::{Choice, STAGES, Stage, Verification, cure, defaults, engine, unavailable};
use crate::error::Failure;
use crate::host::Host;
use crate::report::{Event, Listener, Outcome, StageReport};

/// How many stages run side by side: each mostly waits for the engine.
const HANDS: usize = 4;

/// Proves what was chosen. When the engine does not answer, the rest is skipped.
///
/// # Errors
/// [`Failure::Cancelled`] when a signal asks to stop; what was made is removed all the same.
pub(crate) fn verify(host: &Host, choice: &Choice, listener: Listener<'_>) -> Result<Verification> {
    let begun = Instant::now();
    let chosen = STAGES.iter().filter(|stage| choice.includes(stage));
    let (skipped, chosen): (Vec<&Stage>, Vec<&Stage>) =
        chosen.partition(|stage| choice.skips(stage.id));
    let left_out = |stage: &&Stage| skip(stage, "left out by --skip");
    let mut reports = tell(skipped.iter().map(left_out), listener);
    let unavailable = unavailable::find(host)?;
    reports.extend(match &unavailable {
        Some(unavailable) => fail_all(&chosen, &unavailable.reason, listener),
        None => prove_all(host, choice, &chosen, listener)?,
    });
    let place = |report: &StageReport| STAGES.iter().position(|stage| stage.id == report.stage);
    reports.sort_by_key(place);
    Ok(Verification {
        schema: 1,
        stages: reports,
        asked_for: choice.asked_for(),
        unavailable,
        again: choice.again.clone(),
        left_out: choice.skip.clone(),
        seconds: (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
    })
}

fn prove_all(
    host: &Host,
    choice: &Choice,
    chosen: &[&Stage],
    listener: Listener<'_>,
) -> Result<Vec<StageReport>> {
    let verifier = Verifier::begin(host, choice)?;
    let is_engine = |stage: &&Stage| stage.id == engine::ID;
    let (engine, rest): (Vec<&Stage>, Vec<&Stage>) = chosen.iter().copied().partition(is_engine);
    let mut reports = side_by_side(&verifier, &engine, listener)?;
    if !reports.iter().all(StageReport::passed) {
        reports.extend(skip_all(&rest, listener));
        return Ok(reports);
    }
    if engine.is_empty()
        && let Some(reason) = engine::silence(host)?
    {
        return Ok(fail_all(chosen, &reason, listener));
    }
    verifier.remove_strays()?;
    let (alone, together): (Vec<&Stage>, Vec<&Stage>) =
        rest.iter().copied().partition(|stage| stage.alone);
    reports.extend(side_by_side(&verifier, &together, listener)?);
    if !rest.is_empty() {
        defaults::look(&verifier);
    }
    for stage in alone {
        reports.extend(side_by_side(&verifier, &[stage], listener)?);
    }
    for text in verifier.findings() {
        listener(Event::Warning { text });
    }
    Ok(reports)
}

/// Proves stages on threads of their own. They are told of as they end, from this thread.
fn side_by_side(
    verifier: &Verifier<'_>,
    stages: &[&Stage],
    listener: Listener<'_>,
) -> Result<Vec<StageReport>> {
    let queue: Mutex<VecDeque<&Stage>> = Mutex::new(stages.iter().copied().collect());
    let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
    let stopped = || verifier.stopped.load(Ordering::Relaxed);
    let (sender, ended) = mpsc::channel();
    let reports = thread::scope(|scope| {
        for _ in 0..stages.len().min(HANDS) {
            let sender = sender.clone();
            scope.spawn(move || {
                while let Some(stage) = next().filter(|_| !stopped()) {
                    let _ = sender.send(run_stage(stage, verifier));
                }
            });
        }
        drop(sender);
        let mut running: Vec<&str> = stages.iter().map(|stage| stage.id).collect();
        let mut reports = Vec::new();
        announce(stages, &running, listener);
        for report in ended {
            if stopped() {
                continue; // it was cut short, so it says nothing
            }
            running.retain(|id| *id != report.stage);
            listener(Event::StageDone(report.clone()));
            announce(stages, &running, listener);
            reports.push(report);
        }
        reports
    });
    if stopped() {
        Err(Failure::Cancelled(format!(
            "cancelled; the engine is not verified. To verify it, run: {}",
            verifier.choice.again
        ))
        .into())
    } else {
        Ok(reports)
    }
}

/// Says what is being proven: one stage by what it proves, several by their names.
fn announce(stages: &[&Stage], running: &[&str], listener: Listener<'_>) {
    let text = match running {
        [] => return,
        [id] => stages.iter().find(|stage| stage.id == *id),
        _ => None,
    };
    listener(Event::Started {
        text: match text {
            Some(stage) => stage.title.to_owned(),
            None => format!("verifying {}", running.join(", ")),
        },
    });
}

fn run_stage(stage: &Stage, verifier: &Verifier<'_>) -> StageReport {
    let begun = Instant::now();
    let outcome = (stage.verify)(verifier).unwrap_or_else(|error| {
        let reason = format!("{error:#}");
        let cure = cure::of(&reason);
        Outcome::Failed(format!("{reason}; {cure}"))
    });
    StageReport {
        stage: stage.id,
        outcome,
        seconds: begun.elapsed(),
    }
}

/// What comes of stages when the engine cannot be asked. Where its own stage is not one of them, the
/// others say themselves what is missing.
fn fail_all(chosen: &[&Stage], reason: &str, listener: Listener<'_>) -> Vec<StageReport> {
    let is_engine = |stage: &&Stage| stage.id == engine::ID;
    let (engine, rest): (Vec<&Stage>, Vec<&Stage>) = chosen.iter().copied().partition(is_engine);
    let failed = if engine.is_empty() { chosen } else { &engine };
    let failed = failed.iter().map(|stage| StageReport {
        stage: stage.id,
        outcome: Outcome::Failed(reason.to_owned()),
        seconds: Duration::ZERO,
    });
    let mut reports = tell(failed, listener);
    if !engine.is_empty() {
        reports.extend(skip_all(&rest, listener));
    }
    reports
}

fn skip_all(stages: &[&Stage], listener: Listener<'_>) -> Vec<StageReport> {
    let skipped = stages
        .iter()
        .map(|stage| skip(stage, "stage engine failed"));
    tell(skipped, listener)
}

fn skip(stage: &Stage, reason: &str) -> StageReport {
    StageReport {
        stage: stage.id,
        outcome: Outcome::Skipped(reason.to_owned()),
        seconds: Duration::ZERO,
    }
}

fn tell(reports: impl Iterator<Item = StageReport>, listener: Listener<'_>) -> Vec<StageReport> {
    reports
        .inspect(|report| listener(Event::StageDone(report.clone())))
        .collect()
}
