//! Files and folders that not even root can change: marked, see `chattr(1)`, or on a file system
//! that is mounted read-only.

use std::fs::File;
use std::path::Path;

use anyhow::Result;
use rustix::fs::{IFlags, ioctl_getflags};

use super::Host;
use crate::error::Failure;
use crate::shell::{joined, quoted};

impl Host {
    /// Refuses a file, or the folder it stands in or is going to be made in, that is marked or
    /// cannot be written to; links are followed.
    ///
    /// # Errors
    /// [`Failure::Blocked`], with the command that allows it.
    pub(crate) fn refuse_immutable(&self, path: impl AsRef<Path>) -> Result<()> {
        self.refuse_read_only(path.as_ref())?;
        let path = self.path(path);
        let path = path.canonicalize().unwrap_or(path);
        let there = path.ancestors().skip(1).find(|path| path.exists());
        let mut places = [Some(path.as_path()), there].into_iter().flatten();
        let Some(path) = places.find(|path| is_fixed(path)) else {
            return Ok(());
        };
        Err(Failure::Blocked(format!(
            "{} is marked as not to be changed, by root or anyone; nothing was changed. \
             Allow it and run this again: sudo chattr -i -a {}",
            path.display(),
            quoted(path)
        ))
        .into())
    }

    fn refuse_read_only(&self, path: &Path) -> Result<()> {
        let Some(disk) = self.disk_under(&path.to_string_lossy())? else {
            return Ok(());
        };
        if !disk.is_read_only {
            return Ok(());
        }
        let (path, mount) = (path.display(), &disk.mount);
        let allow = joined(["mount", "-o", self.remount_options(mount)?, mount]);
        Err(Failure::Blocked(format!(
            "{mount} is mounted read-only, so {path} cannot be written; nothing was changed. Allow \
             it: sudo {allow}"
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
