//! What stands inside the keys whose values are objects of entries of their own.
//!
//! Owns the names and types of the entries. It must not know any other key.
//!
//! dockerd reads names in any case here, and passes over those that it does not know, but for
//! `nri-opts`.

use serde_json::Value;

use super::check::{Findings, Severity};
use super::document::Document;
use super::meant::nearest;
use super::schema::Kind;
use super::syntax;
use super::types::{self, children};

/// An entry, and the type of its value.
type Entry = (&'static str, Kind);

const BUILDER: &[Entry] = &[
    ("gc", Kind::Object),
    ("entitlements", Kind::Object),
    ("history", Kind::Object),
    ("proxy-network", Kind::Bool),
];
const BUILDER_GC: &[Entry] = &[
    ("enabled", Kind::Bool),
    ("policy", Kind::ObjectList),
    ("defaultKeepStorage", Kind::Str),
    ("defaultReservedSpace", Kind::Str),
    ("defaultMaxUsedSpace", Kind::Str),
    ("defaultMinFreeSpace", Kind::Str),
];
/// `filter` is a list by now, and was an object once.
const BUILDER_POLICY: &[Entry] = &[
    ("all", Kind::Bool),
    ("filter", Kind::Any),
    ("keepStorage", Kind::Str),
    ("reservedSpace", Kind::Str),
    ("maxUsedSpace", Kind::Str),
    ("minFreeSpace", Kind::Str),
];
const BUILDER_ENTITLEMENTS: &[Entry] = &[
    ("network-host", Kind::Bool),
    ("security-insecure", Kind::Bool),
    ("device", Kind::Bool),
];
/// `maxAge` is a number of seconds or a string such as `48h`.
const BUILDER_HISTORY: &[Entry] = &[("maxAge", Kind::Any), ("maxEntries", Kind::Int)];
const NRI: &[Entry] = &[
    ("enable", Kind::Bool),
    ("plugin-path", Kind::Str),
    ("plugin-config-path", Kind::Str),
    ("socket-path", Kind::Str),
];
const RUNTIME: &[Entry] = &[
    ("path", Kind::Str),
    ("runtimeArgs", Kind::StrList),
    ("runtimeType", Kind::Str),
    ("options", Kind::Object),
];
const ULIMIT: &[Entry] = &[
    ("Name", Kind::Str),
    ("Hard", Kind::Int),
    ("Soft", Kind::Int),
];

/// The limits that Linux has.
#[rustfmt::skip]
const ULIMITS: &[&str] = &[
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc",
    "rss", "rtprio", "rttime", "sigpending", "stack",
];

pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    for (key, value) in document.root() {
        let path = [key.as_str()];
        match key.as_str() {
            "builder" => check_builder(findings, value),
            "nri-opts" => check_entries(findings, &path, value, NRI, Severity::Error),
            "runtimes" => check_runtimes(findings, value),
            "default-ulimits" => check_ulimits(findings, value),
            "exec-opts" => check_exec_opts(findings, value),
            _ => {}
        }
    }
}

fn check_builder(findings: &mut Findings<'_>, builder: &Value) {
    let mut entries = |path: &[&str], value: &Value, known| {
        check_entries(findings, path, value, known, Severity::Warning);
    };
    entries(&["builder"], builder, BUILDER);
    for (name, known) in [
        ("gc", BUILDER_GC),
        ("entitlements", BUILDER_ENTITLEMENTS),
        ("history", BUILDER_HISTORY),
    ] {
        entries(&["builder", name], entry(builder, name), known);
    }
    let policies = entry(entry(builder, "gc"), "policy");
    for (index, policy) in children(policies) {
        entries(&["builder", "gc", "policy", &index], policy, BUILDER_POLICY);
    }
    check_sizes(
        findings,
        &["builder", "gc"],
        entry(builder, "gc"),
        BUILDER_GC,
    );
    for (index, policy) in children(policies) {
        let path = ["builder", "gc", "policy", &index];
        check_sizes(findings, &path, policy, BUILDER_POLICY);
    }
}

