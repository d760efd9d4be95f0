//! The folders in which the engine may have kept data.

use std::path::PathBuf;

use anyhow::Result;

use crate::change::Journal;
use crate::host::Host;
use crate::undo::{Undo, is_unused};

/// The folders of the engine's data that the journal and its configuration name.
pub(super) struct DataFolders {
    /// Those that came with the engine.
    pub(super) folders: Vec<PathBuf>,
    /// All in which it may have kept data.
    pub(super) roots: Vec<PathBuf>,
    /// Those in which was something before it came.
    pub(super) data_from_before: Vec<PathBuf>,
}

impl DataFolders {
    /// # Errors
    /// When a folder cannot be read.
    pub(super) fn of(host: &Host, journal: &Journal) -> Result<DataFolders> {
        let mut found = DataFolders {
            folders: Vec::new(),
            roots: vec![host.data_root()?],
            data_from_before: Vec::new(),
        };
        for act in journal.acts() {
            if let Undo::RemoveData { paths, used } = &act.undo {
                found.folders.extend_from_slice(paths);
                found.roots.extend([paths.as_slice(), used].concat());
                for folder in used {
                    if !is_unused(host, folder)? {
                        found.data_from_before.push(folder.clone());
                    }
                }
            }
        }
        Ok(found)
    }
}
