//! dockstrap takes a bare Ubuntu host to a Docker Engine that is proven to work, and back.
//!
//! The one way data flows: arguments and file become [`settings`]; the [`host`] becomes
//! [`facts`]; both become the steps, which inspect the host and make a [`plan`]; the plan is
//! applied, each change journaled before it is made, and the engine is proven.
//!
//! Each module imports only from those above it in this list; `tests/source` checks it. An empty
//! line keeps rustfmt from sorting what must stay in order.

// A test makes the host that it works on.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod reading;
pub mod redact;
pub mod relative_path;
pub mod release;
mod shell;

mod invocation;

pub mod error;
pub mod report;

mod docker;

pub mod daemon_config;
pub mod trust;

pub mod host;

mod engine;

mod output_file;
pub mod settings;

pub mod facts;

pub mod apt;

mod undo;

pub mod change;

pub mod step;

pub mod plan;

pub mod bundle;
pub mod doctor;
pub mod status;
pub mod verify;

mod history;

mod install;
mod uninstall;

pub mod ui;

pub mod cli;

pub mod ansible;
pub mod command;
