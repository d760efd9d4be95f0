//! Room on the disks for what is to come, so that nothing is begun that cannot be finished.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::statvfs::statvfs;

use crate::error::Failure;
use crate::host::Host;

/// What is going to be written to one disk.
#[derive(Default)]
struct Demand<'a> {
    /// A folder on it that is there.
    there: PathBuf,
    folders: Vec<&'a str>,
    bytes: u64,
}

/// Refuses to go on when a disk lacks room for so many bytes in these folders. Folders on one disk
/// share its room.
///
/// # Errors
/// [`Failure::Blocked`], with how much is missing where.
pub(crate) fn require(host: &Host, folders: &[(&str, u64)]) -> Result<()> {
    let mut disks: BTreeMap<u64, Demand<'_>> = BTreeMap::new();
    for (folder, bytes) in folders {
        // It may be missing yet; then the first one above it that is there says it.
        let path = host.path(folder);
        let there = path
            .ancestors()
            .find(|folder| folder.exists())
            .unwrap_or(Path::new("/"))
            .to_owned();
        let disk = there
            .metadata()
            .with_context(|| format!("looking at {}", there.display()))?;
        let demand = disks.entry(disk.dev()).or_default();
        demand.there = there;
        demand.folders.push(folder);
        demand.bytes += bytes;
    }
    for demand in disks.values() {
        let folders = demand.folders.join(" and ");
        let disk =
            statvfs(&demand.there).with_context(|| format!("asking how full {folders} is"))?;
        let free = disk.blocks_available() * disk.fragment_size();
        if demand.bytes > free {
            let megabytes = |bytes: u64| bytes as f64 / 1e6;
            return Err(Failure::Blocked(format!(
                "the disk with {folders} has {:.0} MB free, {:.0} MB too few for the packages and \
                 what the engine keeps; make room, for a start with: sudo apt-get clean",
                megabytes(free),
                megabytes(demand.bytes - free).max(1.0)
            ))
            .into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;

    #[test]
    fn folders_on_one_disk_share_its_room() {
        let stub = StubHost::new().folder("/usr");
        let disk = statvfs(&stub.host().path("/usr")).unwrap();
        let free = disk.blocks_available() * disk.fragment_size();
        let most = free / 2 + (1 << 30);
        require(stub.host(), &[("/usr", 1), ("/var/cache/apt", 1)]).unwrap();
        require(stub.host(), &[("/usr", most)]).unwrap();
        let error = require(stub.host(), &[("/var/cache/apt", most), ("/usr", most)]).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        let text = error.to_string();
        assert!(
            text.contains("/var/cache/apt and /usr") && text.contains("too few"),
            "{text}"
        );
    }
}
