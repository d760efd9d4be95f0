//!
//! the file, asking dockerd and reloading the unit belong to others.
//!
//! [`merge`] puts wanted keys in, [`revert`] takes them out; [`schema`] knows every key.

pub mod document;
mod edit;
mod keys;
mod meant;
pub mod merge;
pub mod preset;
pub mod revert;
pub mod schema;
mod strict;
mod syntax;

pub use document::{Document, Position};
pub use merge::{Change, Merged, Wanted, merge};
pub use preset::{Preset, recommended};
pub use revert::{Reverted, revert};
pub use schema::{Key, Kind, key};
pub use strict::Refusal;

/// Where dockerd looks for its configuration when it is told nothing else.
pub const PATH: &str = "/etc/docker/daemon.json";
