//! Where a log driver sends what containers say, when no container starts until somebody answers
//! there.
//!
//! Owns what the options mean. It must not ask the network.

use serde_json::Value;

use super::logging::driver;
use crate::daemon_config::document::Document;

/// A collector that every container with the default log driver needs when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogCollector {
    pub driver: String,
    /// As it is configured, or the driver's own default.
    pub address: String,
    pub endpoint: Endpoint,
}

/// What is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Port(String, u16),
    Socket(String),
}

/// The collector of the driver in force; `None` where containers start without one, or it cannot be
/// told which it is.
///
/// Source: moby, `daemon/logger`.
pub(crate) fn log_collector(document: &Document) -> Option<LogCollector> {
    let driver = driver(document.root());
    let option = |name: &str| {
        document
            .value_at(&["log-opts", name])
            .and_then(Value::as_str)
    };
    let is =
        |name: &str, value: &str| option(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
    let (address, port) = match driver {
        "fluentd" => {
            if is("fluentd-async", "true") || is("fluentd-async-connect", "true") {
                return None;
            }
            (
                option("fluentd-address").unwrap_or("127.0.0.1:24224"),
                24224,
            )
        }
        "gelf" => (option("gelf-address")?, 12201),
        "syslog" => (option("syslog-address").unwrap_or("unix:///dev/log"), 514),
        "splunk" => {
            if is("splunk-verify-connection", "false") {
                return None;
            }
            let url = option("splunk-url")?;
            (url, if url.starts_with("http:") { 80 } else { 443 })
        }
        _ => return None,
    };
    Some(LogCollector {
        driver: driver.to_owned(),
        endpoint: endpoint(address, port)?,
        address: address.to_owned(),
    })
}

/// What an address leads to; nothing where packets are sent without an answer.
fn endpoint(address: &str, port: u16) -> Option<Endpoint> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("tcp", address));
    if scheme.starts_with("unix") {
        return Some(Endpoint::Socket(rest.to_owned()));
    }
    if scheme.starts_with("udp") {
        return None;
    }
    let rest = rest
        .split(['/', '?'])
        .next()
        .unwrap_or_default()
        .rsplit('@')
        .next()
        .unwrap_or_default();
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (rest, port),
    };
    let host = host.trim_matches(['[', ']']);
    (!host.is_empty()).then(|| Endpoint::Port(host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(driver: &str, options: &str) -> Option<Endpoint> {
        let text = format!("{{\"log-driver\": \"{driver}\", \"log-opts\": {{{options}}}}}");
        let document = Document::parse(text.as_bytes()).unwrap();
        log_collector(&document).map(|collector| collector.endpoint)
    }

    fn port(host: &str, port: u16) -> Option<Endpoint> {
        Some(Endpoint::Port(host.to_owned(), port))
    }

    #[test]
    fn drivers_that_connect_when_a_container_starts_need_somebody_to_answer() {
        assert_eq!(found("fluentd", ""), port("127.0.0.1", 24224));
        let named = r#""fluentd-address": "tls://logs.example:99""#;
        assert_eq!(found("fluentd", named), port("logs.example", 99));
        let plain = r#""fluentd-address": "logs.example""#;
        assert_eq!(found("fluentd", plain), port("logs.example", 24224));
        let socket = Some(Endpoint::Socket("/run/f.sock".to_owned()));
        assert_eq!(
            found("fluentd", r#""fluentd-address": "unix:///run/f.sock""#),
            socket
        );
        let url = r#""splunk-url": "https://s.example:8088/x", "splunk-token": "t""#;
        assert_eq!(found("splunk", url), port("s.example", 8088));
        assert_eq!(
            found("syslog", r#""syslog-address": "tcp://[::1]""#),
            port("::1", 514)
        );
        let log = Some(Endpoint::Socket("/dev/log".to_owned()));
        assert_eq!(found("syslog", ""), log);
    }

    #[test]
    fn drivers_that_do_not_wait_for_an_answer_need_nobody() {
        for (driver, options) in [
            ("local", ""),
            ("journald", ""),
            ("fluentd", r#""fluentd-async": "true""#),
            ("gelf", r#""gelf-address": "udp://10.0.0.1:12201""#),
            ("syslog", r#""syslog-address": "udp://10.0.0.1:514""#),
            (
                "splunk",
                r#""splunk-url": "https://s.example", "splunk-verify-connection": "false""#,
            ),
        ] {
            assert_eq!(found(driver, options), None, "{driver} {options}");
        }
    }
}
