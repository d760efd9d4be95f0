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
pub struct Archive {
    pub uri: String,
    /// What apt calls it in its archive folder.
    pub name: FileName,
    /// What it must be.
    pub entry: ExpectedFile,
}

/// A package file as the journal keeps it in mind: what it must be, if it is ever to be used again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownArchive {
    /// What apt calls it in its archive folder.
    pub name: FileName,
    pub size: u64,
    pub sha256: String,
}

/// The package files of a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archives {
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
    pub fn parse(printed: &str, source: &Source, offered: &PackageIndex) -> Result<Archives> {
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
    pub fn download(&self, host: &Host) -> Result<Download> {
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
    pub fn absent(&self, host: &Host) -> Result<Vec<PathBuf>> {
        let mut absent = Vec::new();
        for archive in self.iter() {
            if !host.exists(archive.path())? {
                absent.push(archive.path());
            }
        }
        Ok(absent)
    }

    /// What each must be, for the journal.
    pub fn known(&self) -> Vec<KnownArchive> {
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
    pub fn path(&self) -> PathBuf {
        Path::new(ARCHIVES).join(&self.name)
    }

    /// Whether these were its bytes.
    pub fn is(&self, measured: Measured) -> bool {
        measured.size == self.size && Sha256::from(measured.hasher).to_string() == self.sha256
    }
}

impl Archive {
    /// Where apt looks for it.
    pub fn path(&self) -> PathBuf {
        Path::new(ARCHIVES).join(&self.name)
    }

    /// Whether it is there, all of it and unchanged.
    pub fn is_there(&self, host: &Host) -> Result<bool> {
        if !self.seems_there(host)? {
            return Ok(false);
        }
        Ok(self.check(&host.path(self.path()))?.is_ok())
    }

    /// Whether the file at `path` is the one that is meant.
    pub fn check(&self, path: &Path) -> Result<Result<(), Refusal>> {
        let mut measured = Measured::default();
        File::open(path)
            .and_then(|mut file| measured.read(&mut file))
            .with_context(|| format!("reading {}", path.display()))?;
        Ok(measured.check(&self.entry))
    }

    /// Whether a file of its size is in its place.
    pub fn seems_there(&self, host: &Host) -> Result<bool> {
        let there = host.metadata(self.path())?;
        Ok(there.is_some_and(|there| there.is_file() && there.len() == self.entry.size))
    }
}

/// The size and the hash of bytes that pass by.
#[derive(Default, Clone)]
pub struct Measured {
    pub size: u64,
    hasher: sha2::Sha256,
}

impl Measured {
    pub fn add(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    /// Takes in all that `file` still has.
    pub fn read(&mut self, file: &mut impl Read) -> std::io::Result<()> {
        let mut chunk = vec![0; 1 << 16];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(()),
                read => self.add(&chunk[..read]),
            }
        }
    }

    /// Whether these were the bytes that `entry` means.
    pub fn check(self, entry: &ExpectedFile) -> Result<(), Refusal> {
        entry.check(self.size, Sha256::from(self.hasher))
    }
}

/// The package files that `apt-get --print-uris` prints, and what each must be.
pub fn printed(text: &str) -> Vec<Archive> {
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
pub fn unescape(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// The name of a package file that is not hidden in its folder.
fn archive_name(text: &str) -> Option<FileName> {
    let name = FileName::parse(text).ok()?;
    (text.ends_with(".deb") && !text.starts_with('.')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::relative_path::RelativePath;
    use crate::trust::verify_file;

    const PRINTED: &str = "\
Reading package lists...
'http://archive.ubuntu.com/ubuntu/pool/main/pigz_2.8-1_amd64.deb' pigz_2.8-1_amd64.deb 6 SHA256:876b4612815c310d91cced1e6193a14e397d03ebb5ae85fec72fc6e0246ccdd9
'https://download.docker.com/linux/ubuntu/dists/noble/pool/stable/amd64/docker-ce_29.5.3-1%7eubuntu_amd64.deb' docker-ce_5%3a29.5.3-1~ubuntu_amd64.deb 3 SHA256:876b4612815c310d91cced1e6193a14e397d03ebb5ae85fec72fc6e0246ccdd9
'file:/srv/a.deb' a_1_all.deb 3 MD5Sum:73d79a6cdc5ce7811dcad0a224e9b5b8
'http://example.com/b.deb' ../b.deb 3 SHA256:876b4612815c310d91cced1e6193a14e397d03ebb5ae85fec72fc6e0246ccdd9
";
    const INDEX: &str = "\
Package: docker-ce
Version: 5:29.5.3-1~ubuntu
Architecture: amd64
Filename: dists/noble/pool/stable/amd64/docker-ce_29.5.3-1~ubuntu_amd64.deb
Size: 3
SHA256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
";

    fn parse(index: &str) -> Result<Archives> {
        let source = Source {
            uri: "https://download.docker.com/linux/ubuntu".to_owned(),
            suite: "noble".to_owned(),
            architecture: "amd64".to_owned(),
        };
        let entry = ExpectedFile {
            path: RelativePath::parse("Packages").unwrap(),
            size: index.len() as u64,
            sha256: Sha256::of(index.as_bytes()),
        };
        let verified = verify_file(index.as_bytes(), &entry).unwrap();
        Archives::parse(PRINTED, &source, &PackageIndex::parse(verified).unwrap())
    }

    proptest::proptest! {
        #[test]
        fn whatever_apt_prints_its_files_stay_in_the_archive_folder(
            name in "[a-z./%\\\\-]{0,12}",
            path in "[a-z./%\\\\-]{0,12}",
            any in proptest::prelude::any::<String>(),
        ) {
            let source = Source {
                uri: "https://docker.example/linux/ubuntu".to_owned(),
                suite: "noble".to_owned(),
                architecture: "amd64".to_owned(),
            };
            for name in [format!("{name}.deb"), any] {
                let printed = format!("'copy:/{path}' {name} 1 SHA256:{}\n", Sha256::of(b""));
                let archives = Archives::parse(&printed, &source, &PackageIndex::default()).unwrap();
                for archive in archives.iter() {
                    let path = archive.path();
                    let file = path.strip_prefix(ARCHIVES).unwrap();
                    proptest::prop_assert_eq!(file.components().count(), 1);
                    proptest::prop_assert_eq!(file.to_str().unwrap(), name.as_str());
                }
            }
        }
    }

    fn put(root: &Path, name: &str, bytes: &[u8]) {
        let folder = root.join("var/cache/apt/archives");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }

    #[test]
    fn what_dockers_files_must_be_is_said_by_the_verified_index() {
        let archives = parse(INDEX).unwrap();
        let [engine] = archives.docker.as_slice() else {
            panic!("{archives:?}");
        };
        assert_eq!(
            engine.name.as_str(),
            "docker-ce_5%3a29.5.3-1~ubuntu_amd64.deb"
        );
        assert_eq!(engine.entry.sha256, Sha256::of(b"abc"));
    }

    #[test]
    fn files_without_a_sha_256_and_names_that_leave_the_folder_are_passed_over() {
        let archives = parse(INDEX).unwrap();
        let names = archives.others.iter().map(|other| other.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["pigz_2.8-1_amd64.deb"]);
    }

    #[test]
    fn a_file_of_dockers_that_is_not_in_the_index_is_refused() {
        let error = parse(&INDEX.replace("docker-ce_29", "docker-ce_28")).unwrap_err();
        assert_eq!(exit_code(&error), 5);
        assert!(error.to_string().contains("docker-ce_29"), "{error}");
    }

    #[test]
    fn a_file_is_there_only_when_its_hash_is_right() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::at(root.path(), root.path());
        let archives = parse(INDEX).unwrap();
        let engine = &archives.docker[0];
        assert!(!engine.is_there(&host).unwrap());
        assert_eq!(archives.absent(&host).unwrap().len(), 2);
        for (bytes, right) in [("ab", false), ("abd", false), ("abc", true)] {
            put(root.path(), engine.name.as_str(), bytes.as_bytes());
            assert_eq!(engine.is_there(&host).unwrap(), right, "{bytes}");
        }
        let download = archives.download(&host).unwrap();
        assert_eq!((download.files, download.bytes), (1, 6));
        assert_eq!(archives.absent(&host).unwrap(), [archives.others[0].path()]);
    }

    #[test]
    fn the_space_that_apt_needs_is_read_in_every_unit() {
        let after = |space: &str| {
            parse_space(&format!(
                "After this operation, {space} of additional disk space will be used."
            ))
        };
        assert_eq!(after("0 B"), Some(0));
        assert_eq!(after("157 kB"), Some(157_000));
        assert_eq!(after("1,024 MB"), Some(1_024_000_000));
        assert_eq!(after("1.5 GB"), Some(1_500_000_000));
        let freed = "After this operation, 157 kB disk space will be freed.";
        assert_eq!(parse_space(freed), None);
    }
}
