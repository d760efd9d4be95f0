//! What a bundle takes out of a view: every package that a fresh host would need, and the indexes
//! that vouch for them.

#![expect(clippy::disallowed_methods, reason = "a view is a folder of the run")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::View;
use crate::apt::apt_get::with_safety;
use crate::apt::archive::{Archive, unescape};
use crate::apt::run::fetch_apart;
use crate::apt::{Archives, status};
use crate::docker;
use crate::error::Failure;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;
use crate::relative_path::RelativePath;
use crate::report::Listener;
use crate::trust::PackageIndex;

/// The packages for a bundle, as files in the folder of a view.
#[derive(Debug)]
pub(crate) struct Export {
    /// Those of Docker's repository, each with its file.
    pub docker: Vec<(Archive, PathBuf)>,
    /// Parts of other archives, with the packages that are taken from each.
    pub others: Vec<PartOfArchive>,
    /// The version of the engine.
    pub engine: String,
}

/// One suite of an archive, in part.
#[derive(Debug)]
pub(crate) struct PartOfArchive {
    pub uri: String,
    pub suite: RelativePath,
    pub inrelease: PathBuf,
    /// Each component's name with its index, unpacked.
    pub components: Vec<(RelativePath, Vec<u8>)>,
    pub packages: Vec<(Archive, PathBuf)>,
}

/// An index of packages that apt has.
struct IndexTarget {
    uri: String,
    suite: RelativePath,
    component: RelativePath,
    /// Where the list is.
    file: PathBuf,
}

impl View {
    /// Downloads what a host like this one, but without Docker's packages, needs to install these.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when something comes from an archive that a bundle cannot hold.
    pub(crate) fn export(
        &self,
        host: &Host,
        packages: &[String],
        offered: &PackageIndex,
        listener: Listener<'_>,
    ) -> Result<Export> {
        self.forget_docker(host, offered)?;
        let transaction = self.plan(host, packages, listener)?;
        let Archives { docker, others, .. } = self.archives(host, packages, offered)?;
        let download = self.install(packages).downloading_apart();
        fs::create_dir_all(self.path("archives/partial"))
            .context("making a folder for packages")?;
        fetch_apart(host, &self.reach.lend(download), listener)
            .context("downloading the packages")?;
        let mut installs = transaction.installs.iter();
        let engine = installs.find(|install| install.package == docker::PACKAGE);
        Ok(Export {
            docker: docker
                .into_iter()
                .map(|archive| self.downloaded(archive))
                .collect::<Result<_>>()?,
            others: self.parts(host, others)?,
            engine: engine
                .map(|engine| engine.version.clone())
                .unwrap_or_default(),
        })
    }

    /// Lets apt believe that nothing of Docker's is installed here.
    fn forget_docker(&self, host: &Host, offered: &PackageIndex) -> Result<()> {
        let of_docker = |package: &str| offered.versions(package).next().is_some();
        self.believe(&status::without(host, of_docker)?)
    }

    /// The file of a package that was downloaded, when it is what it must be.
    fn downloaded(&self, archive: Archive) -> Result<(Archive, PathBuf)> {
        let path = self.path("archives").join(&archive.name);
        let checked = archive.check(&path)?;
        checked.map_err(Failure::from)?;
        Ok((archive, path))
    }

    /// Sorts packages by the suites that vouch for them.
    fn parts(&self, host: &Host, packages: Vec<Archive>) -> Result<Vec<PartOfArchive>> {
        let mut parts: BTreeMap<(String, RelativePath), PartOfArchive> = BTreeMap::new();
        let targets = self.targets(host)?;
        for mut package in packages {
            let vouching = targets.iter().find_map(|(target, index)| {
                let path = unescape(package.uri.strip_prefix(&target.uri)?);
                names_file(index, &path).then_some((target, index, path))
            });
            let Some((target, index, path)) = vouching else {
                return Err(no_archive(&package.uri));
            };
            package.entry.path =
                RelativePath::parse(&path).map_err(|_| no_archive(&package.uri))?;
            let key = (target.uri.clone(), target.suite.clone());
            let part = parts.entry(key).or_insert_with(|| PartOfArchive {
                uri: target.uri.clone(),
                suite: target.suite.clone(),
                inrelease: target.inrelease(),
                components: Vec::new(),
                packages: Vec::new(),
            });
            if !part
                .components
                .iter()
                .any(|(name, _)| *name == target.component)
            {
                let component = (target.component.clone(), index.clone());
                part.components.push(component);
            }
            part.packages.push(self.downloaded(package)?);
        }
        let parts: Vec<PartOfArchive> = parts.into_values().collect();
        match parts.iter().find(|part| !part.inrelease.is_file()) {
            Some(part) => Err(no_archive(&part.uri)),
            None => Ok(parts),
        }
    }

    /// The indexes that apt has of other repositories than Docker's.
    fn targets(&self, host: &Host) -> Result<Vec<(IndexTarget, Vec<u8>)>> {
        let format = "$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)\t$(FILENAME)";
        let list = self
            .apt(with_safety(Query::of(Reader::AptIndexTargets)))
            .args(["--format", format, "Created-By: Packages"]);
        let listed = host.query(&list)?.success()?.stdout;
        let mut targets = Vec::new();
        for line in listed.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [uri, suite, component, file] = fields[..] else {
                continue;
            };
            if uri.trim_end_matches('/') == self.source.uri {
                continue;
            }
            // A flat repository has no such names, and a bundle holds none.
            let names = RelativePath::parse(suite)
                .ok()
                .zip(RelativePath::parse(component).ok());
            let Some((suite, component)) = names else {
                continue;
            };
            let target = IndexTarget {
                uri: uri.to_owned(),
                suite,
                component,
                file: file.into(),
            };
            // It may be compressed in one of several ways, all of which apt knows.
            let show = Query::of(Reader::AptShowFile).arg(file);
            let index = host.query(&show)?.success()?.stdout.into_bytes();
            targets.push((target, index));
        }
        Ok(targets)
    }
}

impl IndexTarget {
    /// Where apt keeps the InRelease that vouches for this index: `…_SUITE_InRelease` beside
    /// `…_SUITE_COMPONENT_binary-ARCH_Packages`.
    fn inrelease(&self) -> PathBuf {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let component = format!("_{}_binary-", self.component.as_str().replace('/', "_"));
        let suite = name.rfind(&component).map_or("", |at| &name[..at]);
        self.file.with_file_name(format!("{suite}_InRelease"))
    }
}

/// Whether an index names a file.
fn names_file(index: &[u8], path: &str) -> bool {
    let line = format!("Filename: {path}");
    index
        .split(|byte| *byte == b'\n')
        .any(|it| it == line.as_bytes())
}

fn no_archive(what: &str) -> anyhow::Error {
    Failure::Blocked(format!(
        "{what} is not of an archive that a bundle can hold: one with an InRelease file, signed \
         by Ubuntu; make the bundle on a host without that source"
    ))
    .into()
}
