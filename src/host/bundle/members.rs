//! Where the files of a bundle are in its tar.
//!
//! A tar from anywhere can hold far more than files: links, devices, files with holes, records that
//! rename what follows. A bundle holds plain files with plain names, and all else is refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tar::{Archive, EntryType};

use super::manifest::{MANIFEST, MOST_FILES, Manifest, SCHEMA, too_many};
use crate::error::Failure;
use crate::relative_path::RelativePath;

/// How long the name of a file may be in a record of its own, for names over 100 bytes.
const NAME_LIMIT: u64 = 1100;

/// Why a file is not taken for a bundle.
#[derive(Debug)]
pub(super) enum BundleError {
    Unreadable(String),
    /// No more is said: it may be any file, with a secret in it.
    NoBundle,
    /// A newer dockstrap has made it, with this schema.
    Newer(u32),
    /// Something is missing of it.
    Incomplete(String),
    /// It has what no bundle has.
    Hostile(String),
}

/// Where each file begins, and its size.
#[derive(Debug, Clone)]
pub(super) struct Members {
    manifest: (u64, u64),
    files: BTreeMap<RelativePath, (u64, u64)>,
}

impl Members {
    /// Finds the files of a tar.
    pub(crate) fn locate(file: &File) -> Result<Members, BundleError> {
        let end = file.metadata().map_or(0, |there| there.len());
        let mut archive = Archive::new(file);
        // Read by the library, a long name would be held in memory, however long it is.
        let entries = archive.entries_with_seek().map(|entries| entries.raw(true));
        let mut manifest = None;
        let mut files = BTreeMap::new();
        let mut long_name = None;
        for entry in entries.map_err(|_| BundleError::NoBundle)? {
            let entry = entry.map_err(|_| match manifest {
                None => BundleError::NoBundle,
                Some(_) => BundleError::Incomplete("its list of files is damaged".to_owned()),
            })?;
            let place = (entry.raw_file_position(), entry.size());
            let kind = entry.header().entry_type();
            if kind == EntryType::GNULongName && manifest.is_some() {
                if long_name.is_some() {
                    return Err(BundleError::Hostile(
                        "a file in it has two names".to_owned(),
                    ));
                }
                long_name = Some(read_name(file, place)?);
                continue;
            }
            let bytes = long_name
                .take()
                .unwrap_or_else(|| entry.header().path_bytes().into_owned());
            if manifest.is_none() && bytes != MANIFEST.as_bytes() {
                return Err(BundleError::NoBundle);
            }
            let text = String::from_utf8_lossy(&bytes);
            if kind != EntryType::Regular {
                let shown: String = text.chars().take(80).collect();
                let reason = format!("`{}` is not a regular file", shown.escape_debug());
                return Err(BundleError::Hostile(reason));
            }
            let name =
                RelativePath::parse(&text).map_err(|it| BundleError::Hostile(it.to_string()))?;
            if place.0.checked_add(place.1).is_none_or(|it| it > end) {
                return Err(BundleError::Incomplete(format!("it ends within {name}")));
            }
            if manifest.is_none() {
                manifest = Some(place);
            } else if name == *MANIFEST || files.contains_key(&name) {
                return Err(BundleError::Hostile(format!("{name} is in it twice")));
            } else if files.len() == MOST_FILES {
                return Err(BundleError::Hostile(too_many()));
            } else {
                files.insert(name, place);
            }
        }
        let manifest = manifest.ok_or(BundleError::NoBundle)?;
        Ok(Members { manifest, files })
    }

    pub(crate) fn manifest(&self) -> (u64, u64) {
        self.manifest
    }

    pub(crate) fn place(&self, path: &RelativePath) -> Option<(u64, u64)> {
        self.files.get(path).copied()
    }

    /// Refuses files that the manifest does not name, and a bundle that lacks one.
    pub(crate) fn compare(&self, manifest: &Manifest) -> Result<(), BundleError> {
        let named: BTreeMap<_, _> = manifest
            .files
            .iter()
            .map(|file| (&file.path, file.size))
            .collect();
        if let Some(name) = self.files.keys().find(|name| !named.contains_key(name)) {
            let reason = format!("{name} is in it, and its {MANIFEST} does not name it");
            return Err(BundleError::Hostile(reason));
        }
        for (path, said) in named {
            match self.place(path) {
                None => return Err(BundleError::Incomplete(format!("{path} is missing"))),
                Some((_, size)) if size != said => {
                    let reason = format!("{path} has {size} bytes instead of {said}");
                    return Err(BundleError::Incomplete(reason));
                }
                Some(_) => {}
            }
        }
        match manifest.required().find(|path| self.place(path).is_none()) {
            Some(path) => Err(BundleError::Incomplete(format!("{path} is missing"))),
            None => Ok(()),
        }
    }
}

/// The name in a record of its own, which ends with a zero.
fn read_name(file: &File, (at, size): (u64, u64)) -> Result<Vec<u8>, BundleError> {
    if size > NAME_LIMIT {
        return Err(BundleError::Hostile("a name in it is too long".to_owned()));
    }
    let mut name = vec![0; size as usize]; // no more than the limit
    file.read_exact_at(&mut name, at)
        .map_err(|_| BundleError::Incomplete("it ends within a name".to_owned()))?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

impl BundleError {
    /// The failure to use the file at `path`.
    pub(crate) fn of(self, path: &Path) -> Failure {
        let shown = path.display();
        match self {
            BundleError::Unreadable(error) => {
                Failure::Usage(format!("cannot read the bundle {shown}: {error}"))
            }
            BundleError::NoBundle => Failure::Usage(format!("{shown} is not a dockstrap bundle")),
            BundleError::Newer(schema) => Failure::Blocked(format!(
                "the bundle {shown} is of a newer dockstrap (schema {schema}, this one knows \
                 {SCHEMA}); use that one here as well"
            )),
            BundleError::Incomplete(what) => Failure::Blocked(format!(
                "the bundle {shown} is incomplete: {what}; copy it again, or make it anew with: \
                 dockstrap bundle create"
            )),
            BundleError::Hostile(what) => Failure::Trust(format!(
                "the bundle {shown} is not to be trusted: {what}; nothing was changed. Make a new \
                 one with: dockstrap bundle create"
            )),
        }
    }
}
