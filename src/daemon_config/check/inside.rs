//! Entries of one key that must fit each other: runtimes, limits, pools and name servers.
//!
//! Their names and types stand in the table. It must not know any other key.

use serde_json::Value;

use super::findings::Findings;
use super::syntax;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::{children, entry};
use crate::daemon_config::schema::keys::ULIMIT_NAMES;
use crate::daemon_config::schema::suggestion::cure;

pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    let of_key = |key| document.get(key).map_or(vec![], children);
    // An entry of null is one without anything in it.
    let is_group = |entry: &Value| entry.is_object() || entry.is_null();
    for (name, runtime) in of_key("runtimes") {
        if is_group(runtime) {
            check_runtime(findings, &name, runtime);
        }
    }
    for (name, limit) in of_key("default-ulimits") {
        if is_group(limit) {
            check_limit(findings, &name, limit);
        }
    }
    for (index, pool) in of_key("default-address-pools") {
        if is_group(pool) {
            check_pool(findings, &["default-address-pools", &index], pool);
        }
    }
    for (index, server) in of_key("dns") {
        if server == "" || server.is_null() {
            let message = "names no server, and no container would start; remove it";
            findings.error(&["dns", &index], message);
        }
    }
    if document.get("proxies") == Some(&Value::Null) {
        let message = "dockerd does not start with null here; remove it";
        findings.error(&["proxies"], message);
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
        let message =
            format!("must hold a name, or no container would start; write \"Name\": {key:?}");
        findings.error(&path, message);
        if !ULIMIT_NAMES.contains(&key.to_lowercase().as_str()) {
            let cure = cure(key, || ULIMIT_NAMES.iter().copied());
            findings.error(&path, format!("{key:?} is no limit; {cure}"));
        }
    }
    let (soft, hard) = (entry(limit, "Soft").as_i64(), entry(limit, "Hard").as_i64());
    let message = match (soft, hard) {
        // It would be 0.
        (Some(soft), None) if soft != 0 => {
            "must hold a Hard, or no container would start; write -1 for none"
        }
        // -1 stands for no limit.
        (Some(soft), Some(hard)) if hard >= 0 && (soft > hard || soft < 0) => {
            "Soft must not be above Hard: no container would start"
        }
        _ => return,
    };
    findings.error(&path, message);
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
