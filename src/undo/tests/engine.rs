use super::super::last_run::LAST_RUN;
use super::super::{Reverted, Undo};
use super::{RESTART, kept, undo, undo_in, unit};
use crate::daemon_config;
use crate::host::stub::StubHost;

#[test]
fn a_unit_goes_back_to_the_state_it_was_in() {
    let stub = StubHost::new().program("systemctl", "");
    undo(&stub, &unit()).unwrap();
    let disable = "systemctl disable docker.service";
    let stop = "systemctl stop docker.service";
    assert_eq!(stub.calls()[1..], [disable, stop]);
    let gone = stub.program("systemctl", "echo LoadState=not-found");
    assert_eq!(undo(&gone, &unit()).unwrap(), Reverted::Done);
    assert_eq!(gone.calls().len(), 1);
    let image = gone.program("systemctl", "echo enabled").without_systemd();
    undo(&image, &unit()).unwrap();
    assert_eq!(
        image.calls()[1..],
        [disable],
        "nothing runs that could be stopped"
    );
}

#[test]
fn a_unit_that_somebody_disabled_masked_or_stopped_since_is_left_so() {
    for state in ["disabled", "masked"] {
        let shown = format!("echo UnitFileState={state}; echo ActiveState=inactive");
        let stub = StubHost::new().program("systemctl", &shown);
        assert_eq!(undo(&stub, &unit()).unwrap(), Reverted::Done);
        assert_eq!(stub.calls().len(), 1, "{state}");
    }
}

const RUNNING: &str = "case $1 in show) echo active;; esac";