/// All strings here are sizes, or percentages of the disk; a wrong one is found by the first build.
fn check_sizes(findings: &mut Findings<'_>, path: &[&str], value: &Value, known: &[Entry]) {
    let sizes = known.iter().filter(|(_, kind)| *kind == Kind::Str);
    for (name, _) in sizes {
        let Some(text) = entry(value, name).as_str() else {
            continue;
        };
        let share = text.strip_suffix('%');
        let is_share = share.is_some_and(|number| number.parse::<u8>().is_ok());
        if !text.is_empty() && !is_share && syntax::size(text).is_none() {
            let message = format!("{text:?} is no size; write one like \"20GB\" or \"10%\"");
            findings.error(&[path, &[name]].concat(), message);
        }
    }
}

fn check_runtimes(findings: &mut Findings<'_>, runtimes: &Value) {
    for (name, runtime) in children(runtimes) {
        let path = ["runtimes", name.as_str()];
        check_entries(findings, &path, runtime, RUNTIME, Severity::Warning);
        if !runtime.is_object() {
            continue;
        }
        if name == "runc" {
            findings.error(&path, "is the name of dockerd's own runtime; write another");
        }
        let has = |name: &str| {
            entry(runtime, name)
                .as_str()
                .is_some_and(|text| !text.is_empty())
        };
        let message = match (has("path"), has("runtimeType")) {
            (false, false) => "must hold a path or a runtimeType",
            (true, true) => "must hold either a path or a runtimeType, not both",
            _ => continue,
        };
        findings.error(&path, message);
    }
}

fn check_ulimits(findings: &mut Findings<'_>, ulimits: &Value) {
    for (name, ulimit) in children(ulimits) {
        let path = ["default-ulimits", name.as_str()];
        check_entries(findings, &path, ulimit, ULIMIT, Severity::Warning);
        // It is the name inside that counts; without one no container starts.
        let inside = entry(ulimit, "Name").as_str().unwrap_or(&name);
        if !ULIMITS.contains(&inside) {
            let message = match nearest(inside, ULIMITS.iter().copied()) {
                Some(meant) => format!("{inside:?} is no limit; write {meant:?}"),
                None => format!(
                    "{inside:?} is no limit; write one of {}",
                    ULIMITS.join(", ")
                ),
            };
            findings.error(&path, message);
        }
        if ulimit.is_object() && entry(ulimit, "Name").as_str().is_none() {
            findings.error(&path, format!("must hold a name; write \"Name\": {name:?}"));
        }
        let (soft, hard) = (
            entry(ulimit, "Soft").as_i64(),
            entry(ulimit, "Hard").as_i64(),
        );
        // -1 stands for no limit.
        let above = |soft: i64, hard: i64| hard >= 0 && (soft > hard || soft < 0);
        if soft.zip(hard).is_some_and(|(soft, hard)| above(soft, hard)) {
            findings.error(&path, "Soft must not be above Hard");
        }
    }
}

fn check_exec_opts(findings: &mut Findings<'_>, list: &Value) {
    for (index, option) in children(list) {
        let Some(option) = option.as_str() else {
            continue;
        };
        let sound = matches!(
            option.trim().split_once('='),
            Some(("native.cgroupdriver", "systemd" | "cgroupfs"))
        );
        if !sound {
            let message = format!(
                "{option:?} is not taken; write \"native.cgroupdriver=systemd\" or \
                 \"native.cgroupdriver=cgroupfs\""
            );
            findings.error(&["exec-opts", &index], message);
        }
    }
}

/// Every entry must be known, or it is this bad, and be of its type.
/// An entry by its name, which dockerd reads in any case.
fn entry<'a>(object: &'a Value, name: &str) -> &'a Value {
    let entries = object.as_object().into_iter().flatten();
    let mut entries = entries.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    entries.next_back().map_or(&Value::Null, |(_, value)| value)
}

fn check_entries(
    findings: &mut Findings<'_>,
    path: &[&str],
    value: &Value,
    known: &[Entry],
    unknown: Severity,
) {
    let Some(object) = value.as_object() else {
        return;
    };
    for (name, entry) in object {
        let path = [path, &[name.as_str()]].concat();
        let same = |(known, _): &&Entry| known.eq_ignore_ascii_case(name);
        if let Some((_, kind)) = known.iter().find(same) {
            types::check(findings, &path, *kind, entry);
            continue;
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let cure = match nearest(name, names.iter().copied()) {
            Some(meant) => format!("write {meant}"),
            None => format!("write one of {}", names.join(", ")),
        };
        let message = format!("dockerd knows no such entry here; {cure}");
        match unknown {
            Severity::Error => findings.error(&path, message),
            Severity::Warning => findings.warn(&path, message),
        }
    }
}

#[cfg(test)]
mod tests;
