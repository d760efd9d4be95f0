//! That the page of the manual on output tells of what is written, all of it and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::CommandFactory;
use serde_json::{Map, Value, json};

use super::{StreamState, head};
use crate::cli::Cli;
use crate::report::{Done, Event, Outcome, StageReport, StepReport, Verdict};
use crate::verify::Verification;

const PAGE: &str = include_str!("../../../packaging/manual/output.md");

/// One event of each kind. The match makes the compiler ask for those to come.
fn one_of_each() -> Vec<Event> {
    let text = || "text".to_owned();
    let events = vec![
        Event::Started { text: text() },
        Event::StepStarted {
            step: "packages",
            text: text(),
        },
        Event::Progress {
            percent: 1.0,
            text: text(),
        },
        Event::Waiting { text: text() },
        Event::Stopping { text: text() },
        Event::StepDone {
            step: "packages",
            text: text(),
            seconds: Duration::ZERO,
        },
        Event::Reverted {
            step: text(),
            text: text(),
        },
        Event::Kept {
            step: text(),
            text: text(),
            reason: text(),
        },
        Event::StageDone(stage()),
        Event::Note { text: text() },
        Event::Warning { text: text() },
    ];
    let kinds = events.iter().map(|event| match event {
        Event::Started { .. } => 0,
        Event::StepStarted { .. } => 1,
        Event::Progress { .. } => 2,
        Event::Waiting { .. } => 3,
        Event::Stopping { .. } => 4,
        Event::StepDone { .. } => 5,
        Event::Reverted { .. } => 6,
        Event::Kept { .. } => 7,
        Event::StageDone(_) => 8,
        Event::Note { .. } => 9,
        Event::Warning { .. } => 10,
    });
    assert!(kinds.eq(0..11));
    events
}

fn stage() -> StageReport {
    StageReport {
        stage: "engine",
        outcome: Outcome::Passed("text".to_owned()),
        seconds: Duration::ZERO,
    }
}

/// A part of the page: the fields of its tables, and its example.
#[derive(Default)]
struct Section {
    fields: Vec<BTreeSet<String>>,
    example: Map<String, Value>,
}

/// The parts of the page under their headings, without those that have none.
fn sections() -> BTreeMap<String, Section> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let (mut heading, mut in_table) = (String::new(), false);
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ").or(line.strip_prefix("### ")) {
            heading = title.replace('`', "");
        }
        let section = sections.entry(heading.clone()).or_default();
        if line == "| field | holds |" {
            section.fields.push(BTreeSet::new());
        } else if let Some(row) = line.strip_prefix("| `") {
            let field = row.split('`').next().unwrap_or_default().to_owned();
            section.fields.last_mut().unwrap().insert(field);
        } else if in_table {
            let example: Value = serde_json::from_str(line).unwrap();
            section.example = example.as_object().unwrap().clone();
        }
        in_table = line == "```json";
    }
    sections
}

fn fields(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_event_is_told_of_with_its_fields_and_an_example() {
    let sections = sections();
    let of_all = &sections["Events"].fields[0];
    let with_all = head()
        .into_iter()
        .map(|(field, _)| field)
        .chain(["event", "step"].map(str::to_owned));
    assert_eq!(*of_all, with_all.collect());
    let mut state = StreamState::new();
    let mut lines: Vec<Value> = one_of_each()
        .iter()
        .map(|event| state.line(event))
        .collect();
    lines.push(StreamState::new().last_line(None, 0, None));
    let names: BTreeSet<&str> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    let told_of: BTreeSet<&str> = sections
        .iter()
        .filter(|(_, section)| section.example.contains_key("event"))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, told_of);
    for line in lines {
        let name = line["event"].as_str().unwrap();
        let section = &sections[name];
        let own: BTreeSet<String> = fields(&line).difference(of_all).cloned().collect();
        assert_eq!(own, section.fields[0], "{name}");
        let example: BTreeSet<String> = section.example.keys().cloned().collect();
        // A step is there where there is one, so not in every line of its kind.
        let with_step: BTreeSet<String> =
            example.iter().cloned().chain(["step".to_owned()]).collect();
        assert!(
            fields(&line) == example || fields(&line) == with_step,
            "{name}: {example:?}"
        );
        assert_eq!(section.example["event"], name);
    }
}

#[test]
fn every_command_is_told_of_with_its_report() {
    let mut commands = BTreeSet::new();
    // What is hidden is run by units and by the stages of verify.
    let cli = Cli::command();
    let shown = cli.get_subcommands().filter(|it| !it.is_hide_set());
    for command in shown {
        let name = command.get_name();
        let mut inner = command.get_subcommands().peekable();
        if inner.peek().is_none() {
            commands.insert(name.to_owned());
        }
        commands.extend(inner.map(|inner| format!("{name} {}", inner.get_name())));
    }
    let sections = sections();
    let headings: BTreeSet<String> = sections
        .keys()
        .flat_map(|heading| heading.split(" and "))
        .map(str::to_owned)
        .collect();
    let missing: Vec<&String> = commands.difference(&headings).collect();
    assert!(missing.is_empty(), "not in the manual: {missing:?}");
}

#[test]
fn reports_have_the_fields_that_are_told_of() {
    let sections = sections();
    let done = Done {
        schema: 1,
        changed: true,
        steps: vec![StepReport {
            step: "packages".to_owned(),
            verdict: Verdict::Changed,
            text: String::new(),
            details: Vec::new(),
            diff: Some(String::new()),
        }],
        verification: Some(vec![stage()]),
        engine_version: None,
    };
    let section = &sections["install and uninstall"];
    let done = json!(done);
    assert_eq!(fields(&done), section.fields[0]);
    assert_eq!(fields(&done["steps"][0]), section.fields[1]);
    assert_eq!(
        fields(&done["verification"][0]),
        sections["stage-done"].fields[0]
    );
    let verification = json!(Verification::of(vec![stage()]));
    assert_eq!(fields(&verification), sections["verify"].fields[0]);
    for (name, section) in &sections {
        if !section.example.is_empty() && !section.example.contains_key("event") {
            let example: BTreeSet<String> = section.example.keys().cloned().collect();
            assert_eq!(example, section.fields[0], "{name}");
        }
    }
}
