//! The file itself: whether it can be read, and whether it can be replaced.

use std::fs::File;
use std::path::Path;

use anyhow::Result;
use rustix::fs::{IFlags, ioctl_getflags};

use super::blocked;
use crate::daemon_json::{Document, PATH};
use crate::error::Failure;
use crate::host::Host;

/// Reads the file; one that is not there is an empty one.
///
/// # Errors
/// [`Failure::Blocked`] for anything that is no sound configuration.
pub fn read(host: &Host) -> Result<Document> {
    let there = std::fs::metadata(host.path(PATH)).ok();
    if there.is_none() && host.exists(PATH)? {
        return Err(blocked("it is a link to a file that is not there"));
    }
    match there {
        None => Ok(Document::new()),
        Some(there) if there.is_dir() => Err(blocked("it is a folder, and must be a file")),
        Some(there) if !there.is_file() => Err(blocked("it is no plain file")),
        Some(_) => {
            let bytes = host.read(PATH)?.unwrap_or_default();
            Document::parse(&bytes).map_err(|refusal| blocked(&refusal.to_string()))
        }
    }
}

/// Refuses a file, or a folder it stands in, that is marked so that not even root can change it.
pub fn refuse_immutable(host: &Host) -> Result<()> {
    let path = host.path(PATH);
    let path = path.canonicalize().unwrap_or(path);
    let Some(path) = path.ancestors().take(2).find(|path| is_fixed(path)) else {
        return Ok(());
    };
    let path = path.display();
    Err(Failure::Blocked(format!(
        "{path} is marked as not to be changed, by root or anyone; nothing was changed. \
         Allow it and run this again: chattr -i -a {path}"
    ))
    .into())
}

/// Not every file system knows such marks.
fn is_fixed(path: &Path) -> bool {
    let flags = File::open(path).ok().map(ioctl_getflags);
    flags.is_some_and(|flags| {
        flags.is_ok_and(|flags| flags.intersects(IFlags::IMMUTABLE | IFlags::APPEND))
    })
}
