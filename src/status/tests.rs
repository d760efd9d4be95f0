use super::*;
use std::sync::Arc;
use std::time::Duration;

use crate::change::{Purpose, Tx, trial};
use crate::daemon_config::{self, Weight, merge};
use crate::host::command::Command;
use crate::host::stub::StubHost;
use serde_json::json;

/// A host on which one step wrote a key and another the configuration.
fn set_up() -> StubHost {
    let stub = StubHost::new()
        .file(daemon_config::PATH, "{\"debug\": true}")
        .program("dpkg-query", "");
    let mut tx = trial::begin(stub.host(), &|_| {});
    tx.enter("apt-key");
    tx.write_file("/etc/key", b"old", 0o644).unwrap();
    tx.write_file("/etc/key", b"new", 0o644).unwrap();
    tx.enter("daemon-json");
    let wanted = json!({"mtu": 1400, "live-restore": true});
    let document = Document::parse(b"{\"debug\": true}").unwrap();
    let merged = merge(document, wanted.as_object().unwrap(), Weight::Set);
    tx.write_daemon_json(merged.document.text(), &merged.changes)
        .unwrap();
    tx.end().unwrap();
    stub
}

#[test]
fn what_was_done_is_told_step_by_step_and_stands() {
    let status = status(set_up().host()).unwrap();
    assert!(!status.has_drifted(), "{status:?}");
    let ids: Vec<&str> = status.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["apt-key", "daemon-json"]);
    assert_eq!(status.steps[0].done.len(), 2);
}

#[test]
fn what_somebody_changed_is_theirs_unless_the_settings_named_it() {
    let stub = StubHost::new()
        .program("dpkg-query", "echo docker-ce 1 amd64 installed ok 1")
        .program("getent", "echo docker:x:990:")
        .program("systemctl", "");
    let install = |named: &[&str]| {
        let run = Run {
            named: Some(named.iter().map(ToString::to_string).collect()),
            ..Run::from(Purpose::Install)
        };
        let journal = Journal::read(stub.host()).unwrap();
        let (wait, cancelled) = (Duration::ZERO, Arc::default());
        Tx::begin(stub.host(), journal, run, wait, &|_| {}, cancelled).unwrap()
    };
    let mut tx = install(&["mtu", "user:bob"]);
    tx.enter("docker-group");
    for user in ["alice", "bob"] {
        let undo = Undo::RemoveMember {
            group: "docker".to_owned(),
            user: user.to_owned(),
        };
        tx.note("add a member", undo).unwrap();
    }
    tx.enter("daemon-json");
    let wanted = json!({"mtu": 1400, "live-restore": true, "log-opts": {"max-size": "20m"}});
    let merged = merge(Document::new(), wanted.as_object().unwrap(), Weight::Set);
    tx.write_daemon_json(merged.document.text(), &merged.changes)
        .unwrap();
    tx.end().unwrap();
    stub.write(daemon_config::PATH, "{\"mtu\": 9000, \"log-opts\": {}}");
    let told = |status: &HostStatus| {
        let steps = status.steps.iter();
        let told = steps.map(|step| {
            let drift = step.drift.iter().map(|it| it.text.clone());
            let kept = step.kept.iter().map(Yours::to_string);
            drift.chain(kept).collect::<Vec<_>>().join(", ")
        });
        told.collect::<Vec<_>>()
    };
    let before = status(stub.host()).unwrap();
    assert!(before.has_drifted() && before.keeps());
    assert_eq!(
        told(&before),
        [
            "bob is no longer a member of group docker, \
             kept: yours: user:alice (not in group docker)",
            "mtu was set to 1400, and is 9000, \
             kept: yours: live-restore (removed), kept: yours: log-opts.max-size (removed)"
        ]
    );
    // The settings of a later install name none of it.
    install(&[]).end().unwrap();
    let after = status(stub.host()).unwrap();
    assert!(!after.has_drifted() && after.keeps(), "{after:?}");
    // Where the engine is gone, all is set up anew.
    let gone = stub.program("dpkg-query", "");
    assert!(status(gone.host()).unwrap().has_drifted());
}

#[test]
fn a_run_that_did_not_end_is_told_with_what_it_had_begun() {
    let stub = set_up();
    let mut tx = trial::begin(stub.host(), &|_| {});
    tx.enter("apt-key");
    let fails = Command::new("false");
    tx.run("do what fails", Undo::nothing(), &fails)
        .unwrap_err();
    drop(tx);
    let status = status(stub.host()).unwrap();
    assert!(status.unfinished.is_some() && status.has_drifted());
    let finished = |done: &DoneAct| done.finished;
    let finished: Vec<bool> = status.steps[0].done.iter().map(finished).collect();
    assert_eq!(finished, [true, true, false]);
}

#[test]
fn what_was_changed_since_is_told_and_what_is_not_ours_is_not() {
    let stub = set_up();
    stub.write("/etc/key", "edited");
    stub.write(daemon_config::PATH, "{\"debug\": false, \"mtu\": 9000}");
    let status = status(stub.host()).unwrap();
    let drift = |step: usize| {
        let drift = status.steps[step].drift.iter();
        drift.map(|it| it.text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(drift(0), ["/etc/key was edited"]);
    let keys = [
        "mtu was set to 1400, and is 9000",
        "live-restore was set to true, and is gone",
    ];
    assert_eq!(drift(1), keys);
    let json = serde_json::to_value(&status.steps[1].drift[0]).unwrap();
    assert_eq!((&json["set"], &json["now"]), (&json!(1400), &json!(9000)));
}

#[test]
fn a_stopped_engine_is_one_loss_of_its_own_step() {
    let stub = set_up()
        .program("dpkg-query", "echo docker-ce installed")
        .program(
            "systemctl",
            "echo LoadState=loaded; echo UnitFileState=enabled; echo ActiveState=inactive",
        );
    let mut tx = trial::begin(stub.host(), &|_| {});
    tx.enter("packages");
    let purge = Undo::PurgePackages {
        packages: vec!["docker-ce".to_owned()],
        network: None,
    };
    tx.note("install docker-ce", purge).unwrap();
    tx.enter("service");
    let restore = Undo::RestoreUnit {
        unit: "docker.service".to_owned(),
        enabled: false,
        active: false,
    };
    tx.note("enable docker.service", restore).unwrap();
    tx.end().unwrap();
    let status = status(stub.host()).unwrap();
    let drift: Vec<&str> = status
        .steps
        .iter()
        .flat_map(|step| &step.drift)
        .map(|it| it.text.as_str())
        .collect();
    assert_eq!(drift, ["docker.service is not running"]);
    assert_eq!(status.steps[3].drift.len(), 1, "of the step service");
    let mut done = status.steps.iter().flat_map(|step| &step.done);
    assert!(done.all(|done| done.stands));
}

#[test]
fn a_configuration_that_cannot_be_read_has_drifted() {
    let stub = set_up();
    stub.write(daemon_config::PATH, "{");
    let status = status(stub.host()).unwrap();
    assert!(status.steps[1].drift[0].text.contains("cannot be read"));
}

#[test]
fn nothing_was_set_up_on_a_bare_host() {
    let status = status(StubHost::noble().host()).unwrap();
    assert!(status.steps.is_empty() && !status.has_drifted());
}
