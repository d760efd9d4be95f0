//! Offline bundles: one tar file with all that an install fetches, laid out as its servers have it.
//!
//! Owns the format. Nothing in a bundle is believed because it is in one: Docker's part goes
//! through the same chain of trust as what comes from a server, and apt checks Ubuntu's part
//! against the host's own keyring. The manifest only says what the bundle is for, and what must
//! be in it for it to be whole.

mod packer;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tar::{Archive, EntryType};

use crate::error::Failure;

pub use packer::Packer;

/// Where Docker's repository stands in a bundle, as under the root of its server.
pub const DOCKER: &str = "docker";

/// What the names of files end with that are compressed, for the bundle alone: indexes are large.
pub const COMPRESSED: &str = ".gz";

/// The first file of a bundle.
const MANIFEST: &str = "bundle.json";
const MANIFEST_LIMIT: u64 = 1 << 20;

/// The version of the manifest that is written; older ones are read.
const SCHEMA: u32 = 1;

/// What a bundle is for, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    /// The version of dockstrap that made it.
    pub dockstrap: String,
    pub made: Timestamp,
    /// The codename of the hosts that it is for.
    pub release: String,
    /// The suite of Docker's repository.
    pub suite: String,
    pub architecture: String,
    /// The version of the engine.
    pub engine: String,
    /// Parts of Ubuntu's archive, for what Docker's packages need beyond a fresh host.
    pub archives: Vec<Part>,
    pub files: Vec<Contained>,
}

/// One suite of Ubuntu's archive, in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The folder that stands for the root of its server.
    pub folder: String,
    pub suite: String,
    pub components: Vec<String>,
}

/// A file in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contained {
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// In hexadecimal.
    pub sha256: String,
}

/// A bundle that is whole, as far as its manifest says.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    file: Arc<File>,
    manifest: Manifest,
    /// Where each file begins, and its size.
    places: BTreeMap<String, (u64, u64)>,
}

impl Manifest {
    /// A manifest that says what is in it once the files are put in.
    pub fn new(release: &str, suite: &str, architecture: &str) -> Manifest {
        Manifest {
            schema: SCHEMA,
            dockstrap: env!("CARGO_PKG_VERSION").to_owned(),
            made: Timestamp::now(),
            release: release.to_owned(),
            suite: suite.to_owned(),
            architecture: architecture.to_owned(),
            engine: String::new(),
            archives: Vec::new(),
            files: Vec::new(),
        }
    }

    /// What it names of repositories and versions.
    fn words(&self) -> impl Iterator<Item = &str> {
        let parts = self.archives.iter();
        let words = parts.flat_map(|part| part.components.iter().chain([&part.suite]));
        let words = words.chain([&self.release, &self.suite, &self.architecture]);
        let words = words.chain([&self.engine, &self.dockstrap]);
        words.map(String::as_str)
    }
}

