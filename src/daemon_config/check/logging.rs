//! The keys `log-driver` and `log-opts`, as the daemon and each container's start read them.
//!
//! Owns what fits together; the drivers and their options stand in `log_drivers`. It must not know
//! any other key.

use serde_json::{Map, Value};

use super::address::address;
use super::findings::Findings;
use super::log_options::fault;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::children;
use crate::daemon_config::schema::log_drivers::{
    COMMON, DRIVERS, Driver, Form, LIMITS, Opt, READ_FROM, UrlTail, named,
};
use crate::daemon_config::schema::suggestion::nearest;

/// dockerd's driver when the file names none.
const DEFAULT_DRIVER: &str = "json-file";

/// The driver in force under the keys of a configuration.
pub(crate) fn driver(root: &Map<String, Value>) -> &str {
    let named = root.get("log-driver").and_then(Value::as_str);
    named
        .filter(|driver| !driver.is_empty())
        .unwrap_or(DEFAULT_DRIVER)
}

/// The files that the options of the driver in force name, with the option of each.
pub(super) fn named_files(document: &Document) -> Vec<(&'static str, &str)> {
    let options = document.get("log-opts").and_then(Value::as_object);
    let text = |name: &str| options?.get(name)?.as_str();
    let known = named(driver(document.root())).map_or(&[][..], |driver| driver.options);
    let is_tls = text("syslog-address").is_some_and(|it| it.starts_with("tcp+tls:"));
    let files = known.iter().filter_map(|(name, form)| match form {
        Form::File if name.starts_with("syslog-tls-") && !is_tls => None,
        Form::File => Some((*name, text(name)?)),
        Form::Url(_, UrlTail::Anything) => {
            let socket = address(text(name)?)?;
            let is_socket = socket.scheme.starts_with("unix");
            is_socket.then_some((*name, socket.rest))
        }
        _ => None,
    });
    files.filter(|(_, file)| file.starts_with('/')).collect()
}

pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    let driver = driver(document.root());
    let nothing = Value::Object(Map::new());
    let opts = document.get("log-opts").unwrap_or(&nothing);
    let Some(driver) = named(driver) else {
        check_plugin(findings, driver, opts);
        return check_buffer(findings, opts);
    };
    if driver.name == "none" {
        return; // it reads no option
    }
    for (name, value) in children(opts) {
        check_option(findings, driver, &name, value);
    }
    check_buffer(findings, opts);
    check_needs(findings, driver, opts);
    match driver.name {
        "fluentd" => check_fluentd(findings, opts),
        "gelf" => check_gelf(findings, opts),
        _ => {}
    }
    if matches!(driver.name, "local" | "json-file") {
        check_compress(findings, driver.name, opts);
    }
}

/// A driver that is not built in. dockerd looks for it only where there are options.
fn check_plugin(findings: &mut Findings<'_>, driver: &str, opts: &Value) {
    let path = ["log-driver"];
    let is_reference = driver.contains([':', '/']);
    let names = DRIVERS.iter().map(|driver| driver.name);
    let what_starts = if children(opts).is_empty() {
        "containers start"
    } else {
        "dockerd starts"
    };
    match nearest(driver, names).filter(|_| !is_reference) {
        Some(suggestion) => findings.error(
            &path,
            format!(
                "{driver:?} is not a log driver: no container would start; write {suggestion:?}"
            ),
        ),
        // A plugin may be installed under any alias, such as "loki".
        None => findings.warn(
            &path,
            format!(
                "{driver:?} is not built in: {what_starts} only where a plugin of that name is \
                 enabled; look with docker plugin ls"
            ),
        ),
    }
}

