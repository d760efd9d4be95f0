use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::change::trial;
use crate::daemon_config::Document;
use crate::error::exit_code;
use crate::host::stub::StubHost;
use serde_json::json;

const RECOMMENDED: &str = r#"{
  "log-driver": "local",
  "log-opts": {"max-size": "20m", "max-file": "5"},
  "live-restore": true,
  "default-ulimits": {"nofile": {"Name": "nofile", "Hard": 524288, "Soft": 65536}},
  "default-address-pools": [{"base": "172.20.0.0/14", "size": 24}]
}"#;

/// A host whose unit is in the state that `/unit` says.
fn host(load: &str, file: &str, active: &str) -> StubHost {
    let state = format!(
        "LoadState={load}\nUnitFileState={file}\nActiveState={active}\n\
         StateChangeTimestamp=Fri 2099-01-02 03:04:05.678901 UTC\n"
    );
    StubHost::new()
        .file("/unit", state)
        .file(daemon_config::PATH, RECOMMENDED)
        .program(
            "journalctl",
            r#"echo '{"MESSAGE": "no space left on device"}'"#,
        )
        .program("docker", "")
        .program(
            "systemctl",
            "set_to() { sed -i \"s/^$1=.*/$1=$2/\" $ROOT/unit; }
            case \"$*\" in
                *ExecStart*) ;;
                show*) cat $ROOT/unit ;;
                enable*) set_to UnitFileState enabled ;;
                disable*) set_to UnitFileState disabled ;;
                start*) set_to ActiveState active ;;
                stop*) set_to ActiveState inactive ;;
            esac",
        )
}

fn engine(log_driver: &str) -> serde_json::Value {
    json!({
        "ServerVersion": "29.5.3", "LoggingDriver": log_driver, "LiveRestoreEnabled": true,
        "ContainersRunning": 3, "Driver": "overlay2", "CgroupDriver": "systemd",
        "CgroupVersion": "2", "DockerRootDir": "/var/lib/docker",
    })
}

fn service() -> EngineService {
    EngineService::new(DaemonJson::default(), false)
}

fn inspect(stub: &StubHost) -> Finding {
    service().inspect(stub.host()).unwrap()
}

fn apply(stub: &StubHost) -> Result<()> {
    trial::run(stub.host(), |tx| service().apply(tx))
}

/// The calls since, but for those that ask.
fn changes(stub: &StubHost) -> Vec<String> {
    let mut calls = stub.calls();
    calls.retain(|call| !call.starts_with("systemctl show"));
    calls
}

#[test]
fn absent_it_comes_with_its_package() {
    let stub = host("not-found", "", "inactive");
    let finding = inspect(&stub);
    assert!(!finding.satisfied);
    assert!(finding.summary.contains("by its package"));
    let error = apply(&stub).unwrap_err();
    assert_eq!(error.to_string(), "the packages brought no docker.service");
}

#[test]
fn satisfied_when_enabled_running_and_configured() {
    let stub = host("loaded", "enabled", "active").engine(engine("local"));
    assert!(inspect(&stub).satisfied);
    apply(&stub).unwrap();
    assert_eq!(changes(&stub), [""; 0]);
    assert_eq!(trial::acts(stub.host()), [""; 0]);
}

