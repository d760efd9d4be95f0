//! `--output json`: a line of JSON for each event, and the report as the last one.
//!
//! What the lines hold is laid down in `packaging/manual/output.md`; nothing may leave here that is
//! not told of there.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{Timestamp, Unit};
use serde_json::{Map, Value, json};

use super::text::visible_json;
use crate::error;
use crate::redact::redact_value;
use crate::report::Event;

/// The version of the lines.
pub(crate) const SCHEMA: u32 = 1;

/// What is known by now for lines to come. Standard output is one, and so is this.
static STATE: Mutex<StreamState> = Mutex::new(StreamState::new());

struct StreamState {
    /// The step that is at work.
    step: Option<&'static str>,
    warnings: Vec<String>,
    report: Option<Value>,
}

/// Writes the line of an event.
pub(crate) fn event(event: &Event) {
    print(&state().line(event));
}

/// Keeps what a command came to for the last line.
pub(crate) fn keep(report: Value) {
    state().report = Some(report);
}

/// Writes the last line. `command` is unknown where the command line is not understood.
pub(crate) fn end(command: Option<&str>, exit_code: u8, error: Option<&anyhow::Error>) {
    print(&state().last_line(command, exit_code, error));
}

fn state() -> MutexGuard<'static, StreamState> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints one line, in one piece. A reader that went away is no reason to stop.
fn print(line: &Value) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(format!("{}\n", visible_json(&line.to_string())).as_bytes());
    let _ = stdout.flush();
}

impl StreamState {
    const fn new() -> StreamState {
        StreamState {
            step: None,
            warnings: Vec::new(),
            report: None,
        }
    }

    fn line(&mut self, event: &Event) -> Value {
        match event {
            Event::StepStarted { step, .. } => self.step = Some(step),
            // The step at work has failed.
            Event::Reverted { .. } | Event::Kept { .. } => self.step = None,
            Event::Warning { text } => self.warnings.push(text.clone()),
            _ => {}
        }
        let mut line = head();
        // A text of plain data can always be written.
        let Value::Object(fields) = json!(event) else {
            return Value::Object(line);
        };
        let name = fields.get("event").cloned();
        line.insert("event".to_owned(), name.unwrap_or_default());
        if let Some(step) = self.step {
            line.insert("step".to_owned(), json!(step));
        }
        line.extend(fields);
        if let Event::StepDone { .. } = event {
            self.step = None;
        }
        let mut line = Value::Object(line);
        redact_value(&mut line);
        line
    }

    fn last_line(
        &mut self,
        command: Option<&str>,
        exit_code: u8,
        error: Option<&anyhow::Error>,
    ) -> Value {
        let error = error.map(|error| {
            let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
            json!({ "chain": chain, "next": error::next_command(error, command) })
        });
        let mut line = head();
        line.extend([
            ("event".to_owned(), json!("report")),
            ("command".to_owned(), json!(command)),
            ("exit_code".to_owned(), json!(exit_code)),
            ("warnings".to_owned(), json!(self.warnings)),
            ("report".to_owned(), self.report.take().unwrap_or_default()),
            ("error".to_owned(), error.unwrap_or_default()),
        ]);
        let mut line = Value::Object(line);
        redact_value(&mut line);
        line
    }
}

/// What every line begins with.
fn head() -> Map<String, Value> {
    let now = Timestamp::now();
    let now = now.round(Unit::Millisecond).unwrap_or(now);
    Map::from_iter([
        ("schema".to_owned(), json!(SCHEMA)),
        ("time".to_owned(), json!(now)),
    ])
}

#[cfg(test)]
mod manual;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::*;
    use crate::error::Failure;

    #[test]
    fn a_line_has_its_time_its_event_and_the_step_at_work() {
        let mut state = StreamState::new();
        let text = || "fetching".to_owned();
        let before = state.line(&Event::Started { text: text() });
        assert_eq!(before["schema"], 1);
        assert_eq!(before["event"], "started");
        assert_eq!(before.get("step"), None);
        let time = before["time"].as_str().unwrap();
        assert!(
            time.ends_with('Z') && time.parse::<Timestamp>().is_ok(),
            "{time}"
        );

        state.line(&Event::StepStarted {
            step: "packages",
            text: text(),
        });
        let during = state.line(&Event::Progress {
            percent: 4.5,
            text: text(),
        });
        assert_eq!(during["step"], "packages");
        assert_eq!(during["percent"], 4.5);
        let done = state.line(&Event::StepDone {
            step: "packages",
            text: text(),
            seconds: Duration::from_micros(1_234_567),
        });
        assert_eq!(done["step"], "packages");
        assert_eq!(done["seconds"], 1.235);
        assert_eq!(state.line(&Event::Note { text: text() }).get("step"), None);

        state.line(&Event::StepStarted {
            step: "service",
            text: text(),
        });
        let reverted = state.line(&Event::Reverted {
            step: "packages".to_owned(),
            text: text(),
        });
        assert_eq!(reverted["step"], "packages");
        assert_eq!(state.line(&Event::Note { text: text() }).get("step"), None);
    }

    #[test]
    fn the_last_line_tells_how_it_ended_and_of_every_warning() {
        let mut state = StreamState::new();
        state.line(&Event::Warning {
            text: "old index".to_owned(),
        });
        let failure = anyhow::Error::from(Failure::Trust("another key".to_owned()))
            .context("checking the key");
        let last = state.last_line(Some("install"), 5, Some(&failure));
        assert_eq!(last["event"], "report");
        assert_eq!(last["command"], "install");
        assert_eq!(last["exit_code"], 5);
        assert_eq!(last["warnings"], json!(["old index"]));
        assert_eq!(last["report"], Value::Null);
        assert_eq!(
            last["error"]["chain"],
            json!(["checking the key", "another key"])
        );
        assert_eq!(last["error"]["next"], "sudo dockstrap doctor");
    }

    #[test]
    fn fault_13_no_line_shows_a_password() {
        let mut state = StreamState::new();
        let secret = "by http://me:s3cret@proxy:3128, \"http://me:s3cret@proxy\"\nfailed";
        let line = state.line(&Event::Warning {
            text: secret.to_owned(),
        });
        assert!(
            line["text"]
                .as_str()
                .unwrap()
                .contains("http://***@proxy:3128")
        );
        state.report = Some(json!({ "steps": [{ secret: [secret] }] }));
        let last = state.last_line(None, 1, Some(&anyhow!(secret).context(secret)));
        for line in [line, last] {
            assert!(!line.to_string().contains("s3cret"), "{line}");
        }
    }
}
