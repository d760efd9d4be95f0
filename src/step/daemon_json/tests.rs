mod folders;
mod since;
mod written;

use super::*;
use crate::change::trial;
use crate::error::exit_code;
use crate::host::stub::StubHost;
use serde_json::json;

pub(crate) fn host() -> StubHost {
    StubHost::new().program("systemctl", "")
}

const SWARM_STATE: &str = "/var/lib/docker/swarm/docker-state.json";

pub(crate) fn step() -> DaemonJson {
    DaemonJson::default()
}

pub(crate) fn inspect(stub: &StubHost) -> Inspection {
    step().inspect(stub.host()).unwrap()
}

pub(crate) fn apply(stub: &StubHost) {
    trial::run(stub.host(), |tx| step().apply(tx)).unwrap();
}

#[test]
fn absent_it_is_written_with_every_key_shown() {
    let stub = host();
    let finding = inspect(&stub);
    assert_eq!(finding.summary, format!("write {PATH}"));
    let keys: Vec<&str> = finding.changes.iter().map(|it| it.key.as_str()).collect();
    let recommended = ["log-driver", "log-opts", "live-restore", "default-ulimits"];
    assert_eq!(
        keys,
        [&recommended[..], &["default-address-pools"]].concat()
    );
    assert!(finding.details[0].starts_with("log-driver: CIS 2.13"));
    assert!(
        finding
            .diff
            .unwrap()
            .contains("+  \"log-driver\": \"local\",")
    );
    apply(&stub);
    assert!(inspect(&stub).satisfied);
    assert!(stub.read(PATH).contains("\"live-restore\": true"));
    assert_eq!(stub.mode(PATH), 0o644);
}

#[test]
fn what_differs_is_the_users_and_stays() {
    let theirs = "{\n  \"live-restore\": false,\n  \"debug\": true\n}\n";
    let stub = host().file(PATH, theirs);
    stub.set_mode(PATH, 0o600);
    let before = stub.snapshot();
    let finding = inspect(&stub);
    assert_eq!(finding.summary, format!("merge into {PATH}"));
    assert!(!finding.details.concat().contains("live-restore"));
    apply(&stub);
    assert!(inspect(&stub).satisfied);
    assert!(stub.read(PATH).contains("\"live-restore\": false"));
    assert_eq!(stub.mode(PATH), 0o600);
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn there_before_us_it_satisfies() {
    let stub = host();
    apply(&stub);
    let text = stub.read(PATH);
    let stub = host().file(PATH, text);
    assert!(inspect(&stub).satisfied);
}

#[test]
fn applied_twice_it_is_written_once() {
    let stub = host();
    apply(&stub);
    let acts = trial::acts(stub.host());
    apply(&stub);
    assert_eq!(trial::acts(stub.host()), acts);
}

#[test]
fn reverted_it_goes_but_for_what_was_edited_since() {
    let stub = host();
    let before = stub.snapshot();
    apply(&stub);
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.snapshot(), before);

    apply(&stub);
    stub.write(PATH, stub.read(PATH).replace("\"local\"", "\"journald\""));
    let kept = trial::revert(stub.host()).unwrap();
    assert_eq!(kept[0], format!("write {PATH}: edited since: log-driver"));
    assert!(stub.read(PATH).contains("journald"));
    assert!(!stub.read(PATH).contains("live-restore"));
}

#[test]
fn with_a_file_that_stops_the_engine_nothing_is_done() {
    for broken in ["{", "[]", "{\"live-restore\": \"yes\"}"] {
        let stub = host().file(PATH, broken);
        let error = step().inspect(stub.host()).unwrap_err();
        assert_eq!(exit_code(&error), 4, "{broken}");
        assert!(error.to_string().contains(PATH), "{error}");
    }
}

#[test]
fn fault_33_a_link_to_nothing_is_refused() {
    let stub = host().folder("/etc/docker");
    std::os::unix::fs::symlink("/no/such/file", stub.host().path(PATH)).unwrap();
    let error = step().inspect(stub.host()).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(error.to_string().contains("a link to a file"), "{error}");
}

#[test]
fn fault_33_a_folder_in_the_place_of_the_file_is_refused() {
    let stub = host().folder(PATH);
    let error = step().inspect(stub.host()).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(error.to_string().contains("it is a folder"), "{error}");
}

pub(crate) fn wanting(settings: Value) -> DaemonJson {
    DaemonJson {
        settings: settings.as_object().cloned().unwrap_or_default().into(),
        ..step()
    }
}

#[test]
fn what_the_settings_want_stands_over_what_is_there_and_says_so() {
    let stub = host().file(PATH, "{\"mtu\": 9000}");
    let finding = wanting(json!({"mtu": 1400})).inspect(stub.host()).unwrap();
    let mtu = &finding.changes[0];
    assert_eq!(*mtu.old.as_ref().unwrap(), json!(9000));
    assert_eq!(*mtu.new.as_ref().unwrap(), json!(1400));
    assert!(mtu.why.contains("[daemon]"));
}

#[test]
fn what_the_settings_want_and_the_engine_would_refuse_is_the_settings_fault() {
    let stub = host().file(SWARM_STATE, "{}");
    let error = wanting(json!({"live-restore": true}))
        .inspect(stub.host())
        .unwrap_err();
    assert_eq!(exit_code(&error), 2);
    assert!(error.to_string().contains("[daemon]"), "{error}");
    let flagged = DaemonJson {
        unit_flags: vec!["--mtu=1500".to_owned()],
        ..wanting(json!({"mtu": 1400}))
    };
    let error = flagged.inspect(host().host()).unwrap_err();
    assert!(
        error.to_string().contains("the unit passes --mtu"),
        "{error}"
    );
}