#[test]
fn disabled_and_stopped_it_is_enabled_and_started_and_goes_back() {
    let stub = host("loaded", "disabled", "inactive").engine(engine("local"));
    let before = stub.snapshot();
    assert_eq!(inspect(&stub).summary, "enable and start docker.service");
    apply(&stub).unwrap();
    let commands = [
        "systemctl enable docker.service",
        "systemctl reset-failed docker.s*",
        "systemctl reset-failed containerd.s*",
        "systemctl start containerd.service",
        "systemctl start docker.service",
    ];
    assert_eq!(changes(&stub), commands);
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn one_that_somebody_disabled_since_is_started_and_stays_disabled() {
    let stub = host("loaded", "disabled", "inactive").engine(engine("local"));
    let service = || service().leaving(&Ownership::of_names(&[UNIT]));
    let finding = service().inspect(stub.host()).unwrap();
    assert_eq!(finding.summary, "start docker.service");
    trial::run(stub.host(), |tx| service().apply(tx)).unwrap();
    assert!(stub.read("/unit").contains("UnitFileState=disabled"));
    let finding = service().inspect(stub.host()).unwrap();
    assert!(finding.satisfied);
    assert_eq!(finding.summary, "docker.service is running");
    assert_eq!(finding.kept[0].name, UNIT);
}

#[test]
fn enabled_before_us_it_is_only_started_and_only_stopped() {
    let stub = host("loaded", "enabled", "inactive").engine(engine("local"));
    let before = stub.snapshot();
    assert_eq!(inspect(&stub).summary, "start docker.service");
    apply(&stub).unwrap();
    trial::revert(stub.host()).unwrap();
    assert!(!stub.calls().concat().contains("disable"));
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn running_before_us_it_is_only_enabled_and_goes_on_running() {
    let stub = host("loaded", "disabled", "active").engine(engine("local"));
    assert_eq!(inspect(&stub).summary, "enable docker.service");
    apply(&stub).unwrap();
    assert!(inspect(&stub).satisfied);
    trial::revert(stub.host()).unwrap();
    assert!(!stub.calls().concat().contains("stop"));
    assert!(stub.read("/unit").contains("ActiveState=active"));
}

#[test]
fn applied_twice_it_is_done_once() {
    let stub = host("loaded", "disabled", "inactive").engine(engine("local"));
    apply(&stub).unwrap();
    let acts = trial::acts(stub.host());
    apply(&stub).unwrap();
    assert_eq!(trial::acts(stub.host()), acts);
}

#[test]
fn masked_it_is_refused_with_the_way_out() {
    let stub = host("masked", "masked", "inactive");
    let error = service().inspect(stub.host()).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(
        error
            .to_string()
            .ends_with("systemctl unmask docker.service")
    );
}

#[test]
fn an_engine_that_differs_from_its_file_is_reloaded_and_then_restarted() {
    let stub = host("loaded", "enabled", "active").engine(engine("json-file"));
    let finding = inspect(&stub);
    assert_eq!(finding.summary, "restart docker.service");
    assert!(finding.details[0].starts_with("3 running containers"));
    // This one differs still, and so it is not done.
    let error = apply(&stub).unwrap_err();
    assert!(error.to_string().contains("log-driver"), "{error}");
    let commands = ["reload", "reset-failed", "restart"]
        .map(|verb| format!("systemctl {verb} docker.service"));
    let mut changes = changes(&stub);
    changes.retain(|call| call.starts_with("systemctl"));
    assert_eq!(changes, commands);
}

#[test]
fn with_containers_running_a_restart_waits_until_the_reload_before_it_is_through() {
    // The engine tells of its reload at the third question only.
    let questions = Arc::new(AtomicUsize::new(0));
    let asked = questions.clone();
    let stub = host("loaded", "enabled", "active")
        .program(
            "docker",
            "case \"$*\" in *ps*) echo 0123456789abcdef;; esac",
        )
        .engine_answering(move |question| match question.contains("/events") {
            true if asked.fetch_add(1, Ordering::Relaxed) < 2 => String::new(),
            true => "{}".to_owned(),
            false => engine("json-file").to_string(),
        });
    let error = apply(&stub).unwrap_err(); // it never says that it has the driver of its file
    assert!(error.to_string().contains("log-driver"), "{error}");
    let systemctl = changes(&stub);
    let verbs: Vec<&str> = systemctl
        .iter()
        .filter_map(|call| call.strip_prefix("systemctl "))
        .filter_map(|call| call.split(' ').next())
        .collect();
    assert_eq!(verbs, ["reload", "reset-failed", "restart"]);
    assert_eq!(questions.load(Ordering::Relaxed), 3);
}

#[test]
fn an_engine_older_than_what_was_written_takes_it_up_even_in_a_later_run() {
    for (theirs, summary) in [
        ("\"live-restore\": false", "reload docker.service"),
        ("\"log-driver\": \"none\"", "restart docker.service"),
    ] {
        let stub = host("loaded", "enabled", "active").engine(engine("local"));
        let text = stub.read(daemon_config::PATH);
        let key = theirs.split(": ").next().unwrap();
        let line = text.lines().find(|line| line.contains(key)).unwrap();
        stub.write(
            daemon_config::PATH,
            text.replace(line.trim().trim_end_matches(','), theirs),
        );
        trial::run(stub.host(), |tx| {
            let document = Document::parse(text.as_bytes()).unwrap();
            let name = key.trim_matches('"');
            let change = Change {
                key: name.to_owned(),
                before: None,
                after: document.get(name).cloned(),
            };
            tx.write_daemon_json(&text, &[change])
        })
        .unwrap();
        assert!(inspect(&stub).satisfied, "it was started since");
        stub.write("/unit", stub.read("/unit").replace("2099", "1999"));
        stub.write("/unit", stub.read("/unit").replace("Fri", "Sat"));
        assert_eq!(inspect(&stub).summary, summary);
    }
}

#[test]
fn what_a_reload_is_enough_for_leaves_the_engine_running() {
    let mut account = engine("local");
    account["LiveRestoreEnabled"] = false.into();
    let stub = host("loaded", "enabled", "active").engine(account);
    assert_eq!(inspect(&stub).summary, "reload docker.service");
    assert!(inspect(&stub).details.is_empty());
    // This one never turns it on, and so says no to the question whether it has.
    let error = apply(&stub).unwrap_err();
    assert!(error.to_string().contains("live-restore"), "{error}");
    assert_eq!(
        changes(&stub)[..1],
        ["systemctl reload docker.service".to_owned()]
    );
}

#[test]
fn fault_44_a_unit_that_failed_too_often_is_given_another_start() {
    let stub = host("loaded", "enabled", "failed");
    let error = apply(&stub).unwrap_err(); // there is no engine here to answer
    assert!(error.to_string().contains("its last words"), "{error}");
    let commands = [
        "systemctl reset-failed docker.s*",
        "systemctl reset-failed containerd.s*",
        "systemctl start containerd.service",
        "systemctl start docker.service",
    ];
    assert_eq!(changes(&stub)[..4], commands);
}

#[test]
fn a_stopped_engine_is_not_asked_lest_its_socket_start_it() {
    // What listens here would answer; as if systemd listened in the engine's place.
    let stub = host("loaded", "enabled", "inactive").engine(engine("json-file"));
    assert_eq!(inspect(&stub).summary, "start docker.service");
}

#[test]
fn an_engine_that_does_not_start_has_the_last_word() {
    let stub = host("loaded", "enabled", "inactive");
    let systemctl = "case $1 in show) cat $ROOT/unit;; start) exit 1;; esac";
    let stub = stub.program("systemctl", systemctl);
    let error = apply(&stub).unwrap_err();
    assert!(error.to_string().ends_with("no space left on device"));
}

/// The step where nothing is to be started.
fn placed() -> EngineService {
    EngineService::new(DaemonJson::default(), true)
}

#[test]
fn where_nothing_is_to_be_started_it_is_enabled_and_goes_back() {
    let stub = host("loaded", "disabled", "inactive").program("dpkg-query", "");
    let before = stub.snapshot();
    let finding = placed().inspect(stub.host()).unwrap();
    let summary = "enable docker.service, which will not be started";
    assert_eq!(finding.summary, summary);
    trial::run(stub.host(), |tx| placed().apply(tx)).unwrap();
    assert_eq!(changes(&stub)[..1], ["systemctl enable docker.service"]);
    let finding = placed().inspect(stub.host()).unwrap();
    assert!(finding.satisfied && finding.summary.ends_with("not started"));
    assert!(stub.read("/unit").contains("ActiveState=inactive"));
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.snapshot(), before);
    let absent = host("not-found", "", "inactive");
    let finding = placed().inspect(absent.host()).unwrap();
    assert!(finding.summary.ends_with("will not be started"));
}

#[test]
fn an_engine_that_runs_takes_up_its_configuration_also_where_nothing_is_to_be_started() {
    let stub = host("loaded", "enabled", "active").engine(engine("json-file"));
    let finding = placed().inspect(stub.host()).unwrap();
    assert_eq!(finding.summary, "restart docker.service");
}

#[test]
fn without_systemd_its_files_tell_whether_it_is_enabled() {
    let systemctl = "case $1 in
        is-enabled) cat $ROOT/state ;;
        enable) echo enabled >$ROOT/state ;;
        disable) echo disabled >$ROOT/state ;;
        *) echo 'Running in chroot, ignoring command' >&2 ;;
    esac";
    let stub = StubHost::new()
        .without_systemd()
        .program("systemctl", systemctl)
        .file("/state", "disabled\n")
        .file(daemon_config::PATH, RECOMMENDED)
        .program("dpkg-query", "");
    let before = stub.snapshot();
    trial::run(stub.host(), |tx| placed().apply(tx)).unwrap();
    assert!(placed().inspect(stub.host()).unwrap().satisfied);
    assert_eq!(stub.read("/state"), "enabled\n");
    assert!(
        !stub
            .calls()
            .iter()
            .any(|call| call.starts_with("systemctl show"))
    );
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.snapshot(), before);
    stub.write("/state", "masked\n");
    assert_eq!(exit_code(&placed().inspect(stub.host()).unwrap_err()), 4);
}

