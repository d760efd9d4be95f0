//! What apt cannot read of the way to a key: it reads keys as a user of its own, `_apt`.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::host::Host;

/// What lets everybody into a folder, and what lets them read a file.
const ENTER: u32 = 0o001;
const READ: u32 = 0o004;

/// A file or folder that is closed to users other than root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub path: PathBuf,
    pub mode: u32,
    /// The mode with which apt reads the key.
    pub open: u32,
}

/// The first file or folder on the way to this one that keeps apt's own user out. Links are followed,
/// as apt does. A way that ends early is not closed.
pub(crate) fn closed(host: &Host, file: &str) -> Result<Option<Closed>> {
    let mut way: Vec<&Path> = Path::new(file).ancestors().collect();
    way.reverse();
    for path in way {
        let there = match std::fs::metadata(host.path(path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            there => there.with_context(|| format!("looking at {}", path.display()))?,
        };
        let mode = there.mode() & 0o7777;
        let (needed, given) = match there.is_dir() {
            true => (ENTER, 0o755),
            false => (READ, 0o644),
        };
        if mode & needed == 0 {
            return Ok(Some(Closed {
                path: path.to_owned(),
                mode,
                open: mode | given,
            }));
        }
    }
    Ok(None)
}
