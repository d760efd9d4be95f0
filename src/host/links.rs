//! Network links, and what their names say of who made them.

use anyhow::Result;

use super::Host;
use crate::daemon_config::BRIDGE;

/// Has a line for each link. In a container /sys may show those of another host.
const LINKS: &str = "/proc/net/dev";

/// How the names of bridges begin that other programs make for their guests.
const GUESTS: &[&str] = &["lxdbr", "lxcbr", "incusbr", "virbr"];

/// The same for other container engines and for Kubernetes.
const CONTAINERS: &[&str] = &[
    "cali", "cbr", "cilium", "cni", "flannel", "kube", "nerdctl", "podman", "vmbr", "vxlan",
];

/// How the names of tunnels begin.
const TUNNELS: &[&str] = &[
    "tun",
    "tap",
    "wg",
    "ppp",
    "ipsec",
    "vti",
    "zt",
    "tailscale",
    "nordlynx",
    "cscotun",
    "gpd",
];

impl Host {
    /// The names of all links.
    pub(crate) fn links(&self) -> Result<Vec<String>> {
        let text = self.read_text(LINKS)?.unwrap_or_default();
        // Two lines of headings have no colon.
        let names = text.lines().filter_map(|line| line.split_once(':'));
        Ok(names.map(|(name, _)| name.trim().to_owned()).collect())
    }
}

/// Whether the engine gives its bridges such a name: `docker0`, or `br-` with twelve hexadecimal
/// digits for a network that a user made.
pub(crate) fn is_engine_bridge(link: &str) -> bool {
    let of_network = link
        .strip_prefix("br-")
        .is_some_and(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    of_network || matches!(link, BRIDGE | "docker_gwbridge")
}

/// Whether the engine makes links of such a name: its bridges, and the host's end of a container's
/// link.
pub(crate) fn is_engine_link(link: &str) -> bool {
    is_engine_bridge(link) || link.starts_with("veth")
}

pub(crate) fn is_tunnel(link: &str) -> bool {
    begins_with(TUNNELS, link)
}

/// Whether it is a bridge to virtual machines or system containers.
pub(crate) fn is_guest_bridge(link: &str) -> bool {
    begins_with(GUESTS, link)
}

/// Whether whoever made it has the host forward packets: for guests, containers or a VPN.
pub(crate) fn is_forwarded(link: &str) -> bool {
    is_tunnel(link) || is_guest_bridge(link) || begins_with(CONTAINERS, link)
}

fn begins_with(starts: &[&str], link: &str) -> bool {
    starts.iter().any(|start| link.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn links_are_read_without_the_headings() {
        let heading = "Inter-|   Receive    |  Transmit\n face |bytes    |bytes\n";
        let stub = StubHost::new().file(LINKS, format!("{heading}    lo: 1 2\n  eth0: 3 4\n"));
        assert_eq!(stub.host().links().unwrap(), ["lo", "eth0"]);
    }

    #[test]
    fn the_engines_links_are_known_by_their_names() {
        for link in ["docker0", "br-0123456789ab", "docker_gwbridge"] {
            assert!(is_engine_bridge(link) && is_engine_link(link), "{link}");
        }
        for link in ["eth0", "br-lan", "br-0123456789ag", "docker1x", "br0"] {
            assert!(!is_engine_link(link), "{link}");
        }
        assert!(is_engine_link("veth0a1b2c3"));
    }

    #[test]
    fn others_that_need_forwarding_are_known_by_their_names() {
        for link in ["wg0", "tun1", "virbr0", "lxdbr0", "cni0", "podman1"] {
            assert!(is_forwarded(link), "{link}");
        }
        for link in ["eth0", "lo", "docker0", "enp3s0", "bond0"] {
            assert!(!is_forwarded(link), "{link}");
        }
    }
}
