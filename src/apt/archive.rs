//! Package files: which of them a transaction needs, what each must be, and what is there.
//!
//! apt believes a file in its archive folder by its size alone (seen on apt 2.6 to 3.3), so what
//! is there is judged here by its hash. Nothing here downloads.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use sha2::Digest;

use super::lock::ARCHIVES;
use super::source::Source;
use super::transaction::Download;
use crate::error::Failure;
use crate::host::Host;
use crate::relative_path::FileName;
use crate::trust::{ExpectedFile, PackageIndex, Refusal, Sha256};

/// A package file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    pub uri: String,
    /// What apt calls it in its archive folder.
    pub name: FileName,
    /// What it must be.
    pub entry: ExpectedFile,
}

/// A package file as the journal keeps it in mind: what it must be, if it is ever to be used again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownArchive {
    /// What apt calls it in its archive folder.
    pub name: FileName,
    pub size: u64,
    pub sha256: String,
}

/// The package files of a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Archives {
    /// Those of Docker's repository. What they must be is said by its verified index.
    pub docker: Vec<Archive>,
    /// All others. What they must be is said by apt, from indexes that it has verified.
    pub others: Vec<Archive>,
    /// How many bytes more of the disk will be used, as apt reckons.
    pub unpacked: u64,
}

impl Archives {
    /// Reads what `apt-get --print-uris` prints, `'URI' NAME SIZE SHA256:HASH` a line. A file for
    /// which apt knows no SHA-256 is not among them.
    ///
    /// # Errors
    /// [`Failure::Trust`] when `offered`, the index of `source`, lacks a file of that source.
    pub(crate) fn parse(
        printed: &str,
        source: &Source,
        offered: &PackageIndex,
    ) -> Result<Archives> {
        let mut archives = Archives {
            unpacked: printed.lines().find_map(parse_space).unwrap_or(0),
            ..Archives::default()
        };
        for mut archive in printed.lines().filter_map(parse_line) {
            let root = format!("{}/", source.uri);
            let Some(path) = archive.uri.strip_prefix(&root).map(unescape) else {
                archives.others.push(archive);
                continue;
            };
            let Some(package) = offered.iter().find(|it| it.filename == *path) else {
                return Err(Failure::Trust(format!(
                    "apt would download {}, which the verified index does not have",
                    archive.uri
                ))
                .into());
            };
            archive.entry = ExpectedFile {
                path: package.filename.clone(),
                size: package.size,
                sha256: package.sha256,
            };
            archives.docker.push(archive);
        }
        Ok(archives)
    }

    /// What is to be downloaded, judged by names and sizes, as apt does.
    pub(crate) fn download(&self, host: &Host) -> Result<Download> {
        let mut download = Download::default();
        for archive in self.iter() {
            if !archive.seems_there(host)? {
                download.files += 1;
                download.bytes += archive.entry.size;
            }
        }
        Ok(download)
    }

    /// Where files will stand that are not there yet.
    pub(crate) fn absent(&self, host: &Host) -> Result<Vec<PathBuf>> {
        let mut absent = Vec::new();
        for archive in self.iter() {
            if !host.exists(archive.path())? {
                absent.push(archive.path());
            }
        }
        Ok(absent)
    }

    /// What each must be, for the journal.
    pub(crate) fn known(&self) -> Vec<KnownArchive> {
        let known = |archive: &Archive| KnownArchive {
            name: archive.name.clone(),
            size: archive.entry.size,
            sha256: archive.entry.sha256.to_string(),
        };
        self.iter().map(known).collect()
    }

    fn iter(&self) -> impl Iterator<Item = &Archive> {
        self.docker.iter().chain(&self.others)
    }
}

impl KnownArchive {
    /// Where apt looks for it.
    pub(crate) fn path(&self) -> PathBuf {
        Path::new(ARCHIVES).join(&self.name)
    }

    /// Whether these were its bytes.
    pub(crate) fn is(&self, measured: Measured) -> bool {
        measured.size == self.size && Sha256::from(measured.hasher).to_string() == self.sha256
    }
}

impl Archive {
    /// Where apt looks for it.
    pub(crate) fn path(&self) -> PathBuf {
        Path::new(ARCHIVES).join(&self.name)
    }

    /// Whether it is there, all of it and unchanged.
    pub(crate) fn is_there(&self, host: &Host) -> Result<bool> {
        if !self.seems_there(host)? {
            return Ok(false);
        }
        Ok(self.check(&host.path(self.path()))?.is_ok())
    }

    /// Whether the file at `path` is the one that is meant.
    pub(crate) fn check(&self, path: &Path) -> Result<Result<(), Refusal>> {
        let mut measured = Measured::default();
        File::open(path)
            .and_then(|mut file| measured.read(&mut file))
            .with_context(|| format!("reading {}", path.display()))?;
        Ok(measured.check(&self.entry))
    }

    /// Whether a file of its size is in its place.
    pub(crate) fn seems_there(&self, host: &Host) -> Result<bool> {
        let there = host.metadata(self.path())?;
        Ok(there.is_some_and(|there| there.is_file() && there.len() == self.entry.size))
    }
}

/// The size and the hash of bytes that pass by.
#[derive(Default, Clone)]
pub(crate) struct Measured {
    pub size: u64,
    hasher: sha2::Sha256,
}

impl Measured {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    /// Takes in all that `file` still has.
    pub(crate) fn read(&mut self, file: &mut impl Read) -> std::io::Result<()> {
        let mut chunk = vec![0; 1 << 16];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(()),
                read => self.add(&chunk[..read]),
            }
        }
    }

    /// Whether these were the bytes that `entry` means.
    pub(crate) fn check(self, entry: &ExpectedFile) -> Result<(), Refusal> {
        entry.check(self.size, Sha256::from(self.hasher))
    }
}

/// The package files that `apt-get --print-uris` prints, and what each must be.
pub(crate) fn printed(text: &str) -> Vec<Archive> {
    text.lines().filter_map(parse_line).collect()
}

/// Reads how many bytes apt is going to use, as in `After this operation, 436 MB of additional disk
/// space will be used.`
fn parse_space(line: &str) -> Option<u64> {
    let space = line.strip_prefix("After this operation, ")?;
    let (number, unit) = space
        .strip_suffix(" of additional disk space will be used.")?
        .split_once(' ')?;
    let number: f64 = number.replace(',', "").parse().ok()?;
    let factor = match unit {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    // Bytes of packages, which are far fewer than a float can count.
    Some((number * factor) as u64)
}

fn parse_line(line: &str) -> Option<Archive> {
    let (uri, rest) = line.strip_prefix('\'')?.split_once("' ")?;
    let mut words = rest.split(' ');
    let name = archive_name(words.next()?)?;
    let size = words.next()?.parse().ok()?;
    let sha256 = words.next()?.strip_prefix("SHA256:")?.parse().ok()?;
    Some(Archive {
        uri: uri.to_owned(),
        entry: ExpectedFile {
            path: name.clone().into_path(),
            size,
            sha256,
        },
        name,
    })
}

/// Takes back what apt does to a path in a URI, such as `%7e` for a tilde.
pub(crate) fn unescape(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// The name of a package file that is not hidden in its folder.
fn archive_name(text: &str) -> Option<FileName> {
    let name = FileName::parse(text).ok()?;
    (text.ends_with(".deb") && !text.starts_with('.')).then_some(name)
}

#[cfg(test)]
mod tests;
