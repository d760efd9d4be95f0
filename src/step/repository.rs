//! Docker's repository as this host is to use it: the source, its keyring and the verified key.

use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::apt::{Source, existing_sources};
use crate::error::Failure;
use crate::host::Host;
use crate::host::http::{Answer, Http};
use crate::report::{Event, Listener};
use crate::settings::Settings;
use crate::trust::{
    Certificate, DOCKER_KEY_FINGERPRINT, DOCKER_KEY_SHA256, Fingerprint, sha256_hex,
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
}

impl Repository {
    /// Takes the repository that is set up already, when its keyring holds the pinned key;
    /// downloads and verifies the key otherwise.
    pub fn resolve(
        host: &Host,
        http: &Http,
        source: Source,
        settings: &Settings,
        listener: Listener<'_>,
    ) -> Result<Repository> {
        let keyring = find_keyring(host, &source)?;
        let pin = settings.key_fingerprint;
        let certificate = match trusted(host, &keyring, &pin)? {
            Some(certificate) => certificate,
            None => download(http, &source, &pin, listener)?,
        };
        Ok(Repository {
            source,
            keyring,
            pin,
            certificate,
        })
    }
}

/// The certificate in the keyring, when it is there, readable for apt's own user, and the
/// pinned one.
pub fn trusted(host: &Host, keyring: &str, pin: &Fingerprint) -> Result<Option<Certificate>> {
    use std::os::unix::fs::MetadataExt;
    let readable = |there: std::fs::Metadata| there.mode() & 0o444 == 0o444;
    if !host.metadata(keyring)?.is_some_and(readable) {
        return Ok(None);
    }
    let bytes = host.read(keyring)?.unwrap_or_default();
    Ok(Certificate::verify(&bytes, pin, SystemTime::now()).ok())
}

/// The keyring of a source that names this repository already, or else our own.
fn find_keyring(host: &Host, source: &Source) -> Result<String> {
    let named = existing_sources(host, &source.uri)?
        .into_iter()
        .filter(|existing| existing.names(source))
        .find_map(|existing| existing.signed_by)
        .filter(|keyring| keyring.starts_with('/'));
    Ok(named.unwrap_or_else(|| KEYRING.to_owned()))
}

fn download(
    http: &Http,
    source: &Source,
    pin: &Fingerprint,
    listener: Listener<'_>,
) -> Result<Certificate> {
    let url = format!("{}/gpg", source.uri);
    listener(Event::Started {
        text: format!("fetching the key from {url}"),
    });
    let answer = http
        .get(&url, KEY_LIMIT)
        .context("nothing was changed; check this host's network, name resolution and proxy")?;
    let Answer::Found(bytes) = answer else {
        let cause = format!(
            "the server has no key at {url}; nothing was changed. \
             Is the mirror's address right? The key must stand at MIRROR/linux/ubuntu/gpg"
        );
        return Err(Failure::Blocked(cause).into());
    };
    let certificate = Certificate::verify(&bytes, pin, SystemTime::now())
        .map_err(Failure::from)
        .with_context(|| format!("the key at {url} is refused; nothing was changed"))?;
    if *pin == DOCKER_KEY_FINGERPRINT && sha256_hex(&bytes) != DOCKER_KEY_SHA256 {
        listener(Event::Warning {
            text: format!(
                "the key file at {url} is not the one known to this version; its fingerprint \
                 is right, so Docker may have exported it anew"
            ),
        });
    }
    Ok(certificate)
}