fn check_option(findings: &mut Findings<'_>, driver: &Driver, name: &str, value: &Value) {
    let path = ["log-opts", name];
    let mut known = driver.options.iter().chain(COMMON);
    if let Some((_, form)) = known.find(|(known, _)| *known == name) {
        let fault = value.as_str().and_then(|text| fault(*form, text));
        if let Some(fault) = fault.or_else(|| limit(findings, driver, name)) {
            findings.error(&path, fault);
        }
        return;
    }
    let known = driver.options.iter().chain(COMMON);
    let takes = format!(
        "the driver {} takes no such option, and dockerd does not start",
        driver.name
    );
    let is_of = |opts: &[Opt]| opts.iter().any(|(known, _)| *known == name);
    if DRIVERS.iter().any(|driver| is_of(driver.options)) {
        findings.error(&path, format!("{takes}, though others do; remove it"));
    } else if let Some(suggestion) = nearest(name, known.map(|(known, _)| *known)) {
        findings.error(&path, format!("{takes}; write {suggestion}"));
    } else if findings.engine <= READ_FROM || matches!(driver.name, "local" | "json-file") {
        findings.error(&path, format!("{takes}; remove it"));
    } else {
        // These lists grow with the engine.
        let message = format!(
            "engines up to {READ_FROM} do not start with it: the driver {} takes no such option \
             there",
            driver.name
        );
        findings.warn(&path, message);
    }
}

/// Why this engine does not take an option of the driver's, though others do.
fn limit(findings: &Findings<'_>, driver: &Driver, name: &str) -> Option<String> {
    let mut limits = LIMITS.iter();
    let limit = limits.find(|limit| (limit.driver, limit.option) == (driver.name, name))?;
    let when = if findings.engine < limit.since {
        format!("since engine {}", limit.since)
    } else {
        let until = limit.until.filter(|until| findings.engine >= *until)?;
        format!("only before engine {until}")
    };
    Some(format!(
        "the driver {} takes this {when}, and dockerd does not start; remove it",
        driver.name
    ))
}

/// An option that all containers want may be of each container's own; dockerd still does not start
/// with some of a driver's options and without it.
fn check_needs(findings: &mut Findings<'_>, driver: &Driver, opts: &Value) {
    let is_there = |name: &&str| opts[*name].as_str().is_some_and(|text| !text.is_empty());
    let missing = driver.needs.iter().filter(|name| !is_there(name));
    for name in missing {
        let stops_dockerd = driver.needed_by_dockerd && !children(opts).is_empty();
        let cure = format!("write {name} into log-opts");
        if stops_dockerd {
            findings.error(
                &["log-opts"],
                format!(
                    "dockerd does not start without {name} of {}; {cure}",
                    driver.name
                ),
            )
        } else {
            findings.warn(
                &["log-driver"],
                format!(
                    "no container starts without {name}, unless it brings its own by --log-opt; \
                     {cure}"
                ),
            )
        }
    }
}

fn check_gelf(findings: &mut Findings<'_>, opts: &Value) {
    let address = opts["gelf-address"].as_str().and_then(address);
    let Some(address) = address else { return };
    let scheme = address.scheme.to_lowercase();
    for (name, _) in children(opts) {
        let wanted = match name.as_str() {
            "gelf-compression-level" | "gelf-compression-type" => "udp",
            "gelf-tcp-max-reconnect" | "gelf-tcp-reconnect-delay" => "tcp",
            _ => continue,
        };
        if scheme != wanted {
            let message = format!("dockerd takes it with {wanted}:// only; remove it");
            findings.error(&["log-opts", &name], message);
        }
    }
}

fn check_buffer(findings: &mut Findings<'_>, opts: &Value) {
    let is_buffered = opts["mode"].as_str() == Some("non-blocking");
    if opts["max-buffer-size"].is_string() && !is_buffered {
        findings.error(
            &["log-opts", "max-buffer-size"],
            "works in one mode only; write mode \"non-blocking\" too",
        );
    }
}

/// The newer name of one option, beside the older.
fn check_fluentd(findings: &mut Findings<'_>, opts: &Value) {
    let [newer, older] = ["fluentd-async", "fluentd-async-connect"];
    if opts[newer].is_string() && opts[older].is_string() {
        let message = format!("says the same as {newer}, and dockerd takes one only; remove it");
        findings.error(&["log-opts", older], message);
    }
}

/// Only rotated files are compressed; without rotation, no container starts.
fn check_compress(findings: &mut Findings<'_>, driver: &str, opts: &Value) {
    let path = ["log-opts", "compress"];
    let is_local = driver == "local";
    let compress = match opts["compress"].as_str() {
        None => is_local,
        Some(text) => matches!(text, "true" | "TRUE" | "True" | "t" | "T" | "1"),
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
mod tests;
