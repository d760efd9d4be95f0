//! The keys of daemon.json.

pub use crate::daemon_config::docs::{explain, reference};
pub use crate::daemon_config::schema::{Reload, Support, by_name, keys};
pub use crate::daemon_config::{EngineRelease, Key, PATH, Severity, key};
