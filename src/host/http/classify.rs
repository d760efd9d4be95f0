//! From the errors of the HTTP library to [`FetchError`].
//!
//! The one place that depends on how the library words and nests what went wrong.

use std::error::Error;
use std::io;

use jiff::Timestamp;
use reqwest::Url;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::fetch_error::{FetchError, Peer, host};
use super::{CONNECT_DEADLINE, STALL};
use crate::host::network::Proxy;

/// What kept `url` from being fetched; `received` bytes of it were.
pub(super) fn classify(
    error: &(dyn Error + 'static),
    url: &Url,
    proxy: Option<&Proxy>,
    received: Option<u64>,
) -> FetchError {
    let peer = Peer::of(url, proxy);
    let causes = causes(error);
    let find = |wanted: &str| is_said(&causes, wanted);
    let ours = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<reqwest::Error>());
    if let Some(tls) = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<rustls::Error>())
    {
        return tls_trouble(tls, url, peer);
    }
    if let Some(proxy) = proxy {
        if find("proxy authorization required") {
            return FetchError::ProxyPassword {
                proxy: proxy.clone(),
            };
        }
        if find("tunnel error: unsuccessful") {
            return FetchError::ProxyRefused {
                proxy: proxy.clone(),
                host: host(url).to_owned(),
            };
        }
    }
    if ours.is_some_and(reqwest::Error::is_timeout) {
        let connecting = received.is_none() && ours.is_some_and(reqwest::Error::is_connect);
        return if connecting {
            FetchError::TimedOut {
                peer,
                within: CONNECT_DEADLINE,
            }
        } else {
            FetchError::Stalled {
                peer,
                within: STALL,
            }
        };
    }
    if find("dns error") {
        return FetchError::NoName(peer);
    }
    of_connection(&causes, peer, received)
}

/// Whether one of the causes says so.
fn is_said(causes: &[&(dyn Error + 'static)], wanted: &str) -> bool {
    causes
        .iter()
        .any(|cause| cause.to_string().contains(wanted))
}

/// What became of a connection, once the name was known and no TLS or proxy was at fault.
fn of_connection(
    causes: &[&(dyn Error + 'static)],
    peer: Peer,
    received: Option<u64>,
) -> FetchError {
    let find = |wanted: &str| is_said(causes, wanted);
    let io = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<io::Error>());
    match (received, io.map(io::Error::kind)) {
        (Some(received), _) => FetchError::CutOff { peer, received },
        (None, Some(io::ErrorKind::ConnectionRefused)) => FetchError::Refused(peer),
        (None, Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable)) => {
            FetchError::Unreachable(peer)
        }
        (None, Some(io::ErrorKind::TimedOut)) => FetchError::TimedOut {
            peer,
            within: CONNECT_DEADLINE,
        },
        (None, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof)) => {
            FetchError::CutOff { peer, received: 0 }
        }
        _ if find("connection closed") || find("unexpected end of file") => {
            FetchError::CutOff { peer, received: 0 }
        }
        _ => FetchError::Other(words(causes)),
    }
}

fn tls_trouble(error: &rustls::Error, url: &Url, peer: Peer) -> FetchError {
    let host = host(url).to_owned();
    let now = || date(UnixTime::now());
    let clock = |host, fault: &str, when: Option<&UnixTime>| FetchError::Clock {
        host,
        fault: match when {
            Some(when) => format!("{fault} {}", date(*when)),
            None => fault.to_owned(),
        },
        now: now(),
    };
    let rustls::Error::InvalidCertificate(fault) = error else {
        let reason = error.to_string();
        return FetchError::NoTls { peer, reason };
    };
    match fault {
        CertificateError::Expired => clock(host, "has expired", None),
        CertificateError::ExpiredContext { not_after, .. } => {
            clock(host, "expired on", Some(not_after))
        }
        CertificateError::NotValidYet => clock(host, "is not valid yet", None),
        CertificateError::NotValidYetContext { not_before, .. } => {
            clock(host, "is valid only from", Some(not_before))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            FetchError::AnotherName { host }
        }
        CertificateError::UnknownIssuer => FetchError::Untrusted {
            host,
            reason: "signed by no authority that is trusted here".to_owned(),
        },
        other => FetchError::Untrusted {
            host,
            reason: other.to_string(),
        },
    }
}

/// The error with all its causes; also those that an I/O error carries within.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        causes.push(cause);
        let carried = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match carried {
            Some(carried) => Some(carried),
            None => cause.source(),
        };
    }
    causes
}

/// The last cause says most; those above repeat that something went wrong.
fn words(causes: &[&(dyn Error + 'static)]) -> String {
    causes.last().map(ToString::to_string).unwrap_or_default()
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => "a time beyond all calendars".to_owned(),
    }
}