#[test]
fn a_restart_of_an_earlier_journal_names_no_containers() {
    let undo: Undo = serde_json::from_str(r#"{"kind": "restart-engine"}"#).unwrap();
    assert_eq!(undo, RESTART);
}

#[test]
fn only_a_running_engine_is_restarted() {
    let stub = StubHost::new().program("systemctl", RUNNING);
    undo(&stub, &RESTART).unwrap();
    assert_eq!(stub.calls()[2], "systemctl restart docker.service");
    let stopped = stub.program("systemctl", "echo inactive");
    undo(&stopped, &RESTART).unwrap();
    assert_eq!(stopped.calls().len(), 1);
}

#[test]
fn an_engine_with_containers_is_not_restarted_under_them() {
    let engine = serde_json::json!({
        "ServerVersion": "29.5.3", "LoggingDriver": "local", "LiveRestoreEnabled": true,
        "ContainersRunning": 1, "Driver": "overlay2", "CgroupDriver": "systemd",
        "CgroupVersion": "2", "DockerRootDir": "/var/lib/docker",
    });
    let stub = StubHost::new()
        .program("systemctl", RUNNING)
        .engine(engine)
        .program("docker", "echo 0123");
    assert!(kept(&stub, &RESTART).ends_with("systemctl restart docker"));
    assert_eq!(
        stub.calls().last().unwrap(),
        "systemctl reload docker.service"
    );
    // Unless both the old and the new one keep them.
    stub.write(daemon_config::PATH, "{\"live-restore\": true}");
    assert_eq!(undo(&stub, &RESTART).unwrap(), Reverted::Done);
    assert_eq!(
        stub.calls().last().unwrap(),
        "systemctl restart docker.service"
    );
}

#[test]
fn an_engine_that_failed_with_our_file_gets_another_chance_and_its_containers() {
    for state in ["failed", "activating"] {
        let stub = StubHost::new()
            .program("systemctl", &format!("echo {state}"))
            .program("docker", "echo 0123");
        // The other one was to be removed once it ends.
        let containers = vec!["0123".to_owned(), "4567".to_owned()];
        undo(&stub, &Undo::RestartEngine { containers }).unwrap();
        let calls = ["reset-failed", "restart"].map(|it| format!("systemctl {it} docker.service"));
        let ask = "docker --host unix:///run/docker.sock ps --all --no-trunc --format {{.ID}}";
        let start = "docker --host unix:///run/docker.sock start 0123";
        let docker = [ask.to_owned(), start.to_owned()];
        assert_eq!(stub.calls()[1..], [&calls[..], &docker].concat());
    }
}

#[test]
fn containers_that_a_cancelled_restart_stopped_run_again_and_others_stay_as_they_are() {
    for (is_rollback, starts) in [(true, 1), (false, 0)] {
        let stub = StubHost::new()
            .program("systemctl", RUNNING)
            .program("docker", "echo 0123");
        let containers = vec!["0123".to_owned()];
        let undo = Undo::RestartEngine { containers };
        undo_in(&stub, &undo, is_rollback).unwrap();
        let calls = stub.calls();
        let started = calls.iter().filter(|call| call.ends_with("start 0123"));
        assert_eq!(started.count(), starts, "{calls:?}");
    }
}

#[test]
fn a_daemon_json_that_no_one_can_read_is_kept() {
    let stub = StubHost::new().file(daemon_config::PATH, "{,");
    let restore = Undo::RestoreDaemonJson {
        created: true,
        empty: None,
        written: Default::default(),
        changes: Vec::new(),
    };
    let reason = kept(&stub, &restore);
    assert!(reason.starts_with("it cannot be read"), "{reason}");
    assert_eq!(stub.read(daemon_config::PATH), "{,");
}

fn started(containers: &[&str]) -> Undo {
    Undo::StartUnits {
        enabled: Vec::new(),
        active: vec!["docker.service".to_owned()],
        containers: containers.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn an_engine_by_hand_that_does_not_start_again_is_back_and_told_of() {
    let stub = StubHost::new().program("systemctl", "test $1 != start");
    let reason = kept(&stub, &started(&["0123"]));
    assert!(
        reason.starts_with("docker.service is back, but does not start"),
        "{reason}"
    );
}

#[test]
fn containers_wait_until_an_engine_by_hand_answers() {
    let engine = serde_json::json!({
        "ServerVersion": "29.5.3", "LoggingDriver": "local", "LiveRestoreEnabled": false,
        "ContainersRunning": 0, "Driver": "overlay2", "CgroupDriver": "systemd",
        "CgroupVersion": "2", "DockerRootDir": "/var/lib/docker",
    });
    // To systemd it has started already.
    let stub = StubHost::new()
        .program("systemctl", "")
        .program("docker", "test -S $ROOT/run/docker.sock && echo 0123")
        .engine(engine);
    let socket = stub.host().path("/run/docker.sock");
    let later = stub.host().path("/run/later.sock");
    std::fs::rename(&socket, &later).unwrap();
    let engine = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        std::fs::rename(later, socket)
    });
    let outcome = undo(&stub, &started(&["0123"]));
    engine.join().unwrap().unwrap();
    assert_eq!(outcome.unwrap(), Reverted::Done);
    assert!(stub.calls().last().unwrap().ends_with("start 0123"));
}

#[test]
fn an_engine_that_had_failed_for_good_does_not_keep_the_rest_from_being_taken_back() {
    let failing = "case $1 in show) echo failed;; restart) exit 1;; esac";
    let stub = StubHost::new().program("systemctl", failing);
    let reason = kept(&stub, &RESTART);
    assert!(reason.starts_with("docker.service had failed"), "{reason}");
    assert!(undo_in(&stub, &RESTART, true).is_err());
}

#[test]
fn an_engine_whose_old_file_fails_as_well_runs_with_the_last_one_that_it_ran_with() {
    let systemctl = "case $1 in
        show) echo failed ;;
        restart) grep -q good $ROOT/etc/docker/daemon.json ;;
    esac";
    let bad = "{\"labels\": [\"a=bad\"]}";
    let stub = || {
        StubHost::new()
            .program("systemctl", systemctl)
            .file(daemon_config::PATH, bad)
    };
    let with_copy = stub().file(LAST_RUN, "{\"labels\": [\"a=good\"]}");
    let Reverted::Kept(reason) = undo_in(&with_copy, &RESTART, true).unwrap() else {
        panic!("it has to be said");
    };
    assert!(reason.contains("from before this run either"), "{reason}");
    let beside = format!("{}.before-dockstrap", daemon_config::PATH);
    assert!(reason.contains(&beside), "{reason}");
    assert!(with_copy.read(daemon_config::PATH).contains("good"));
    assert_eq!(with_copy.read(&beside), bad);

    // Where it is not the file that keeps it from starting, that stays as it is.
    let useless = stub().file(LAST_RUN, "{}");
    let error = undo_in(&useless, &RESTART, true).unwrap_err();
    assert!(
        error.to_string().contains("from before this run either"),
        "{error}"
    );
    assert_eq!(useless.read(daemon_config::PATH), bad);
    assert!(!useless.has(&beside));
    assert!(undo_in(&stub(), &RESTART, true).is_err(), "no copy");
}
