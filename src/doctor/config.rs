//! What the engine, and those beside it, are told.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Result;

use super::effective::EffectiveConfiguration;
use super::{Check, Level, said};
use crate::daemon_config::{
    self, Context, Document, Endpoint, EngineRelease, LogCollector, log_collector,
};
use crate::docker::UNIT;
use crate::engine::unit::{self, Environment};
use crate::facts::{ENGINE_PACKAGES, Facts, Init};
use crate::host::Host;
use crate::host::command::Query;
use crate::host::http;
use crate::host::query::Reader;
use crate::step::daemon_json;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS901",
        severity: Level::Error,
        title: "daemon.json is one that the engine takes",
        danger: "the engine does not start again.",
        cure: "fix the file, and try it: dockerd --validate --config-file /etc/docker/daemon.json",
        link: "https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file",
        look: daemon_json_sound,
        fix: None,
    },
    Check {
        id: "DS902",
        severity: Level::Warning,
        title: "logs of containers are bounded",
        danger: "json-file without max-size, which is the engine's default, keeps every line until the \
                 disk is full.",
        cure: "say log-driver local in /etc/docker/daemon.json (`sudo dockstrap install` does, where no \
               other is named), or max-size in log-opts; containers keep the driver they were made with",
        link: "https://docs.docker.com/engine/logging/configure/",
        look: logs,
        fix: None,
    },
    Check {
        id: "DS903",
        severity: Level::Warning,
        title: "a proxy is set for apt and for the engine, or for neither",
        danger: "packages come through, but images do not, or the other way round.",
        cure: "give it to both: sudo dockstrap install --proxy URL --proxy-for apt,engine",
        link: "https://docs.docker.com/engine/daemon/proxy/",
        look: proxies,
        fix: None,
    },
    Check {
        id: "DS904",
        severity: Level::Warning,
        title: "the log collector answers",
        danger: "no container starts with the default log driver until it does.",
        cure: "start the collector; where it runs in a container of this engine, give that one a log \
               driver of its own: docker run --log-driver local",
        link: "https://docs.docker.com/engine/logging/configure/",
        look: collector,
        fix: None,
    },
];

/// How long a log collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

fn daemon_json_sound(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let Some(bytes) = host.read(daemon_config::PATH)? else {
        return Ok(None);
    };
    let document = match Document::parse(&bytes) {
        Ok(document) => document,
        Err(refusal) => return Ok(Some(refusal.to_string())),
    };
    let flags = match facts.init {
        Init::Systemd => unit::flags(host)?,
        Init::None => Vec::new(),
    };
    let host_facts = daemon_json::host_facts(host, &daemon_config::with_flags(&document, &flags))?;
    let engine = facts.packages.get(ENGINE_PACKAGES[0]);
    let engine = engine.filter(|engine| engine.is_installed());
    let context = Context {
        unit_flags: &flags,
        engine: engine.and_then(|engine| EngineRelease::of(&engine.version)),
        host: Some(&host_facts),
    };
    let problems = daemon_config::check(&document, &context);
    let errors: Vec<String> = problems
        .iter()
        .filter(|problem| problem.severity == daemon_config::Severity::Error)
        .map(ToString::to_string)
        .collect();
    Ok((!errors.is_empty()).then(|| errors.join("; ")))
}

fn logs(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !facts.has(ENGINE_PACKAGES[0]) {
        return Ok(None); // an install sets it
    }
    let effective = EffectiveConfiguration::of(host, facts)?;
    let driver = effective.text("log-driver");
    // The engine's own word for no bound is -1.
    let is_bound = |size: String| size.starts_with(|first: char| first.is_ascii_digit());
    let bounded = effective
        .option("log-opts", "max-size")
        .is_some_and(is_bound);
    let is_file = matches!(driver.as_deref(), None | Some("json-file"));
    Ok((is_file && !bounded).then(|| "the log driver is json-file without max-size".to_owned()))
}

