//! What programs are told, line by line, and that the manual tells of all of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;

const PAGE: &str = include_str!("../../packaging/manual/output.md");

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_program_can_follow_a_host_from_bare_to_proven_and_back() {
    let host = LabHost::up("noble");
    let proxy = "http://me:s3cret@127.0.0.1:1";
    let failed = ["install", "--yes", "--output", "json", "--proxy", proxy];
    let failed = Told::by(&host.dockstrap(failed).never_says("s3cret"), "install", 1);
    assert!(failed.last["error"]["chain"][0].is_string());
    let plan = host.dockstrap(["plan", "--check", "--output", "json"]);
    Told::by(&plan, "plan", 3);

    let install = host.dockstrap(["install", "--yes", "--output", "json"]);
    let install = Told::by(&install, "install", 0);
    let version = host.account()["ServerVersion"].clone();
    let report = &install.last["report"];
    assert_eq!(report["changed"], true);
    assert_eq!(report["steps"][0]["verdict"], "changed");
    assert_eq!(report["verification"][0]["outcome"], "passed");
    assert_eq!(report["engine_version"], version);
    for event in ["step-started", "progress", "step-done", "stage-done"] {
        assert!(install.events.contains(event), "{event} is not told of");
    }

    let again = host.dockstrap(["install", "--yes", "--output", "json"]);
    let again = Told::by(&again, "install", 0);
    assert_eq!(again.last["report"]["changed"], false);
    assert_eq!(again.last["report"]["steps"][0]["verdict"], "satisfied");
    assert_eq!(again.last["report"]["engine_version"], version);

    let verify = host.dockstrap(["verify", "engine", "--output", "json"]);
    Told::by(&verify, "verify", 0);
    Told::by(&host.dockstrap(["status", "--output", "json"]), "status", 0);
    host.sh("systemctl stop docker.socket docker");
    Told::by(&host.dockstrap(["doctor", "--output", "json"]), "doctor", 3);

    let uninstall = host.dockstrap(["uninstall", "--yes", "--output", "json"]);
    let uninstall = Told::by(&uninstall, "uninstall", 0);
    assert_eq!(uninstall.last["report"]["changed"], true);
    assert_eq!(uninstall.last["report"]["engine_version"], Value::Null);
    assert!(uninstall.events.contains("reverted"));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_journal_of_systemd_knows_errors_from_the_rest() {
    let host = LabHost::up("noble");
    let unit = format!("systemd-run --quiet --wait --unit=told {PROGRAM} plan --user root");
    host.run(["sh", "-c", &unit]).exits(2);
    host.sh("journalctl --sync; journalctl --unit=told --priority=err --output=cat")
        .says("error: root needs no membership")
        .never_says("<3>");
}

/// What a command told, all of it as the manual says.
struct Told {
    events: BTreeSet<String>,
    last: Value,
}

impl Told {
    #[track_caller]
    fn by(outcome: &Outcome, command: &str, code: i32) -> Told {
        let outcome = outcome.clone().exits(code);
        assert!(!outcome.stderr.is_empty(), "nothing for people");
        let manual = manual();
        let mut told = Told {
            events: BTreeSet::new(),
            last: Value::Null,
        };
        for line in outcome.stdout.lines() {
            assert_eq!(told.last, Value::Null, "the report is not the last line");
            let line: Value = serde_json::from_str(line).expect(line);
            let event = line["event"].as_str().expect("an event").to_owned();
            is_in_the_manual(&line, &[&manual["Events"], &manual[&event]]);
            if event == "report" {
                told.last = line;
            } else {
                told.events.insert(event);
            }
        }
        let Told { last, .. } = &told;
        assert_eq!(last["command"], command);
        assert_eq!(last["exit_code"], code);
        let heading = manual
            .keys()
            .find(|it| it.split(" and ").any(|name| name == command));
        let fields = &manual[heading.expect("a heading")];
        if !last["report"].is_null() {
            is_in_the_manual(&last["report"], &[fields]);
            let missing = fields.iter().find(|it| last["report"].get(it).is_none());
            assert_eq!(missing, None, "{command}");
        }
        told
    }
}

#[track_caller]
fn is_in_the_manual(value: &Value, told_of: &[&BTreeSet<&str>]) {
    for field in value.as_object().expect("an object").keys() {
        let is_told_of = told_of.iter().any(|fields| fields.contains(field.as_str()));
        assert!(is_told_of, "the manual does not tell of {field} in {value}");
    }
}

/// The fields in the first table under each heading of the manual.
fn manual() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut manual: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let (mut heading, mut tables) = (String::new(), 0);
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ").or(line.strip_prefix("### ")) {
            (heading, tables) = (title.replace('`', ""), 0);
        }
        tables += usize::from(line.starts_with("| field "));
        if let (1, Some(row)) = (tables, line.strip_prefix("| `")) {
            let field = row.split('`').next().expect("a field");
            manual.entry(heading.clone()).or_default().insert(field);
        }
    }
    manual
}
