//! dockstrap takes a bare Ubuntu host to a Docker Engine that is proven to work, and back.
//!
//! The one way data flows: arguments and file become [`settings`]; the [`host`] becomes
//! [`facts`]; both become the steps, which inspect the host and make a [`plan`]; the plan is
//! applied, each change journaled before it is made, and the engine is proven.
//!
//! Each module imports only from those above it in this list.

// A test makes the host that it works on.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod error;
mod invocation;
mod output_file;
mod reading;
pub mod redact;
pub mod relative_path;
pub mod release;
pub mod report;
mod shell;

pub mod daemon_json;
pub mod host;
pub mod trust;

pub mod settings;

pub mod facts;

pub mod apt;

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
