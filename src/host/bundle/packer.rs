//! A bundle in the making.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tar::{Builder, EntryType, Header};

use super::manifest::MANIFEST;
use super::{BundledFile, Manifest};
use crate::relative_path::RelativePath;
use crate::trust::Sha256;

/// A bundle in the making.
#[derive(Debug)]
pub(crate) struct Packer {
    manifest: Manifest,
    contents: Vec<Payload>,
}

#[derive(Debug)]
enum Payload {
    Bytes(Vec<u8>),
    File(PathBuf),
}

impl Packer {
    pub(crate) fn new(manifest: Manifest) -> Packer {
        Packer {
            manifest,
            contents: Vec::new(),
        }
    }

    /// Puts these bytes in as the file at `path`.
    pub(crate) fn add_bytes(&mut self, path: RelativePath, bytes: Vec<u8>) {
        self.manifest.files.push(BundledFile {
            path,
            size: bytes.len() as u64,
            sha256: Sha256::of(&bytes),
        });
        self.contents.push(Payload::Bytes(bytes));
    }

    /// Puts a file of the disk in, of which size and hash are known.
    pub(crate) fn add_file(&mut self, contained: BundledFile, file: PathBuf) {
        self.manifest.files.push(contained);
        self.contents.push(Payload::File(file));
    }

    /// Writes the bundle, and returns what it says of itself.
    pub(crate) fn write(self, out: impl Write) -> Result<Manifest> {
        let Packer { manifest, contents } = self;
        let mut tar = Builder::new(out);
        let text = serde_json::to_vec_pretty(&manifest).context("writing the manifest")?;
        tar.append_data(&mut header(&manifest, text.len() as u64), MANIFEST, &*text)
            .context("writing the manifest")?;
        for (BundledFile { path, size, .. }, content) in manifest.files.iter().zip(&contents) {
            let header = &mut header(&manifest, *size);
            match content {
                Payload::Bytes(bytes) => tar.append_data(header, path.as_str(), &**bytes),
                Payload::File(file) => {
                    File::open(file).and_then(|file| tar.append_data(header, path.as_str(), file))
                }
            }
            .with_context(|| format!("writing {path}"))?;
        }
        tar.finish().context("writing the bundle")?;
        drop(tar);
        Ok(manifest)
    }
}

pub(super) fn header(manifest: &Manifest, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_mtime(manifest.made.as_second().unsigned_abs());
    header.set_size(size);
    header
}
