//! What counts as the name of a host on the network.

use std::net::Ipv6Addr;

/// Whether a text is a name, an IPv4 address or an IPv6 address in brackets: nothing in it is a
/// character with a meaning of its own in any file that it is written into. A URL may have others.
pub(crate) fn is_host(text: &str) -> bool {
    let bracketed = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    if let Some(address) = bracketed {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_hosts_and_nothing_else_is() {
        for host in [
            "proxy",
            "a-b.example",
            "my_host",
            "10.0.0.1",
            "[::1]",
            "[2001:db8::1]",
        ] {
            assert!(is_host(host), "{host}");
        }
        for other in [
            "",
            "-x",
            ".",
            "..",
            "a b",
            "x\"y",
            "x'y",
            "x;y",
            "x{y",
            "x$y",
            "x`y",
            "x%y",
            "x\\y",
            "x\ny",
            "::1",
            "[::1",
            "[::1%eth0]",
            "[x]",
            "x:1",
            "x/y",
            "é",
        ] {
            assert!(!is_host(other), "{other}");
        }
    }
}
