//! Docker's repository as this host is to use it: the source, its keyring and the verified key.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::apt::{Existing, Index, Source};
use crate::error::Failure;
use crate::facts::{ENGINE_PACKAGES, Facts};
use crate::host::Host;
use crate::host::http::{Answer, Caches, Http, is_too_large};
use crate::report::{Event, Listener};
use crate::settings::Settings;
use crate::trust::{
    Certificate, DOCKER_KEY_FINGERPRINT, DOCKER_KEY_SHA256, Document, Fingerprint, Refusal,
    sha256_hex,
};

/// Where dockstrap keeps the key, and where Docker's documentation does.
pub const KEYRING: &str = "/etc/apt/keyrings/docker.asc";

/// A key file is at most this long.
const KEY_LIMIT: u64 = 64 * 1024;

/// The repository, resolved for one host.
#[derive(Debug, Clone)]
pub struct Repository {
    pub source: Source,
    /// The keyring that the source names.
    pub keyring: String,
    pub pin: Fingerprint,
    /// The verified certificate.
    pub certificate: Certificate,
    /// How old its index may be before a warning is due.
    pub max_index_age: Duration,
}

impl Repository {
    /// Takes the keyring of a source that is set up already, when it holds the pinned key and
    /// the source is as `source`; downloads and verifies the key otherwise.
    pub fn resolve(
        host: &Host,
        http: &Http,
        source: Source,
        settings: &Settings,
        listener: Listener<'_>,
    ) -> Result<Repository> {
        let pin = settings.key_fingerprint;
        let holds_pin = |keyring: &str| Ok(trusted(host, keyring, &pin)?.is_some());
        let kept = Existing::find(host, &source, &pin, holds_pin)?.kept;
        let keyring = kept.map_or_else(|| KEYRING.to_owned(), |kept| kept.keyring);
        let certificate = match trusted(host, &keyring, &pin)? {
            Some(certificate) => certificate,
            None => fetch_key(http, &source, &pin, listener)?,
        };
        Ok(Repository {
            source,
            keyring,
            pin,
            certificate,
            max_index_age: settings.max_index_age,
        })
    }

    /// Fetches and verifies its index, in which each of `wanted` must stand.
    pub fn index(&self, http: &Http, wanted: &[&str], listener: Listener<'_>) -> Result<Index> {
        let Repository {
            source,
            certificate,
            max_index_age,
            ..
        } = self;
        Index::fetch(http, source, certificate, wanted, *max_index_age, listener)
    }

    /// Verifies the index when no package is going to be taken from it in this run: a source
    /// must not be set up for a suite that is not there.
    pub fn check_when_unused(
        &self,
        http: &Http,
        facts: &Facts,
        listener: Listener<'_>,
    ) -> Result<()> {
        if facts.missing_packages().is_empty() {
            self.index(http, ENGINE_PACKAGES, listener)?;
        }
        Ok(())
    }
}

/// The certificate in the keyring, when it is there, as apt's own user can read it, and the
/// pinned one.
pub fn trusted(host: &Host, keyring: &str, pin: &Fingerprint) -> Result<Option<Certificate>> {
    use std::os::unix::fs::MetadataExt;
    // A link counts as the file it leads to.
    let readable = std::fs::metadata(host.path(keyring));
    if !readable.is_ok_and(|there| there.is_file() && there.mode() & 0o444 == 0o444) {
        return Ok(None);
    }
    let bytes = host.read(keyring)?.unwrap_or_default();
    // apt 2.6 believes a file's ending: it finds no key in an armored `.gpg` or a binary `.asc`.
    let armored = bytes.trim_ascii_start().starts_with(b"-----BEGIN");
    if armored != keyring.ends_with(".asc") {
        return Ok(None);
    }
    Ok(Certificate::verify(&bytes, pin, SystemTime::now()).ok())
}

/// Fetches the key of the repository, and believes it when it is the pinned one.
///
/// # Errors
/// [`Failure::Trust`] when it is not; [`Failure::Blocked`] when there is none.
pub fn fetch_key(
    http: &Http,
    source: &Source,
    pin: &Fingerprint,
    listener: Listener<'_>,
) -> Result<Certificate> {
    let url = format!("{}/gpg", source.uri);
    listener(Event::Started {
        text: format!("fetching the key from {url}"),
    });
    let refused = || format!("the key at {url} is refused; nothing was changed");
    let answer = match http.get(&url, KEY_LIMIT, Caches::Used) {
        Err(error) if is_too_large(&error) => {
            let refusal = Refusal::TooLarge {
                document: Document::KeyFile,
                limit: KEY_LIMIT as usize,
            };
            return Err(Failure::from(refusal)).with_context(refused);
        }
        answer => answer.with_context(|| {
            format!("the key cannot be fetched from {url}; nothing was changed")
        })?,
    };
    let Answer::Found(bytes) = answer else {
        let cause = format!(
            "the server has no key at {url}; nothing was changed. \
             Is the mirror's address right? The key must stand at MIRROR/linux/ubuntu/gpg"
        );
        return Err(Failure::Blocked(cause).into());
    };
    let certificate = Certificate::verify(&bytes, pin, SystemTime::now())
        .map_err(Failure::from)
        .with_context(refused)?;
    // In a bundle it is as dockstrap wrote it.
    let is_served = http.bundle().is_none();
    if is_served && *pin == DOCKER_KEY_FINGERPRINT && sha256_hex(&bytes) != DOCKER_KEY_SHA256 {
        listener(Event::Warning {
            text: format!(
                "the key file at {url} is not the one known to this version; its fingerprint \
                 is right, so Docker may have exported it anew"
            ),
        });
    }
    Ok(certificate)
}
