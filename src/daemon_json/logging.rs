//! The keys `log-driver` and `log-opts`, as the daemon and each container's start read them.
//!
//! Owns the drivers and their options. It must not know any other key.

use serde_json::{Map, Value};

use super::check::Findings;
use super::document::Document;
use super::meant::nearest;
use super::syntax;
use super::types::children;
use super::values::{check_names, check_size};

/// dockerd's driver when the file names none.
const DEFAULT_DRIVER: &str = "json-file";

/// The drivers that are part of dockerd on Linux.
#[rustfmt::skip]
const DRIVERS: &[&str] = &[
    "awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "none", "splunk",
    "syslog",
];

/// The options every driver takes; the cache is what `docker logs` reads of remote ones.
#[rustfmt::skip]
const COMMON_OPTS: &[&str] = &[
    "cache-compress", "cache-disabled", "cache-max-file", "cache-max-size", "max-buffer-size",
    "mode",
];
/// The options of files that are rotated: those of `local` and `json-file`.
const FILE_OPTS: &[&str] = &["compress", "max-file", "max-size"];
/// What a line is labelled with; `local` takes these since engine 29.
const ATTRIBUTE_OPTS: &[&str] = &["env", "env-regex", "labels", "labels-regex", "tag"];

/// The options of the drivers that send logs elsewhere, beside [`COMMON_OPTS`].
#[rustfmt::skip]
const REMOTE_OPTS: &[(&str, &[&str])] = &[
    ("awslogs", &[
        "awslogs-create-group", "awslogs-create-stream", "awslogs-credentials-endpoint",
        "awslogs-datetime-format", "awslogs-endpoint", "awslogs-force-flush-interval-seconds",
        "awslogs-format", "awslogs-group", "awslogs-max-buffered-events",
        "awslogs-multiline-pattern", "awslogs-region", "awslogs-stream", "tag",
    ]),
    ("fluentd", &[
        "env", "env-regex", "fluentd-address", "fluentd-async", "fluentd-async-connect",
        "fluentd-async-reconnect-interval", "fluentd-buffer-limit", "fluentd-max-retries",
        "fluentd-read-timeout", "fluentd-request-ack", "fluentd-retry-wait",
        "fluentd-sub-second-precision", "fluentd-write-timeout", "labels", "labels-regex", "tag",
    ]),
    ("gcplogs", &[
        "env", "env-regex", "gcp-log-cmd", "gcp-meta-id", "gcp-meta-name", "gcp-meta-zone",
        "gcp-project", "labels", "labels-regex",
    ]),
    ("gelf", &[
        "env", "env-regex", "gelf-address", "gelf-compression-level", "gelf-compression-type",
        "gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay", "labels", "labels-regex", "tag",
    ]),
    ("journald", &["env", "env-regex", "labels", "labels-regex", "tag"]),
    ("splunk", &[
        "env", "env-regex", "labels", "labels-regex", "splunk-caname", "splunk-capath",
        "splunk-format", "splunk-gzip", "splunk-gzip-level", "splunk-index",
        "splunk-index-acknowledgment", "splunk-insecureskipverify", "splunk-source",
        "splunk-sourcetype", "splunk-token", "splunk-url", "splunk-verify-connection", "tag",
    ]),
    ("syslog", &[
        "env", "env-regex", "labels", "labels-regex", "syslog-address", "syslog-facility",
        "syslog-format", "syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key",
        "syslog-tls-skip-verify", "tag",
    ]),
];

/// The driver in force under the keys of a configuration.
pub(super) fn driver(root: &Map<String, Value>) -> &str {
    let named = root.get("log-driver").and_then(Value::as_str);
    named
        .filter(|driver| !driver.is_empty())
        .unwrap_or(DEFAULT_DRIVER)
}

pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    let driver = driver(document.root());
    check_driver(findings, driver);
    let Some(opts) = document.get("log-opts") else {
        return;
    };
    check_mode(findings, opts);
    if matches!(driver, "local" | "json-file") {
        let known = [FILE_OPTS, ATTRIBUTE_OPTS, COMMON_OPTS].concat();
        check_names(findings, &["log-opts"], opts, &known);
        check_max_size(findings, &opts["max-size"]);
        check_max_file(findings, &opts["max-file"]);
        check_compress(findings, driver, opts);
    }
    if driver == "local" {
        warn_of_attributes(findings, opts);
    }
    if let Some((_, known)) = REMOTE_OPTS.iter().find(|(remote, _)| *remote == driver) {
        check_remote(findings, driver, known, opts);
    }
}

/// With an option of another driver, dockerd does not start. These lists grow with the engine, so
/// that one which is like none of them may be right.
fn check_remote(findings: &mut Findings<'_>, driver: &str, known: &[&str], opts: &Value) {
    let known = [known, COMMON_OPTS].concat();
    let others = REMOTE_OPTS.iter().flat_map(|(_, opts)| *opts);
    let others: Vec<&str> = others.chain(FILE_OPTS).copied().collect();
    for (name, _) in children(opts) {
        if known.contains(&name.as_str()) {
            continue;
        }
        let path = ["log-opts", name.as_str()];
        let takes = format!("the driver {driver} takes no such option");
        match nearest(&name, known.iter().copied()) {
            _ if others.contains(&name.as_str()) => {
                findings.error(&path, format!("{takes}, though others do; remove it"));
            }
            Some(meant) => findings.error(&path, format!("{takes}; write {meant}")),
            None => findings.warn(&path, format!("{takes}, as far as is known here")),
        }
    }
}

