use super::named_files;
use crate::daemon_config::check::tests::{findings, findings_of};
use crate::daemon_config::{Context, Document, EngineRelease};

/// The findings of log options under a driver.
fn found(driver: &str, opts: &str) -> String {
    findings(&format!(
        "{{\"log-driver\": \"{driver}\", \"log-opts\": {opts}}}"
    ))
}

/// The same under an engine.
fn under(engine: EngineRelease, driver: &str, opts: &str) -> String {
    let text = format!("{{\"log-driver\": \"{driver}\", \"log-opts\": {opts}}}");
    let context = Context {
        engine: Some(engine),
        ..Context::default()
    };
    findings_of(&text, &context)
}

#[test]
fn a_misspelt_driver_is_an_error_and_a_plugin_a_warning() {
    let misspelt = found("jornald", "{}");
    assert!(misspelt.starts_with("error"), "{misspelt}");
    assert!(
        misspelt.ends_with("no container would start; write \"journald\""),
        "{misspelt}"
    );
    for plugin in ["loki", "grafana/loki-docker-driver:3.3.2"] {
        let alone = found(plugin, "{}");
        assert!(
            alone.starts_with("warning") && alone.contains("containers start only"),
            "{alone}"
        );
        assert!(found(plugin, r#"{"loki-url": "x"}"#).contains("dockerd starts only"));
    }
    assert_eq!(found("syslog", r#"{"syslog-facility": "daemon"}"#), "");
}

#[test]
fn options_are_those_of_the_driver_in_force() {
    assert_eq!(
        found("json-file", r#"{"tag": "x", "cache-max-file": "5"}"#),
        ""
    );
    assert_eq!(
        findings(r#"{"log-opts": {"max-size": "10m", "max-file": "3"}}"#),
        ""
    );
    let unknown = found("json-file", r#"{"max-files": "3"}"#);
    assert!(unknown.contains("the driver json-file takes no such option, and dockerd"));
    assert!(unknown.ends_with("write max-file"), "{unknown}");
}

#[test]
fn a_misspelt_option_of_any_driver_is_an_error_and_a_strange_one_a_warning() {
    let misspelt = found("syslog", r#"{"syslog-adress": "udp://10.0.0.1"}"#);
    assert!(misspelt.starts_with("error"), "{misspelt}");
    assert!(misspelt.ends_with("write syslog-address"), "{misspelt}");
    let others = found("journald", r#"{"max-size": "5m"}"#);
    assert!(
        others.starts_with("error") && others.ends_with("remove it"),
        "{others}"
    );
    let strange = found("splunk", r#"{"colour": "red"}"#);
    assert!(strange.starts_with("warning"), "{strange}");
    let known_engine = under(EngineRelease(28, 5), "splunk", r#"{"colour": "red"}"#);
    assert!(known_engine.contains("error: "), "{known_engine}");
    assert!(known_engine.contains("log-opts.colour: the driver splunk takes no such option"));
    assert_eq!(found("journald", r#"{"tag": "x", "mode": "blocking"}"#), "");
    assert_eq!(found("none", r#"{"whatever": "x"}"#), "");
}

#[test]
fn an_option_is_taken_by_the_engines_that_know_it() {
    for (driver, opts, engine, takes) in [
        ("local", r#"{"tag": "x"}"#, EngineRelease(28, 5), false),
        ("local", r#"{"labels": "a"}"#, EngineRelease(29, 4), false),
        ("local", r#"{"env": "A"}"#, EngineRelease(29, 5), true),
        ("json-file", r#"{"tag": "x"}"#, EngineRelease(26, 1), true),
        (
            "fluentd",
            r#"{"fluentd-async-connect": "true"}"#,
            EngineRelease(26, 1),
            true,
        ),
        (
            "fluentd",
            r#"{"fluentd-async-connect": "true"}"#,
            EngineRelease(28, 0),
            false,
        ),
    ] {
        let found = under(engine, driver, opts);
        assert_eq!(found.is_empty(), takes, "{driver} {opts}: {found}");
        assert!(takes || found.starts_with("error"), "{found}");
    }
    let both = r#"{"fluentd-async": "true", "fluentd-async-connect": "true"}"#;
    assert!(
        under(EngineRelease(26, 1), "fluentd", both).contains("says the same as fluentd-async")
    );
}

#[test]
fn a_tag_is_a_template_that_the_engine_can_read() {
    assert_eq!(found("json-file", r#"{"tag": "{{.Name}}"}"#), "");
    let wrong = found("json-file", r#"{"tag": "{{.Name}"}"#);
    assert!(wrong.starts_with("error"), "{wrong}");
    assert!(
        wrong.ends_with("has {{ without }}: no container would start"),
        "{wrong}"
    );
}

#[test]
fn sizes_and_counts_are_strings_with_numbers() {
    assert!(found("local", r#"{"max-size": "20q"}"#).contains("is no size"));
    assert!(found("local", r#"{"max-size": "0"}"#).contains("is nothing"));
    assert!(found("local", r#"{"max-file": "0"}"#).contains("is no such number"));
    assert!(found("local", r#"{"max-file": 5}"#).contains(r#"write "5""#));
}

#[test]
fn compression_needs_rotation() {
    let message = "no container would start";
    assert!(found("json-file", r#"{"compress": "true"}"#).contains(message));
    assert!(found("local", r#"{"max-file": "1"}"#).contains(message));
    let rotated = r#"{"compress": "true", "max-file": "2", "max-size": "1m"}"#;
    assert_eq!(found("json-file", rotated), "");
    assert_eq!(
        found("local", r#"{"max-file": "1", "compress": "false"}"#),
        ""
    );
    assert_eq!(found("local", "{}"), "");
    assert!(found("local", r#"{"compress": "yes"}"#).contains("is neither"));
}

#[test]
fn a_buffer_size_needs_the_mode_that_buffers() {
    let buffered = r#"{"mode": "non-blocking", "max-buffer-size": "4m"}"#;
    assert_eq!(found("syslog", buffered), "");
    assert!(found("syslog", r#"{"max-buffer-size": "4m"}"#).contains("non-blocking"));
    assert!(found("syslog", r#"{"mode": "async"}"#).contains("is not taken"));
}

/// Each was shown to dockerd 26.1 and 28.5.
#[test]
fn addresses_of_remote_logs_have_a_scheme_that_the_driver_speaks() {
    for (driver, option, right, wrong) in [
        (
            "syslog",
            "syslog-address",
            &[
                "udp://10.0.0.1",
                "tcp+tls://10.0.0.1:6514",
                "udp://",
                "unix:///run/log",
            ][..],
            &["10.0.0.1:514", "tls://10.0.0.1", "syslog.lab", "unix://"][..],
        ),
        (
            "gelf",
            "gelf-address",
            &[
                "udp://10.0.0.1:12201/path",
                "UDP://10.0.0.1:12201",
                "udp://:12201",
            ],
            &[
                "10.0.0.1:12201",
                "udp://10.0.0.1",
                "http://10.0.0.1:12201",
                "udp://a:abc",
            ],
        ),
        (
            "fluentd",
            "fluentd-address",
            &[
                "10.0.0.1",
                "10.0.0.1:24224",
                "tls://10.0.0.1",
                "unix:///run/fluentd",
            ],
            &[
                "udp://10.0.0.1",
                "tcp://10.0.0.1:24224/x",
                "unix://",
                "tls://a:99999",
            ],
        ),
    ] {
        let opts = |address: &str| format!(r#"{{"{option}": "{address}"}}"#);
        for right in right {
            assert_eq!(found(driver, &opts(right)), "", "{right}");
        }
        for wrong in wrong {
            let finding = found(driver, &opts(wrong));
            assert!(finding.starts_with("error"), "{wrong}: {finding}");
        }
    }
    let splunk = |url: &str| {
        found(
            "splunk",
            &format!(r#"{{"splunk-url": "{url}", "splunk-token": "x"}}"#),
        )
    };
    assert_eq!(splunk("https://splunk.lab:8088/"), "");
    for wrong in [
        "ftp://splunk.lab:1",
        "https://splunk.lab/x",
        "splunk.lab:8088",
    ] {
        assert!(splunk(wrong).starts_with("error"), "{wrong}");
    }
}

#[test]
fn values_of_remote_options_have_their_form() {
    for (driver, opts, message) in [
        (
            "syslog",
            r#"{"syslog-facility": "local9"}"#,
            "is no facility",
        ),
        (
            "syslog",
            r#"{"syslog-format": "rfc5425"}"#,
            "write one of rfc3164",
        ),
        (
            "fluentd",
            r#"{"fluentd-retry-wait": "5"}"#,
            "is no span of time",
        ),
        ("fluentd", r#"{"fluentd-async": "yes"}"#, "is neither"),
        (
            "gelf",
            r#"{"gelf-address": "tcp://a:1", "gelf-compression-type": "gzip"}"#,
            "with udp:// only",
        ),
        (
            "gelf",
            r#"{"gelf-address": "udp://a:1", "gelf-tcp-max-reconnect": "3"}"#,
            "with tcp:// only",
        ),
        (
            "awslogs",
            r#"{"awslogs-group": "g", "awslogs-create-group": "yes"}"#,
            "is neither",
        ),
    ] {
        let finding = found(driver, opts);
        assert!(
            finding.starts_with("error") && finding.contains(message),
            "{finding}"
        );
    }
    assert_eq!(found("syslog", r#"{"syslog-facility": "23"}"#), "");
    assert_eq!(found("fluentd", r#"{"fluentd-retry-wait": "1m30s"}"#), "");
}

#[test]
fn what_a_driver_cannot_be_without_is_asked_for() {
    let alone = |driver| findings(&format!(r#"{{"log-driver": "{driver}"}}"#));
    for driver in ["gelf", "splunk", "awslogs"] {
        assert!(alone(driver).starts_with("warning"), "{driver}");
    }
    assert_eq!(alone("syslog"), "");
    // With other options of the driver's, dockerd itself looks for it.
    for (driver, stops) in [("gelf", true), ("awslogs", true), ("splunk", false)] {
        let finding = found(driver, r#"{"tag": "x"}"#);
        assert_eq!(finding.starts_with("error"), stops, "{finding}");
    }
}

#[test]
fn sockets_and_files_of_the_driver_in_force_are_named() {
    let files = |text: &str| {
        let document = Document::parse(text.as_bytes()).unwrap();
        let files = named_files(&document).into_iter();
        files.map(|(_, file)| file.to_owned()).collect::<Vec<_>>()
    };
    let syslog = |address: &str| {
        format!(
            r#"{{"log-driver": "syslog", "log-opts": {{"syslog-address": "{address}",
            "syslog-tls-ca-cert": "/ca.pem"}}}}"#
        )
    };
    assert_eq!(files(&syslog("unix:///run/log")), ["/run/log"]);
    assert_eq!(files(&syslog("tcp+tls://a:1")), ["/ca.pem"]);
    assert!(files(&syslog("udp://a")).is_empty());
    let other = r#"{"log-opts": {"splunk-capath": "/ca.pem"}}"#;
    assert!(files(other).is_empty());
}
