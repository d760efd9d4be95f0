//! Values as the user writes them, read into what they mean, or refused in words.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::engine_version::EngineVersion;
use super::layer::RegistryLayer;
use super::{MIRROR, Registry, SecretText};
use crate::daemon_config::{self, DaemonKeys, Document, Finding, Position, Severity};
use crate::error::Failure;
use crate::host::network::{CaCert, Proxy, is_host};
use crate::host::{NoName, UserName};
use crate::relative_path::FileName;
use crate::trust::Fingerprint;

/// What can be said of values in patterns, for editors. None is stricter than the function below
/// that judges the value.
pub(crate) const PATTERNS: &[(&str, &str)] = &[
    ("mirror", r"^[Hh][Tt][Tt][Pp][Ss]:[^@?#\s]+$"),
    ("key-fingerprint", r"^\s*([0-9A-Fa-f]\s*){40}$"),
    ("suite", r"^[a-z]{3,20}$"),
    ("engine-version", r"^[0-9][0-9A-Za-z.+~:-]*$"),
    ("users", r"^(?!root$|[0-9]+$)[^-\s:,;/*?!%][^\s:,;/*?!%]*$"),
];

/// The same for a private registry's host.
pub(crate) const REGISTRY: &str = r"^[0-9A-Za-z][0-9A-Za-z.-]*(:[0-9]{1,5})?$";

/// An HTTPS address without a password, and without a slash at its end.
pub(crate) fn mirror(text: &str) -> Result<String> {
    // Checked first, so that no message below can show a password.
    if text.contains('@') {
        let error = "a mirror's URL must not carry a password: other users could read it";
        return Err(Failure::Usage(error.to_owned()).into());
    }
    let refuse = |why: &str| {
        Failure::Usage(format!(
            "mirror `{text}` {why}; give an address like {MIRROR}"
        ))
    };
    let url = reqwest::Url::parse(text).map_err(|error| refuse(&format!("is no URL ({error})")))?;
    if url.scheme() != "https" {
        return Err(refuse("is not served over https").into());
    }
    if !url.host_str().is_some_and(is_host) {
        return Err(refuse("has a host that is neither a name nor an address").into());
    }
    if url.query().is_some() || url.fragment().is_some() || text.contains(char::is_whitespace) {
        return Err(refuse("has more than a host and a path").into());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

pub(crate) fn proxy(SecretText(text): SecretText) -> Result<Proxy> {
    Proxy::parse(&text).map_err(|why| Failure::Usage(format!("proxy {why}")).into())
}

pub(crate) fn fingerprint(text: &str) -> Result<Fingerprint> {
    text.parse()
        .map_err(|error| Failure::Usage(format!("key-fingerprint: {error}")))
        .context("reading the settings")
}

/// A suite goes by the codename of a release, which is one word (and ends up in addresses).
pub(crate) fn suite(suite: String) -> Result<String> {
    if (3..=20).contains(&suite.len()) && suite.bytes().all(|c| c.is_ascii_lowercase()) {
        return Ok(suite);
    }
    let cause = format!("suite `{suite}` is no codename of a release; give one like noble");
    Err(Failure::Usage(cause).into())
}

/// Keys of daemon.json that dockerd in this version would take, as far as that can be told without a
/// host.
pub(crate) fn daemon(keys: DaemonKeys, version: Option<&EngineVersion>) -> Result<DaemonKeys> {
    let findings = daemon_findings(keys.exposed(), version);
    let errors = findings.iter().filter(|it| it.severity == Severity::Error);
    let lines: Vec<String> = errors.map(Finding::without_position).collect();
    if lines.is_empty() {
        return Ok(keys);
    }
    let cause = format!(
        "the engine would not start with the settings' [daemon]; fix the settings:\n{}",
        lines.join("\n")
    );
    Err(Failure::Usage(cause).into())
}

/// What dockerd would refuse of these keys, or trip over.
pub(crate) fn daemon_findings(
    keys: &Map<String, Value>,
    version: Option<&EngineVersion>,
) -> Vec<Finding> {
    let mut document = Document::new();
    for (key, value) in keys {
        document.set(key, value);
    }
    let context = daemon_config::Context {
        engine: version.and_then(EngineVersion::engine),
        ..daemon_config::Context::default()
    };
    let mut findings = daemon_config::check_for_any(&document, &context);
    for finding in &mut findings {
        // What the settings ask for must have an effect, even where the engine starts without.
        if keys.contains_key(&finding.key) && daemon_config::key(&finding.key).is_none() {
            finding.severity = Severity::Error;
        }
    }
    findings.extend(hidden_passwords(keys));
    findings
}

/// Proxies with a password and without a scheme. The engine takes them, but not every program that
/// shows them can tell that there is a password.
fn hidden_passwords(keys: &Map<String, Value>) -> impl Iterator<Item = Finding> {
    let proxies = keys.get("proxies").and_then(Value::as_object);
    let is_hidden = |(name, value): &(&String, &Value)| {
        let text = value.as_str().unwrap_or_default();
        name.as_str() != "no-proxy" && text.contains('@') && !text.contains("://")
    };
    let hidden = proxies.into_iter().flatten().filter(is_hidden);
    hidden.map(|(name, _)| Finding {
        severity: Severity::Error,
        key: format!("proxies.{name}"),
        position: Position { line: 1, column: 1 },
        message: "has a user and no scheme, so that its password would not be recognised; write \
                  http:// before it"
            .to_owned(),
    })
}

/// Private registries with their authorities, which must be there to be read.
pub(crate) fn registries(layers: BTreeMap<String, RegistryLayer>) -> Result<Vec<Registry>> {
    layers.into_iter().map(registry).collect()
}

/// A registry goes by a host, or a host and a port. Its name ends up in a path.
fn registry((host, RegistryLayer { ca: path }): (String, RegistryLayer)) -> Result<Registry> {
    registry_host(&host)?;
    let reading = || format!("reading the settings of the registry {host}");
    let ca = CaCert::read(&path).with_context(reading)?;
    Ok(Registry { host, ca })
}

/// # Errors
/// [`Failure::Usage`] for what is no host, or no host and port.
pub(crate) fn registry_host(host: &str) -> Result<()> {
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain);
    // It names a folder of the engine's.
    let is_folder = FileName::parse(host).is_ok();
    if !is_name || !is_folder || port.parse::<u16>().is_err() {
        let cause = format!(
            "registries: `{host}` is no host; give one like registry.example or \
             \"registry.example:5000\", without https:// and path"
        );
        return Err(Failure::Usage(cause).into());
    }
    Ok(())
}

/// Names of users, of whom none is root.
pub(crate) fn users(names: Vec<String>) -> Result<Vec<UserName>> {
    names.iter().map(|name| user(name)).collect()
}

fn user(name: &str) -> Result<UserName> {
    if name == "root" {
        let error = "root needs no membership in group docker; leave it out";
        return Err(Failure::Usage(error.to_owned()).into());
    }
    let user = UserName::new(name).map_err(|why| {
        let cure = match why {
            NoName::Characters => String::new(),
            NoName::Number => format!("; for the name of that user: getent passwd {name}"),
        };
        Failure::Usage(format!("`{name}` {why}{cure}"))
    })?;
    Ok(user)
}
