//! HTTPS downloads: bounded in size and time, tried again when that may help, and explained when
//! it does not.
//!
//! Certificates are always checked, and nothing here can turn that off.

mod classify;
mod trouble;

use std::io::{self, Read};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::blocking::{Client, Response};
use reqwest::{StatusCode, Url};

use super::network::{self, Network};
use classify::classify;

pub use trouble::{Peer, Trouble};

/// How long a connection may take to come about. Where a name has addresses of both kinds, IPv4
/// is tried beside IPv6 after 300 ms.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// How long a server may send nothing.
const STALL: Duration = Duration::from_secs(20);

/// How long one download may take in all, with every try; and how much longer for each byte that
/// it may have, so that a line with 50 kB/s suffices.
const DEADLINE: Duration = Duration::from_secs(90);
const BYTES_PER_SECOND: u64 = 50_000;

/// How long all downloads of a run may take together.
const DEADLINE_OF_ALL: Duration = Duration::from_secs(30 * 60);

/// How often a download that did not go through is tried, and the first pause between two
/// tries; each further pause is twice as long.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 500 });

const CHUNK: usize = 64 * 1024;

/// A client for downloads. It is set up when it is first used, since most runs need no network.
#[derive(Debug, Default)]
pub struct Http {
    network: Network,
    client: OnceLock<Client>,
    /// When everything must have come.
    deadline: OnceLock<Instant>,
}

/// What a server answered to a download.
#[derive(Debug)]
pub enum Answer {
    Found(Vec<u8>),
    /// The server says that there is no such file.
    Absent,
}

impl Http {
    /// A client that goes this way to the network.
    pub fn new(network: &Network) -> Http {
        Http {
            network: network.clone(),
            ..Http::default()
        }
    }

    /// Downloads `url`, at most `limit` bytes of it. A server that cannot be reached, or that is
    /// in trouble of its own, is asked again.
    ///
    /// # Errors
    /// A [`Trouble`] that says what went wrong, but not what for.
    pub fn get(&self, url: &str, limit: u64) -> Result<Answer> {
        let url = Url::parse(url).context("reading an address")?;
        let client = self.client()?;
        let allowed = DEADLINE + Duration::from_secs(limit / BYTES_PER_SECOND);
        let begun = Instant::now();
        let of_all = *self.deadline.get_or_init(|| begun + DEADLINE_OF_ALL);
        let deadline = of_all.min(begun + allowed);
        let mut pause = FIRST_PAUSE;
        for left in (0..TRIES).rev() {
            match self.try_get(client, &url, limit, begun, deadline) {
                Err(trouble)
                    if left > 0 && trouble.is_passing() && Instant::now() + pause < deadline =>
                {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                outcome => return Ok(outcome?),
            }
        }
        unreachable!("the last try returns")
    }

    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = set_up(&self.network)?;
        Ok(self.client.get_or_init(|| client))
    }

    fn try_get(
        &self,
        client: &Client,
        url: &Url,
        limit: u64,
        begun: Instant,
        deadline: Instant,
    ) -> Result<Answer, Trouble> {
        let response = client.get(url.clone()).send();
        let response = response.map_err(|error| {
            // After a redirect it is another server that could not be reached.
            let url = error.url().unwrap_or(url).clone();
            classify(
                &error.without_url(),
                &url,
                self.network.proxy_for(&url),
                None,
            )
        })?;
        let status = response.status();
        if matches!(
            status,
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::GONE
        ) {
            return Ok(Answer::Absent);
        }
        if !status.is_success() {
            return Err(Trouble::Status {
                host: trouble::host(response.url()).to_owned(),
                status: status.as_u16(),
            });
        }
        self.read(response, limit, begun, deadline)
            .map(Answer::Found)
    }

    fn read(
        &self,
        mut response: Response,
        limit: u64,
        begun: Instant,
        deadline: Instant,
    ) -> Result<Vec<u8>, Trouble> {
        let url = response.url().clone();
        let proxy = self.network.proxy_for(&url);
        let mut bytes = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            let received = bytes.len() as u64;
            if received > limit {
                let host = trouble::host(&url).to_owned();
                return Err(Trouble::TooLarge { host, limit });
            }
            if Instant::now() > deadline {
                return Err(Trouble::TooSlow {
                    peer: Peer::of(&url, proxy),
                    within: begun.elapsed(),
                });
            }
            match response.read(&mut chunk) {
                Ok(0) => return Ok(bytes),
                Ok(read) => bytes.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(classify(&error, &url, proxy, Some(received))),
            }
        }
    }
}

/// A client that goes this way, and trusts what is to be trusted on it.
fn set_up(network: &Network) -> Result<Client> {
    let trusted = network::certificates(network)?;
    let trusted = trusted
        .iter()
        .filter_map(|der| reqwest::Certificate::from_der(der).ok());
    let way = network.clone();
    let proxy = reqwest::Proxy::custom(move |url| way.proxy_for(url).map(|proxy| proxy.url()));
    builder()
        .tls_certs_only(trusted)
        .https_only(true)
        .no_proxy()
        .proxy(proxy)
        .connect_timeout(CONNECT_DEADLINE)
        .timeout(STALL)
        .build()
        .context("setting up HTTPS")
}

/// A client builder with the TLS implementation set up, which is needed once a process.
pub(super) fn builder() -> reqwest::blocking::ClientBuilder {
    // An error means that it is set up already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().user_agent(concat!("dockstrap/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests;
