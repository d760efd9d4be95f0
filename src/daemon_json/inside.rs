//! Entries of one key that must fit each other: runtimes, limits, and pools.
//!
//! Their names and types stand in the table. It must not know any other key.

use serde_json::Value;

use super::check::Findings;
use super::document::Document;
use super::keys::ULIMIT_NAMES;
use super::syntax;
use super::types::{children, cure, entry};

pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    let of_key = |key| document.get(key).map_or(vec![], children);
    for (name, runtime) in of_key("runtimes") {
        if runtime.is_object() {
            check_runtime(findings, &name, runtime);
        }
    }
    for (name, limit) in of_key("default-ulimits") {
        if limit.is_object() {
            check_limit(findings, &name, limit);
        }
    }
    for (index, pool) in of_key("default-address-pools") {
        if pool.is_object() {
            check_pool(findings, &["default-address-pools", &index], pool);
        }
    }
}

/// Source: `setupRuntimes` of dockerd.
fn check_runtime(findings: &mut Findings<'_>, name: &str, runtime: &Value) {
    let path = ["runtimes", name];
    if name == "runc" {
        findings.error(&path, "is the name of dockerd's own runtime; write another");
    }
    let has = |name: &str| match entry(runtime, name) {
        Value::String(text) => !text.is_empty(),
        value => !children(value).is_empty(),
    };
    let message = match (has("path"), has("runtimeType")) {
        (false, false) => "must hold a path or a runtimeType",
        (true, true) => "must hold either a path or a runtimeType, not both",
        (true, false) if has("options") => {
            "options are for a runtimeType; write runtimeArgs for a path"
        }
        (false, true) if has("runtimeArgs") => {
            "runtimeArgs are for a path; write options for a runtimeType"
        }
        _ => return,
    };
    findings.error(&path, message);
}

/// It is the name inside that counts; without one no container starts.
fn check_limit(findings: &mut Findings<'_>, key: &str, limit: &Value) {
    let path = ["default-ulimits", key];
    let name = entry(limit, "Name").as_str().filter(|it| !it.is_empty());
    if name.is_none() {
        findings.error(&path, format!("must hold a name; write \"Name\": {key:?}"));
        if !ULIMIT_NAMES.contains(&key) {
            let cure = cure(key, || ULIMIT_NAMES.iter().copied());
            findings.error(&path, format!("{key:?} is no limit; {cure}"));
        }
    }
    let (soft, hard) = (entry(limit, "Soft").as_i64(), entry(limit, "Hard").as_i64());
    // -1 stands for no limit.
    let above = |soft: i64, hard: i64| hard >= 0 && (soft > hard || soft < 0);
    if soft.zip(hard).is_some_and(|(soft, hard)| above(soft, hard)) {
        findings.error(&path, "Soft must not be above Hard");
    }
}

fn check_pool(findings: &mut Findings<'_>, path: &[&str], pool: &Value) {
    let base = entry(pool, "base").as_str().filter(|base| !base.is_empty());
    let (Some(base), Some(size)) = (base, entry(pool, "size").as_u64()) else {
        let message =
            "must hold a network and a number; write {\"base\": \"10.0.0.0/8\", \"size\": 24}";
        return findings.error(path, message);
    };
    let Some((address, length)) = syntax::network(base) else {
        return;
    };
    let (least, most) = (u64::from(length), u64::from(syntax::bits(address)));
    if !(least..=most).contains(&size) {
        let message = format!("is the length of each network's prefix; write {least} to {most}");
        findings.error(&[path, &["size"]].concat(), message);
    }
}

#[cfg(test)]
mod tests;
