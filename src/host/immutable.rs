//! Files and folders that are marked so that not even root can change them, see `chattr(1)`.

use std::fs::File;
use std::path::Path;

use anyhow::Result;
use rustix::fs::{IFlags, ioctl_getflags};

use super::Host;
use crate::error::Failure;
use crate::shell::quoted;

impl Host {
    /// Refuses a file, or the folder it stands in or is going to be made in, that is marked; links
    /// are followed.
    ///
    /// # Errors
    /// [`Failure::Blocked`], with the command that takes the mark away.
    pub fn refuse_immutable(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = self.path(path);
        let path = path.canonicalize().unwrap_or(path);
        let there = path.ancestors().skip(1).find(|path| path.exists());
        let mut places = [Some(path.as_path()), there].into_iter().flatten();
        let Some(path) = places.find(|path| is_fixed(path)) else {
            return Ok(());
        };
        Err(Failure::Blocked(format!(
            "{} is marked as not to be changed, by root or anyone; nothing was changed. \
             Allow it and run this again: chattr -i -a {}",
            path.display(),
            quoted(path)
        ))
        .into())
    }
}

/// Not every file system knows such marks.
fn is_fixed(path: &Path) -> bool {
    let flags = File::open(path).ok().map(ioctl_getflags);
    flags.is_some_and(|flags| {
        flags.is_ok_and(|flags| flags.intersects(IFlags::IMMUTABLE | IFlags::APPEND))
    })
}
