//! What a file is checked against, and what its checks find.

use super::host_facts::HostFacts;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::secrets::Secrets;
use crate::daemon_config::finding::{Finding, Severity};
use crate::daemon_config::schema::EngineRelease;

/// What the file is checked against.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Context<'a> {
    /// The arguments the unit passes to dockerd, without the program itself.
    pub unit_flags: &'a [String],
    /// The engine that will read the file; `None` is the newest.
    pub engine: Option<EngineRelease>,
    /// The host that it is for; `None` leaves out what depends on it.
    pub host: Option<&'a HostFacts>,
}

/// Collects findings and knows where in the text they are. What they quote is without secrets.
pub(super) struct Findings<'a> {
    document: &'a Document,
    /// The engine that will read the file.
    pub(super) engine: EngineRelease,
    /// Those of the file and of the unit's flags.
    secrets: Secrets,
    findings: Vec<Finding>,
}

impl<'a> Findings<'a> {
    /// None yet in this document.
    pub(super) fn new(document: &'a Document, context: &Context<'_>) -> Findings<'a> {
        Findings {
            document,
            engine: context.engine.unwrap_or(EngineRelease::NEWEST),
            secrets: Secrets::of(document, context.unit_flags),
            findings: Vec::new(),
        }
    }

    pub(super) fn error(&mut self, path: &[&str], message: impl Into<String>) {
        self.add(Severity::Error, path, message);
    }

    pub(super) fn warn(&mut self, path: &[&str], message: impl Into<String>) {
        self.add(Severity::Warning, path, message);
    }

    pub(super) fn add(&mut self, severity: Severity, path: &[&str], message: impl Into<String>) {
        self.findings.push(Finding {
            severity,
            key: path.join("."),
            position: self.document.position(path),
            message: self.secrets.star_out(&message.into()),
        });
    }

    pub(super) fn sorted(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| finding.position);
        self.findings
    }
}
