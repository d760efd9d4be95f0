//! Why a download did not go through: each kind with its cause and its cure, in plain words.
//!
//! It must not say what became of the host: whoever asked for the download knows.

use std::time::Duration;

use reqwest::Url;
use thiserror::Error;

use crate::host::network::Proxy;

/// Why a download did not go through.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum FetchError {
    #[error(
        "the name of {0} cannot be resolved; see what this host's name servers say: \
         resolvectl query {host}{hint}", host = .0.host(), hint = .0.hint()
    )]
    NoName(Peer),
    #[error(
        "{0} refuses connections: nothing listens there, or a firewall answers in its \
         place{hint}", hint = .0.hint()
    )]
    Refused(Peer),
    #[error("there is no way from this host to {0}; see: ip route get 1.1.1.1{hint}", hint = .0.hint())]
    Unreachable(Peer),
    #[error(
        "no connection to {peer} came about within {seconds} seconds: it does not answer, or a \
         firewall drops what is sent{hint}",
        seconds = .within.as_secs(), hint = .peer.hint()
    )]
    TimedOut { peer: Peer, within: Duration },
    #[error(
        "{peer} went silent: nothing came for {seconds} seconds; try again later",
        seconds = .within.as_secs()
    )]
    Stalled { peer: Peer, within: Duration },
    #[error(
        "{peer} is too slow: the download was not complete after {seconds} seconds; try again \
         later, or take a nearer mirror: --mirror URL",
        seconds = .within.as_secs()
    )]
    TooSlow { peer: Peer, within: Duration },
    #[error(
        "the certificate of {host} is not trusted ({reason}). A proxy that opens TLS needs its \
         CA: --ca-cert FILE. A store that is out of date: apt-get install --only-upgrade \
         ca-certificates"
    )]
    Untrusted { host: String, reason: String },
    #[error(
        "the certificate of {host} is for another name: something else answers in its place, \
         such as the login page of a network"
    )]
    AnotherName { host: String },
    #[error(
        "the certificate of {host} {fault} by this host's clock, which says {now}. If the clock \
         is wrong: timedatectl set-ntp true"
    )]
    Clock {
        host: String,
        fault: String,
        now: String,
    },
    #[error("{peer} does not speak TLS as it should ({reason}); is it the right address?")]
    NoTls { peer: Peer, reason: String },
    #[error("the proxy {proxy} {verdict}; give both as USER:PASSWORD@ before its host, out of \
         sight in DOCKSTRAP_PROXY or the settings file, special characters as %XX",
        verdict = verdict(.proxy)
    )]
    ProxyPassword { proxy: Proxy },
    #[error(
        "the proxy {proxy} does not let this host through to {host}; it must allow CONNECT to \
         port 443 there"
    )]
    ProxyRefused { proxy: Proxy, host: String },
    #[error(
        "{host} answered with HTTP status {status}{advice}{page}",
        advice = advice(.status), page = page(.said.as_deref())
    )]
    Status {
        host: String,
        status: u16,
        /// What its page says.
        said: Option<String>,
    },
    #[error(
        "{host} redirects to {to}, which is not HTTPS, and so is not followed; is there another \
         address of the mirror: --mirror URL?"
    )]
    Downgrade { host: String, to: String },
    #[error("{host} redirects over and over; is it the right address?")]
    Circles { host: String },
    /// Another server failed than the one that was asked.
    #[error("{from} redirects to {to}, and {error}")]
    Redirected {
        from: String,
        to: String,
        error: Box<FetchError>,
    },
    #[error(
        "{host} sent more than {limit} bytes, which this file never has; is it the right address?"
    )]
    TooLarge { host: String, limit: u64 },
    #[error("{peer} cut the transfer off after {received} bytes; try again")]
    CutOff { peer: Peer, received: u64 },
    /// Anything else, in the words of the library.
    #[error("{0}")]
    Other(String),
}

/// Whom this host talks to: the server itself, or the proxy before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peer {
    Server { host: String },
    Proxy(Proxy),
}

impl FetchError {
    /// The same as an error of `url`, to which another host redirects, if one does.
    pub(super) fn behind(self, from: Option<&str>, url: &Url) -> FetchError {
        match from {
            None => self,
            Some(from) => FetchError::Redirected {
                from: from.to_owned(),
                to: host(url).to_owned(),
                error: Box::new(self),
            },
        }
    }

    /// What went wrong, wherever that was.
    pub(crate) fn innermost(&self) -> &FetchError {
        match self {
            FetchError::Redirected { error, .. } => error.innermost(),
            error => error,
        }
    }

    /// Whether it may be gone at the next try.
    pub(crate) fn is_passing(&self) -> bool {
        match self.innermost() {
            FetchError::NoName(_)
            | FetchError::Refused(_)
            | FetchError::Unreachable(_)
            | FetchError::TimedOut { .. }
            | FetchError::Stalled { .. }
            | FetchError::CutOff { .. } => true,
            FetchError::Status { status, .. } => *status >= 500 || matches!(status, 408 | 429),
            _ => false,
        }
    }

    /// Whether nothing came, as where packets are dropped on the way.
    pub(crate) fn is_silence(&self) -> bool {
        let innermost = self.innermost();
        matches!(
            innermost,
            FetchError::TimedOut { .. } | FetchError::Stalled { .. }
        )
    }

    /// Whether a certificate is not believed, so that who answers may be anyone.
    pub(crate) fn is_distrust(&self) -> bool {
        matches!(
            self.innermost(),
            FetchError::Untrusted { .. }
                | FetchError::AnotherName { .. }
                | FetchError::Clock { .. }
        )
    }
}

impl Peer {
    pub(crate) fn of(url: &Url, proxy: Option<&Proxy>) -> Peer {
        match proxy {
            Some(proxy) => Peer::Proxy(proxy.clone()),
            None => Peer::Server {
                host: host(url).to_owned(),
            },
        }
    }

    fn host(&self) -> &str {
        match self {
            Peer::Server { host } => host,
            Peer::Proxy(proxy) => proxy.host(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Peer::Server { .. } => ". If this network is left through a proxy: --proxy URL",
            Peer::Proxy(_) => ". If the proxy is another one: --proxy URL",
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Server { host } => formatter.write_str(host),
            Peer::Proxy(proxy) => write!(formatter, "the proxy {proxy}"),
        }
    }
}

pub(super) fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn verdict(proxy: &Proxy) -> &'static str {
    if proxy.has_credentials() {
        "does not take this user name and password"
    } else {
        "wants a user name and a password"
    }
}

/// On a line of its own: it is not ours.
fn page(said: Option<&str>) -> String {
    said.map_or_else(String::new, |said| format!("\nits page says: {said}"))
}

fn advice(status: &u16) -> &'static str {
    match *status {
        401 => "; it wants a login, which dockstrap has none for",
        403 | 451 => {
            "; it does not give that file to this host: by its country or its network, without a \
             login, or because there is no such file. Another server may: --mirror URL"
        }
        429 => "; it was asked too often, try again later",
        500.. => "; the trouble is on its side, try again later",
        _ => "; is it the right address?",
    }
}
