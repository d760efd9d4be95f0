use std::collections::BTreeSet;
use std::io::Write;

use serde_json::json;

use super::*;
use crate::daemon_config::Preset;

const DOCUMENTATION: &str = include_str!("../../../packaging/ansible/plugins/modules/engine.py");
const ROLE: &str =
    include_str!("../../../packaging/ansible/roles/dockstrap/meta/argument_specs.yml");
const ROLE_TASK: &str = include_str!("../../../packaging/ansible/roles/dockstrap/tasks/main.yml");
const COLLECTION: &str = include_str!("../../../packaging/ansible/galaxy.yml");

fn call(mut arguments: Value) -> Call {
    let name = "_ansible_module_name";
    if arguments.get(name).is_none() {
        arguments[name] = json!("dockstrap.docker.engine");
    }
    Call::read(arguments.to_string().as_bytes()).unwrap()
}

fn install(options: Value) -> InstallArgs {
    match call(options).task().unwrap() {
        Task::Present(install) => *install,
        _ => panic!("not present"),
    }
}

#[track_caller]
fn refused(options: Value, words: &[&str]) {
    let Err(error) = call(options).task() else {
        panic!("not refused: {words:?}");
    };
    assert_eq!(crate::error::exit_code(&error), 2);
    for word in words {
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn only_a_file_of_ansible_is_a_call() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().as_os_str().to_owned();
    let words = |more: &[&str]| {
        let mut words = vec![OsString::from("AnsiballZ_engine"), path.clone()];
        words.extend(more.iter().map(OsString::from));
        words
    };
    write!(file, "{{\"state\": \"present\"}}").unwrap();
    assert!(Call::of(words(&[])).is_none());
    file.as_file().set_len(0).unwrap();
    let text = "{\"_ansible_module_name\": \"engine\"}";
    fs::write(file.path(), text).unwrap();
    assert!(Call::of(words(&[])).is_some());
    assert!(Call::of(words(&["--yes"])).is_none());
    for words in [
        &["dockstrap", "install"][..],
        &["dockstrap"],
        &["dockstrap", "/no/such"],
    ] {
        assert!(Call::of(words.iter().map(OsString::from)).is_none());
    }
}

#[test]
fn options_mean_what_the_flags_mean() {
    let InstallArgs {
        settings,
        no_verify,
        ..
    } = install(json!({
        "users": ["alice", "bob"],
        "engine_version": 29,
        "preset": "hardened",
        "proxy_for": "apt,engine",
        "lock_wait": "60",
        "replace": "yes",
        "repair": false,
        "no_start": "no",
        "first_boot": true,
        "verify": "no",
        "daemon": {"mtu": 1400},
        "registries": {"registry.example:5000": {"ca": "/etc/ssl/registry.pem"}},
        "mirror": null,
        "_ansible_verbosity": 3,
    }));
    assert!(no_verify);
    let layer = settings.layer;
    assert_eq!(layer.users.unwrap(), ["alice", "bob"]);
    assert_eq!(layer.engine_version.unwrap(), "29");
    assert_eq!(layer.preset, Some(Preset::Hardened));
    assert_eq!(layer.proxy_for.unwrap().len(), 2);
    assert_eq!(layer.lock_wait, Some(60));
    assert!(layer.replace == Some(true) && layer.repair == Some(false) && layer.mirror.is_none());
    assert!(layer.no_start == Some(false) && layer.first_boot == Some(true));
    assert_eq!(layer.daemon.exposed()["mtu"], 1400);
    assert!(layer.registries.contains_key("registry.example:5000"));
    for name in ["users", "engine-version", "daemon", "registries"] {
        assert_eq!(settings.given[name], Origin::Flag, "{name}");
    }
    assert!(!settings.given.contains_key("mirror"));
}

#[test]
fn a_dictionary_may_come_as_the_text_of_one() {
    let settings = install(json!({
        "daemon": "{\"mtu\": 1400}",
        "registries": "{\"registry.example\": {\"ca\": \"/etc/ssl/registry.pem\"}}",
    }))
    .settings;
    assert_eq!(settings.layer.daemon.exposed()["mtu"], 1400);
    assert!(settings.layer.registries.contains_key("registry.example"));
    assert_eq!(settings.given["daemon"], Origin::Flag);
    for text in ["[1]", "{\"mtu\": 1", "\"mtu\""] {
        refused(json!({ "daemon": text }), &["option daemon", "dictionary"]);
    }
}

#[test]
fn nobody_is_not_the_same_as_not_said() {
    let none = install(json!({"users": []})).settings;
    assert_eq!(none.layer.users, Some(Vec::new()));
    assert_eq!(none.given["users"], Origin::Flag);
    assert_eq!(install(json!({})).settings.layer.users, None);
}

#[test]
fn what_is_restored_is_a_list_or_all_and_no_setting() {
    let restored = |value: Value| {
        let install = install(json!({ "restore": value }));
        assert!(install.settings.given.is_empty());
        install.restore.restore
    };
    let names = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
    assert_eq!(
        restored(json!(["mtu", "user:alice"])),
        names(&["mtu", "user:alice"])
    );
    assert_eq!(restored(json!("mtu,debug")), names(&["mtu", "debug"]));
    assert_eq!(restored(json!(true)), names(&[]));
    assert_eq!(restored(json!("yes")), names(&[]));
    assert_eq!(restored(json!(false)), None);
    assert_eq!(restored(json!([])), None);
}

#[test]
fn one_task_can_have_either_state() {
    let task = call(json!({
        "state": "absent", "users": ["alice"], "daemon": {}, "purge_data": true, "lock_wait": 5,
    }));
    let Task::Absent(uninstall) = task.task().unwrap() else {
        panic!("not absent");
    };
    assert!(uninstall.purge_data && !uninstall.restore_packages);
    assert_eq!(uninstall.lock_wait, 5);
    install(json!({"purge_data": true}));
}

#[test]
fn facts_take_no_options() {
    let name = json!("dockstrap.docker.engine_facts");
    let facts = call(json!({"_ansible_module_name": name}));
    assert!(matches!(facts.task().unwrap(), Task::Facts));
    refused(
        json!({"_ansible_module_name": name, "state": "present"}),
        &["no option state"],
    );
}

#[test]
fn what_cannot_be_meant_is_refused_by_its_name() {
    refused(json!({"user": "alice"}), &["user", "users"]);
    refused(json!({"yes": true}), &["no option yes"]);
    refused(json!({"state": "latest"}), &["state", "latest", "absent"]);
    refused(
        json!({"engine_version": 29.5}),
        &["engine_version", "quotes"],
    );
    refused(json!({"lock_wait": "soon"}), &["option lock_wait", "soon"]);
    refused(
        json!({"preset": "safe"}),
        &["option preset", "safe", "hardened"],
    );
    refused(json!({"replace": "perhaps"}), &["option replace"]);
    refused(json!({"daemon": "mtu"}), &["option daemon"]);
    refused(
        json!({"registries": {"a": {}}}),
        &["option registries", "ca"],
    );
    refused(json!({"users": [["alice"]]}), &["option users"]);
}

#[test]
fn check_and_diff_are_for_the_controller_to_say() {
    let asked = call(json!({"_ansible_check_mode": true, "_ansible_diff": true}));
    assert!(asked.is_check && asked.wants_diff);
    let not = call(json!({"_ansible_check_mode": false}));
    assert!(!not.is_check && !not.wants_diff);
}

/// The keys that stand `indent` deep below the first line that is `head`.
fn keys_below(text: &str, head: &str, indent: usize) -> BTreeSet<String> {
    let after = text.lines().skip_while(|line| *line != head).skip(1);
    let deep = |line: &str| line.len() - line.trim_start().len();
    let block = after.take_while(|line| line.is_empty() || deep(line) >= indent);
    let keys = block.filter(|line| deep(line) == indent);
    keys.filter_map(|line| line.trim().split_once(':'))
        .map(|(key, _)| key.to_owned())
        .collect()
}

#[test]
fn every_option_is_documented_and_is_one_of_the_role() {
    let known: BTreeSet<String> = options().into_iter().collect();
    assert_eq!(keys_below(DOCUMENTATION, "options:", 2), known);
    assert_eq!(
        keys_below(ROLE_TASK, "  dockstrap.docker.engine:", 4),
        known
    );
    let of_role: BTreeSet<String> = known
        .iter()
        .map(|name| format!("dockstrap_{name}"))
        .collect();
    assert_eq!(keys_below(ROLE, "    options:", 6), of_role);
}

#[test]
fn the_collection_has_the_version_of_the_program() {
    let line = format!("version: {}", env!("CARGO_PKG_VERSION"));
    assert!(COLLECTION.lines().any(|it| it == line), "no {line}");
}
