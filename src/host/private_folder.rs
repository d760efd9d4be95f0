//! Folders about which root alone is to decide: what root keeps there, and removes there.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::Host;

const OTHERS_WRITE: u32 = 0o022;

impl Host {
    /// What lets others than root decide what stands at `folder`, which need not be there yet, and
    /// what to do about it; `None` where nothing does.
    pub(crate) fn folder_of_others(&self, folder: &Path) -> Result<Option<String>> {
        let mut above = folder.ancestors();
        let nearest = above
            .find(|it| self.path(it).exists())
            .unwrap_or(Path::new("/"));
        let checking = || format!("checking who can change {}", nearest.display());
        if let Some(exposure) = self.exposure(nearest).with_context(checking)? {
            let (fault, cure) = (exposure.with_place(), exposure.cure());
            return Ok(Some(format!("{fault}; run: {cure}")));
        }
        // Even where only root removes what is there, as in /tmp, anyone makes what is not.
        let there = std::fs::metadata(self.path(nearest)).with_context(checking)?;
        let is_open = nearest != folder && there.mode() & OTHERS_WRITE != 0;
        Ok(is_open.then(|| {
            let (nearest, folder) = (nearest.display(), folder.display());
            format!(
                "other users can write to {nearest} and make {folder} first; choose a folder that \
                 only root can make"
            )
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn a_folder_that_others_could_exchange_or_make_first_is_told() {
        let stub = StubHost::new().folder("/srv/data");
        let fault = |path: &str| stub.host().folder_of_others(Path::new(path)).unwrap();
        for path in ["/srv/data", "/srv/data/docker", "/none/at/all"] {
            assert_eq!(fault(path), None, "{path}");
        }
        stub.set_mode("/srv/data", 0o1777);
        assert_eq!(fault("/srv/data"), None, "as mounted with the sticky bit");
        let first = fault("/srv/data/docker").unwrap();
        assert!(first.contains("make /srv/data/docker first"), "{first}");
        stub.set_mode("/srv/data", 0o777);
        for path in ["/srv/data", "/srv/data/docker"] {
            let text = fault(path).unwrap();
            let told = "other users can write to /srv/data; run: sudo chmod go-w /srv/data";
            assert_eq!(text, told);
        }
    }
}