#[test]
fn a_file_that_the_engine_would_not_take_is_refused_though_it_is_not_started() {
    let stub = host("loaded", "enabled", "inactive")
        .program("dpkg-query", "echo docker-ce 5:29.5.3 amd64 installed ok")
        .program("dockerd", "echo unable to configure: no >&2; exit 1");
    let error = trial::run(stub.host(), |tx| placed().apply(tx)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("would not start") && text.contains("unable to configure"),
        "{text}"
    );
}

#[test]
fn an_engine_with_a_secret_is_reloaded_for_running_containers_only() {
    for (running, is_live, summary, verbs) in [
        (
            0,
            false,
            "restart docker.service",
            ["reset-failed", "restart"],
        ),
        (
            3,
            true,
            "restart docker.service",
            ["reset-failed", "restart"],
        ),
        (3, false, "reload docker.service", ["reload", ""]),
    ] {
        let mut account = engine("local");
        account["ContainersRunning"] = running.into();
        account["LiveRestoreEnabled"] = is_live.into();
        account["Debug"] = true.into();
        let stub = host("loaded", "enabled", "active").engine(account);
        let text = stub.read(daemon_config::PATH);
        let secret =
            "{\"debug\": false, \"proxies\": {\"http-proxy\": \"http://me:s3cret@192.0.2.1\"},";
        stub.write(daemon_config::PATH, text.replacen('{', secret, 1));
        let finding = inspect(&stub);
        assert_eq!(finding.summary, summary);
        let is_logged = finding.details.concat().contains("with the secret in it");
        assert_eq!(is_logged, verbs[0] == "reload", "{:?}", finding.details);
        apply(&stub).unwrap_err(); // it never says that it has what its file says
        let systemctl = changes(&stub);
        let done: Vec<&str> = systemctl
            .iter()
            .filter_map(|call| call.strip_prefix("systemctl ")?.split(' ').next())
            .collect();
        assert_eq!(
            done,
            verbs
                .into_iter()
                .filter(|it| !it.is_empty())
                .collect::<Vec<_>>()
        );
    }
}
