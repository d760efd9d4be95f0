//! The settings.

pub use crate::settings::{Layer, PATH, Setting, ValueType, check, example, sample, schema, table};