fn proxies(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !facts.has(ENGINE_PACKAGES[0]) {
        return Ok(None);
    }
    let apt = said(host, &Query::of(Reader::AptConfig).arg("dump")).unwrap_or_default();
    let names_one = |line: &str| {
        let (name, value) = line.split_once(' ').unwrap_or_default();
        let name = name.to_lowercase();
        let known = matches!(
            name.as_str(),
            "acquire::http::proxy" | "acquire::https::proxy"
        );
        known && !matches!(value, "\"\";" | "\"DIRECT\";")
    };
    let for_apt = apt.lines().any(names_one);
    let environment = match facts.init {
        Init::Systemd => Environment::of(host, UNIT)?,
        Init::None => Environment::default(),
    };
    let in_environment = |name: &str| {
        let mut said = environment.variables();
        said.any(|(said, value)| said.eq_ignore_ascii_case(name) && !value.is_empty())
    };
    let effective = EffectiveConfiguration::of(host, facts)?;
    let named = ["proxies", "proxies.http-proxy", "proxies.https-proxy"];
    let for_engine = named.iter().any(|key| effective.has(key))
        || in_environment("http_proxy")
        || in_environment("https_proxy");
    let only =
        |one: &str, other: &str| Some(format!("a proxy is set for {one}, but not for {other}"));
    Ok(match (for_apt, for_engine) {
        (true, false) => only("apt", "the engine"),
        (false, true) => only("the engine", "apt"),
        _ => None,
    })
}

fn collector(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !facts.has(ENGINE_PACKAGES[0]) {
        return Ok(None); // it may run on the engine that is to come
    }
    let effective = EffectiveConfiguration::of(host, facts)?;
    let Some(collector) = log_collector(effective.document()) else {
        return Ok(None);
    };
    let LogCollector {
        driver,
        address,
        endpoint,
    } = collector;
    Ok((!answers(host, &endpoint)).then(|| {
        format!("no log collector answers at {address}, which the log driver {driver} needs")
    }))
}

/// Whether somebody takes a connection there.
fn answers(host: &Host, endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Socket(path) => host.exists(path).unwrap_or(false),
        Endpoint::Port(name, port) => {
            let addresses = http::lookup(name).unwrap_or_default();
            addresses.into_iter().any(|ip| {
                let address = SocketAddr::new(ip, *port);
                TcpStream::connect_timeout(&address, PATIENCE).is_ok()
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts;
    use crate::host::stub::StubHost;

    /// A host with an engine whose unit has these flags, and an environment file with this text.
    fn found(look: super::super::Look, flags: &str, environment: &str, json: &str) -> bool {
        let stub = StubHost::noble()
            .folder("/run/systemd/system")
            .program(
                "dpkg-query",
                "echo dpkg 1.22 amd64 installed ok; echo docker-ce 5:29.5.3 amd64 installed ok",
            )
            .file("/etc/default/docker", environment)
            .file(daemon_config::PATH, json)
            .program(
                "systemctl",
                &format!(
                    "case \"$*\" in
                         *ExecStart*) echo '{{ argv[]=/usr/bin/dockerd {flags} ; }}' ;;
                         *) echo 'EnvironmentFiles=/etc/default/docker (ignore_errors=yes)' ;;
                     esac"
                ),
            );
        let facts = facts::gather(stub.host()).unwrap();
        look(stub.host(), &facts).unwrap().is_some()
    }

    #[test]
    fn logs_are_bounded_by_the_file_or_by_flags_and_never_by_minus_one() {
        let size = |size: &str| format!(r#"{{"log-opts": {{"max-size": "{size}"}}}}"#);
        assert!(found(logs, "", "", "{}"));
        assert!(found(logs, "", "", &size("-1")));
        assert!(!found(logs, "", "", &size("10m")));
        assert!(!found(logs, "--log-driver=local", "", "{}"));
        assert!(found(logs, "--log-driver json-file", "", "{}"));
        assert!(!found(logs, "--log-opt max-size=10m", "", "{}"));
        assert!(found(logs, "--log-opt max-size=-1", "", "{}"));
        assert!(!found(logs, "", "", r#"{"log-driver": "journald"}"#));
    }

    #[test]
    fn a_log_collector_that_answers_is_no_finding() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let json = format!(
            r#"{{"log-driver": "fluentd", "log-opts": {{"fluentd-address": "{address}"}}}}"#
        );
        assert!(!found(collector, "", "", &json));
        drop(listener);
        assert!(found(collector, "", "", &json));
        assert!(!found(collector, "", "", "{}"));
    }

    #[test]
    fn a_proxy_of_the_engine_is_seen_wherever_it_is_set() {
        // apt has none in any of these.
        assert!(!found(proxies, "", "", "{}"));
        let proxy = "http://192.0.2.1:3128";
        assert!(found(proxies, &format!("--http-proxy={proxy}"), "", "{}"));
        assert!(found(proxies, &format!("--https-proxy {proxy}"), "", "{}"));
        assert!(found(proxies, "", &format!("HTTPS_PROXY={proxy}\n"), "{}"));
        assert!(!found(proxies, "", "HTTPS_PROXY=\n", "{}"));
        let json = format!(r#"{{"proxies": {{"http-proxy": "{proxy}"}}}}"#);
        assert!(found(proxies, "", "", &json));
    }
}
