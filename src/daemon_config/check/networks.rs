//! The engine's networks beside the host's own: a range that both use is lost to one of them.
//!
//! Owns what overlaps, and which range is free. It must not ask the host.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::findings::Findings;
use super::host_facts::Route;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::{children, entry};

/// Ranges for the engine's networks, the first choice first. Each has room for 1024 networks of
/// 254 addresses, but for the last, which has room for 64.
const RANGES: &[&str] = &[
    "172.20.0.0/14",
    "172.24.0.0/14",
    "172.28.0.0/14",
    "172.16.0.0/14",
    "10.212.0.0/14",
    "10.140.0.0/14",
    "10.76.0.0/14",
    "192.168.192.0/18",
];

/// What an engine without settings takes the addresses of its networks from, and how long the prefix
/// of each network is. Many a host has its own network in the last one.
///
/// Source: <https://docs.docker.com/engine/network/#automatic-subnet-allocation>.
pub(crate) const DEFAULT_POOLS: &[(&str, u8)] = &[
    ("172.17.0.0/16", 16),
    ("172.18.0.0/16", 16),
    ("172.19.0.0/16", 16),
    ("172.20.0.0/14", 16),
    ("172.24.0.0/14", 16),
    ("172.28.0.0/14", 16),
    ("192.168.0.0/16", 20),
];

/// How long the prefix of each of the engine's networks is.
const PREFIX: u8 = 24;

/// The value of `default-address-pools` that keeps out of the host's way: the first range that
/// no route leads into. The same host gets the same range, also once the engine uses it.
pub(crate) fn free_pools(routes: &[Route]) -> Option<Value> {
    let ranges = RANGES.iter().filter_map(|range| range.parse().ok());
    let mut free = ranges.filter(|range: &IpNet| overlapping(*range, routes).is_none());
    free.next()
        .map(|range| json!([{"base": range.to_string(), "size": PREFIX}]))
}

/// The routes that leave no range free, each with its device; none where a range is free.
pub(crate) fn in_the_way(routes: &[Route]) -> Vec<String> {
    if free_pools(routes).is_some() {
        return Vec::new();
    }
    let ranges = RANGES.iter().filter_map(|range| range.parse().ok());
    let taken = ranges.filter_map(|range: IpNet| overlapping(range, routes));
    let mut shown: Vec<String> = taken
        .map(|route| format!("{} behind {}", route.network, route.device))
        .collect();
    shown.dedup();
    shown
}

/// The bridge that dockerd makes for itself.
pub(crate) const BRIDGE: &str = "docker0";

/// Whether routes lead into all that an engine without settings could take for its bridge, with
/// which it does not start. A bridge that is there keeps its addresses.
pub(crate) fn leave_no_bridge(routes: &[Route]) -> bool {
    let pools = DEFAULT_POOLS.iter().filter_map(|(pool, prefix)| {
        let pool: IpNet = pool.parse().ok()?;
        pool.subnets(*prefix).ok()
    });
    let is_taken = |range: IpNet| overlapping(range, routes).is_some();
    !routes.iter().any(|route| route.device == BRIDGE) && pools.flatten().all(is_taken)
}

/// Warns of networks that the host reaches in another way.
pub(super) fn check(findings: &mut Findings<'_>, document: &Document, routes: &[Route]) {
    for (index, pool) in document
        .get("default-address-pools")
        .map_or(vec![], children)
    {
        let path = ["default-address-pools", &index, "base"];
        if let Some((range, route)) = overlap(entry(pool, "base"), routes) {
            let message = format!(
                "{range} overlaps {} behind {}; the engine leaves out what overlaps as long as \
                 the route is there, and containers miss it later: choose another range",
                route.network, route.device
            );
            findings.warn(&path, message);
        }
    }
    for key in ["bip", "bip6"] {
        let Some(value) = document.get(key) else {
            continue;
        };
        if let Some((range, route)) = overlap(value, routes) {
            let message = format!(
                "{range} overlaps {} behind {}, which this host then no longer reaches; choose \
                 another network",
                route.network, route.device
            );
            findings.warn(&[key], message);
        }
    }
}

fn overlap<'a>(value: &Value, routes: &'a [Route]) -> Option<(IpNet, &'a Route)> {
    let range: IpNet = value.as_str()?.parse().ok()?;
    let range = range.trunc();
    Some((range, overlapping(range, routes)?))
}

