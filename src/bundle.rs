//! Offline bundles: made on a host with a network, used on hosts without, and looked into.

mod inspect;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::apt::{Archive, COMPONENT, Export, Index, PartOfArchive, Repository, Source, View};
use crate::facts::{self, ENGINE_PACKAGES};
use crate::host::Host;
use crate::host::bundle::{
    BundledFile, COMPRESSED, DOCKER, Manifest, Packer, PartialSuite, folder_of_part,
};
use crate::host::http::Http;
use crate::output_file::OutputFile;
use crate::plan::suite;
use crate::relative_path::{FileName, RelativePath};
use crate::report::{Event, Listener};
use crate::settings::Settings;
use crate::step::packages;
use crate::trust::ExpectedFile;

pub(crate) use inspect::{BundleReport, inspect};

/// Makes a bundle for hosts like this one, at `output` or in the current folder, and returns where
/// it is with what it says of itself.
pub(crate) fn create(
    host: &Host,
    settings: &Settings,
    output: Option<&Path>,
    listener: Listener<'_>,
) -> Result<(PathBuf, Manifest)> {
    let facts = facts::gather(host)?;
    let source = suite::source(&facts, settings, listener)?;
    // Tried before anything is fetched.
    let output = output
        .map(|path| Ok::<_, anyhow::Error>((path.to_owned(), open(path)?)))
        .transpose()?;
    let http = Http::new(&settings.network()?);
    let mut repository = Repository::resolve(host, &http, source, settings, listener)?;
    let index = repository.index(&http, ENGINE_PACKAGES, listener)?;
    let Repository {
        source,
        certificate,
        ..
    } = &repository;
    let view = View::open(host, source, certificate, &index, &http)?;
    listener(Event::Started {
        text: "fetching the packages".to_owned(),
    });
    let version = settings.engine_version.as_ref();
    let request = packages::request(host, ENGINE_PACKAGES, version, &index.offered)?;
    let export = view.export(host, &request, &index.offered, listener)?;
    let archives = export.others.iter().enumerate().map(part);
    let manifest = Manifest {
        engine: export.engine.clone(),
        archives: archives.collect::<Result<_>>()?,
        ..Manifest::new(&facts.codename, &source.suite, &source.architecture)
    };
    let (path, file) = match output {
        Some(output) => output,
        None => {
            let path: PathBuf = file_name(&manifest)?.as_ref().to_owned();
            let file = open(&path)?;
            (path, file)
        }
    };
    let mut packer = Packer::new(manifest);
    pack_docker(&mut packer, source, certificate.armored(), index, &export)?;
    for (number, part) in export.others.into_iter().enumerate() {
        pack_part(
            &mut packer,
            &folder_of_part(number),
            &source.architecture,
            part,
        )?;
    }
    let manifest = file
        .write(|out| packer.write(out))
        .with_context(|| format!("writing {}", path.display()))?;
    Ok((path, manifest))
}

/// Opens the place of a bundle, and tries whether it can be written there.
fn open(path: &Path) -> Result<OutputFile> {
    OutputFile::at(path).with_context(|| format!("writing {}", path.display()))
}

fn part((number, part): (usize, &PartOfArchive)) -> Result<PartialSuite> {
    let components = part.components.iter().map(|(name, _)| name.clone());
    Ok(PartialSuite {
        folder: RelativePath::parse(&folder_of_part(number))?,
        suite: part.suite.clone(),
        components: components.collect(),
    })
}

fn pack_docker(
    packer: &mut Packer,
    source: &Source,
    key: Vec<u8>,
    index: Index,
    export: &Export,
) -> Result<()> {
    let Source {
        suite,
        architecture,
        ..
    } = source;
    let suite = format!("{DOCKER}/dists/{suite}");
    packer.add_bytes(RelativePath::parse(&format!("{DOCKER}/gpg"))?, key);
    let inrelease = RelativePath::parse(&format!("{suite}/InRelease"))?;
    packer.add_bytes(inrelease, index.inrelease);
    let packages = format!("{suite}/{COMPONENT}/binary-{architecture}/Packages");
    packer.add_bytes(RelativePath::parse(&packages)?, index.packages);
    for (archive, file) in &export.docker {
        packer.add_file(contained(DOCKER, archive)?, file.clone());
    }
    Ok(())
}

fn pack_part(
    packer: &mut Packer,
    folder: &str,
    architecture: &str,
    part: PartOfArchive,
) -> Result<()> {
    let suite = format!("{folder}/dists/{}", part.suite);
    let inrelease = &part.inrelease;
    let inrelease =
        fs::read(inrelease).with_context(|| format!("reading {}", inrelease.display()))?;
    packer.add_bytes(
        RelativePath::parse(&format!("{suite}/InRelease"))?,
        inrelease,
    );
    for (component, index) in part.components {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        let packed = packed.write_all(&index).and_then(|()| packed.finish());
        let path = format!("{suite}/{component}/binary-{architecture}/Packages{COMPRESSED}");
        packer.add_bytes(
            RelativePath::parse(&path)?,
            packed.context("packing an index")?,
        );
    }
    for (archive, file) in part.packages {
        packer.add_file(contained(folder, &archive)?, file);
    }
    Ok(())
}

fn contained(folder: &str, archive: &Archive) -> Result<BundledFile> {
    let ExpectedFile { path, size, sha256 } = &archive.entry;
    Ok(BundledFile {
        path: RelativePath::parse(&format!("{folder}/{path}"))?,
        size: *size,
        sha256: *sha256,
    })
}

/// Such as `dockstrap-noble-amd64-29.5.3.tar`.
fn file_name(manifest: &Manifest) -> Result<FileName> {
    let engine = &manifest.engine;
    let upstream = engine
        .split_once(':')
        .map_or(&**engine, |(_, rest)| rest)
        .split('-')
        .next()
        .unwrap_or_default();
    Ok(FileName::parse(&format!(
        "dockstrap-{}-{}-{upstream}.tar",
        manifest.release, manifest.architecture
    ))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_named_after_its_hosts_and_its_engine() {
        let manifest = Manifest {
            engine: "5:29.5.3-1~ubuntu.24.04~noble".to_owned(),
            ..Manifest::new("noble", "noble", "amd64")
        };
        let name = file_name(&manifest).unwrap();
        assert_eq!(name.as_str(), "dockstrap-noble-amd64-29.5.3.tar");
        let elsewhere = Manifest {
            release: "../x".to_owned(),
            ..manifest
        };
        assert!(file_name(&elsewhere).is_err());
    }
}
