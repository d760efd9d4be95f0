//! Docker's repository as this host is to use it: the source, its keyring and the verified key.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::apt::{self, AgeLimit, Existing, Freshness, Index, Memory, Source, is_signed_anew};
use crate::docker;
use crate::error::Failure;
use crate::host::Host;
use crate::host::http::{Caches, Fetched, Http, is_too_large};
use crate::report::{Event, Listener};
use crate::settings::Settings;
use crate::trust::{
    Certificate, DOCKER_KEY_FINGERPRINT, DOCKER_KEY_SHA256, FileKind, Fingerprint, Refusal,
    sha256_hex,
};

const KEYRING: &str = Source::KEYRING;

/// The package of the engine itself.
pub(crate) const ENGINE: &str = docker::PACKAGE;

/// A key file is at most this long.
const KEY_LIMIT: u64 = 64 * 1024;

/// The repository, resolved for one host.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    pub source: Source,
    /// The keyring that the source names.
    pub keyring: String,
    pub pin: Fingerprint,
    /// The verified certificate.
    pub certificate: Certificate,
    /// Whether that is the keyring's, and not from the server.
    pub is_local: bool,
    /// How old its index may be.
    pub age_limit: AgeLimit,
}

impl Repository {
    /// Takes the keyring of a source that is set up already, when it holds the pinned key and
    /// the source is as `source`; downloads and verifies the key otherwise.
    pub(crate) fn resolve(
        host: &Host,
        http: &Http,
        source: Source,
        settings: &Settings,
        listener: Listener<'_>,
    ) -> Result<Repository> {
        let pin = settings.key_fingerprint;
        let is_usable = |keyring: &str| is_usable(host, keyring, &pin);
        let kept = Existing::find(host, &source, &pin, is_usable)?.kept;
        let keyring = kept.map_or_else(|| KEYRING.to_owned(), |kept| kept.keyring);
        let local = trusted(host, &keyring, &pin)?;
        let is_local = local.is_some();
        let certificate = match local {
            Some(certificate) => certificate,
            None => fetch_key(http, &source, &pin, listener)?,
        };
        Ok(Repository {
            source,
            keyring,
            pin,
            certificate,
            is_local,
            age_limit: AgeLimit::of(settings),
        })
    }

    /// Fetches and verifies its index, in which each of `wanted` must stand. One that is signed by
    /// no key of the keyring's may be by a new one, so that the certificate is fetched anew.
    pub(crate) fn index(
        &mut self,
        http: &Http,
        wanted: &[&str],
        listener: Listener<'_>,
    ) -> Result<Index> {
        match self.fetch_index(http, wanted, listener) {
            Err(refused) if self.is_local && is_signed_anew(&refused) => {
                self.certificate = fetch_key(http, &self.source, &self.pin, listener)?;
                self.is_local = false;
                self.fetch_index(http, wanted, listener)
            }
            outcome => outcome,
        }
    }

    /// What the repository offers now, which must not be older than what it was seen to offer.
    pub(crate) fn look_back(
        &self,
        host: &Host,
        index: &Index,
        memory: &Memory,
        allow_downgrade: bool,
    ) -> Result<Freshness> {
        let offered = index.offered.versions(ENGINE);
        let offer = Freshness {
            key: Some(self.pin.to_string()),
            suite: self.source.suite.clone(),
            architecture: Some(self.source.architecture.clone()),
            date: index.date.try_into().context("reading the index's date")?,
            engine: apt::newest(host, offered.map(|offer| offer.version.as_str()))?,
        };
        match memory.before(&offer) {
            Some(before) if !allow_downgrade => {
                offer.refuse_older_than(before, &self.source.suite_url(), host)?;
            }
            _ => {}
        }
        Ok(offer)
    }

    fn fetch_index(&self, http: &Http, wanted: &[&str], listener: Listener<'_>) -> Result<Index> {
        let Repository {
            source,
            certificate,
            age_limit,
            ..
        } = self;
        Index::fetch(http, source, certificate, wanted, *age_limit, listener)
    }
}

/// The certificate in the keyring, when it is there, as apt's own user can read it and only root
/// can change it and the folders and links that lead to it, and the pinned one.
pub(crate) fn trusted(
    host: &Host,
    keyring: &str,
    pin: &Fingerprint,
) -> Result<Option<Certificate>> {
    use std::os::unix::fs::MetadataExt;
    // A link counts as the file it leads to.
    let there = std::fs::metadata(host.path(keyring));
    let is_readable = there.is_ok_and(|it| it.is_file() && it.mode() & 0o444 == 0o444);
    let checking = || format!("checking who can change {keyring}");
    if !is_readable
        || host
            .exposure(Path::new(keyring))
            .with_context(checking)?
            .is_some()
    {
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

/// Whether a keyring holds the pinned key, and apt's own user can come to it once the folders that are
/// dockstrap's to open are open.
fn is_usable(host: &Host, keyring: &str, pin: &Fingerprint) -> Result<bool> {
    let closed = apt::closed(host, keyring)?;
    let can_be_open = closed.iter().all(|it| it.open.is_some());
    Ok(can_be_open && trusted(host, keyring, pin)?.is_some())
}

/// Fetches the key of the repository, and believes it when it is the pinned one.
///
/// # Errors
/// [`Failure::Trust`] when it is not; [`Failure::Blocked`] when there is none.
pub(crate) fn fetch_key(
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
                document: FileKind::KeyFile,
                limit: KEY_LIMIT as usize,
            };
            return Err(Failure::from(refusal)).with_context(refused);
        }
        answer => answer.with_context(|| {
            format!("the key cannot be fetched from {url}; nothing was changed")
        })?,
    };
    let Fetched::Found(bytes) = answer else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;
    use crate::trust::fixture;

    #[test]
    fn a_keyring_is_taken_only_where_apt_can_come_to_it() {
        let pin = fixture::certificate("docker").unwrap().fingerprint();
        let theirs = "/root/docker.asc";
        let stub = StubHost::new()
            .file(theirs, fixture::bytes("docker.asc"))
            .file(KEYRING, fixture::bytes("docker.asc"));
        let is_usable = |keyring: &str| is_usable(stub.host(), keyring, &pin).unwrap();
        assert!(is_usable(theirs) && is_usable(KEYRING));
        stub.set_mode("/root", 0o700);
        stub.set_mode("/etc/apt/keyrings", 0o700);
        assert!(!is_usable(theirs), "it stays closed");
        assert!(is_usable(KEYRING), "it is going to be opened");
    }
}
