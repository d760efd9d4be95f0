//! Ubuntu's part of a bundle, verified from its InRelease to each package.
//!
//! apt verifies it all once more. But apt needs it on the disk, and whoever made a bundle must not
//! decide how much is put there: nothing is unpacked beyond the sizes that a signed text states.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, Write, sink};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;

use super::archive::Measured;
use crate::error::Failure;
use crate::host::Host;
use crate::host::bundle::{Bundle, PartialSuite, is_package};
use crate::host::folder::Folder;
use crate::host::temporary;
use crate::relative_path::RelativePath;
use crate::trust::{ExpectedFile, FileKind, Keyring, Refusal, SignedRelease, find_files};

/// The keys of Ubuntu's archive, of the package ubuntu-keyring, which every Ubuntu has.
pub(crate) const UBUNTU_KEYRING: &str = "/usr/share/keyrings/ubuntu-archive-keyring.gpg";

const INRELEASE_LIMIT: u64 = 1 << 20;

/// Bytes that all parts together may have on the disk. The index of all of universe has 80 MB.
const ROOM: u64 = 2 << 30;

/// Which state of a suite a bundle has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pocket {
    pub suite: RelativePath,
    /// When it was signed.
    pub date: SystemTime,
}

/// How much may still be unpacked.
#[derive(Debug)]
pub(crate) struct Room(u64);

/// A part under a good signature, of which nothing is unpacked yet.
#[derive(Debug)]
pub(crate) struct UbuntuPart<'a> {
    bundle: &'a Bundle,
    part: &'a PartialSuite,
    inrelease: Vec<u8>,
    release: SignedRelease,
}

impl Pocket {
    pub(crate) fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.date).unwrap_or_default()
    }
}

impl Default for Room {
    fn default() -> Room {
        Room(ROOM)
    }
}

impl Room {
    fn take(&mut self, path: &RelativePath, size: u64) -> Result<()> {
        let full = || Failure::Trust(format!("{path} is more than a bundle may unpack"));
        self.0 = self.0.checked_sub(size).ok_or_else(full)?;
        Ok(())
    }
}

/// The keyring of Ubuntu's archive on this host, if there is one.
///
/// # Errors
/// [`Failure::Trust`] when it cannot be used.
pub(crate) fn keyring(host: &Host, now: SystemTime) -> Result<Option<Keyring>> {
    let bytes = host.read(UBUNTU_KEYRING)?;
    let keyring = bytes.map(|bytes| Keyring::read(&bytes, now)).transpose();
    keyring
        .map_err(Failure::from)
        .with_context(|| format!("{UBUNTU_KEYRING} cannot be used; nothing was changed"))
}

/// The signed index of a part, as it was packed.
///
/// # Errors
/// [`Failure::Trust`] when it is larger than any.
pub(crate) fn inrelease(bundle: &Bundle, part: &PartialSuite) -> Result<Vec<u8>> {
    let path = part.inrelease().context("its path is too long")?;
    let mut packed = bundle.open_file(&path, 0).context("it is not there")?;
    if packed.left() > INRELEASE_LIMIT {
        return Err(Failure::from(Refusal::TooLarge {
            document: FileKind::InRelease,
            limit: INRELEASE_LIMIT as usize,
        })
        .into());
    }
    let mut bytes = Vec::new();
    packed
        .read_to_end(&mut bytes)
        .with_context(|| format!("reading {path} in the bundle"))?;
    Ok(bytes)
}

