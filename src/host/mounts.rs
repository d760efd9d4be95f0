//! The file systems of the host, and which of them a folder is on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::statvfs::statvfs;

use super::Host;
use crate::daemon_config::Disk;

const MOUNTS: &str = "/proc/self/mountinfo";

/// One line of [`MOUNTS`].
struct Mount {
    device: String,
    /// The folder of the file system that is shown; `/` is all of it.
    root: String,
    at: PathBuf,
    /// Such as `ext4`.
    kind: String,
    options: Vec<String>,
    /// Not only where it is seen here.
    is_read_only_as_a_whole: bool,
}

/// What an engine mounts for a container while that runs: its files and its shared memory.
///
/// Source: moby, `daemon/graphdriver/overlay2` and `daemon/container_operations_unix.go`.
const FOR_CONTAINERS: &[&str] = &["overlay", "tmpfs"];

impl Host {
    /// The file system on which the folder is, or would be; links on the way are followed.
    /// `None` where the kernel does not tell.
    pub(crate) fn disk_under(&self, folder: &str) -> Result<Option<Disk>> {
        let there = self.nearest(folder);
        let mounts = self.mounts()?.into_iter();
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
            kind: mount.kind.clone(),
            has_project_quotas: is("prjquota") || is("pquota"),
            is_noexec: is("noexec"),
            is_read_only: is("ro"),
            // The types differ between architectures.
            #[expect(clippy::useless_conversion, reason = "not on every architecture")]
            size: u64::from(size.blocks()) * u64::from(size.fragment_size()),
        }))
    }

    /// The options with which `mount` allows writing to what is mounted read-only there: the whole file
    /// system, or only what is seen of it at this place.
    pub(crate) fn remount_options(&self, at: &str) -> Result<&'static str> {
        let mut mounts = self.mounts()?.into_iter();
        // Of several at one place, the last one covers the others.
        let mount = mounts.rfind(|mount| mount.at == Path::new(at));
        Ok(if mount.is_none_or(|mount| mount.is_read_only_as_a_whole) {
            "remount,rw"
        } else {
            "remount,bind,rw"
        })
    }

    /// The places in a folder, or deeper, on which something else is mounted: other file systems, or
    /// folders from elsewhere. What is there does not go with the folder.
    pub(crate) fn mounted_in(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let there = self.nearest(folder);
        let mut places = self.mounted_at(folder)?;
        places.retain(|at| *at != there);
        Ok(places)
    }

    /// The same, and the folder itself where something is mounted on it.
    pub(crate) fn mounted_at(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let there = self.nearest(folder);
        let mounts = self.mounts()?.into_iter().map(|mount| mount.at);
        let mut places: Vec<PathBuf> = mounts.filter(|at| at.starts_with(&there)).collect();
        places.dedup(); // one that covers another one
        Ok(places)
    }

    /// Without those of the places on which containers have something mounted as long as they run.
    pub(crate) fn without_containers(&self, mut places: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
        let mut mounts = self.mounts()?;
        // A folder from elsewhere that is shown there is nothing of theirs.
        mounts.retain(|it| it.root == "/" && FOR_CONTAINERS.contains(&it.kind.as_str()));
        places.retain(|place| mounts.iter().all(|mount| mount.at != *place));
        Ok(places)
    }

    /// Whether a folder shows one that has another name as well, by which others may keep something
    /// there: it is a link, or it is mounted from elsewhere.
    pub(crate) fn is_alias(&self, folder: &Path) -> Result<bool> {
        if self.metadata(folder)?.is_some_and(|it| it.is_symlink()) {
            return Ok(true);
        }
        let there = self.nearest(folder);
        let mounts = self.mounts()?;
        let Some(here) = mounts.iter().rfind(|mount| mount.at == there) else {
            return Ok(false);
        };
        let mut others = mounts.iter().filter(|mount| !mount.at.starts_with(&there));
        Ok(here.root != "/" || others.any(|mount| mount.device == here.device))
    }

    fn mounts(&self) -> Result<Vec<Mount>> {
        let text = self.read_text(MOUNTS)?.unwrap_or_default();
        Ok(text.lines().filter_map(parse).collect())
    }

    /// The folder itself, or the nearest one above it that is there.
    fn nearest(&self, folder: impl AsRef<Path>) -> PathBuf {
        let mut above = folder.as_ref().ancestors();
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
    let mut of_all = of_all.split(' ');
    let kind = of_all.next()?.to_owned();
    let everywhere: Vec<&str> = of_all.nth(1)?.split(',').collect();
    Some(Mount {
        is_read_only_as_a_whole: everywhere.contains(&"ro"),
        device: (*fields.get(2)?).to_owned(),
        root: unescape(fields.get(3)?),
        at: unescape(fields.get(4)?).into(),
        kind,
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
    fn a_file_system_is_made_writable_as_it_was_made_read_only() {
        let stub = StubHost::new().file(
            MOUNTS,
            "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
             23 22 8:1 /etc /etc ro shared:2 - ext4 /dev/sda1 rw\n\
             24 22 8:3 / /srv ro - ext4 /dev/sda3 ro\n",
        );
        let options = |at: &str| stub.host().remount_options(at).unwrap();
        assert_eq!(options("/etc"), "remount,bind,rw");
        assert_eq!(options("/srv"), "remount,rw");
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
    fn what_is_mounted_in_a_folder_or_from_elsewhere_is_told() {
        let stub = StubHost::new().folder("/data/link").file(
            MOUNTS,
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
             23 22 8:2 / /own rw - ext4 /dev/sdb rw\n\
             24 22 8:3 / /data rw - ext4 /dev/sdc rw\n\
             25 22 8:3 / /whole rw - ext4 /dev/sdc rw\n\
             26 22 8:1 /srv/x /part rw - ext4 /dev/sda1 rw\n\
             27 23 0:9 / /own/a/b rw - nfs server:/x rw\n\
             28 22 0:9 / /owner rw - nfs server:/x rw\n",
        );
        let stub = ["/own", "/whole", "/part"]
            .into_iter()
            .fold(stub, StubHost::folder);
        let host = stub.host();
        let link = host.path("/link");
        std::os::unix::fs::symlink(host.path("/data"), link).unwrap();
        let alias = |folder: &str| host.is_alias(Path::new(folder)).unwrap();
        assert!(alias("/link") && alias("/whole") && alias("/part"));
        assert!(!alias("/own") && !alias("/data/link"));
        let inside = |folder: &str| host.mounted_in(Path::new(folder)).unwrap();
        assert_eq!(inside("/own"), [PathBuf::from("/own/a/b")]);
        assert!(inside("/link").is_empty());
    }

    #[test]
    fn without_the_kernels_list_nothing_is_known() {
        assert_eq!(StubHost::new().host().disk_under("/").unwrap(), None);
    }
}