fn overlapping(range: IpNet, routes: &[Route]) -> Option<&Route> {
    routes
        .iter()
        .filter(|route| !route.is_engines)
        .find(|route| range.contains(&route.network) || route.network.contains(&range))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::check::host_facts::HostFacts;
    use crate::daemon_config::check::tests::findings_in;

    fn routes(list: &[(&str, &str)]) -> Vec<Route> {
        let route = |(network, device): &(&str, &str)| Route {
            network: network.parse().unwrap(),
            device: (*device).to_owned(),
            is_engines: ["docker0", "docker_gwbridge", "br-0123456789ab"].contains(device),
        };
        list.iter().map(route).collect()
    }

    fn base(list: &[(&str, &str)]) -> Value {
        free_pools(&routes(list)).unwrap()[0]["base"].clone()
    }

    fn findings(text: &str, list: &[(&str, &str)]) -> String {
        let host = HostFacts {
            routes: routes(list),
            ..HostFacts::default()
        };
        findings_in(text, &host)
    }

    #[test]
    fn every_range_can_be_split_as_it_says() {
        for range in RANGES {
            let range: IpNet = range.parse().unwrap();
            assert_eq!(range, range.trunc());
            assert!(range.prefix_len() < PREFIX);
        }
    }

    #[test]
    fn the_first_range_without_a_route_into_it_is_taken() {
        assert_eq!(base(&[]), "172.20.0.0/14");
        assert_eq!(base(&[("172.22.3.0/24", "eth0")]), "172.24.0.0/14");
        assert_eq!(base(&[("172.16.0.0/12", "wg0")]), "10.212.0.0/14");
        assert_eq!(
            base(&[("172.16.0.0/12", "wg0"), ("10.0.0.0/8", "eth0")]),
            "192.168.192.0/18"
        );
        let everything = routes(&[("128.0.0.0/1", "vpn"), ("0.0.0.0/1", "vpn")]);
        assert_eq!(free_pools(&everything), None);
        let private = [
            ("10.0.0.0/8", "eth1"),
            ("172.16.0.0/12", "eth1"),
            ("192.168.0.0/16", "wg0"),
        ];
        let shown = [
            "172.16.0.0/12 behind eth1",
            "10.0.0.0/8 behind eth1",
            "192.168.0.0/16 behind wg0",
        ];
        assert_eq!(in_the_way(&routes(&private)), shown);
        assert_eq!(in_the_way(&routes(&private[..2])), [""; 0]);
    }

    #[test]
    fn an_engine_starts_as_long_as_one_range_of_its_own_is_free() {
        let mut all = vec![
            ("172.16.0.0/12", "eth1"),
            ("192.168.0.0/17", "eth1"),
            ("192.168.128.0/18", "eth1"),
            ("192.168.192.0/19", "eth1"),
            ("192.168.224.0/20", "eth1"),
        ];
        assert!(!leave_no_bridge(&routes(&all)));
        all.push(("192.168.250.0/24", "wg0"));
        assert!(leave_no_bridge(&routes(&all)));
        all.push(("172.17.0.0/16", "docker0"));
        assert!(!leave_no_bridge(&routes(&all)));
        assert!(leave_no_bridge(&routes(&[("0.0.0.0/0", "vpn")])));
        assert!(!leave_no_bridge(&[]));
    }

    #[test]
    fn what_the_engine_took_itself_is_still_free() {
        let own = [
            ("172.20.0.0/24", "docker0"),
            ("172.20.1.0/24", "br-0123456789ab"),
            ("172.20.2.0/24", "docker_gwbridge"),
        ];
        assert_eq!(base(&own), "172.20.0.0/14");
        assert_eq!(base(&[("172.20.1.0/24", "br-lan")]), "172.24.0.0/14");
    }

    #[test]
    fn a_pool_over_a_route_of_the_host_is_a_warning() {
        let text = r#"{"default-address-pools": [{"base": "10.0.0.0/8", "size": 24}]}"#;
        let found = findings(text, &[("10.1.0.0/16", "eth0")]);
        assert!(found.starts_with("warning: line 1, column 29"), "{found}");
        assert!(
            found.contains("10.0.0.0/8 overlaps 10.1.0.0/16 behind eth0"),
            "{found}"
        );
        assert_eq!(findings(text, &[("192.168.1.0/24", "eth0")]), "");
        assert_eq!(findings(text, &[("10.1.0.0/16", "docker0")]), "");
    }

    #[test]
    fn a_bridge_over_a_route_of_the_host_is_a_warning() {
        let text = r#"{"bip": "192.168.1.5/24"}"#;
        let found = findings(text, &[("192.168.0.0/16", "eth0")]);
        assert!(
            found.contains("bip: 192.168.1.0/24 overlaps 192.168.0.0/16"),
            "{found}"
        );
        assert_eq!(
            findings(r#"{"bip6": "fd00::1/64"}"#, &[("192.168.0.0/16", "eth0")]),
            ""
        );
    }
}
