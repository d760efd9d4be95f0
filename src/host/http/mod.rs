//! HTTPS downloads: bounded in size and time, tried again when that may help, and explained when
//! it does not.
//!
//! Certificates are always checked, and nothing here can turn that off.

mod body;
mod classify;
mod fetch_error;
mod mounted;
mod page;
mod redirect;
mod registry;
mod resolve;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::blocking::Client;
use reqwest::header::{CACHE_CONTROL, CONTENT_RANGE, RANGE};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};

use super::bundle::Bundle;
use super::network::{self, Network};
use crate::error::Failure;
use mounted::Mounted;
use redirect::FinalResponse;
use resolve::Resolver;

pub(crate) use body::Body;
pub(crate) use fetch_error::FetchError;
pub(crate) use resolve::lookup;

/// How long a connection may take to come about, with TLS on it. Where a name has addresses of
/// both kinds, IPv4 is tried beside IPv6 after 300 ms; and alone, after a server fell silent.
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

/// A client for downloads. It is set up when it is first used, since most runs need no network.
#[derive(Debug, Default, Clone)]
pub(crate) struct Http {
    network: Network,
    client: OnceLock<Client>,
    /// When everything must have come.
    deadline: OnceLock<Instant>,
    /// Set once a server fell silent: the way to it over IPv6 may lose what is large, so that a
    /// connection comes about and nothing on it.
    avoid_ipv6: Arc<AtomicBool>,
    /// What stands in for the servers.
    bundle: Option<Arc<Mounted>>,
}

/// What a server answered to a download.
#[derive(Debug)]
pub(crate) enum Fetched<T = Vec<u8>> {
    Found(T),
    /// The server says that there is no such file.
    Absent,
}

/// Whether the caches on the way may answer for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caches {
    Used,
    Passed,
}

/// A part of a file that is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RangeRequest {
    /// The number of its first byte.
    pub from: u64,
    /// The size of the whole file, as far as it may be: it decides how long it may take.
    pub limit: u64,
    pub caches: Caches,
}

/// When a download began, and by when it must be complete.
#[derive(Debug, Clone, Copy)]
struct Span {
    begun: Instant,
    deadline: Instant,
}

impl Http {
    /// A client that goes this way to the network.
    pub(crate) fn new(network: &Network) -> Http {
        Http {
            network: network.clone(),
            ..Http::default()
        }
    }

    /// The same client, with time of its own: for downloads that come long after the first, since
    /// a user was asked in between.
    pub(crate) fn again(&self) -> Http {
        Http {
            deadline: OnceLock::new(),
            ..self.clone()
        }
    }

    /// A client that goes to no server: what it is asked for of the repository at `uri` comes
    /// from the bundle, and there is nothing else.
    pub(crate) fn offline(bundle: Bundle, uri: &str) -> Http {
        Http {
            bundle: Some(Arc::new(Mounted::new(bundle, uri))),
            ..Http::default()
        }
    }

    /// The bundle that stands in for the servers.
    pub(crate) fn bundle(&self) -> Option<&Bundle> {
        self.bundle.as_ref().map(|mounted| mounted.bundle())
    }

    /// The way it goes.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Downloads `url`, at most `limit` bytes of it. A server that cannot be reached, or that is
    /// in trouble of its own, is asked again.
    ///
    /// # Errors
    /// [`Failure::Trust`] when the server's certificate is not to be believed; otherwise a
    /// [`FetchError`]. Both say what went wrong, but not what for.
    pub(crate) fn get(&self, url: &str, limit: u64, caches: Caches) -> Result<Fetched> {
        let range = RangeRequest {
            from: 0,
            limit,
            caches,
        };
        self.persist(url, range, |url, span| {
            match self.ask(url, range, span)? {
                Fetched::Absent => Ok(Fetched::Absent),
                Fetched::Found(mut body) => body.read_all(limit).map(Fetched::Found),
            }
        })
    }

