//! The file systems of the host, and which of them a folder is on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::statvfs::statvfs;

use super::Host;
use crate::daemon_json::Disk;

const MOUNTS: &str = "/proc/self/mountinfo";

/// One line of [`MOUNTS`].
struct Mount {
    at: PathBuf,
    options: Vec<String>,
}

impl Host {
    /// The file system on which the folder is, or would be; links on the way are followed.
    /// `None` where the kernel does not tell.
    pub fn disk_under(&self, folder: &str) -> Result<Option<Disk>> {
        let there = self.nearest(folder);
        let text = self.read_text(MOUNTS)?.unwrap_or_default();
        let mounts = text.lines().filter_map(parse);
        // Of several at one place, the last one covers the others.
        let above = mounts.filter(|mount| there.starts_with(&mount.at));
        let Some(mount) = above.max_by_key(|mount| mount.at.components().count()) else {
            return Ok(None);
        };
        let path = self.path(&there);
        let size = statvfs(&path).with_context(|| format!("asking for the size of {folder}"))?;
        let is = |option: &str| mount.options.iter().any(|known| known == option);
        Ok(Some(Disk {
            folder: folder.to_owned(),
            mount: mount.at.display().to_string(),
            is_noexec: is("noexec"),
            is_read_only: is("ro"),
            // The types differ between architectures.
            #[expect(clippy::useless_conversion, reason = "not on every architecture")]
            size: u64::from(size.blocks()) * u64::from(size.fragment_size()),
        }))
    }

    /// The folder itself, or the nearest one above it that is there.
    fn nearest(&self, folder: &str) -> PathBuf {
        let mut above = Path::new(folder).ancestors();
        let real = above.find_map(|folder| self.path(folder).canonicalize().ok());
        let root = self.path("/").canonicalize().unwrap_or_default();
        let real = real.unwrap_or_default();
        Path::new("/").join(real.strip_prefix(root).unwrap_or(&real))
    }
}

/// `id parent device root MOUNTPOINT OPTIONS … - type source OPTIONS`; see `proc_pid_mountinfo(5)`.
fn parse(line: &str) -> Option<Mount> {
    let (mount, of_all) = line.split_once(" - ")?;
    let fields: Vec<&str> = mount.split(' ').collect();
    let here = fields.get(5)?.split(',');
    let everywhere = of_all.split(' ').nth(2)?.split(',');
    Some(Mount {
        at: unescape(fields.get(4)?).into(),
        options: here.chain(everywhere).map(str::to_owned).collect(),
    })
}

/// The kernel writes these four characters as octal numbers.
fn unescape(path: &str) -> String {
    path.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    fn host() -> StubHost {
        StubHost::new().folder("/srv/two words").file(
            MOUNTS,
            "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
             23 22 8:2 / /srv rw,nosuid,noexec shared:2 - ext4 /dev/sda2 rw\n\
             24 22 8:3 / /srv/two\\040words rw - ext4 /dev/sda3 ro,errors=remount-ro\n",
        )
    }

    fn under(folder: &str) -> Disk {
        host().host().disk_under(folder).unwrap().unwrap()
    }

    #[test]
    fn a_folder_is_on_the_nearest_mount_above_it() {
        assert_eq!(under("/var/lib/docker").mount, "/");
        assert!(!under("/var/lib/docker").is_noexec);
        assert!(under("/srv/docker").is_noexec);
        assert!(under("/srv/two words/x").is_read_only);
        assert!(under("/").size > 0);
    }

    #[test]
    fn a_link_is_followed() {
        let stub = host();
        std::os::unix::fs::symlink(stub.host().path("/srv"), stub.host().path("/data")).unwrap();
        let disk = stub.host().disk_under("/data/docker").unwrap().unwrap();
        assert_eq!(
            (disk.mount.as_str(), disk.folder.as_str()),
            ("/srv", "/data/docker")
        );
    }

    #[test]
    fn without_the_kernels_list_nothing_is_known() {
        assert_eq!(StubHost::new().host().disk_under("/").unwrap(), None);
    }
}
