//! dockstrap takes a bare Ubuntu host to a Docker Engine that is proven to work, and back.
//!
//! The one way data flows: arguments and file become [`settings`]; the [`host`] becomes
//! [`facts`]; both become steps, which inspect the host and make a plan; the plan is applied,
//! and the engine is proven.
//!
//! Each module imports only what stands above it here.

pub mod daemon_json;
pub mod error;
pub mod trust;
