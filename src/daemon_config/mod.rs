//! `/etc/docker/daemon.json` as text: read strictly, checked, merged into, and taken back out of.
//!
//! Everything here is pure: text and values in, findings or new text out. Reading and writing
//! the file, asking dockerd and reloading the unit belong to others.
//!
//! [`Document`] is the file; [`check()`] finds what dockerd would refuse now or trip over later;
//! [`merge()`] puts wanted keys in, [`revert()`] takes them out; [`schema`] knows every key.

mod finding;

pub(crate) mod document;

pub(crate) mod schema;

pub(crate) mod check;

pub(crate) mod merge;

pub(crate) mod docs;

#[cfg(test)]
mod samples;

use std::path::Path;

use serde_json::Value;

pub(crate) use check::conflicts::can_separate;
pub(crate) use check::findings::Context;
pub(crate) use check::flags::{is_said_by_flag, other_files, with_flags};
pub(crate) use check::host_facts::{
    CERTIFICATE_FILES, Certificates, Disk, HostFacts, PathKind, Route,
};
pub(crate) use check::listening::listening_hosts;
pub(crate) use check::log_collector::{Endpoint, LogCollector, log_collector};
pub(crate) use check::named::{authorization_plugins, named_paths};
pub(crate) use check::networks::{BRIDGE, DEFAULT_POOLS, in_the_way, leave_no_bridge};
pub(crate) use check::paths::of_others;
pub(crate) use check::tls::{is_spoken as speaks_tls, is_verified as verifies_tls};
pub(crate) use check::{check, check_for_any};
pub(crate) use document::Document;
pub(crate) use document::redacted::diff;
pub(crate) use document::redacted::{DaemonKeys, Redacted};
pub(crate) use document::secrets::{SEAL, Secrets, below, secrets};
pub use finding::Severity;
pub(crate) use finding::{Finding, Position};
pub(crate) use merge::Merged;
pub(crate) use merge::change::Change;
pub(crate) use merge::coalesce::coalesce;
pub(crate) use merge::desired::DesiredConfig;
pub(crate) use merge::drift::{drifted, unchanged};
pub(crate) use merge::edited::{Edited, names, names_of, split};
pub(crate) use merge::effective::differing;
pub(crate) use merge::preset::{Preset, objections};
pub(crate) use merge::revert::{RevertedDocument, revert};
#[cfg(test)]
pub(crate) use merge::{Weight, merge};
pub(crate) use schema::suggestion::nearest;
pub use schema::{EngineRelease, Key, key};

/// Where dockerd looks for its configuration when it is told nothing else.
pub const PATH: &str = "/etc/docker/daemon.json";

/// Where the engine keeps its data when it is told nothing else.
pub(crate) const DATA_ROOT: &str = "/var/lib/docker";

/// Where it keeps its data when `data-root` has this value.
pub(crate) fn data_root(value: Option<&Value>) -> &Path {
    let chosen = value.and_then(Value::as_str);
    Path::new(chosen.filter(|it| it.starts_with('/')).unwrap_or(DATA_ROOT))
}

/// Whether the engine maps root of its containers to another user, and keeps its data in a folder for
/// that user. Source: `setupRemappedRoot` of dockerd, which goes on without for root itself.
pub(crate) fn remaps_root(document: &Document) -> bool {
    let users = document.get("userns-remap").and_then(Value::as_str);
    let user = users.and_then(|users| users.split(':').next());
    !matches!(user, None | Some("" | "0" | "root"))
}
