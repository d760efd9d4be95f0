//! The forms of addresses as dockerd reads them: URLs, registries, sockets, domains.
//!
//! Owns their grammar. It must not know where a value stood.

use std::net::IpAddr;

use super::syntax::network;
use crate::daemon_config::finding::Severity;
use crate::daemon_config::schema::EngineRelease;

/// The parts of `SCHEME://[USER@]HOST[:PORT][REST]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub scheme: &'a str,
    /// Empty where none is named; of IPv6, without brackets.
    pub host: &'a str,
    /// Digits, or empty.
    pub port: &'a str,
    pub rest: &'a str,
}

/// Reads an address as Go's `url.Parse` does, as far as dockerd looks at it.
pub(super) fn address(text: &str) -> Option<Address<'_>> {
    let (scheme, rest) = text.split_once("://")?;
    let mut letters = scheme.chars();
    let is_scheme = letters.next()?.is_ascii_alphabetic()
        && letters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let named = authority.rsplit_once('@').map_or(authority, |(_, it)| it);
    let (host, port) = host_port(named)?;
    let is_host =
        !host.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c));
    (is_scheme && is_host).then_some(Address {
        scheme,
        host,
        port,
        rest,
    })
}

/// The host, and the port if there is one; that of IPv6 stands in brackets.
pub(super) fn host_port(text: &str) -> Option<(&str, &str)> {
    let (host, tail) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match tail.strip_prefix(':') {
        Some(port) => port,
        None if tail.is_empty() => "",
        None => return None,
    };
    port.bytes()
        .all(|b| b.is_ascii_digit())
        .then_some((host, port))
}

/// Whether it is a number that a port can have.
pub(super) fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

/// Whether a text names a host and a port of it. Source: `allocateDaemonPort` of dockerd.
pub(super) fn is_host_port(text: &str) -> bool {
    host_port(text).is_some_and(|(host, port)| !host.is_empty() && is_port(port))
}

/// What dockerd would refuse in an address to listen on. Source: `ParseDaemonHost` of dockerd.
pub(super) fn listener_fault(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
    match scheme {
        "fd" => None,
        "unix" | "npipe" if rest.contains("://") => Some("names two protocols"),
        "unix" | "npipe" => None,
        "tcp" => match address(&format!("tcp://{rest}")) {
            None => Some("is no address"),
            Some(address) if !address.rest.is_empty() => Some("must not have a path"),
            Some(address) if !address.port.is_empty() && !is_port(address.port) => {
                Some("has no port that there can be")
            }
            Some(_) => None,
        },
        _ => Some("has a protocol that dockerd does not listen with"),
    }
}

/// What dockerd would refuse in an entry of its insecure registries. Source:
/// `loadInsecureRegistries` of dockerd.
pub(super) fn registry_fault(text: &str) -> Option<&'static str> {
    if text.starts_with('-') || text.ends_with('-') {
        return Some("begins or ends with a hyphen");
    }
    let name = match text.split_once("://") {
        Some((scheme, rest)) if matches!(&*scheme.to_lowercase(), "http" | "https") => rest,
        Some(_) => return Some("must not have a scheme"),
        None => text,
    };
    if network(name).is_some() || name.parse::<IpAddr>().is_ok() {
        return None;
    }
    let Some((host, port)) = host_port(name) else {
        return Some("is no host");
    };
    let in_brackets = name.starts_with('[');
    let is_host = if in_brackets {
        host.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') && !host.is_empty()
    } else {
        host.split('.').all(is_label)
    };
    let has_port = name.ends_with(':') || !port.is_empty();
    match (is_host, has_port && !is_port(port)) {
        (false, _) => Some("is no host"),
        (true, true) => Some("has no port that there can be"),
        (true, false) => None,
    }
}

/// One part of a domain.
fn is_label(label: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !label.is_empty()
        && label.chars().all(plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether resolv.conf may search in it. Source: `ValidateDNSSearch` of docker.
pub(super) fn is_search_domain(text: &str) -> bool {
    let name = text.trim();
    let labels = name.strip_suffix('.').unwrap_or(name);
    name == "."
        || (name.contains(|c: char| c.is_ascii_alphabetic()) && labels.split('.').all(is_label))
}

/// Why no proxy can be reached by this URL. One without a scheme is one with `http://`.
pub(super) fn proxy_fault(url: &str) -> Option<&'static str> {
    let with_scheme = format!("http://{url}");
    let url = if url.contains("://") {
        url
    } else {
        &with_scheme
    };
    match address(url) {
        None => Some("cannot be read"),
        Some(address) if address.host.is_empty() && address.port.is_empty() => {
            Some("names no host")
        }
        Some(address) if !address.port.is_empty() && !is_port(address.port) => {
            Some("has no port that there can be")
        }
        Some(_) => None,
    }
}

/// Whether the engine knows how to speak with this proxy.
pub(super) fn is_known_proxy(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("http", |(scheme, _)| scheme);
    matches!(
        &*scheme.to_lowercase(),
        "http" | "https" | "socks5" | "socks5h"
    )
}

/// Since this engine, a mirror's URL has two slashes; before, one without was taken and of no use.
const WANTS_SLASHES: EngineRelease = EngineRelease(28, 3);
const WANTS_SCHEME: &str = "must start with https:// or http://";

/// What is wrong with the URL of a registry mirror for this engine.
pub(super) fn mirror_fault_for(
    url: &str,
    engine: EngineRelease,
) -> Option<(Severity, &'static str)> {
    if engine >= WANTS_SLASHES && !url.contains("://") {
        Some((Severity::Error, WANTS_SCHEME))
    } else {
        mirror_fault(url)
    }
}

/// What is wrong with the URL of a registry mirror, and how bad it is. Source: `ValidateMirror` of
/// dockerd, which looks for no host, and `url.Parse` of Go.
pub(super) fn mirror_fault(url: &str) -> Option<(Severity, &'static str)> {
    let (scheme, rest) = url.split_once(':').unwrap_or_default();
    let is_http = ["http", "https"].map(|known| scheme.eq_ignore_ascii_case(known));
    let address = rest.strip_prefix("//").unwrap_or_default();
    let end = address.find(['/', '?', '#']).unwrap_or(address.len());
    let (authority, behind) = address.split_at(end);
    let (path, fragment) = behind.split_once('#').unwrap_or((behind, ""));
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let fault = if !is_http.contains(&true) {
        WANTS_SCHEME
    } else if url.contains(|letter: char| letter.is_ascii_control()) {
        "must not hold line breaks or tabs"
    } else if authority.contains('@') {
        "must not hold a user name or password: use docker login"
    } else if !query.is_empty() || !fragment.is_empty() {
        "must not have a query or fragment"
    } else if !is_host_of_url(authority) {
        "names no host that there can be"
    } else if authority.is_empty() || authority.starts_with(':') {
        return Some((
            Severity::Warning,
            "names no host, and nothing can be fetched there",
        ));
    } else {
        return None;
    };
    Some((Severity::Error, fault))
}

/// Whether Go takes it for the host of a URL, with or without a port.
fn is_host_of_url(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(']') {
        Some((host, tail)) => (host, tail),
        None => authority.split_at(authority.rfind(':').unwrap_or(authority.len())),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let has_port = port.is_empty() || port.starts_with(':');
    let is_open = authority.starts_with('[') != authority.contains(']');
    let is_wrong = |letter: char| match letter {
        '%' => !authority.starts_with('['),
        _ => " \\^`{|}".contains(letter),
    };
    has_port
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && !is_open
        && !host.contains(is_wrong)
}

#[cfg(test)]
mod tests;
