//! What the engine, and those beside it, are told.

use anyhow::{Result, bail};
use serde_json::Value;

use super::{Check, Severity, said};
use crate::daemon_json::{self, Context, Document};
use crate::facts::{ENGINE_PACKAGES, Facts, Init};
use crate::host::Host;
use crate::host::engine::{UNIT, systemctl};
use crate::step::{look_around, unit_flags};

pub const CHECKS: &[Check] = &[
    Check {
        id: "DS901",
        severity: Severity::Error,
        title: "daemon.json is one that the engine takes",
        danger: "the engine does not start again.",
        cure: "mend the file, and try it: dockerd --validate --config-file /etc/docker/daemon.json",
        link: "https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file",
        look: daemon_json_sound,
        fix: None,
    },
    Check {
        id: "DS902",
        severity: Severity::Warning,
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
        severity: Severity::Warning,
        title: "a proxy is set for apt and for the engine, or for neither",
        danger: "packages come through, but images do not, or the other way round.",
        cure: "give it to both: sudo dockstrap install --proxy URL --proxy-for apt,engine",
        link: "https://docs.docker.com/engine/daemon/proxy/",
        look: proxies,
        fix: None,
    },
];

fn document(host: &Host) -> Result<Document> {
    match host.read(daemon_json::PATH)? {
        None => Ok(Document::new()),
        Some(bytes) => match Document::parse(&bytes) {
            Ok(document) => Ok(document),
            Err(refusal) => bail!("{} cannot be read: {refusal}", daemon_json::PATH),
        },
    }
}

fn daemon_json_sound(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let Some(bytes) = host.read(daemon_json::PATH)? else {
        return Ok(None);
    };
    let document = match Document::parse(&bytes) {
        Ok(document) => document,
        Err(refusal) => return Ok(Some(refusal.to_string())),
    };
    let flags = match facts.init {
        Init::Systemd => unit_flags(host)?,
        Init::None => Vec::new(),
    };
    let around = look_around(host, &document)?;
    let context = Context {
        unit_flags: &flags,
        engine: None,
        surroundings: Some(&around),
    };
    let problems = daemon_json::check(&document, &context);
    let errors = problems.iter();
    let errors = errors.filter(|problem| problem.severity == daemon_json::Severity::Error);
    let errors: Vec<String> = errors.map(ToString::to_string).collect();
    Ok((!errors.is_empty()).then(|| errors.join("; ")))
}

fn logs(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !facts.has(ENGINE_PACKAGES[0]) {
        return Ok(None); // an install sets it
    }
    let flags = match facts.init {
        Init::Systemd => unit_flags(host)?,
        Init::None => Vec::new(),
    };
    let document = document(host)?;
    let driver = document.get("log-driver").and_then(Value::as_str);
    let bounded = document.value_at(&["log-opts", "max-size"]).is_some();
    let by_flag = daemon_json::is_said_by_flag("log-driver", &flags);
    let unbounded = matches!(driver, None | Some("json-file")) && !bounded && !by_flag;
    Ok(unbounded.then(|| "the log driver is json-file without max-size".to_owned()))
}

fn proxies(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !facts.has(ENGINE_PACKAGES[0]) {
        return Ok(None);
    }
    let apt = said(host, "apt-config", &["dump"]).unwrap_or_default();
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
        Init::Systemd => {
            let show = ["show", UNIT, "--property=Environment", "--value"];
            host.query(&systemctl(&show))?.stdout.to_lowercase()
        }
        Init::None => String::new(),
    };
    let for_engine = document(host)?.get("proxies").is_some()
        || environment.contains("http_proxy=")
        || environment.contains("https_proxy=");
    let only =
        |one: &str, other: &str| Some(format!("a proxy is set for {one}, but not for {other}"));
    Ok(match (for_apt, for_engine) {
        (true, false) => only("apt", "the engine"),
        (false, true) => only("the engine", "apt"),
        _ => None,
    })
}
