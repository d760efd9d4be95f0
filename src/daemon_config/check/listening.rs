//! Where the engine listens: on addresses that must be the host's own.
//!
//! Source: `allocateDaemonPort` of dockerd. It must not look for addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use super::address::{address, host_port};
use super::findings::Findings;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::children;

/// The hosts that a configuration has the engine listen on, addresses or names.
pub(crate) fn listening_hosts(document: &Document) -> BTreeSet<String> {
    let hosts = places(document).into_iter();
    hosts.map(|(_, host)| host).collect()
}

/// Finds those of them that are none of this host's.
pub(super) fn check(findings: &mut Findings<'_>, document: &Document, foreign: &BTreeSet<String>) {
    for (path, host) in places(document) {
        if !foreign.contains(&host) {
            continue;
        }
        let fault = match host.parse::<IpAddr>() {
            Ok(_) => format!("{host} is no address of this host"),
            Err(_) => format!("the host {host} is not found"),
        };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let message = format!(
            "{fault}, and dockerd does not start; write an address of this host, such as \
             127.0.0.1"
        );
        findings.error(&path, message);
    }
}

/// Each with its place in the configuration.
fn places(document: &Document) -> Vec<(Vec<String>, String)> {
    let metrics = document.get("metrics-addr").and_then(Value::as_str);
    let metrics = metrics.and_then(host_port).map(|(host, _)| {
        let path = vec!["metrics-addr".to_owned()];
        (path, host.to_owned())
    });
    let listeners = document
        .get("hosts")
        .map_or(vec![], children)
        .into_iter()
        .filter_map(|(index, listener)| {
            let listener = address(listener.as_str()?)?;
            let path = vec!["hosts".to_owned(), index];
            (listener.scheme == "tcp").then(|| (path, listener.host.to_owned()))
        });
    let places = metrics.into_iter().chain(listeners);
    places.filter(|(_, host)| !host.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::HostFacts;
    use crate::daemon_config::check::tests::findings_in;

    #[test]
    fn what_the_engine_listens_on_is_the_hosts_own() {
        let text = r#"{"metrics-addr": "[fd00::1]:9323",
            "hosts": ["fd://", "tcp://0.0.0.0:2375", "tcp://engine.lab:2376", "tcp://:2377"]}"#;
        let document = Document::parse(text.as_bytes()).unwrap();
        let hosts = listening_hosts(&document);
        assert_eq!(
            hosts.iter().map(String::as_str).collect::<Vec<_>>(),
            ["0.0.0.0", "engine.lab", "fd00::1"]
        );
        let around = HostFacts {
            foreign_hosts: ["fd00::1", "engine.lab"].map(str::to_owned).into(),
            ..HostFacts::default()
        };
        let found = findings_in(text, &around);
        assert!(
            found.contains("metrics-addr: fd00::1 is no address of this host"),
            "{found}"
        );
        assert!(
            found.contains("hosts.2: the host engine.lab is not found"),
            "{found}"
        );
        assert_eq!(found.matches("error").count(), 2, "{found}");
    }
}
