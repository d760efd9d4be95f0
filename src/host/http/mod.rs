//! HTTPS downloads: the host's own certificate store, bounded in size and time.
//!
//! Certificates are always checked, and nothing here can turn that off.

use std::io::Read;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};

/// How long one download may take in all.
const DEADLINE: Duration = Duration::from_secs(60);
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// How often a download that did not go through is tried, and the first pause between two
/// tries; each further pause is twice as long.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// A client for downloads. It is set up when it is first used, since most runs need no network.
#[derive(Debug, Default)]
pub struct Http {
    client: OnceLock<Client>,
}

/// What a server answered to a download.
#[derive(Debug)]
pub enum Answer {
    Found(Vec<u8>),
    /// The server says that there is no such file.
    Absent,
}

impl Http {
    /// Downloads `url`, at most `limit` bytes of it. A server that cannot be reached, or that is
    /// in trouble of its own, is asked again.
    pub fn get(&self, url: &str, limit: u64) -> Result<Answer> {
        let mut pause = FIRST_PAUSE;
        for left in (0..TRIES).rev() {
            match self.try_get(url, limit) {
                Err(error) if left > 0 && passing(&error) => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                outcome => return outcome.with_context(|| format!("downloading {url}")),
            }
        }
        unreachable!("the last try returns")
    }

    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = set_up()?;
        Ok(self.client.get_or_init(|| client))
    }

    fn try_get(&self, url: &str, limit: u64) -> Result<Answer> {
        let response = self.client()?.get(url).send()?;
        if matches!(
            response.status(),
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::GONE
        ) {
            return Ok(Answer::Absent);
        }
        Ok(Answer::Found(read(response.error_for_status()?, limit)?))
    }
}

/// A client that trusts the host's certificate store, or what `SSL_CERT_FILE` names instead.
fn set_up() -> Result<Client> {
    let store = rustls_native_certs::load_native_certs();
    if store.certs.is_empty() {
        bail!(
            "this host has no certificate store, so no HTTPS server can be trusted; \
             install one with: apt-get install ca-certificates"
        );
    }
    let certificates = store
        .certs
        .iter()
        .filter_map(|der| reqwest::Certificate::from_der(der).ok());
    builder()
        .tls_certs_only(certificates)
        .https_only(true)
        .connect_timeout(CONNECT_DEADLINE)
        .timeout(DEADLINE)
        .build()
        .context("setting up HTTPS")
}

/// A client builder with the TLS implementation set up, which is needed once a process.
pub(super) fn builder() -> reqwest::blocking::ClientBuilder {
    // An error means that it is set up already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().user_agent(concat!("dockstrap/", env!("CARGO_PKG_VERSION")))
}

fn read(response: Response, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    response.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        bail!("the server sent more than {limit} bytes, which this file never has");
    }
    Ok(bytes)
}

fn passing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<reqwest::Error>().is_some_and(|error| {
        let in_trouble = |status: StatusCode| status.is_server_error();
        error.is_connect() || error.is_timeout() || error.status().is_some_and(in_trouble)
    })
}