    /// Opens a part of `url`, to be read as it comes in. A server that cannot begin in the middle
    /// begins with the first byte.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub(crate) fn open(&self, url: &str, range: RangeRequest) -> Result<Fetched<Body>> {
        self.persist(url, range, |url, span| self.ask(url, range, span))
    }

    /// Asks a server to delete what is at `url`, once, and returns the status of its answer.
    pub(crate) fn delete(&self, url: &str, login: Option<(&str, &str)>) -> Result<u16> {
        let (client, first) = (
            self.client()?,
            Url::parse(url).context("reading an address")?,
        );
        let request = |url: &Url| {
            let request = client.delete(url.clone());
            // No other server is given the password.
            match login.filter(|_| url.origin() == first.origin()) {
                Some((user, password)) => request.basic_auth(user, Some(password)),
                None => request,
            }
        };
        let FinalResponse { response, .. } = self.follow(&first, request)?;
        Ok(response.status().as_u16())
    }

    /// Tries until it goes through, but for what would only come again.
    fn persist<T>(
        &self,
        url: &str,
        range: RangeRequest,
        attempt: impl Fn(&Url, Span) -> Result<T, FetchError>,
    ) -> Result<T> {
        let url = Url::parse(url).context("reading an address")?;
        if self.bundle.is_none() {
            self.client()?;
        }
        let begun = Instant::now();
        let of_all = *self.deadline.get_or_init(|| begun + DEADLINE_OF_ALL);
        let allowed = DEADLINE + Duration::from_secs(range.limit / BYTES_PER_SECOND);
        let deadline = of_all.min(begun + allowed);
        let mut pause = FIRST_PAUSE;
        for left in (0..TRIES).rev() {
            match attempt(&url, Span { begun, deadline }) {
                Err(error)
                    if left > 0 && error.is_passing() && Instant::now() + pause < deadline =>
                {
                    if error.is_silence() {
                        self.avoid_ipv6.store(true, Ordering::Relaxed);
                    }
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                Err(error) if error.is_distrust() => {
                    return Err(Failure::Trust(error.to_string()).into());
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
        let client = set_up(&self.network, &self.avoid_ipv6, true)?;
        Ok(self.client.get_or_init(|| client))
    }

    fn ask(&self, url: &Url, range: RangeRequest, span: Span) -> Result<Fetched<Body>, FetchError> {
        if let Some(mounted) = &self.bundle {
            return Ok(match mounted.open(url, range.from) {
                Some(slice) => Fetched::Found(Body::bundled(slice, range.from)),
                None => Fetched::Absent,
            });
        }
        let client = self.client.get().expect("set up before anything is tried");
        let request = |url: &Url| {
            let mut request = client.get(url.clone());
            if range.from > 0 {
                request = request.header(RANGE, format!("bytes={}-", range.from));
            }
            if range.caches == Caches::Passed {
                request = request.header(CACHE_CONTROL, "no-cache");
            }
            request
        };
        let FinalResponse { response, from } = self.follow(url, request)?;
        let status = response.status();
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            return Ok(Fetched::Absent);
        }
        let answered = response.headers().get(CONTENT_RANGE);
        let first = first_byte(status, answered.and_then(|range| range.to_str().ok()));
        match first.filter(|first| *first == 0 || *first == range.from) {
            Some(first) if status.is_success() => {
                let proxy = self.network.proxy_for(response.url()).cloned();
                let reached = FinalResponse { response, from };
                Ok(Fetched::Found(Body::new(reached, first, proxy, span)))
            }
            // The file has no such byte, or the server sends others than those asked for.
            None if range.from > 0 => self.ask(url, RangeRequest { from: 0, ..range }, span),
            _ => {
                let url = response.url().clone();
                let error = FetchError::Status {
                    host: fetch_error::host(&url).to_owned(),
                    status: status.as_u16(),
                    said: page::words(response),
                };
                Err(error.behind(from.as_deref(), &url))
            }
        }
    }
}

/// Whether a download failed because the server sent more than the file may have.
pub(crate) fn is_too_large(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<FetchError>();
    error.is_some_and(|error| matches!(error.innermost(), FetchError::TooLarge { .. }))
}

/// With which byte an answer begins; `None` when that is not said, or there is none.
fn first_byte(status: StatusCode, content_range: Option<&str>) -> Option<u64> {
    match status {
        StatusCode::PARTIAL_CONTENT => {
            let range = content_range?.strip_prefix("bytes ")?;
            range.split_once('-')?.0.parse().ok()
        }
        StatusCode::RANGE_NOT_SATISFIABLE => None,
        _ => Some(0),
    }
}

/// A client that goes this way, and trusts what is to be trusted on it.
fn set_up(network: &Network, avoid_ipv6: &Arc<AtomicBool>, https_only: bool) -> Result<Client> {
    let trusted = network::certificates(network)?;
    let trusted = trusted
        .iter()
        .filter_map(|der| reqwest::Certificate::from_der(der).ok());
    let way = network.clone();
    let proxy = reqwest::Proxy::custom(move |url| way.proxy_for(url).map(|proxy| proxy.url()));
    builder()
        .tls_certs_only(trusted)
        .https_only(https_only)
        .no_proxy()
        .proxy(proxy)
        .redirect(Policy::none()) // they are followed here
        .dns_resolver(Arc::new(Resolver::new(avoid_ipv6)))
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
