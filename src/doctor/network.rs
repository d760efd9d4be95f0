//! Addresses, routes and names.

use anyhow::Result;
use ipnet::IpNet;

use super::{Check, Severity, is_active};
use crate::daemon_json::{self, Document, Route};
use crate::facts::Facts;
use crate::host::Host;
use crate::host::engine::UNIT;

pub const CHECKS: &[Check] = &[
    Check {
        id: "DS301",
        severity: Severity::Error,
        title: "the engine's networks have their addresses for themselves",
        danger: "what is sent to the shared addresses goes to containers, or theirs goes elsewhere.",
        cure: "give the engine other addresses: default-address-pools and bip in \
               /etc/docker/daemon.json; then make the networks anew",
        link: "https://docs.docker.com/engine/network/#automatic-subnet-allocation",
        look: shared,
        fix: None,
    },
    Check {
        id: "DS302",
        severity: Severity::Warning,
        title: "no tunnel leads to addresses that the engine hands out",
        danger: "a network that is made while the tunnel is down may take its addresses; then the \
                 tunnel leads nowhere.",
        cure: "give the engine other addresses: default-address-pools in /etc/docker/daemon.json",
        link: "https://docs.docker.com/engine/network/#automatic-subnet-allocation",
        look: tunnels,
        fix: None,
    },
    Check {
        id: "DS303",
        severity: Severity::Warning,
        title: "containers can use the host's name servers",
        danger: "a name server on the host's own loopback cannot be reached from containers, which \
                 then ask Google's instead; names of your own network are not found.",
        cure: "name servers for containers: dns in /etc/docker/daemon.json; then: systemctl restart \
               docker",
        link: "https://docs.docker.com/engine/network/#dns-services",
        look: name_servers,
        fix: None,
    },
    Check {
        id: "DS304",
        severity: Severity::Error,
        title: "the host forwards packets",
        danger: "containers do not reach the outside, and their published ports are not reached.",
        cure: "sysctl --write net.ipv4.ip_forward=1, and see what turned it off, in /etc/sysctl.d or \
               as ip-forward in /etc/docker/daemon.json",
        link: "https://docs.docker.com/engine/network/packet-filtering-firewalls/#docker-on-a-router",
        look: forwarding,
        fix: None,
    },
];

/// How the devices of tunnels are named.
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

/// The engine's default address pools. Source:
/// <https://docs.docker.com/engine/network/#automatic-subnet-allocation>.
const POOLS: &[&str] = &[
    "172.17.0.0/16",
    "172.18.0.0/16",
    "172.19.0.0/16",
    "172.20.0.0/14",
    "172.24.0.0/14",
    "172.28.0.0/14",
    "192.168.0.0/16",
];

fn is_of_tunnel(route: &Route) -> bool {
    TUNNELS.iter().any(|start| route.device.starts_with(start))
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

fn shared(host: &Host, _: &Facts) -> Result<Option<String>> {
    let routes = host.routes()?;
    let (of_engine, of_others): (Vec<Route>, Vec<Route>) =
        routes.into_iter().partition(Route::is_the_engines_own);
    let shared = of_engine.iter().find_map(|own| {
        let mut others = of_others.iter();
        let other = others.find(|other| overlap(&other.network, &own.network))?;
        Some(format!(
            "the engine's network {} on {} and the route to {} on {} share addresses",
            own.network, own.device, other.network, other.device
        ))
    });
    Ok(shared)
}

fn tunnels(host: &Host, _: &Facts) -> Result<Option<String>> {
    let pools = pools(host)?;
    let routes = host.routes()?;
    let mut tunnels = routes.iter().filter(|route| is_of_tunnel(route));
    let found = tunnels.find_map(|route| {
        let pool = pools.iter().find(|pool| overlap(pool, &route.network))?;
        Some(format!(
            "the tunnel {} leads to {}, which is among the engine's addresses {pool}",
            route.device, route.network
        ))
    });
    Ok(found)
}

/// What the engine takes the addresses of its networks from.
fn pools(host: &Host) -> Result<Vec<IpNet>> {
    let document = Document::parse(&host.read(daemon_json::PATH)?.unwrap_or_default());
    let chosen = document.ok().and_then(|document| {
        let pools = document.get("default-address-pools")?.as_array()?.clone();
        let bases = pools
            .iter()
            .filter_map(|pool| pool.get("base")?.as_str()?.parse().ok());
        Some(bases.collect())
    });
    let default = || POOLS.iter().filter_map(|pool| pool.parse().ok()).collect();
    Ok(chosen.unwrap_or_else(default))
}

/// The engine leaves out name servers on the loopback, but knows where systemd-resolved's stub
/// has its own from.
fn name_servers(host: &Host, _: &Facts) -> Result<Option<String>> {
    let document = Document::parse(&host.read(daemon_json::PATH)?.unwrap_or_default());
    if document.is_ok_and(|document| document.get("dns").is_some()) {
        return Ok(None);
    }
    let servers = |path: &str| -> Result<Vec<String>> {
        let path = host.path(path);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let named = text
            .lines()
            .filter_map(|line| line.strip_prefix("nameserver"));
        Ok(named.map(|server| server.trim().to_owned()).collect())
    };
    let mut named = servers("/etc/resolv.conf")?;
    if named == ["127.0.0.53"] {
        named = servers("/run/systemd/resolve/resolv.conf")?;
    }
    let is_own = |server: &String| server.starts_with("127.") || server == "::1";
    Ok(match named.iter().all(is_own) {
        false => None,
        true if named.is_empty() => Some("the host has no name server".to_owned()),
        true => Some(format!(
            "the host's only name server is its own, {}",
            named.join(", ")
        )),
    })
}

fn forwarding(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !is_active(host, facts, UNIT)? {
        return Ok(None); // the engine turns it on when it starts
    }
    let forward = host.read_text("/proc/sys/net/ipv4/ip_forward")?;
    let off = forward.is_some_and(|text| text.trim() == "0");
    Ok(off.then(|| "the host does not forward packets".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts;
    use crate::host::stub::StubHost;

    #[test]
    fn the_engines_own_pools_are_networks() {
        let host = StubHost::noble();
        assert_eq!(pools(host.host()).unwrap().len(), POOLS.len());
        let pool = r#"{"default-address-pools": [{"base": "10.1.0.0/16", "size": 24}]}"#;
        let host = host.file(daemon_json::PATH, pool);
        assert_eq!(
            pools(host.host()).unwrap(),
            ["10.1.0.0/16".parse().unwrap()]
        );
    }

    #[test]
    fn the_stub_of_systemd_resolved_is_no_finding() {
        let stub = StubHost::noble()
            .file("/etc/resolv.conf", "nameserver 127.0.0.53\n")
            .file("/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.1\n");
        let facts = facts::gather(stub.host()).unwrap();
        assert_eq!(name_servers(stub.host(), &facts).unwrap(), None);
    }
}
