//! Addresses, routes and names.

use anyhow::Result;
use ipnet::IpNet;
use serde_json::Value;

use super::effective::EffectiveConfiguration;
use super::{Check, Level, is_active};
use crate::daemon_config::{DEFAULT_POOLS, Route};
use crate::docker::UNIT;
use crate::facts::{ENGINE_PACKAGES, Facts};
use crate::host::Host;
use crate::host::links::is_tunnel;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS301",
        severity: Level::Error,
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
        severity: Level::Warning,
        title: "the host's other networks lie outside what the engine hands out",
        danger: "the engine keeps clear of them only as long as they are there: one that is made while \
                 a tunnel is down may take its addresses, and the tunnel then leads nowhere.",
        cure: "give the engine other addresses: default-address-pools in /etc/docker/daemon.json \
               (`sudo dockstrap install --preset recommended` finds some)",
        link: "https://docs.docker.com/engine/network/#automatic-subnet-allocation",
        look: tunnels,
        fix: None,
    },
    Check {
        id: "DS303",
        severity: Level::Warning,
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
        severity: Level::Error,
        title: "the host forwards packets",
        danger: "containers do not reach the outside, and their published ports are not reached.",
        cure: "sysctl --write net.ipv4.ip_forward=1, and see what turned it off, in /etc/sysctl.d or \
               as ip-forward in /etc/docker/daemon.json",
        link: "https://docs.docker.com/engine/network/packet-filtering-firewalls/#docker-on-a-router",
        look: forwarding,
        fix: None,
    },
];

/// The one that it comes to after fifteen networks. Many a host has its own network there, which the
/// engine then leaves out.
const LAST_POOL: &str = "192.168.0.0/16";

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

fn shared(host: &Host, _: &Facts) -> Result<Option<String>> {
    let routes = host.routes_of_all_tables()?;
    let (of_engine, of_others): (Vec<Route>, Vec<Route>) =
        routes.into_iter().partition(|route| route.is_engines);
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

/// Once there is an engine, its networks stand beside those that are there; tunnels come and go.
fn tunnels(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let (chosen, pools) = pools(&EffectiveConfiguration::of(host, facts)?);
    let routes = host.routes_of_all_tables()?;
    let is_new = !facts.has(ENGINE_PACKAGES[0]);
    let found = routes.iter().find_map(|route| {
        let is_of_tunnel = is_tunnel(&route.device);
        if route.is_engines || !(is_of_tunnel || is_new) {
            return None;
        }
        let counts = |pool: &&IpNet| chosen || is_of_tunnel || pool.to_string() != LAST_POOL;
        let mut pools = pools.iter().filter(counts);
        let pool = pools.find(|pool| overlap(pool, &route.network))?;
        let what = if is_of_tunnel {
            "the tunnel"
        } else {
            "the host's network on"
        };
        let Route {
            network, device, ..
        } = route;
        Some(format!(
            "{what} {device} leads to {network}, which is among the engine's addresses {pool}"
        ))
    });
    Ok(found)
}

/// What the engine takes the addresses of its networks from, and whether somebody chose that.
fn pools(effective: &EffectiveConfiguration) -> (bool, Vec<IpNet>) {
    match effective.list("default-address-pools") {
        Some(pools) => {
            let base = |pool: &Value| pool.get("base")?.as_str()?.parse().ok();
            (true, pools.iter().filter_map(base).collect())
        }
        None => {
            let pools = DEFAULT_POOLS.iter().map(|(pool, _)| pool);
            (false, pools.filter_map(|pool| pool.parse().ok()).collect())
        }
    }
}

/// The engine leaves out name servers on the loopback, but knows where systemd-resolved's stub
/// has its own from.
fn name_servers(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if EffectiveConfiguration::of(host, facts)?.has("dns") {
        return Ok(None);
    }
    let servers = |path: &str| -> Result<Vec<String>> {
        let text = host.read_text(path).unwrap_or_default().unwrap_or_default();
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
    Ok(if named.is_empty() {
        Some("the host has no name server".to_owned())
    } else if named.iter().all(is_own) {
        let named = named.join(", ");
        Some(format!("the host's only name server is its own, {named}"))
    } else {
        None
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
    use crate::daemon_config;
    use crate::facts;
    use crate::host::stub::StubHost;

    #[test]
    fn the_engines_own_pools_are_networks() {
        let stub = StubHost::noble().program("systemctl", "");
        let facts = facts::gather(stub.host()).unwrap();
        let known =
            |stub: &StubHost| pools(&EffectiveConfiguration::of(stub.host(), &facts).unwrap());
        assert_eq!(known(&stub).1.len(), DEFAULT_POOLS.len());
        let pool = r#"{"default-address-pools": [{"base": "10.1.0.0/16", "size": 24}]}"#;
        let stub = stub.file(daemon_config::PATH, pool);
        assert_eq!(known(&stub), (true, vec!["10.1.0.0/16".parse().unwrap()]));
    }

    #[test]
    fn before_an_install_a_network_of_the_hosts_counts_and_a_home_network_does_not() {
        for (shown, found) in [
            ("172.18.0.0/24 dev eth0", true),
            ("192.168.1.0/24 dev eth0", false),
            ("192.168.1.0/24 dev tun0", true),
        ] {
            let stub = StubHost::noble()
                .program("systemctl", "")
                .program("ip", &format!("[ $1 = -6 ] || echo {shown}"));
            let facts = facts::gather(stub.host()).unwrap();
            let text = tunnels(stub.host(), &facts).unwrap();
            assert_eq!(text.is_some(), found, "{shown}: {text:?}");
        }
    }

    #[test]
    fn the_stub_of_systemd_resolved_is_no_finding() {
        let stub = StubHost::noble()
            .program("systemctl", "")
            .file("/etc/resolv.conf", "nameserver 127.0.0.53\n")
            .file("/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.1\n");
        let facts = facts::gather(stub.host()).unwrap();
        assert_eq!(name_servers(stub.host(), &facts).unwrap(), None);
    }
}
