use super::*;
use crate::daemon_config::check::host_facts::HostFacts;
use crate::daemon_config::samples::any_object;
use crate::daemon_config::schema::keys;
use proptest::prelude::proptest;
use proptest::sample::select;
use serde_json::json;

/// The findings of a text, one a line, with no unit in sight.
pub(crate) fn findings(text: &str) -> String {
    findings_under(text, &[])
}

/// The same under a unit that passes these flags.
pub(crate) fn findings_under(text: &str, flags: &[&str]) -> String {
    let unit_flags: Vec<String> = flags.iter().map(|flag| flag.to_string()).collect();
    let context = Context {
        unit_flags: &unit_flags,
        ..Context::default()
    };
    findings_of(text, &context)
}

/// The same on a host like this.
pub(crate) fn findings_in(text: &str, host: &HostFacts) -> String {
    let context = Context {
        host: Some(host),
        ..Context::default()
    };
    findings_of(text, &context)
}

/// The same against this.
pub(crate) fn findings_of(text: &str, context: &Context<'_>) -> String {
    let document = Document::parse(text.as_bytes()).unwrap();
    let findings = check(&document, context);
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    lines.join("\n")
}

#[test]
fn a_sound_file_has_no_problems() {
    let text = r#"{"debug": true, "mtu": 1400, "dns": ["1.1.1.1"], "features": {"a": true},
        "ip": "0.0.0.0", "default-shm-size": "64m", "hosts": ["fd://"], "builder": {}}"#;
    assert_eq!(findings(text), "");
}

#[test]
fn an_empty_file_is_said_to_be_empty() {
    assert_eq!(
        findings("\n"),
        "warning: line 1, column 1: the file is empty; dockerd takes it for {}: write that"
    );
}

#[test]
fn an_unknown_key_comes_with_the_one_probably_meant() {
    let text = "{\n  \"lables\": [],\n  \"Debug\": true,\n  \"colour\": 1\n}";
    assert_eq!(
        findings(text),
        "error: line 2, column 3: lables: dockerd knows no such key; write labels\n\
         error: line 3, column 3: Debug: dockerd knows no such key; write debug\n\
         error: line 4, column 3: colour: dockerd knows no such key; remove it"
    );
}

#[test]
fn keys_that_are_gone_rejected_or_ignored_say_so() {
    assert!(
        findings(r#"{"graph": "/x"}"#)
            .contains("no longer knows this key, since engine 23.0; write data-root")
    );
    assert!(findings(r#"{"default-init": true}"#).contains("refuses this key; write init"));
    assert!(findings(r#"{"deprecated-key-path": ""}"#).starts_with("warning"));
    for (key, cure) in [
        ("swarm-raft-election-tick", "a fixed value"),
        (
            "containerd-plugin-namespace",
            "--containerd-plugins-namespace",
        ),
        ("cluster-store-opts", "since engine 23.0; remove it"),
        ("disable-legacy-registry", "since engine 19.03; remove it"),
    ] {
        let found = findings(&format!("{{\"{key}\": null}}"));
        assert!(
            found.starts_with("error") && found.contains(cure),
            "{found}"
        );
    }
}

#[test]
fn the_engine_decides_which_keys_are_known() {
    let document = Document::parse(br#"{"bip6": "fd00::1/64", "api-cors-header": "*"}"#);
    let context = Context {
        engine: EngineRelease::of("27.5.1"),
        ..Context::default()
    };
    let found = check(&document.unwrap(), &context);
    assert_eq!(found[0].message, "needs engine 28.0; remove it for 27.5");
    assert_eq!(found[1].severity, Severity::Warning);
}

#[test]
fn a_key_had_an_effect_before_it_lost_it() {
    let text = r#"{"allow-nondistributable-artifacts": ["registry.example"]}"#;
    let under = |engine| {
        let engine = Some(engine);
        findings_of(
            text,
            &Context {
                engine,
                ..Context::default()
            },
        )
    };
    assert_eq!(under(EngineRelease(26, 1)), "");
    assert!(under(EngineRelease(28, 0)).contains("has no effect"));
}

#[test]
fn a_byte_order_mark_is_taken_by_engines_that_know_it() {
    let document = Document::parse(b"\xEF\xBB\xBF{\"debug\": true}").unwrap();
    let severity = |engine| {
        let context = Context {
            engine: Some(engine),
            ..Context::default()
        };
        check(&document, &context)[0].severity
    };
    assert_eq!(severity(EngineRelease(26, 1)), Severity::Warning);
    assert_eq!(severity(EngineRelease(20, 10)), Severity::Error);
}

#[test]
fn while_no_engine_is_chosen_only_what_stops_every_one_is_an_error() {
    let text = br#"{"api-cors-header": "*", "graph": "/x", "mtu": "1400"}"#;
    let document = Document::parse(text).unwrap();
    let severity = |engine| {
        let context = Context {
            engine,
            ..Context::default()
        };
        let findings = check_for_any(&document, &context);
        findings.iter().map(|it| it.severity).collect::<Vec<_>>()
    };
    let (error, warning) = (Severity::Error, Severity::Warning);
    assert_eq!(severity(None), [warning, error, error]);
    assert_eq!(severity(Some(EngineRelease(29, 0))), [error; 3]);
    assert_eq!(
        severity(Some(EngineRelease(26, 1))),
        [warning, error, error]
    );
}

#[test]
fn no_problem_quotes_a_secret() {
    for text in [
        r#"{"log-driver": "splunk", "log-opts": {"splunk-token": 73313}}"#,
        r#"{"log-driver": "splunk", "log-opts": {"splunk-token": ["73313"]}}"#,
        r#"{"log-driver": "local", "log-opts": {"splunk-token": "73313"}}"#,
        r#"{"proxies": {"http-proxy": "ftp://me:73313@x y"}, "proxy": "me:73313@x"}"#,
        r#"{"log-driver": "syslog", "log-opts": {"syslog-address": "x://me:73313@y"}}"#,
        r#"{"labels": "password=73313"}"#,
        r#"{"hosts": ["tcp://me:73313@x/y"]}"#,
    ] {
        let found = findings(text);
        assert!(
            !found.is_empty() && !found.contains("73313"),
            "{text}: {found}"
        );
    }
    let flag = "--log-opt=splunk-token=73313";
    let found = findings_under(r#"{"log-opts": {"splunk-token": "9"}}"#, &[flag]);
    assert!(
        found.contains("the unit passes --log-opt=splunk-token=***"),
        "{found}"
    );
    let apart = ["--log-opt", "splunk-token=73313"];
    assert!(!findings_under(r#"{"log-opts": {"splunk-token": "9"}}"#, &apart).contains("73313"));
}

proptest! {
    #[test]
    fn no_value_of_any_key_makes_a_check_panic(
        key in select(keys().collect::<Vec<_>>()),
        values in any_object(),
        text in "[0-9kmg.:/a-f-]{0,8}",
    ) {
        let text = Value::from(text);
        let pool = json!({"base": text, "size": text});
        let own = [&text, &json!([text]), &json!([pool]), &json!({"max-size": text})];
        for value in values.values().chain(own) {
            let mut document = Document::new();
            document.set(key.name, value);
            check(&document, &Context::default());
        }
    }
}
