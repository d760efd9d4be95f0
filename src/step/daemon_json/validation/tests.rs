use super::*;
use crate::error::exit_code;
use crate::host::stub::StubHost;
use crate::step::Step;
use crate::step::daemon_json::tests::{host, step, wanting};
use serde_json::json;

/// An engine that is there, and says this when it is asked about its configuration.
fn with_dockerd(answer: &str) -> (StubHost, DaemonJson) {
    let step = DaemonJson {
        engine: Some(EngineRelease(28, 5)),
        installed: Some(EngineRelease(28, 5)),
        unit_flags: vec!["-H".to_owned(), "fd://".to_owned()],
        ..step()
    };
    (host().program("dockerd", answer), step)
}

#[test]
fn an_engine_that_is_there_is_asked_with_the_flags_of_its_unit() {
    let (stub, step) = with_dockerd("exit 0");
    assert!(!step.inspect(stub.host()).unwrap().satisfied);
    let calls = stub.calls();
    let asked = calls
        .iter()
        .find(|call| call.starts_with("dockerd"))
        .unwrap();
    assert!(
        asked.starts_with("dockerd --validate --config-file=/"),
        "{asked}"
    );
    assert!(asked.ends_with(" -H fd://"), "{asked}");
}

#[test]
fn what_the_engine_refuses_is_refused_in_its_own_words() {
    let no = "echo no such thing in ${2#*=} >&2; exit 1";
    let (stub, step) = with_dockerd(no);
    let error = step.inspect(stub.host()).unwrap_err();
    assert_eq!(exit_code(&error), 4, "an empty file is refused as well");
    assert!(
        error
            .to_string()
            .ends_with(&format!("no such thing in {PATH}")),
        "{error}"
    );
    let (stub, step) = with_dockerd("grep -q log-driver ${2#*=} && exit 1; exit 0");
    assert_eq!(exit_code(&step.inspect(stub.host()).unwrap_err()), 2);
}

#[test]
fn the_engines_own_words_are_quoted_without_secrets() {
    let says = "echo \"both: from flag: [s3cret], from file: map[splunk-token:t0ken], at t0ken\" >&2; exit 1";
    let (stub, step) = with_dockerd(says);
    let step = DaemonJson {
        unit_flags: vec!["--http-proxy=http://me:s3cret@proxy".to_owned()],
        settings: serde_json::from_value(json!({"log-driver": "splunk",
            "log-opts": {"splunk-token": "t0ken", "splunk-url": "https://s"}}))
        .unwrap(),
        ..step
    };
    let proposal = step.propose(stub.host()).unwrap();
    let asked = refusal(
        stub.host(),
        step.installed,
        &step.unit_flags,
        &proposal.merged.document,
    );
    let said = "both: from flag: [***], from file: map[splunk-token:*** at ***";
    assert_eq!(asked.unwrap().as_deref(), Some(said));
}

#[test]
fn the_engine_is_never_asked_about_user_namespaces() {
    let (stub, step) = with_dockerd("exit 1");
    stub.write(PATH, "{\"userns-remap\": \"default\"}");
    assert!(step.inspect(stub.host()).is_ok());
    assert!(!stub.calls().concat().contains("dockerd"));
}

#[test]
fn a_file_that_stays_as_it_is_is_shown_to_the_engine_before_it_is_upgraded() {
    let (stub, step) = with_dockerd("exit 0");
    trial_apply(&stub, &step);
    stub.calls();
    assert!(step.inspect(stub.host()).unwrap().satisfied);
    assert!(
        !stub.calls().concat().contains("dockerd"),
        "nothing is upgraded"
    );
    step.check_for(stub.host(), "5:28.5.3-1~ubuntu").unwrap();
    assert!(stub.calls().concat().contains("dockerd --validate"));
    let stub = stub.program("dockerd", "echo no such directive >&2; exit 1");
    let error = step
        .check_for(stub.host(), "5:28.5.3-1~ubuntu")
        .unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(error.to_string().contains("no such directive"), "{error}");
}

#[test]
fn settings_are_judged_by_the_engine_that_comes_and_not_by_the_one_that_is_there() {
    let refusing = "grep -q default-stop-timeout ${2#*=} && exit 1; exit 0";
    let (stub, older) = with_dockerd(refusing);
    let settings = wanting(json!({"default-stop-timeout": 5}));
    let step = |engine| DaemonJson {
        engine,
        settings: settings.settings.clone(),
        ..older.clone()
    };
    let error = step(Some(EngineRelease(28, 5)))
        .inspect(stub.host())
        .unwrap_err();
    assert!(error.to_string().contains("needs engine 29.7"), "{error}");
    let upgrade = step(Some(EngineRelease(29, u8::MAX)));
    assert!(!upgrade.inspect(stub.host()).unwrap().satisfied);
    upgrade.check_for(stub.host(), "5:29.8.0-1~ubuntu").unwrap();
    let error = upgrade
        .check_for(stub.host(), "5:29.5.0-1~ubuntu")
        .unwrap_err();
    assert_eq!(exit_code(&error), 2);
    assert!(error.to_string().contains("needs engine 29.7"), "{error}");
}

fn trial_apply(stub: &StubHost, step: &DaemonJson) {
    crate::change::trial::run(stub.host(), |tx| step.apply(tx)).unwrap();
}

#[test]
fn the_file_that_the_unit_names_is_not_the_one_to_judge() {
    let rest = |flags: &[&str]| {
        let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
        let rest = without_file(&flags).into_iter().cloned();
        rest.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(rest(&["--config-file=/x.json", "-H", "fd://"]), "-H fd://");
    assert_eq!(
        rest(&["-H", "fd://", "--config-file", "/x.json"]),
        "-H fd://"
    );
    assert_eq!(rest(&["--config-file", "/x.json", "--debug"]), "--debug");
}

#[test]
fn the_question_does_not_stand_in_its_own_way() {
    let text = br#"{"config-file": "/x", "debug": true, "validate": false}"#;
    let asked = asked_of(&Document::parse(text).unwrap());
    assert_eq!(asked.bytes(), br#"{"debug": true}"#);
}

#[test]
fn user_namespaces_are_known_from_the_file_and_from_a_flag() {
    let document = |text: &str| Document::parse(text.as_bytes()).unwrap();
    assert!(is_remapped(
        &[],
        &document(r#"{"userns-remap": "default"}"#)
    ));
    assert!(!is_remapped(&[], &document(r#"{"userns-remap": ""}"#)));
    assert!(is_remapped(
        &["--userns-remap=default".to_owned()],
        &document("{}")
    ));
}
