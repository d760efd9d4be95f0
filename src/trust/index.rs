//! Indexes: files that the signed InRelease names, and the packages in them.
//!
//! Owns the step from a signed size and hash to verified bytes, and from those to packages whose
//! names and paths are safe to use. Only a [`Verified`] index is parsed.

use std::io::BufRead;

use anyhow::Context;

use super::stanza::{Stanza, stanzas};
use super::{FileKind, Refusal, Sha256};
use crate::error::Failure;
use crate::relative_path::RelativePath;

/// What a signed text says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedFile {
    /// Relative to the folder of the InRelease, or of the repository.
    pub path: RelativePath,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
}

impl ExpectedFile {
    /// Whether a file of this size and hash is the one that is meant.
    pub(crate) fn check(&self, size: u64, sha256: Sha256) -> Result<(), Refusal> {
        if size != self.size {
            return Err(Refusal::other_size(&self.path, self.size, size));
        }
        if sha256 != self.sha256 {
            return Err(Refusal::other_hash(&self.path, self.sha256, sha256));
        }
        Ok(())
    }
}

/// Bytes that are what a signed text says they are. Made by [`verify_file`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verified<'a>(&'a [u8]);

impl<'a> Verified<'a> {
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Believes `bytes` if their size and SHA-256 are those of `entry`.
pub(crate) fn verify_file<'a>(
    bytes: &'a [u8],
    entry: &ExpectedFile,
) -> Result<Verified<'a>, Refusal> {
    entry.check(bytes.len() as u64, Sha256::of(bytes))?;
    Ok(Verified(bytes))
}

/// One version of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub package: String,
    pub version: String,
    pub architecture: String,
    /// Relative to the root of the repository.
    pub filename: RelativePath,
    /// Bytes to download.
    pub size: u64,
    pub sha256: Sha256,
    /// KiB on disk, as the packager estimated.
    pub installed_size: Option<u64>,
}

/// The packages of an index, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackageIndex(Vec<Package>);

impl PackageIndex {
    pub(crate) fn parse(index: Verified<'_>) -> Result<PackageIndex, Refusal> {
        let text = std::str::from_utf8(index.bytes())
            .map_err(|error| Refusal::malformed(FileKind::Packages, error))?;
        stanzas(FileKind::Packages, text)
            .map(|stanza| package(&stanza?))
            .collect::<Result<_, _>>()
            .map(PackageIndex)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Package> {
        self.0.iter()
    }

    /// All versions of one package, in the index's order.
    pub(crate) fn versions<'a>(&'a self, package: &'a str) -> impl Iterator<Item = &'a Package> {
        self.iter().filter(move |it| it.package == package)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What an index says of those of its files that are wanted, read as it streams by: Ubuntu's are too
/// large to be held. Nothing of it may be believed before the bytes that were read are verified.
pub(crate) fn find_files(
    mut index: impl BufRead,
    is_wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<ExpectedFile>> {
    let mut found = Vec::new();
    let mut stanza = Vec::new();
    loop {
        let begin = stanza.len();
        let read = index
            .read_until(b'\n', &mut stanza)
            .context("reading an index")?;
        if read > 0 && !stanza[begin..].trim_ascii().is_empty() {
            continue;
        }
        if names_file(&stanza, &is_wanted) {
            found.push(file(&stanza).map_err(Failure::from)?);
        }
        stanza.clear();
        if read == 0 {
            return Ok(found);
        }
    }
}

fn names_file(stanza: &[u8], is_wanted: impl Fn(&str) -> bool) -> bool {
    let mut lines = stanza.split(|byte| *byte == b'\n');
    lines.any(|line| {
        let line = std::str::from_utf8(line).unwrap_or_default();
        let field = line.split_once(':');
        field.is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("Filename") && is_wanted(value.trim())
        })
    })
}

fn file(stanza: &[u8]) -> Result<ExpectedFile, Refusal> {
    let malformed = |error: &dyn std::fmt::Display| Refusal::malformed(FileKind::Packages, error);
    let text = std::str::from_utf8(stanza).map_err(|error| malformed(&error))?;
    let stanza = stanzas(FileKind::Packages, text)
        .next()
        .unwrap_or_else(|| Err(malformed(&"it has an empty stanza")))?;
    Ok(ExpectedFile {
        path: path(&stanza, "Filename", stanza.required("Filename")?)?,
        size: stanza.parse("Size", stanza.required("Size")?)?,
        sha256: stanza.parse("SHA256", stanza.required("SHA256")?)?,
    })
}

fn package(stanza: &Stanza<'_>) -> Result<Package, Refusal> {
    let word = |name| {
        let text = stanza.required(name)?;
        if !is_word(text) {
            return Err(stanza.malformed(format!("{name} is '{}'", text.escape_debug())));
        }
        Ok(text.to_owned())
    };
    Ok(Package {
        package: word("Package")?,
        version: word("Version")?,
        architecture: word("Architecture")?,
        filename: path(stanza, "Filename", stanza.required("Filename")?)?,
        size: stanza.parse("Size", stanza.required("Size")?)?,
        sha256: stanza.parse("SHA256", stanza.required("SHA256")?)?,
        installed_size: match stanza.optional("Installed-Size")? {
            Some(size) => Some(stanza.parse("Installed-Size", size)?),
            None => None,
        },
    })
}

/// Whether `text` is safe as an argument and as part of a file name: what Debian Policy allows
/// in names, versions and architectures, beginning with a letter or a digit.
fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte))
}

