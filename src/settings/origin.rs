//! Where each setting came from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Who gave a setting its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Flag,
    /// An option of a task of Ansible.
    Task,
    Variable,
    File(PathBuf),
}

/// The settings that somebody gave, by their keys; all others have their defaults.
pub(crate) type Origins = BTreeMap<String, Origin>;
