//! The manifest: what a bundle is for, and which files are in it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{COMPRESSED, DOCKER, folder_of_part};
use crate::relative_path::{FileName, RelativePath};
use crate::trust::Sha256;

/// The first file of a bundle.
pub(super) const MANIFEST: &str = "bundle.json";

/// How many files a bundle may have. One for a bare host has about a dozen.
pub(super) const MOST_FILES: usize = 1000;

pub(super) const MANIFEST_LIMIT: u64 = 1 << 20;

/// The version of the manifest that is written; older ones are read.
pub(super) const SCHEMA: u32 = 1;

/// Bytes in all files together; a bundle for a bare host has about 150 MB.
const SIZE_LIMIT: u64 = 4 << 30;

/// What a bundle is for, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
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
    pub archives: Vec<PartialSuite>,
    pub files: Vec<BundledFile>,
}

/// One suite of Ubuntu's archive, in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartialSuite {
    /// The folder that stands for the root of its server.
    pub folder: RelativePath,
    pub suite: RelativePath,
    pub components: Vec<RelativePath>,
}

/// A file in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BundledFile {
    pub path: RelativePath,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
}

impl Manifest {
    /// A manifest that says what is in it once the files are put in.
    pub(crate) fn new(release: &str, suite: &str, architecture: &str) -> Manifest {
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

    /// Bytes in all files together.
    pub(crate) fn size(&self) -> u64 {
        let sizes = self.files.iter().map(|file| file.size);
        sizes.fold(0, u64::saturating_add)
    }

    /// Whether it says no more than a manifest does; otherwise why not.
    pub(super) fn check(&self) -> Result<(), String> {
        let odd_word = self.words().find(|word| !is_word(word));
        // With a slash in it, a name would be a path.
        let is_odd = |name: &&str| !is_word(name) || FileName::parse(name).is_err();
        if let Some(odd) = odd_word.or(self.names().into_iter().find(is_odd)) {
            let odd: String = odd.chars().take(80).collect();
            return Err(format!(
                "its {MANIFEST} has {odd:?} where a single word belongs"
            ));
        }
        if self.files.len() > MOST_FILES || self.archives.len() > MOST_FILES {
            return Err(too_many());
        }
        if self.size() > SIZE_LIMIT {
            return Err(format!("its files have more than {SIZE_LIMIT} bytes"));
        }
        for (number, part) in self.archives.iter().enumerate() {
            if part.folder != *folder_of_part(number) {
                return Err(format!("{} is no folder of a bundle", part.folder));
            }
        }
        let mut seen = BTreeSet::new();
        for BundledFile { path, .. } in &self.files {
            if !self.has_place_for(path) {
                return Err(format!("{path} has no place in a bundle"));
            }
            if !seen.insert(path) {
                return Err(format!("{path} is in it twice"));
            }
        }
        Ok(())
    }

    /// What it names of Ubuntu's archive.
    fn words(&self) -> impl Iterator<Item = &str> {
        let parts = self.archives.iter();
        let words = parts.flat_map(|part| part.components.iter().chain([&part.suite]));
        words.map(RelativePath::as_str)
    }

    fn names(&self) -> [&str; 5] {
        [
            &self.release,
            &self.suite,
            &self.architecture,
            &self.engine,
            &self.dockstrap,
        ]
    }

    /// The signed indexes without which a part is of no use.
    pub(super) fn required(&self) -> impl Iterator<Item = RelativePath> {
        self.archives.iter().flat_map(|part| {
            let indexes = part
                .components
                .iter()
                .map(|it| part.packed_index(it, &self.architecture));
            indexes.chain([part.inrelease()]).flatten()
        })
    }

    /// Whether a bundle has a file at this path: a package, or an index that vouches for some.
    fn has_place_for(&self, path: &RelativePath) -> bool {
        let parts: Vec<&str> = path.parts().collect();
        let Manifest {
            suite,
            architecture,
            ..
        } = self;
        let binary = format!("binary-{architecture}");
        match parts.as_slice() {
            [DOCKER, "gpg"] => true,
            [DOCKER, "dists", of, "InRelease"] => of == suite,
            [DOCKER, "dists", of, _, folder, "Packages"] => of == suite && *folder == binary,
            [DOCKER, .., name] => is_package(name),
            _ => self.archives.iter().any(|part| {
                let inside = path.below(&part.folder).is_some();
                let mut components = part.components.iter();
                let is_index = |of| part.packed_index(of, architecture).as_ref() == Some(path);
                inside
                    && (is_package(path.as_str())
                        || part.inrelease().as_ref() == Some(path)
                        || components.any(is_index))
            }),
        }
    }
}

impl PartialSuite {
    /// Where its signed index is.
    pub(crate) fn inrelease(&self) -> Option<RelativePath> {
        RelativePath::parse(&format!("{}/dists/{}/InRelease", self.folder, self.suite)).ok()
    }

    /// What its InRelease calls the index of a component.
    pub(crate) fn index(component: &RelativePath, architecture: &str) -> Option<RelativePath> {
        RelativePath::parse(&format!("{component}/binary-{architecture}/Packages")).ok()
    }

    /// Where that index is, compressed.
    pub(crate) fn packed_index(
        &self,
        component: &RelativePath,
        architecture: &str,
    ) -> Option<RelativePath> {
        let index = PartialSuite::index(component, architecture)?;
        let PartialSuite { folder, suite, .. } = self;
        RelativePath::parse(&format!("{folder}/dists/{suite}/{index}{COMPRESSED}")).ok()
    }
}

pub(super) fn too_many() -> String {
    format!("it has more than {MOST_FILES} files")
}

/// Whether a file of this name is a package.
pub(crate) fn is_package(path: &str) -> bool {
    path.ends_with(".deb")
}

/// Whether it is no more than a name to apt. With the end of a line in it, it would tell apt other
/// things as well: to trust what nobody has signed, for one.
fn is_word(text: &str) -> bool {
    let is_of_word = |it: char| it.is_ascii_alphanumeric() || "-._+/:~".contains(it);
    !text.is_empty() && text.chars().all(is_of_word)
}