#[test]
fn the_hardened_preset_says_what_it_leaves_to_the_user() {
    let stub = host().file(PATH, "{\"iptables\": false}");
    let hardened = DaemonJson {
        preset: Preset::Hardened,
        ..step()
    };
    let finding = hardened.inspect(stub.host()).unwrap();
    let has = |finding: &Inspection, start| finding.details.iter().any(|it| it.starts_with(start));
    assert!(has(&finding, "userland-proxy: CIS 2.16"));
    // The engine would not start with both.
    assert!(!has(&finding, "icc"), "{:?}", finding.details);
    let warnings = finding.warnings.join("\n");
    for item in ["CIS 2.2 is left out", "CIS 2.4"] {
        assert!(warnings.contains(item), "{warnings}");
    }
    let finding = hardened.inspect(host().host()).unwrap();
    assert!(has(&finding, "icc: CIS 2.2"));
    let flagged = DaemonJson {
        unit_flags: vec!["--iptables=false".to_owned()],
        ..hardened
    };
    assert!(!has(&flagged.inspect(host().host()).unwrap(), "icc"));
}

#[test]
fn without_a_preset_nothing_is_done() {
    let none = DaemonJson {
        preset: Preset::None,
        ..step()
    };
    assert!(none.inspect(host().host()).unwrap().satisfied);
}

#[test]
fn a_unit_that_reads_another_file_is_refused() {
    let elsewhere = DaemonJson {
        unit_flags: vec!["--config-file=/etc/other.json".to_owned()],
        ..step()
    };
    let error = elsewhere.inspect(host().host()).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(error.to_string().contains("/etc/other.json"), "{error}");
}

#[test]
fn what_the_unit_says_by_flag_is_not_said_again() {
    let flags = ["--log-driver=journald", "--live-restore"];
    let step = DaemonJson {
        unit_flags: flags.map(str::to_owned).to_vec(),
        ..step()
    };
    let changes = step.inspect(host().host()).unwrap().changes;
    let keys: Vec<&str> = changes.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["default-ulimits", "default-address-pools"]);
}

#[test]
fn a_member_of_a_swarm_gets_no_live_restore() {
    let stub = host().file(SWARM_STATE, "{}");
    apply(&stub);
    assert!(!stub.read(PATH).contains("live-restore"));
    assert!(inspect(&stub).satisfied);
}

#[test]
fn a_swarm_is_looked_for_where_the_unit_has_the_engines_data() {
    let stub = host().file("/srv/docker/swarm/docker-state.json", "{}");
    let moved = DaemonJson {
        unit_flags: vec!["--data-root=/srv/docker".to_owned()],
        ..step()
    };
    trial::run(stub.host(), |tx| moved.apply(tx)).unwrap();
    assert!(!stub.read(PATH).contains("live-restore"));
}

#[test]
fn a_running_engine_reads_its_configuration_again_on_the_way_back() {
    let running = "LoadState=loaded\\nUnitFileState=enabled\\nActiveState=active\\n";
    let systemctl =
        format!("case \"$*\" in *--value) echo active;; show*) printf '{running}';; esac");
    let stub = host().program("systemctl", &systemctl);
    apply(&stub);
    stub.calls();
    trial::revert(stub.host()).unwrap();
    assert!(!stub.has(PATH));
    let restart = "systemctl restart docker.service".to_owned();
    assert_eq!(stub.calls().last(), Some(&restart));
}

#[test]
fn a_second_change_that_fails_lets_the_engine_read_its_old_file_again() {
    let running = "LoadState=loaded\\nUnitFileState=enabled\\nActiveState=active\\n";
    let systemctl =
        format!("case \"$*\" in *--value) echo active;; show*) printf '{running}';; esac");
    let stub = host().program("systemctl", &systemctl);
    trial::complete(stub.host(), |tx| step().apply(tx)).unwrap();
    let first = stub.read(PATH);
    let before = Journal::read(stub.host()).unwrap().last();
    let second = wanting(json!({"mtu": 1400}));
    trial::run(stub.host(), |tx| second.apply(tx)).unwrap();
    assert!(stub.read(PATH).contains("1400"));
    stub.calls();
    trial::revert_after(stub.host(), before).unwrap();
    assert_eq!(stub.read(PATH), first);
    let restart = "systemctl restart docker.service".to_owned();
    assert_eq!(stub.calls().last(), Some(&restart));
}

#[test]
fn a_file_that_no_engine_has_taken_up_goes_with_the_next_run_when_that_fails() {
    let stub = host();
    trial::complete(stub.host(), |tx| step().apply(tx)).unwrap();
    let proven = stub.read(PATH);
    // Killed before the engine was restarted, and resumed by a run with nothing to write.
    let unproven = wanting(json!({"mtu": 1400}));
    trial::run(stub.host(), |tx| unproven.apply(tx)).unwrap();
    assert!(stub.read(PATH).contains("1400"));
    let before = Journal::read(stub.host()).unwrap().last();
    trial::revert_after(stub.host(), before).unwrap();
    assert_eq!(stub.read(PATH), proven);
    assert_eq!(
        trial::acts(stub.host()).len(),
        2,
        "the folder and the file of the first run"
    );
}

#[test]
fn a_file_that_was_there_without_a_key_comes_back_byte_by_byte() {
    for text in ["", "\n", "{ }", "{\n\t}\n\n"] {
        let stub = host().file(PATH, text);
        trial::complete(stub.host(), |tx| step().apply(tx)).unwrap();
        let second = wanting(json!({"mtu": 1400}));
        trial::complete(stub.host(), |tx| second.apply(tx)).unwrap();
        trial::revert(stub.host()).unwrap();
        assert_eq!(stub.read(PATH), text, "{text:?}");
    }
}
