//! Offline bundles: made on a host with a network, used on hosts without, and looked into.

use std::fs::{self, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::Serialize;

use crate::apt::{Archive, COMPONENT, Export, Index, PartOfArchive, Source, View};
use crate::error::Failure;
use crate::facts::{self, ENGINE_PACKAGES};
use crate::host::Host;
use crate::host::bundle::{self, Bundle, COMPRESSED, Contained, DOCKER, Manifest, Packer};
use crate::host::http::Http;
use crate::report::{Event, Listener};
use crate::settings::Settings;
use crate::step::repository::{Repository, fetch_key};
use crate::step::{self, suite};
use crate::trust::{Entry, Sha256};

/// What a bundle was found to be.
#[derive(Debug, Serialize)]
pub struct Inspected {
    #[serde(flatten)]
    pub manifest: Manifest,
    /// The key that signed Docker's part.
    pub fingerprint: String,
    /// When Docker's index was signed.
    pub index_date: Timestamp,
    /// How many packages are Docker's; each is one of the signed index.
    pub docker_packages: usize,
    /// How many are of Ubuntu's archive; apt verifies them on the host that they are for.
    pub ubuntu_packages: usize,
    /// Bytes in all files together.
    pub size: u64,
}

/// Makes a bundle for hosts like this one, at `output` or in the current folder, and returns where
/// it is with what it says of itself.
pub fn create(
    host: &Host,
    settings: &Settings,
    output: Option<&Path>,
    listener: Listener<'_>,
) -> Result<(PathBuf, Manifest)> {
    let facts = facts::gather(host)?;
    let source = suite::source(&facts, settings, listener)?;
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
    let request = step::request(host, ENGINE_PACKAGES, version, &index.offered)?;
    let export = view.export(host, &request, &index.offered, listener)?;
    let manifest = Manifest {
        engine: export.engine.clone(),
        archives: export.others.iter().enumerate().map(part).collect(),
        ..Manifest::new(&facts.codename, &source.suite, &source.architecture)
    };
    let path = match output {
        Some(path) => path.to_owned(),
        None => PathBuf::from(file_name(&manifest)),
    };
    let mut packer = Packer::new(manifest);
    pack_docker(&mut packer, source, certificate.armored(), index, &export);
    for (number, part) in export.others.into_iter().enumerate() {
        pack_part(&mut packer, &folder(number), &source.architecture, part)?;
    }
    let manifest = write(packer, &path).with_context(|| format!("writing {}", path.display()))?;
    Ok((path, manifest))
}

/// Looks into a bundle and verifies all of it that can be verified on any host.
///
/// # Errors
/// [`Failure::Trust`] when something in it is not what it must be; [`Failure::Blocked`] when
/// something is missing.
pub fn inspect(path: &Path, settings: &Settings, listener: Listener<'_>) -> Result<Inspected> {
    let bundle = Bundle::open(path)?;
    let manifest = bundle.manifest().clone();
    let source = Source {
        uri: format!("{}/linux/ubuntu", settings.mirror),
        suite: manifest.suite.clone(),
        architecture: manifest.architecture.clone(),
    };
    let http = Http::offline(bundle, &source.uri);
    let pin = settings.key_fingerprint;
    let certificate = fetch_key(&http, &source, &pin, listener)?;
    let index = Index::fetch(
        &http,
        &source,
        &certificate,
        ENGINE_PACKAGES,
        settings.max_index_age,
        listener,
    )?;
    let bundle = Bundle::open(path)?;
    let refuse = |path: &str, why: &str| {
        let shown = bundle.path().display();
        Failure::Trust(format!(
            "the bundle {shown} is not to be trusted: {path} {why}"
        ))
    };
    let mut docker = Vec::new();
    for file in &manifest.files {
        let hash = hash(&bundle, &file.path)?;
        if hash.to_string() != file.sha256 {
            return Err(refuse(&file.path, "is damaged").into());
        }
        let inside = file
            .path
            .strip_prefix(DOCKER)
            .and_then(|path| path.strip_prefix('/'));
        if let Some(inside) = inside.filter(|path| is_package(path)) {
            let mut offered = index.offered.iter();
            let Some(package) = offered.find(|package| package.filename == inside) else {
                return Err(refuse(&file.path, "is not in the signed index").into());
            };
            if package.sha256 != hash {
                return Err(refuse(&file.path, "is not what the signed index says").into());
            }
            docker.push(package.package.as_str());
        }
    }
    if let Some(missing) = ENGINE_PACKAGES.iter().find(|name| !docker.contains(name)) {
        return Err(Failure::Blocked(format!(
            "the bundle {} is incomplete: it has no {missing}; make it anew with: dockstrap \
             bundle create",
            bundle.path().display()
        ))
        .into());
    }
    let packages = manifest.files.iter().filter(|file| is_package(&file.path));
    Ok(Inspected {
        fingerprint: pin.to_string(),
        index_date: index.date.try_into().context("reading the index's date")?,
        docker_packages: docker.len(),
        ubuntu_packages: packages.count() - docker.len(),
        size: manifest.files.iter().map(|file| file.size).sum(),
        manifest,
    })
}

fn hash(bundle: &Bundle, path: &str) -> Result<Sha256> {
    let mut slice = bundle.open_file(path, 0).context("it is not there")?;
    let mut hasher = <sha2::Sha256 as sha2::Digest>::new();
    std::io::copy(&mut slice, &mut hasher).with_context(|| format!("reading {path}"))?;
    Ok(hasher.into())
}

fn is_package(path: &str) -> bool {
    path.ends_with(".deb")
}

/// Where a part of Ubuntu's archive stands.
fn folder(number: usize) -> String {
    format!("archive/{number}")
}

fn part((number, part): (usize, &PartOfArchive)) -> bundle::Part {
    let components = part.components.iter().map(|(name, _)| name.clone());
    bundle::Part {
        folder: folder(number),
        suite: part.suite.clone(),
        components: components.collect(),
    }
}

fn pack_docker(packer: &mut Packer, source: &Source, key: Vec<u8>, index: Index, export: &Export) {
    let Source {
        suite,
        architecture,
        ..
    } = source;
    let suite = format!("{DOCKER}/dists/{suite}");
    packer.add_bytes(format!("{DOCKER}/gpg"), key);
    packer.add_bytes(format!("{suite}/InRelease"), index.inrelease);
    let packages = format!("{suite}/{COMPONENT}/binary-{architecture}/Packages");
    packer.add_bytes(packages, index.packages);
    for (archive, file) in &export.docker {
        packer.add_file(contained(DOCKER, archive), file.clone());
    }
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
    packer.add_bytes(format!("{suite}/InRelease"), inrelease);
    for (component, index) in part.components {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        let packed = packed.write_all(&index).and_then(|()| packed.finish());
        packer.add_bytes(
            format!("{suite}/{component}/binary-{architecture}/Packages{COMPRESSED}"),
            packed.context("packing an index")?,
        );
    }
    for (archive, file) in part.packages {
        packer.add_file(contained(folder, &archive), file);
    }
    Ok(())
}

fn contained(folder: &str, archive: &Archive) -> Contained {
    let Entry { path, size, sha256 } = &archive.entry;
    Contained {
        path: format!("{folder}/{path}"),
        size: *size,
        sha256: sha256.to_string(),
    }
}

/// Such as `dockstrap-noble-amd64-29.5.3.tar`.
fn file_name(manifest: &Manifest) -> String {
    let engine = &manifest.engine;
    let upstream = engine.split_once(':').map_or(&**engine, |(_, rest)| rest);
    let upstream = upstream.split('-').next().unwrap_or_default();
    format!(
        "dockstrap-{}-{}-{upstream}.tar",
        manifest.release, manifest.architecture
    )
}

/// Writes the bundle beside its place first, so that there is never half of one.
fn write(packer: Packer, path: &Path) -> Result<Manifest> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    let mut out = BufWriter::new(&mut file);
    let manifest = packer.write(&mut out)?;
    out.flush()?;
    drop(out);
    file.as_file()
        .set_permissions(Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(manifest)
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
        assert_eq!(file_name(&manifest), "dockstrap-noble-amd64-29.5.3.tar");
    }
}
