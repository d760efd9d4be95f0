mod restart;

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

fn inspect(stub: &StubHost) -> Inspection {
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
