//! `/etc/docker/daemon.json` as text: read strictly, checked, merged into, and taken back out of.
//!
//! Everything here is pure: text and values in, findings or new text out. Reading and writing
//! the file, asking dockerd and reloading the unit belong to others.
//!
//! [`Document`] is the file; [`check()`] finds what dockerd would refuse now or trip over later;
//! [`merge()`] puts wanted keys in, [`revert()`] takes them out; [`schema`] knows every key.

mod address;
mod api_version;
mod bridge;
mod build_cache;
pub mod change;
pub mod check;
mod conflicts;
pub mod document;
mod drift;
mod edit;
mod edited;
mod encoding;
pub mod explain;
mod flags;
mod inside;
mod keys;
mod kind;
mod listening;
mod log_collector;
mod log_drivers;
mod log_options;
mod logging;
mod meant;
pub mod merge;
mod named;
mod networks;
mod paths;
pub mod preset;
mod redacted;
pub mod reference;
pub mod revert;
#[cfg(test)]
mod samples;
pub mod schema;
mod secrets;
mod seen;
mod settle;
mod storage;
mod strict;
mod surroundings;
mod syntax;
mod template;
mod tls;
mod types;
mod unknown;
mod values;
#[cfg(test)]
mod verdicts;
mod wishes;

use std::path::Path;

use serde_json::Value;

pub use change::Change;
pub use check::{Context, Problem, Severity, check, check_for_any};
pub use conflicts::can_separate;
pub use document::{Document, Position};
pub use drift::{lost, standing};
pub use edited::{Edited, names, names_of, split};
pub use flags::{is_said_by_flag, other_files, with_flags};
pub use listening::listening_hosts;
pub(crate) use log_collector::{LogCollector, Place, log_collector};
pub use meant::nearest;
pub use merge::{Merged, Wanted, merge};
pub use named::{authorization_plugins, named_paths};
pub use networks::free_pools;
pub(crate) use networks::{BRIDGE, DEFAULT_POOLS, in_the_way, leave_no_bridge};
pub(crate) use paths::of_others;
pub use preset::{Preset, objections};
pub(crate) use redacted::diff;
pub use redacted::{DaemonKeys, Redacted};
pub use revert::{Reverted, revert};
pub use schema::{Engine, Key, Kind, key};
pub(crate) use secrets::{SEAL, Secrets, below, secrets};
pub use seen::differing;
pub use settle::settle;
pub use strict::Refusal;
pub use surroundings::{CERTIFICATE_FILES, Certificates, Disk, Found, Route, Surroundings};
pub use tls::{is_spoken as speaks_tls, is_verified as verifies_tls};
pub use wishes::Wishes;

/// Where dockerd looks for its configuration when it is told nothing else.
pub const PATH: &str = "/etc/docker/daemon.json";

/// Where the engine keeps its data when it is told nothing else.
pub const DATA_ROOT: &str = "/var/lib/docker";

/// Where it keeps its data when `data-root` has this value.
pub fn data_root(value: Option<&Value>) -> &Path {
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
