//! Offline bundles: one tar file with all that an install fetches, laid out as its servers have it.
//!
//! Owns the format. Nothing in a bundle is believed because it is in one: Docker's part goes
//! through the same chain of trust as what comes from a server, and Ubuntu's is verified against
//! the host's own keyring. The manifest only says what the bundle is for, and what is in it.

mod manifest;
mod members;
mod packer;
mod slice;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Failure;
use crate::reading;
use crate::relative_path::RelativePath;
use manifest::{MANIFEST, MANIFEST_LIMIT, SCHEMA};
use members::{BundleError, Members};

pub(crate) use manifest::{BundledFile, Manifest, PartialSuite, is_package};
pub(crate) use packer::Packer;
pub(crate) use slice::Slice;

/// Where Docker's repository stands in a bundle, as under the root of its server.
pub(crate) const DOCKER: &str = "docker";

/// Where a part of Ubuntu's archive stands.
pub(crate) fn folder_of_part(number: usize) -> String {
    format!("archive/{number}")
}

/// What the names of files end with that are compressed, for the bundle alone: indexes are large.
pub(crate) const COMPRESSED: &str = ".gz";

/// A bundle that is whole, as far as its manifest says, and holds nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    path: PathBuf,
    file: Arc<File>,
    manifest: Manifest,
    members: Members,
}

impl Bundle {
    /// Opens the bundle at `path`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it cannot be read or is no bundle; [`Failure::Blocked`] when
    /// something is missing of it, or it is of a newer dockstrap; [`Failure::Trust`] when it holds
    /// or says what no bundle does.
    pub(crate) fn open(path: &Path) -> Result<Bundle> {
        Bundle::read(path).map_err(|fault| fault.of(path).into())
    }

    fn read(path: &Path) -> Result<Bundle, BundleError> {
        let file =
            reading::open(path).map_err(|error| BundleError::Unreadable(error.to_string()))?;
        let members = Members::locate(&file)?;
        let file = Arc::new(file);
        let manifest = read_manifest(&file, &members)?;
        manifest.check().map_err(BundleError::Hostile)?;
        members.compare(&manifest)?;
        Ok(Bundle {
            path: path.to_owned(),
            file,
            manifest,
            members,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Refuses a bundle that is for other hosts than those of this release, suite and
    /// architecture.
    ///
    /// # Errors
    /// [`Failure::Blocked`].
    pub(crate) fn require(&self, release: &str, suite: &str, architecture: &str) -> Result<()> {
        let it = &self.manifest;
        if (&*it.release, &*it.suite, &*it.architecture) == (release, suite, architecture) {
            return Ok(());
        }
        let named = |release: &str, suite: &str, architecture: &str| {
            if release == suite {
                format!("{release} on {architecture}")
            } else {
                format!("{release} on {architecture} with packages for {suite}")
            }
        };
        Err(Failure::Blocked(format!(
            "the bundle {} is for {}, and this host is {}; nothing was changed. Make one on a \
             host like this with: dockstrap bundle create",
            self.path.display(),
            named(&it.release, &it.suite, &it.architecture),
            named(release, suite, architecture),
        ))
        .into())
    }

    /// The file at this path, from some byte on; `None` when there is none.
    pub(crate) fn open_file(&self, path: &RelativePath, from: u64) -> Option<Slice> {
        let (at, size) = self.members.place(path)?;
        Some(Slice::new(&self.file, at, size, from))
    }

    /// The file that was packed as this path below `folder`.
    pub(crate) fn open_below(&self, folder: &str, path: &str, from: u64) -> Option<Slice> {
        let path = RelativePath::parse(&format!("{folder}/{path}")).ok()?;
        self.open_file(&path, from)
    }
}

fn read_manifest(file: &Arc<File>, members: &Members) -> Result<Manifest, BundleError> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: u32,
    }
    let (at, size) = members.manifest();
    if size > MANIFEST_LIMIT {
        return Err(BundleError::Hostile(format!("its {MANIFEST} is too large")));
    }
    let slice = Slice::new(file, at, size, 0);
    let value: Value = serde_json::from_reader(slice).map_err(|_| BundleError::NoBundle)?;
    let Versioned { schema } = Versioned::deserialize(&value).map_err(|_| BundleError::NoBundle)?;
    if schema > SCHEMA {
        return Err(BundleError::Newer(schema));
    }
    Manifest::deserialize(&value)
        .map_err(|error| BundleError::Hostile(format!("its {MANIFEST} cannot be used: {error}")))
}

#[cfg(test)]
mod tests;
