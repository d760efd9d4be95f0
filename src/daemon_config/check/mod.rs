//! What dockerd would refuse in a configuration, or trip over later, each with its cause and cure.
//!
//! Owns names; values are judged in `types`, `values`, `inside` and `logging`, conflicts in `flags`
//! (with the unit), `conflicts`, `bridge`, `networks` and `paths` (with the host). It must not change the
//! document, and a rule that only asks for good taste has no place here.

mod address;
mod api_version;
mod bridge;
mod build_cache;
pub(super) mod conflicts;
pub(super) mod findings;
pub(super) mod flags;
pub(super) mod host_facts;
mod inside;
pub(super) mod listening;
pub(super) mod log_collector;
mod log_options;
pub(super) mod logging;
pub(super) mod named;
pub(super) mod networks;
pub(super) mod paths;
mod storage;
mod syntax;
mod template;
pub(super) mod tls;
pub(super) mod types;
mod unknown;
mod values;
#[cfg(test)]
mod verdicts;

use serde_json::Value;

use crate::daemon_config::document::Document;
use crate::daemon_config::finding::{Finding, Severity};
use crate::daemon_config::schema::{EngineRelease, Support, key};
use findings::{Context, Findings};

/// Everything found, in the order of the file.
pub(crate) fn check(document: &Document, context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(document, context);
    if document.is_blank() {
        findings.warn(
            &[],
            "the file is empty; dockerd takes it for {}: write that",
        );
    }
    if document.is_marked() {
        check_mark(&mut findings);
    }
    for (name, value) in document.root() {
        check_key(&mut findings, name, value);
    }
    flags::check(&mut findings, document, context.unit_flags);
    let all = flags::with_flags(document, context.unit_flags);
    logging::check(&mut findings, &all);
    inside::check(&mut findings, document);
    build_cache::check(&mut findings, document);
    api_version::check(&mut findings, document);
    conflicts::check(&mut findings, &all, context);
    bridge::check(&mut findings, &all);
    tls::check(&mut findings, &all, context);
    storage::check(&mut findings, &all, context);
    if let Some(host) = context.host {
        networks::check(&mut findings, document, &host.routes);
        paths::check(&mut findings, &all, host, context.engine);
    }
    findings.sorted()
}

/// The oldest engine that a repository may have as its newest.
const OLDEST: EngineRelease = EngineRelease(23, 0);

/// The same where it may not be known yet which engine will read the file: what only some engines do
/// not start with is a warning until then.
pub(crate) fn check_for_any(document: &Document, context: &Context<'_>) -> Vec<Finding> {
    let mut findings = check(document, context);
    if context.engine.is_some() {
        return findings;
    }
    let older = check(
        document,
        &Context {
            engine: Some(OLDEST),
            ..*context
        },
    );
    let stops_older = |key: &str| {
        let mut errors = older.iter().filter(|it| it.severity == Severity::Error);
        errors.any(|error| error.key == key)
    };
    for finding in &mut findings {
        if !stops_older(&finding.key) {
            finding.severity = Severity::Warning;
        }
    }
    findings
}

/// Since this engine, a byte order mark is taken for what it says.
const READS_MARKS: EngineRelease = EngineRelease(23, 0);

fn check_mark(findings: &mut Findings<'_>) {
    if findings.engine < READS_MARKS {
        let message = format!(
            "begins with a byte order mark, which dockerd takes since engine {READS_MARKS}; save \
             it as UTF-8 without one"
        );
        findings.error(&[], message);
    } else {
        findings.warn(
            &[],
            "begins with a byte order mark: dockerd takes it, other programs may not",
        );
    }
}

fn check_key(findings: &mut Findings<'_>, name: &str, value: &Value) {
    let Some(known) = key(name) else {
        return unknown::check(findings, name, value);
    };
    let engine = findings.engine;
    match known.support {
        Support::Known if engine < known.since => {
            let since = known.since;
            findings.error(
                &[name],
                format!("needs engine {since}; remove it for {engine}"),
            );
        }
        Support::Known => types::check(findings, &[name], known.kind, value),
        Support::Ignored { since } if engine < since => {
            types::check(findings, &[name], known.kind, value);
        }
        Support::Ignored { .. } => findings.warn(&[name], "has no effect; remove it"),
        Support::Rejected { cure } => {
            findings.error(&[name], format!("dockerd refuses this key; {cure}"));
        }
        Support::Gone { since, cure } if engine < since => {
            findings.warn(
                &[name],
                format!("engine {since} no longer knows it; {cure}"),
            );
        }
        Support::Gone { since, cure } => {
            let message = format!("dockerd no longer knows this key, since engine {since}; {cure}");
            findings.error(&[name], message);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