/// `text`, which is of the field `name`, as a path.
pub(super) fn path(stanza: &Stanza<'_>, name: &str, text: &str) -> Result<RelativePath, Refusal> {
    RelativePath::parse(text).map_err(|error| stanza.malformed(format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::fixture;
    use proptest::prelude::{any, prop_assert, proptest};

    const GOOD: &str = "\
Package: a
Version: 1
Architecture: all
Filename: pool/a_1_all.deb
Size: 7
SHA256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
";

    fn parse(text: &str) -> Result<PackageIndex, Refusal> {
        PackageIndex::parse(Verified(text.as_bytes()))
    }

    fn entry(bytes: &[u8]) -> ExpectedFile {
        ExpectedFile {
            path: RelativePath::parse("stable/binary-amd64/Packages").unwrap(),
            size: bytes.len() as u64,
            sha256: Sha256::of(bytes),
        }
    }

    #[test]
    fn a_file_of_the_signed_size_and_hash_is_believed() {
        assert_eq!(verify_file(b"abc", &entry(b"abc")).unwrap().bytes(), b"abc");
    }

    #[test]
    fn a_file_of_another_size_is_refused_with_both_sizes() {
        let refusal = verify_file(b"abcd", &entry(b"abc"))
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("4 bytes instead of 3"), "{refusal}");
    }

    #[test]
    fn a_file_with_another_hash_is_refused_by_its_path() {
        let refusal = verify_file(b"abd", &entry(b"abc")).unwrap_err().to_string();
        assert!(
            refusal.starts_with("stable/binary-amd64/Packages"),
            "{refusal}"
        );
        assert!(refusal.contains("SHA-256"), "{refusal}");
    }

    #[test]
    fn packages_are_read_with_all_their_versions() {
        let bytes = fixture::bytes("Packages");
        let packages = PackageIndex::parse(Verified(&bytes)).unwrap();
        assert_eq!(packages.iter().count(), 3);
        let versions = packages.versions("docker-ce").map(|it| it.version.as_str());
        assert_eq!(
            versions.collect::<Vec<_>>(),
            [
                "5:29.10.0-1~ubuntu.24.04~noble",
                "5:29.9.1-1~ubuntu.24.04~noble"
            ]
        );
        let containerd = packages.versions("containerd.io").next().unwrap();
        assert_eq!(containerd.architecture, "amd64");
        assert_eq!(containerd.size, 23_456_789);
        assert_eq!(containerd.installed_size, Some(123_456));
        assert_eq!(containerd.sha256.to_string(), "1".repeat(64));
    }

    #[test]
    fn an_empty_index_has_no_packages() {
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn a_path_out_of_the_repository_is_refused() {
        for path in [
            "/etc/passwd",
            "../a.deb",
            "pool/../../a.deb",
            "pool//a",
            "./a",
            "a\\b",
            "a b",
        ] {
            let text = GOOD.replace("pool/a_1_all.deb", path);
            let refusal = parse(&text).unwrap_err().to_string();
            assert!(refusal.contains("Filename: "), "{path}: {refusal}");
        }
        assert!(parse(GOOD).is_ok());
    }

    #[test]
    fn a_name_that_could_be_an_option_or_a_path_is_refused() {
        for name in ["--purge", "a/b", "..", "a;b", "é"] {
            let text = GOOD.replace("Package: a", &format!("Package: {name}"));
            assert!(parse(&text).is_err(), "{name}");
        }
    }

    #[test]
    fn a_missing_or_unreadable_field_is_refused_by_name() {
        for field in [
            "Package",
            "Version",
            "Architecture",
            "Filename",
            "Size",
            "SHA256",
        ] {
            let without = GOOD.replace(&format!("{field}:"), "Other:");
            let refusal = parse(&without).unwrap_err().to_string();
            assert!(
                refusal.contains(&format!("{field} is missing")),
                "{refusal}"
            );
        }
        assert!(parse(&GOOD.replace("Size: 7", "Size: -7")).is_err());
        assert!(parse(&GOOD.replace("SHA256: ba", "SHA256: xx")).is_err());
    }

    #[test]
    fn wanted_files_are_found_in_an_index_that_streams_by() {
        let other = GOOD.replace("pool/a_1", "pool/b_1");
        let index = format!("{other}\n{GOOD}\n\nPackage: c\n");
        let find = |index: &str, wanted: &str| find_files(index.as_bytes(), |name| name == wanted);
        let [found] = &find(&index, "pool/a_1_all.deb").unwrap()[..] else {
            panic!("one file has this name");
        };
        assert_eq!((found.path.as_str(), found.size), ("pool/a_1_all.deb", 7));
        assert!(find(&index, "pool/c.deb").unwrap().is_empty());
        // Only a field names a file, and one that names two is refused.
        let hidden = GOOD.replace("Size", "Description: x\n Filename: pool/d.deb\nSize");
        assert!(find(&hidden, "pool/d.deb").unwrap().is_empty());
        let double = GOOD.replace("Size", "filename: pool/d.deb\nSize");
        assert!(find(&double, "pool/d.deb").is_err());
        let climbing = GOOD.replace("pool/a_1_all.deb", "../a.deb");
        assert!(find(&climbing, "../a.deb").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics_and_never_leaves_the_repository(text in any::<String>(), path in any::<String>()) {
            let _ = parse(&text);
            if let Ok(packages) = parse(&GOOD.replace("pool/a_1_all.deb", &path)) {
                for package in packages.iter() {
                    let path = std::path::Path::new(package.filename.as_str());
                    prop_assert!(path.components().all(|it| matches!(it, std::path::Component::Normal(_))));
                }
            }
        }
    }
}
