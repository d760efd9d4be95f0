//! The file itself: whether it can be read.

use anyhow::Result;

use super::refusal::unreadable;
use crate::daemon_config::{Document, PATH};
use crate::host::Host;

/// Reads the file; one that is not there is an empty one.
///
/// # Errors
/// [`Failure::Blocked`] for anything that is no sound configuration.
pub fn read(host: &Host) -> Result<Document> {
    let there = std::fs::metadata(host.path(PATH)).ok();
    if there.is_none() && host.exists(PATH)? {
        return Err(unreadable("it is a link to a file that is not there"));
    }
    match there {
        None => Ok(Document::new()),
        Some(there) if there.is_dir() => Err(unreadable("it is a folder, and must be a file")),
        Some(there) if !there.is_file() => Err(unreadable("it is no plain file")),
        Some(_) => {
            let bytes = host.read(PATH)?.unwrap_or_default();
            Document::parse(&bytes).map_err(|refusal| unreadable(&refusal.to_string()))
        }
    }
}
