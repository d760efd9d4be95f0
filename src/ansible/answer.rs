//! What a task is answered: the keys that Ansible knows, and ours beside them.

use std::cell::{Cell, RefCell};

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::error::exit_code;
use crate::plan::{Plan, Planned};
use crate::report::{self, Done, Event, StageReport};
use crate::ui;
use crate::uninstall::UninstallPlan;

/// The answer, which grows while the task is carried out, so that a failure has it as well.
pub(crate) struct Answer {
    keys: Map<String, Value>,
    wants_diff: bool,
}

/// What happened meanwhile, of that which is told.
#[derive(Default)]
pub(crate) struct Happened {
    warnings: RefCell<Vec<String>>,
    stages: RefCell<Vec<StageReport>>,
    has_kept: Cell<bool>,
}

impl Happened {
    pub(crate) fn note(&self, event: Event) {
        match event {
            Event::Warning { text } | Event::Note { text } => self.warnings.borrow_mut().push(text),
            Event::Kept { text, reason, .. } => {
                self.has_kept.set(true);
                let text = report::kept(&text, &reason);
                self.warnings.borrow_mut().push(text);
            }
            Event::StageDone(report) => self.stages.borrow_mut().push(report),
            // There is nobody to watch.
            _ => {}
        }
    }

    /// Whether something was to be undone and was left: the host is another one then.
    pub(crate) fn has_kept(&self) -> bool {
        self.has_kept.get()
    }
}

impl Answer {
    pub(crate) fn new(wants_diff: bool) -> Answer {
        let keys = Map::from_iter([("changed".to_owned(), Value::Bool(false))]);
        Answer { keys, wants_diff }
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.keys.insert(key.to_owned(), value.into());
    }

    /// What was done or is to be, under the keys that a report has elsewhere, too.
    pub(crate) fn report(&mut self, report: &Done) -> Result<()> {
        if let Value::Object(keys) = serde_json::to_value(report)? {
            self.keys.extend(keys);
        }
        Ok(())
    }

    /// How it differs from what is there. What is known of it was told while it was made.
    pub(crate) fn plan(&mut self, plan: &Plan) {
        self.diff(plan.pending().map(difference).collect());
    }

    /// What is to be gone, newest first.
    pub(crate) fn reversal(&mut self, reversal: &UninstallPlan) {
        let acts: Vec<&str> = reversal.acts().map(|act| act.text.as_str()).collect();
        self.diff(vec![json!({
            "before_header": "set up by dockstrap",
            "after_header": "set up by dockstrap",
            "before": lines(&acts),
            "after": "",
        })]);
        let stopped = [&*reversal.containers, &reversal.orphans].concat();
        self.set("stopped_containers", stopped);
    }

    /// What was told meanwhile. A failure has no report, but may have stages.
    pub(crate) fn tell(&mut self, happened: Happened) {
        self.warn(&happened.warnings.into_inner());
        let stages = happened.stages.into_inner();
        if let (false, Ok(stages)) = (stages.is_empty(), serde_json::to_value(&stages)) {
            self.set("verification", stages);
        }
    }

    pub(crate) fn fail(&mut self, error: &anyhow::Error, changed: bool) {
        self.set("failed", true);
        self.set("changed", changed);
        self.set("rc", exit_code(error));
        self.set("msg", format!("{error:#}"));
    }

    /// The answer as it is given: Ansible prints its texts as they are.
    pub(crate) fn visible(&self) -> Value {
        let keys = self.keys.iter();
        keys.map(|(key, value)| (ui::visible(key), visible(value)))
            .collect()
    }

    fn warn<'a>(&mut self, texts: impl IntoIterator<Item = &'a String>) {
        let warnings = self.keys.entry("warnings").or_insert_with(|| json!([]));
        if let Value::Array(warnings) = warnings {
            warnings.extend(texts.into_iter().map(|text| Value::from(text.as_str())));
        }
    }

    fn diff(&mut self, differences: Vec<Value>) {
        if self.wants_diff {
            self.set("diff", differences);
        }
    }
}

/// A step, in a form that `ansible-playbook --diff` shows.
fn difference(planned: &Planned) -> Value {
    let Planned { title, finding, .. } = planned;
    if let Some(diff) = &finding.diff {
        return json!({ "prepared": diff });
    }
    let mut after = vec![finding.summary.as_str()];
    after.extend(finding.details.iter().map(String::as_str));
    json!({
        "before_header": title,
        "after_header": title,
        "before": "",
        "after": lines(&after),
    })
}

/// The value with every text of it as people are shown it.
fn visible(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(ui::visible(text)),
        Value::Array(values) => values.iter().map(visible).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (ui::visible(key), visible(value)))
            .collect(),
        value => value.clone(),
    }
}

fn lines(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("{text}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;

    fn value(answer: &Answer) -> Value {
        answer.visible()
    }

    #[test]
    fn a_failure_is_told_with_its_causes_its_exit_code_and_what_happened_until_then() {
        let happened = Happened::default();
        happened.note(Event::Warning {
            text: "old index".to_owned(),
        });
        let error = anyhow::Error::from(Failure::Trust("another key".to_owned()));
        let mut answer = Answer::new(false);
        answer.tell(happened);
        answer.fail(&error.context("checking the key"), false);
        let answer = value(&answer);
        assert_eq!(answer["failed"], true);
        assert_eq!(answer["rc"], 5);
        assert_eq!(answer["msg"], "checking the key: another key");
        assert_eq!(answer["warnings"], json!(["old index"]));
    }

    #[test]
    fn ansible_gets_no_text_that_its_terminal_would_obey() {
        let mut answer = Answer::new(true);
        answer.set("stopped_containers", vec!["\u{1b}[2J", "web"]);
        answer.diff(vec![json!({ "before": "\u{9b}1m\u{202e}\n" })]);
        answer.fail(&anyhow::anyhow!("it said \u{7f}"), false);
        let answer = value(&answer);
        assert_eq!(answer["stopped_containers"], json!(["\\x1b[2J", "web"]));
        assert_eq!(answer["diff"][0]["before"], "\\x9b1m\\u{202e}\n");
        assert_eq!(answer["msg"], "it said \\x7f");
    }

    #[test]
    fn what_is_kept_is_a_warning_and_a_change() {
        let happened = Happened::default();
        assert!(!happened.has_kept());
        happened.note(Event::Kept {
            step: "daemon-json".to_owned(),
            text: "/etc/docker/daemon.json".to_owned(),
            reason: "edited since".to_owned(),
        });
        assert!(happened.has_kept());
        let mut answer = Answer::new(false);
        answer.tell(happened);
        let warning = "kept: /etc/docker/daemon.json (edited since)";
        assert_eq!(value(&answer)["warnings"], json!([warning]));
    }
}
