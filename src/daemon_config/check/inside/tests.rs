use crate::daemon_config::check::tests::findings;

fn sound(text: &str) {
    assert_eq!(findings(text), "", "{text}");
}

fn wrong(text: &str, message: &str) {
    let found = findings(text);
    assert!(found.contains(message), "{text}: {found}");
}

#[test]
fn the_builders_entries_are_known_in_any_case() {
    sound(
        r#"{"builder": {"gc": {"enabled": true, "defaultKeepStorage": "20GB", "policy": [
            {"keepStorage": "10%", "filter": ["unused-for=2200h"], "all": true},
            {"reservedSpace": "1GB", "filter": {"unused-for": {"24h": true}}}]},
            "Entitlements": {"network-host": true}, "history": {"maxAge": "48h"}}}"#,
    );
    wrong(
        r#"{"builder": {"gcc": {}}}"#,
        "builder.gcc: dockerd knows no such entry",
    );
    wrong(
        r#"{"builder": {"gc": {"enabled": "yes"}}}"#,
        "enabled: must be true or false",
    );
    wrong(
        r#"{"builder": {"gc": {"policy": {}}}}"#,
        "policy: must be a list of objects",
    );
    wrong(
        r#"{"builder": {"gc": {"policy": [{"keepStorage": "10q"}]}}}"#,
        "builder.gc.policy.0.keepStorage: \"10q\" is no size",
    );
}

#[test]
fn an_unknown_entry_of_nri_stops_the_engine_and_one_of_the_builder_does_not() {
    sound(r#"{"nri-opts": {"enable": true, "socket-path": "/run/nri.sock"}}"#);
    assert!(findings(r#"{"nri-opts": {"enabled": true}}"#).starts_with("error"));
    wrong(r#"{"nri-opts": {"enabled": true}}"#, "write enable");
    assert!(findings(r#"{"builder": {"colour": 1}}"#).starts_with("warning"));
}

#[test]
fn a_runtime_has_a_path_or_a_type() {
    sound(r#"{"runtimes": {"a": {"path": "a", "runtimeArgs": ["-x"]}}}"#);
    sound(r#"{"runtimes": {"a": {"runtimeType": "io.containerd.runsc.v1", "options": {}}}}"#);
    wrong(
        r#"{"runtimes": {"a": {}}}"#,
        "must hold a path or a runtimeType",
    );
    wrong(
        r#"{"runtimes": {"a": {"path": "a", "runtimeType": "b"}}}"#,
        "not both",
    );
    wrong(
        r#"{"runtimes": {"runc": {"path": "a"}}}"#,
        "dockerd's own runtime",
    );
    wrong(
        r#"{"runtimes": {"a": {"path": "a", "args": ["x"]}}}"#,
        "runtimes.a.args",
    );
    sound(r#"{"runtimes": {"nvidia": {"args": [], "path": "nvidia-container-runtime"}}}"#);
    wrong(
        r#"{"runtimes": {"a": {"path": "a", "options": {"x": 1}}}}"#,
        "write runtimeArgs",
    );
    wrong(
        r#"{"runtimes": {"a": {"runtimeType": "a.b", "runtimeArgs": ["-x"]}}}"#,
        "write options",
    );
    sound(r#"{"runtimes": {"a": {"path": "a", "options": {}, "runtimeArgs": []}}}"#);
}

#[test]
fn a_limit_has_a_name_that_linux_knows_and_bounds_in_order() {
    let limit = |text: &str| format!(r#"{{"default-ulimits": {{"nofile": {text}}}}}"#);
    sound(&limit(r#"{"Name": "nofile", "Hard": 64, "Soft": 32}"#));
    sound(&limit(r#"{"Name": "nofile", "Hard": -1, "Soft": -1}"#));
    wrong(
        &limit(r#"{"Hard": 64, "Soft": 32}"#),
        "write \"Name\": \"nofile\"",
    );
    wrong(
        &limit(r#"{"Name": "nofiles", "Hard": 1, "Soft": 1}"#),
        "write nofile",
    );
    wrong(
        &limit(r#"{"Name": "nofile", "Hard": 1, "Soft": 2}"#),
        "above Hard",
    );
    wrong(
        &limit(r#"{"Name": "nofile", "Hard": "1", "Soft": 1}"#),
        "write 1",
    );
    wrong(
        &limit(r#"{"Name": "nofile", "Soft": 1024}"#),
        "must hold a Hard, or no container would start",
    );
    sound(&limit(r#"{"Name": "NoFile", "Hard": 64, "Soft": 32}"#));
    sound(&limit(r#"{"Name": "as", "Hard": -1, "Soft": -1}"#));
}

#[test]
fn a_name_server_has_a_name_and_proxies_are_not_null() {
    wrong(r#"{"dns": ["1.1.1.1", ""]}"#, "dns.1: names no server");
    for empty in [
        r#"{"runtimes": {"a": null}}"#,
        r#"{"default-ulimits": {"nofile": null}}"#,
        r#"{"default-address-pools": [null]}"#,
        r#"{"dns": [null]}"#,
    ] {
        assert!(findings(empty).contains("error"), "{empty}");
    }
    let null = findings(r#"{"proxies": null}"#);
    assert!(
        null.starts_with("error") && !null.contains("warning"),
        "{null}"
    );
}

#[test]
fn the_one_option_of_exec_is_the_driver_of_cgroups() {
    sound(r#"{"exec-opts": ["native.cgroupdriver=systemd"]}"#);
    wrong(
        r#"{"exec-opts": ["native.cgroupdriver=system"]}"#,
        "is not taken",
    );
    wrong(r#"{"exec-opts": ["isolation=process"]}"#, "exec-opts.0");
}

#[test]
fn names_inside_are_read_in_any_case() {
    sound(r#"{"runtimes": {"a": {"Path": "a"}}}"#);
    sound(r#"{"default-ulimits": {"nofile": {"name": "nofile", "hard": 64, "soft": 32}}}"#);
    wrong(
        r#"{"default-ulimits": {"nofile": {"name": "nofile", "HARD": 1, "soft": 2}}}"#,
        "above Hard",
    );
    wrong(
        r#"{"builder": {"GC": {"Policy": [{"KeepStorage": "10q"}]}}}"#,
        "\"10q\" is no size",
    );
}

#[test]
fn a_pool_has_a_base_and_a_size_that_fits_in_it() {
    sound(r#"{"default-address-pools": [{"base": "10.0.0.0/8", "size": 24}]}"#);
    sound(r#"{"default-address-pools": [{"Base": "10.0.0.0/8", "SIZE": 24}]}"#);
    let pool = |pool: &str| format!("{{\"default-address-pools\": [{pool}]}}");
    wrong(
        &pool(r#"{"base": "10.0.0.0/8"}"#),
        "pools.0: must hold a network and a number",
    );
    wrong(
        &pool(r#"{"base": "10.0.0.0", "size": 24}"#),
        "0.base: \"10.0.0.0\" is no network",
    );
    wrong(
        &pool(r#"{"base": "10.0.0.0/16", "size": 8}"#),
        "0.size: is the length of each",
    );
    // dockerd passes over it.
    let strange = findings(&pool(r#"{"base": "10.0.0.0/8", "size": 24, "sise": 1}"#));
    assert!(strange.starts_with("warning"), "{strange}");
    assert!(
        strange.contains("0.sise: dockerd knows no such entry here; write size"),
        "{strange}"
    );
}