impl<'a> UbuntuPart<'a> {
    /// Verifies the signed index of a part: who signed it, for which suite, and when.
    ///
    /// # Errors
    /// [`Failure::Trust`] when it is not to be believed, or its `Valid-Until` has passed.
    pub(crate) fn verify(
        bundle: &'a Bundle,
        part: &'a PartialSuite,
        keyring: &Keyring,
        now: SystemTime,
    ) -> Result<UbuntuPart<'a>> {
        let verify = || {
            let inrelease = inrelease(bundle, part)?;
            let release = keyring.verify(&inrelease, now).map_err(Failure::from)?;
            release
                .require_suite(part.suite.as_str(), &bundle.manifest().architecture)
                .and_then(|()| release.check_date(now))
                .map_err(Failure::from)?;
            Ok((inrelease, release))
        };
        let (inrelease, release) = verify().map_err(|error| refused(bundle, error))?;
        Ok(UbuntuPart {
            bundle,
            part,
            inrelease,
            release,
        })
    }

    pub(crate) fn pocket(&self) -> Pocket {
        Pocket {
            suite: self.part.suite.clone(),
            date: self.release.date(),
        }
    }

    /// Verifies all that is in it, and puts it into `folder` when there is one.
    ///
    /// # Errors
    /// [`Failure::Trust`] when something is not what the signed index says, or more than fits.
    pub(crate) fn unpack(&self, folder: Option<&Folder>, room: &mut Room) -> Result<()> {
        self.unpack_all(folder, room)
            .map_err(|error| refused(self.bundle, error))
    }

    fn unpack_all(&self, folder: Option<&Folder>, room: &mut Room) -> Result<()> {
        let PartialSuite {
            folder: root,
            components,
            ..
        } = self.part;
        let path = self.part.inrelease().context("its path is too long")?;
        if let Some((folder, path)) = folder.zip(path.below(root)) {
            room.take(&path, self.inrelease.len() as u64)?;
            create(folder, &path)?
                .write_all(&self.inrelease)
                .with_context(|| format!("unpacking {path}"))?;
        }
        let files = self.bundle.manifest().files.iter();
        let packages: BTreeMap<_, _> = files
            .filter(|file| is_package(file.path.as_str()))
            .filter_map(|file| Some((file.path.below(root)?, &file.path)))
            .collect();
        let mut vouched = BTreeMap::new();
        for component in components {
            let mut index = self.unpack_index(component, folder, room)?;
            index.rewind().context("reading an index")?;
            let is_wanted = |path: &str| packages.contains_key(path);
            let found = find_files(BufReader::new(index), is_wanted)?.into_iter();
            vouched.extend(found.map(|entry| (entry.path.clone(), entry)));
        }
        for (path, packed) in packages {
            let Some(entry) = vouched.get(&path) else {
                let reason = format!("{packed} is not in the signed index");
                return Err(Failure::Trust(reason).into());
            };
            let mut from = self.open(packed)?;
            match folder {
                None => copy(&mut from, &mut sink(), entry)?,
                Some(folder) => {
                    room.take(&path, entry.size)?;
                    copy(&mut from, &mut create(folder, &path)?, entry)?;
                }
            }
        }
        Ok(())
    }

    /// Unpacks the index of a component, which is what the signed index says.
    fn unpack_index(
        &self,
        component: &RelativePath,
        folder: Option<&Folder>,
        room: &mut Room,
    ) -> Result<File> {
        let suite = &self.part.suite;
        let architecture = &self.bundle.manifest().architecture;
        let name = PartialSuite::index(component, architecture).context("its path is too long")?;
        let packed = self
            .part
            .packed_index(component, architecture)
            .context("its path is too long")?;
        let Some(entry) = self.release.file(name.as_str()) else {
            let reason = format!("the signed index of {suite} does not name {name}");
            return Err(Failure::Trust(reason).into());
        };
        room.take(&packed, entry.size)?;
        let mut from = GzDecoder::new(self.open(&packed)?);
        let plain = RelativePath::parse(&format!("dists/{suite}/{name}"))?;
        let mut index = match folder {
            None => {
                tempfile::tempfile_in(temporary::folder()?).context("making a temporary file")?
            }
            Some(folder) => create(folder, &plain)?,
        };
        copy(&mut from, &mut index, entry)?;
        Ok(index)
    }

    fn open(&self, path: &RelativePath) -> Result<impl Read + use<>> {
        let packed = self.bundle.open_file(path, 0);
        packed.with_context(|| format!("{path} is not there"))
    }
}

fn create(folder: &Folder, path: &RelativePath) -> Result<File> {
    let file = folder.create(path);
    file.with_context(|| format!("unpacking {path}"))
}

/// Copies what `entry` means, and never more of it.
fn copy(from: &mut impl Read, into: &mut impl Write, entry: &ExpectedFile) -> Result<()> {
    let mut measured = Measured::default();
    let mut chunk = vec![0; 1 << 16];
    while measured.size <= entry.size {
        let read = from.read(&mut chunk).map_err(|error| {
            Failure::Trust(format!("{} cannot be unpacked: {error}", entry.path))
        })?;
        if read == 0 {
            break;
        }
        measured.add(&chunk[..read]);
        if measured.size <= entry.size {
            into.write_all(&chunk[..read])
                .with_context(|| format!("unpacking {}", entry.path))?;
        }
    }
    Ok(measured.check(entry).map_err(Failure::from)?)
}

fn refused(bundle: &Bundle, error: anyhow::Error) -> anyhow::Error {
    let shown = bundle.path().display();
    error.context(format!(
        "what the bundle {shown} holds of Ubuntu's archive is refused; nothing was changed. Make a \
         new bundle with: dockstrap bundle create"
    ))
}

#[cfg(test)]
mod tests;