fn check_driver(findings: &mut Findings<'_>, driver: &str) {
    if DRIVERS.contains(&driver) {
        return;
    }
    let path = ["log-driver"];
    let is_reference = driver.contains([':', '/']);
    match nearest(driver, DRIVERS.iter().copied()).filter(|_| !is_reference) {
        Some(meant) => findings.error(&path, format!("{driver:?} is no driver; write {meant:?}")),
        // A plugin may be installed under any alias, such as "loki".
        None => findings.warn(
            &path,
            format!(
                "{driver:?} is not built in: dockerd starts only where a plugin of that name is \
                 enabled; look with docker plugin ls"
            ),
        ),
    }
}

fn check_mode(findings: &mut Findings<'_>, opts: &Value) {
    let mode = opts["mode"].as_str().unwrap_or("blocking");
    if !matches!(mode, "" | "blocking" | "non-blocking") {
        let message = format!("{mode:?} is no mode; write \"blocking\" or \"non-blocking\"");
        return findings.error(&["log-opts", "mode"], message);
    }
    let path = ["log-opts", "max-buffer-size"];
    check_size(findings, &path, &opts["max-buffer-size"]);
    if opts["max-buffer-size"].is_string() && mode != "non-blocking" {
        findings.error(
            &path,
            "works in one mode only; write mode \"non-blocking\" too",
        );
    }
}

fn warn_of_attributes(findings: &mut Findings<'_>, opts: &Value) {
    for name in ATTRIBUTE_OPTS
        .iter()
        .filter(|name| opts[**name].is_string())
    {
        findings.warn(
            &["log-opts", name],
            "the local driver takes this since engine 29; remove it for an earlier one",
        );
    }
}

fn check_max_size(findings: &mut Findings<'_>, value: &Value) {
    let path = ["log-opts", "max-size"];
    check_size(findings, &path, value);
    let size = value.as_str().and_then(syntax::size);
    if size.is_some_and(|bytes| bytes < 1.0) {
        findings.error(&path, format!("{value} is nothing; write more than 0"));
    }
}

fn check_max_file(findings: &mut Findings<'_>, value: &Value) {
    let Some(text) = value.as_str() else { return };
    if !text.parse::<i32>().is_ok_and(|files| files >= 1) {
        let message = format!("{text:?} is no number of files; write \"1\" or more");
        findings.error(&["log-opts", "max-file"], message);
    }
}

/// Only rotated files are compressed; without rotation, no container starts.
fn check_compress(findings: &mut Findings<'_>, driver: &str, opts: &Value) {
    let path = ["log-opts", "compress"];
    let is_local = driver == "local";
    let compress = match opts["compress"].as_str() {
        None => is_local,
        Some("true" | "TRUE" | "True" | "t" | "T" | "1") => true,
        Some("false" | "FALSE" | "False" | "f" | "F" | "0") => false,
        Some(other) => {
            let message = format!("{other:?} is neither; write \"true\" or \"false\"");
            return findings.error(&path, message);
        }
    };
    let max_file = opts["max-file"].as_str();
    let one_file = max_file.map_or(!is_local, |files| files == "1");
    let endless = !is_local && opts["max-size"].is_null();
    if compress && (one_file || endless) {
        findings.error(
            &path,
            "no container would start: only rotated logs are compressed; write max-size and a \
             max-file of \"2\" or more, or compress \"false\"",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::daemon_json::check::tests::problems;

    /// The problems of log options under a driver.
    fn found(driver: &str, opts: &str) -> String {
        problems(&format!(
            "{{\"log-driver\": \"{driver}\", \"log-opts\": {opts}}}"
        ))
    }

    #[test]
    fn a_misspelt_driver_is_an_error_and_a_plugin_a_warning() {
        let misspelt = found("jornald", "{}");
        assert!(misspelt.starts_with("error"), "{misspelt}");
        assert!(misspelt.ends_with("write \"journald\""), "{misspelt}");
        for plugin in ["loki", "grafana/loki-docker-driver:3.3.2"] {
            assert!(found(plugin, "{}").starts_with("warning"), "{plugin}");
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
            problems(r#"{"log-opts": {"max-size": "10m", "max-file": "3"}}"#),
            ""
        );
        let unknown = found("json-file", r#"{"max-files": "3"}"#);
        assert!(unknown.contains("dockerd takes no such entry here; write max-file"));
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
        let strange = found("awslogs", r#"{"colour": "red"}"#);
        assert!(strange.starts_with("warning"), "{strange}");
        assert_eq!(found("journald", r#"{"tag": "x", "mode": "blocking"}"#), "");
        assert_eq!(found("none", r#"{"whatever": "x"}"#), "");
    }

    #[test]
    fn labels_of_the_local_driver_need_a_new_engine() {
        let warning = found("local", r#"{"tag": "x"}"#);
        assert!(warning.starts_with("warning"), "{warning}");
        assert!(warning.contains("since engine 29"), "{warning}");
    }

    #[test]
    fn sizes_and_counts_are_strings_with_numbers() {
        assert!(found("local", r#"{"max-size": "20q"}"#).contains("is no size"));
        assert!(found("local", r#"{"max-size": "0"}"#).contains("is nothing"));
        assert!(found("local", r#"{"max-file": "0"}"#).contains("is no number of files"));
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
        assert!(found("syslog", r#"{"mode": "async"}"#).contains("is no mode"));
    }
}
