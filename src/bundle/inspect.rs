//! A bundle looked into: all of it that can be verified on this host is.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Serialize;

use crate::apt::ubuntu::{self, Room, UbuntuPart};
use crate::apt::{AgeLimit, Index, Source, Supply, fetch_key};
use crate::error::Failure;
use crate::facts::ENGINE_PACKAGES;
use crate::host::Host;
use crate::host::bundle::{Bundle, DOCKER, Manifest, is_package};
use crate::host::http::Http;
use crate::relative_path::RelativePath;
use crate::report::Listener;
use crate::settings::Settings;
use crate::trust::{Sha256, claimed_date};

/// What a bundle was found to be.
#[derive(Debug, Serialize)]
pub(crate) struct BundleReport {
    #[serde(flatten)]
    pub manifest: Manifest,
    /// The key that signed Docker's part.
    pub fingerprint: String,
    /// When Docker's index was signed.
    pub index_date: Timestamp,
    /// How many packages are Docker's; each is one of the signed index.
    pub docker_packages: usize,
    /// How many are of Ubuntu's archive.
    pub ubuntu_packages: usize,
    /// The indexes that vouch for these.
    pub ubuntu_indexes: Vec<UbuntuIndex>,
    /// Bytes in all files together.
    pub size: u64,
}

/// A signed index of Ubuntu's archive in a bundle.
#[derive(Debug, Serialize)]
pub(crate) struct UbuntuIndex {
    pub suite: RelativePath,
    /// When it was signed; `None` where it does not say so.
    pub date: Option<Timestamp>,
    /// Whether it and its packages were verified. Without the keyring of Ubuntu's archive they
    /// cannot be; the host that the bundle is for has it.
    pub verified: bool,
}

/// Looks into a bundle and verifies all of it that can be verified on this host.
///
/// # Errors
/// [`Failure::Trust`] when something in it is not what it must be; [`Failure::Blocked`] when
/// something is missing.
pub(crate) fn inspect(
    host: &Host,
    path: &Path,
    settings: &Settings,
    listener: Listener<'_>,
) -> Result<BundleReport> {
    let bundle = Bundle::open(path)?;
    let manifest = bundle.manifest();
    let source = Source {
        uri: format!("{}/linux/ubuntu", settings.mirror),
        suite: manifest.suite.clone(),
        architecture: manifest.architecture.clone(),
    };
    let http = Http::offline(bundle.clone(), &source.uri);
    let pin = settings.key_fingerprint;
    let certificate = fetch_key(&http, &source, &pin, listener)?;
    let limit = AgeLimit::of(settings);
    let index = Index::fetch(
        &http,
        &source,
        &certificate,
        ENGINE_PACKAGES,
        limit,
        listener,
    )?;
    let docker_packages = inspect_docker(&bundle, &index)?;
    let now = SystemTime::now();
    let ubuntu_indexes = inspect_ubuntu(host, &bundle, now)?;
    for index in &ubuntu_indexes {
        if let Some(date) = index.date.and_then(|date| SystemTime::try_from(date).ok()) {
            let age = now.duration_since(date).unwrap_or_default();
            let name = format!("the bundle's index of {}", index.suite);
            limit.judge(&name, age, Supply::Bundle, listener)?;
        }
    }
    let files = manifest.files.iter();
    let packages = files.filter(|file| is_package(file.path.as_str()));
    Ok(BundleReport {
        fingerprint: pin.to_string(),
        index_date: index.date.try_into().context("reading the index's date")?,
        docker_packages,
        ubuntu_packages: packages.count() - docker_packages,
        ubuntu_indexes,
        size: manifest.size(),
        manifest: manifest.clone(),
    })
}

/// Verifies every file against the manifest, and Docker's packages against the signed index. Returns
/// how many there are of these.
fn inspect_docker(bundle: &Bundle, index: &Index) -> Result<usize> {
    let refuse = |path: &RelativePath, why: &str| {
        let shown = bundle.path().display();
        Failure::Trust(format!(
            "the bundle {shown} is not to be trusted: {path} {why}"
        ))
    };
    let docker_folder = RelativePath::parse(DOCKER)?;
    let mut docker = Vec::new();
    for file in &bundle.manifest().files {
        let hash = hash(bundle, &file.path)?;
        if hash != file.sha256 {
            return Err(refuse(&file.path, "is damaged").into());
        }
        let inside = file.path.below(&docker_folder);
        if let Some(inside) = inside.filter(|path| is_package(path.as_str())) {
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
    Ok(docker.len())
}

/// Verifies Ubuntu's part, where this host has the keys for it.
fn inspect_ubuntu(host: &Host, bundle: &Bundle, now: SystemTime) -> Result<Vec<UbuntuIndex>> {
    let keyring = ubuntu::keyring(host, now)?;
    let mut room = Room::default();
    let mut indexes = Vec::new();
    for part in &bundle.manifest().archives {
        let date = match &keyring {
            Some(keyring) => {
                let verified = UbuntuPart::verify(bundle, part, keyring, now)?;
                verified.unpack(None, &mut room)?;
                Some(verified.pocket().date)
            }
            None => claimed_date(&ubuntu::inrelease(bundle, part)?),
        };
        indexes.push(UbuntuIndex {
            suite: part.suite.clone(),
            date: date.and_then(|date| Timestamp::try_from(date).ok()),
            verified: keyring.is_some(),
        });
    }
    Ok(indexes)
}

fn hash(bundle: &Bundle, path: &RelativePath) -> Result<Sha256> {
    let slice = bundle.open_file(path, 0).context("it is not there")?;
    Sha256::of_stream(slice).with_context(|| format!("reading {path}"))
}
