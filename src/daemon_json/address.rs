//! The forms of addresses as dockerd reads them: URLs, registries, sockets, domains.
//!
//! Owns their grammar. It must not know where a value stood.

use std::net::IpAddr;

use super::syntax::network;

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
fn host_port(text: &str) -> Option<(&str, &str)> {
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
    let is_host = match in_brackets {
        true => host.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') && !host.is_empty(),
        false => host.split('.').all(is_label),
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

/// What dockerd would refuse in the URL of a registry mirror.
pub(super) fn mirror_fault(url: &str) -> Option<&'static str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Some("must start with https:// or http://");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Some("names no host");
    }
    if host.contains('@') {
        return Some("must not hold a user name or password: use docker login");
    }
    if rest.contains(['?', '#']) {
        return Some("must not have a query or fragment");
    }
    if rest.contains(char::is_whitespace) {
        return Some("must not hold spaces");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_a_plain_http_address() {
        assert_eq!(mirror_fault("https://mirror.example:5000/"), None);
        assert_eq!(mirror_fault("http://10.0.0.1"), None);
        for wrong in [
            "mirror.example",
            "ftp://mirror.example",
            "https://",
            "https://:5000",
            "https://user:word@mirror.example",
            "https://mirror.example/?a=b",
            "https://mirror.exam ple",
        ] {
            assert!(mirror_fault(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn an_address_has_a_scheme_a_host_and_perhaps_a_port() {
        let read = address("udp://me@[fd00::1]:514/x").unwrap();
        assert_eq!((read.scheme, read.host), ("udp", "fd00::1"));
        assert_eq!((read.port, read.rest), ("514", "/x"));
        for wrong in [
            "10.0.0.1:514",
            "udp://a b",
            "udp://a:x",
            "udp://[fd00::1",
            "://a",
        ] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    /// Each was shown to dockerd 26.1 and 28.5, which did not start with the wrong ones.
    #[test]
    fn registries_hosts_and_domains_are_told_as_dockerd_tells_them() {
        for right in [
            "registry.lab:5000",
            "http://registry.lab:5000",
            "HTTPS://registry.lab",
            "10.0.0.1/8",
            "fd00::1/64",
            "fd00::1",
            "[fd00::1]",
            "[fd00::1]:5000",
            "Registry.Lab:5000",
        ] {
            assert_eq!(registry_fault(right), None, "{right}");
        }
        for wrong in [
            "",
            "ftp://registry.lab",
            "registry.lab/path",
            "http://registry.lab/",
            "10.0.0.0/33",
            "registry.lab:99999",
            "registry.lab:x",
            "registry.lab:",
            "-registry",
            "registry-",
            "under_score.lab",
            "*.lab",
            "registry lab",
        ] {
            assert!(registry_fault(wrong).is_some(), "{wrong}");
        }
        for right in [
            "unix:///run/x.sock",
            "tcp://127.0.0.1",
            "127.0.0.1:2375",
            "tcp://:2375",
            "2375",
            "localhost",
            "unix://",
            "fd://",
            "npipe:////./pipe/x",
            "tcp://[::1]:2375",
        ] {
            assert_eq!(listener_fault(right), None, "{right}");
        }
        for wrong in [
            "tcp://127.0.0.1:x",
            "tcp://127.0.0.1:2375/path",
            "http://127.0.0.1",
            "unix:///a://b",
            "tcp://127.0.0.1:99999",
        ] {
            assert!(listener_fault(wrong).is_some(), "{wrong}");
        }
        for right in ["127.0.0.1:9323", "[::1]:9323", "localhost:9323"] {
            assert!(is_host_port(right), "{right}");
        }
        for wrong in [
            "9323",
            ":9323",
            "127.0.0.1",
            "127.0.0.1:x",
            "tcp://127.0.0.1:9323",
        ] {
            assert!(!is_host_port(wrong), "{wrong}");
        }
        assert!(is_search_domain("example.com.") && is_search_domain("."));
        for wrong in ["a b", "under_score.lab", "-a.lab", "123"] {
            assert!(!is_search_domain(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_proxy_needs_a_host_that_can_be_found() {
        for right in [
            "proxy.lab:3128",
            "http://me:word@proxy.lab",
            "socks5://[::1]:1080",
            "http://:3128",
        ] {
            assert_eq!(proxy_fault(right), None, "{right}");
        }
        for wrong in [
            "http://proxy lab",
            "http://",
            "http://proxy.lab:x",
            "://x",
            "http://a:99999",
        ] {
            assert!(proxy_fault(wrong).is_some(), "{wrong}");
        }
        assert!(is_known_proxy("proxy.lab:3128") && !is_known_proxy("ftp://proxy.lab"));
    }
}
