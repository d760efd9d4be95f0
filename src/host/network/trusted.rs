//! Who may vouch for a server: the host's certificate store, and what was added to it.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::Network;
use crate::error::Failure;
use crate::host::exposure::refuse_exposed;
use crate::reading;

/// With these, the environment names another store than the host's; apt does not read them.
pub(super) const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The certificates of a PEM file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CaCert(Vec<CertificateDer<'static>>);

impl CaCert {
    /// Reads a PEM file that holds at least one certificate.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it does not, or when others could have written it and this is root.
    pub(crate) fn read(path: &Path) -> Result<CaCert> {
        let refuse = |why: String| Failure::Usage(format!("ca-cert {}: {why}", path.display()));
        let text = reading::read_named(path, reading::CONFIGURATION)
            .map_err(|error| refuse(format!("cannot be read: {error}")))?;
        refuse_exposed("ca-cert", path)?;
        CaCert::parse(&text).map_err(|why| refuse(why.to_owned()).into())
    }

    /// Reads the certificates of a text in PEM.
    ///
    /// # Errors
    /// Why it cannot be used, to be put after the name of its file.
    pub(crate) fn parse(text: &[u8]) -> Result<CaCert, &'static str> {
        if String::from_utf8_lossy(text).contains("PRIVATE KEY-----") {
            return Err(
                "holds a private key, which other users could read where the certificates are put; \
                 name a file with the certificates alone",
            );
        }
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        let certificates = certificates.unwrap_or_default();
        let sound = |der: &CertificateDer<'static>| RootCertStore::empty().add(der.clone()).is_ok();
        if certificates.is_empty() || !certificates.iter().all(sound) {
            return Err(
                "must hold certificates in PEM, each from BEGIN CERTIFICATE to END CERTIFICATE",
            );
        }
        Ok(CaCert(certificates))
    }

    /// The certificates as a text in PEM, with nothing else that stood in their file.
    pub(crate) fn pem(&self) -> String {
        self.0.iter().map(pem).collect()
    }

    /// These and those.
    pub(super) fn with(&self, others: &CaCert) -> CaCert {
        CaCert([&self.0[..], &others.0].concat())
    }
}

/// All that this run trusts: the host's store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name
/// instead, and the added certificates.
///
/// # Errors
/// [`Failure::Usage`] when the variables lead to no certificate, or to one that others could have
/// written while this is root; [`Failure::Blocked`] when the
/// host has none.
pub(crate) fn certificates(network: &Network) -> Result<Vec<CertificateDer<'static>>> {
    let store = rustls_native_certs::load_native_certs();
    for variable in VARIABLES {
        let named = std::env::var_os(variable).unwrap_or_default();
        let paths = std::env::split_paths(&named).filter(|path| path.exists());
        for path in paths {
            refuse_exposed(variable, &path)?;
        }
    }
    if store.certs.is_empty() {
        for variable in VARIABLES {
            if let Some(path) = std::env::var_os(variable) {
                return Err(Failure::Usage(format!(
                    "{variable} names {}, where no certificate can be read; name a file with the \
                     certificates to trust, or unset {variable} to trust the host's own",
                    path.to_string_lossy()
                ))
                .into());
            }
        }
        if network.ca_cert.is_none() {
            return Err(Failure::Blocked(
                "this host has no certificate store, so no HTTPS server can be trusted; install \
                 one with: apt-get install ca-certificates"
                    .to_owned(),
            )
            .into());
        }
    }
    let added = network.ca_cert.iter().flat_map(|added| added.0.clone());
    Ok(store.certs.into_iter().chain(added).collect())
}

/// All that this run trusts as one PEM file, for programs that would trust something else by
/// themselves; `None` when the host's store is all.
pub(crate) fn bundle(network: &Network) -> Result<Option<String>> {
    let is_elsewhere = VARIABLES
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    if network.ca_cert.is_none() && !is_elsewhere {
        return Ok(None);
    }
    let certificates = certificates(network).context("gathering the certificates to trust")?;
    Ok(Some(certificates.iter().map(pem).collect()))
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = BASE64_STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = more;
    }
    pem + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use std::path::PathBuf;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/tls")
            .join(name)
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        for name in ["no-such-file.pem", "server.key", "make"] {
            let error = CaCert::read(&fixture(name)).unwrap_err();
            assert_eq!(exit_code(&error), 2, "{name}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn a_private_key_is_refused_and_nothing_but_certificates_is_passed_on() {
        let text = |name: &str| std::fs::read_to_string(fixture(name)).unwrap();
        let (pem, key) = (text("ca.pem"), text("server.key"));
        assert!(key.contains("PRIVATE KEY"), "{key}");
        for combined in [format!("{pem}{key}"), format!("{key}{pem}")] {
            let why = CaCert::parse(combined.as_bytes()).unwrap_err();
            assert!(why.contains("a private key"), "{why}");
        }
        let other = "-----BEGIN NOTE-----\nc2VjcmV0\n-----END NOTE-----\n";
        let certificates = CaCert::parse(format!("word: s3cret\n{other}{pem}").as_bytes()).unwrap();
        assert_eq!(certificates.pem(), pem.trim_start());
    }

    #[test]
    fn a_bundle_holds_what_was_added() {
        let network = Network {
            ca_cert: Some(CaCert::read(&fixture("ca.pem")).unwrap()),
            ..Network::default()
        };
        let added = std::fs::read_to_string(fixture("ca.pem")).unwrap();
        let bundle = bundle(&network).unwrap().unwrap();
        assert!(bundle.ends_with(added.trim_start()), "{bundle}");
    }
}