impl Bundle {
    /// Opens the bundle at `path`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it cannot be read or is no bundle; [`Failure::Blocked`] when
    /// something is missing of it, or it is of a newer dockstrap; [`Failure::Trust`] when its
    /// manifest says what no bundle says.
    pub fn open(path: &Path) -> Result<Bundle> {
        let shown = path.display();
        let file = File::open(path)
            .map_err(|error| Failure::Usage(format!("cannot read the bundle {shown}: {error}")))?;
        let incomplete = |what: String| {
            Failure::Blocked(format!(
                "the bundle {shown} is incomplete: {what}; copy it again, or make it anew with: \
                 dockstrap bundle create"
            ))
        };
        let mut places = BTreeMap::new();
        if let Err(error) = locate(&file, &mut places) {
            return Err(match places.is_empty() {
                true => Failure::Usage(format!("{shown} is not a bundle of dockstrap's: {error}")),
                false => incomplete(error.to_string()),
            }
            .into());
        }
        let size = file.metadata().map_or(0, |there| there.len());
        if let Some((name, _)) = places.iter().find(|(_, (at, long))| at + long > size) {
            return Err(incomplete(format!("it ends within {name}")).into());
        }
        let mut bundle = Bundle {
            path: path.to_owned(),
            file: Arc::new(file),
            manifest: Manifest::new("", "", ""),
            places,
        };
        bundle.manifest = bundle.read_manifest()?;
        bundle.compare().map_err(incomplete)?;
        Ok(bundle)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Refuses a bundle that is for other hosts than those of this release, suite and
    /// architecture.
    ///
    /// # Errors
    /// [`Failure::Blocked`].
    pub fn require(&self, release: &str, suite: &str, architecture: &str) -> Result<()> {
        let it = &self.manifest;
        if (&*it.release, &*it.suite, &*it.architecture) == (release, suite, architecture) {
            return Ok(());
        }
        let named = |release: &str, suite: &str, architecture: &str| match release == suite {
            true => format!("{release} on {architecture}"),
            false => format!("{release} on {architecture} with packages for {suite}"),
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

    /// The file of this name, from some byte on; `None` when there is none.
    pub fn open_file(&self, name: &str, from: u64) -> Option<Slice> {
        let (at, size) = *self.places.get(name)?;
        let from = from.min(size);
        Some(Slice {
            file: Arc::clone(&self.file),
            at: at + from,
            left: size - from,
        })
    }

    fn read_manifest(&self) -> Result<Manifest> {
        let no_bundle = |reason: &str| {
            let shown = self.path.display();
            Failure::Usage(format!("{shown} is not a bundle of dockstrap's: {reason}"))
        };
        let Some(slice) = self.open_file(MANIFEST, 0) else {
            return Err(no_bundle(&format!("there is no {MANIFEST} in it")).into());
        };
        if slice.left > MANIFEST_LIMIT {
            return Err(no_bundle(&format!("its {MANIFEST} is too large")).into());
        }
        #[derive(Deserialize)]
        struct Versioned {
            schema: u32,
        }
        let value: serde_json::Value =
            serde_json::from_reader(slice).map_err(|error| no_bundle(&error.to_string()))?;
        let unreadable = |error: serde_json::Error| no_bundle(&error.to_string());
        let Versioned { schema } = Versioned::deserialize(&value).map_err(unreadable)?;
        if schema > SCHEMA {
            return Err(Failure::Blocked(format!(
                "the bundle {} is of a newer dockstrap (schema {schema}, this one knows {SCHEMA}); \
                 use that one here as well",
                self.path.display()
            ))
            .into());
        }
        let manifest = Manifest::deserialize(&value).map_err(unreadable)?;
        let odd = manifest.words().find(|word| !is_word(word));
        if let Some(word) = odd {
            return Err(Failure::Trust(format!(
                "the bundle {} is not to be trusted: its {MANIFEST} has {word:?} where a single \
                 word belongs; nothing was changed",
                self.path.display()
            ))
            .into());
        }
        Ok(manifest)
    }

    /// Whether what is in it is what its manifest names.
    fn compare(&self) -> Result<(), String> {
        for file in &self.manifest.files {
            match self.places.get(&file.path) {
                None => return Err(format!("{} is missing", file.path)),
                Some((_, size)) if *size != file.size => {
                    let Contained {
                        path, size: said, ..
                    } = file;
                    return Err(format!("{path} has {size} bytes instead of {said}"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// A part of a file on disk, read from its beginning to its end.
#[derive(Debug)]
pub struct Slice {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Slice {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(chunk.len(), |left| left.min(chunk.len()));
        // Not by seeking: several threads read from one file.
        let read = self.file.read_at(&mut chunk[..most], self.at)?;
        if read == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Finds where each file of a tar begins, and its size.
fn locate(file: &File, places: &mut BTreeMap<String, (u64, u64)>) -> io::Result<()> {
    let mut archive = Archive::new(file);
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let path = entry.path()?.into_owned();
        let name = path.to_str().filter(|_| stays_inside(&path));
        let name = name.filter(|_| entry.header().entry_type() == EntryType::Regular);
        let Some(name) = name else {
            let reason = format!("{} has no place in it", path.display());
            return Err(io::Error::other(reason));
        };
        let place = (entry.raw_file_position(), entry.size());
        if places.insert(name.to_owned(), place).is_some() {
            return Err(io::Error::other(format!("{name} is in it twice")));
        }
    }
    Ok(())
}

/// Whether it is no more than a name to apt. With the end of a line in it, it would tell apt other
/// things as well: to trust what nobody has signed, for one.
fn is_word(text: &str) -> bool {
    let is_of_word = |it: char| it.is_ascii_alphanumeric() || "-._+/:~".contains(it);
    !text.is_empty() && text.chars().all(is_of_word)
}

fn stays_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests;
