//! `NO_PROXY`: the hosts that are reached without a proxy.

use std::net::IpAddr;

/// A list of names, which stand for the names under them as well, addresses and networks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Direct(Vec<String>);

impl Direct {
    pub(crate) fn parse(list: &str) -> Direct {
        let entries = list.split(',').map(str::trim);
        Direct(
            entries
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    pub(crate) fn entries(&self) -> &[String] {
        &self.0
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.0.iter().any(|entry| entry == "*")
    }

    /// Whether the host, a name or an address as in a URL, is among them.
    pub(crate) fn covers(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let covers = |entry: &String| match host.parse::<IpAddr>() {
            Ok(address) => covers_address(entry, address),
            Err(_) => covers_name(&entry.to_ascii_lowercase(), &host),
        };
        self.is_everything() || self.0.iter().any(covers)
    }
}

fn covers_name(entry: &str, host: &str) -> bool {
    let name = entry.trim_start_matches('*').trim_start_matches('.');
    let above = host.strip_suffix(name).filter(|_| !name.is_empty());
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

fn covers_address(entry: &str, address: IpAddr) -> bool {
    let (network, length) = entry.split_once('/').unwrap_or((entry, "128"));
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    let (network, address, bits) = match (network, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    (network ^ address)
        .checked_shr(bits - length.min(bits))
        .is_none_or(|differing| differing == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_covers_itself_and_the_names_under_it() {
        let direct = Direct::parse("localhost, .Example.com,*.docker.com ,");
        for host in [
            "localhost",
            "example.com",
            "a.EXAMPLE.com",
            "download.docker.com",
        ] {
            assert!(direct.covers(host), "{host}");
        }
        for host in ["notexample.com", "example.com.evil", "docker.org", ""] {
            assert!(!direct.covers(host), "{host}");
        }
    }

    #[test]
    fn addresses_are_covered_alone_or_by_their_network() {
        let direct = Direct::parse("127.0.0.1,10.0.0.0/8,fd00::/64,0.0.0.0/x");
        for host in ["127.0.0.1", "10.9.8.7", "[fd00::9]"] {
            assert!(direct.covers(host), "{host}");
        }
        for host in ["127.0.0.2", "11.0.0.1", "[fd00:0:0:1::9]"] {
            assert!(!direct.covers(host), "{host}");
        }
        assert!(Direct::parse("::/0").covers("[fd00::9]"));
    }
}
