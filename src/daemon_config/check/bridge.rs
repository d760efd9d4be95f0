//! The default network's own addresses, which must fit each other.
//!
//! Source: `initBridgeDriver` of dockerd; each rule was tried with dockerd 26.1 and 28.5.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::findings::Findings;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::{children, entry};
use crate::daemon_config::schema::{EngineRelease, IpFamily};

/// Since this engine, a network of IPv6 is found where none is named.
const FINDS_IPV6: EngineRelease = EngineRelease(27, 0);

/// The keys of one family.
struct Side {
    family: IpFamily,
    bridge: &'static str,
    range: &'static str,
    gateway: &'static str,
    example: &'static str,
}

const IPV4: Side = Side {
    family: IpFamily::V4,
    bridge: "bip",
    range: "fixed-cidr",
    gateway: "default-gateway",
    example: "172.30.0.1/16",
};

const IPV6: Side = Side {
    family: IpFamily::V6,
    bridge: "bip6",
    range: "fixed-cidr-v6",
    gateway: "default-gateway-v6",
    example: "fd00:12::1/64",
};

pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    let bridge = document.get("bridge").and_then(Value::as_str);
    if bridge == Some("none") {
        return; // there is no such network
    }
    check_side(findings, document, &IPV4);
    if document.get("ipv6") == Some(&Value::Bool(true)) {
        check_side(findings, document, &IPV6);
        check_room(findings, document);
        if matches!(bridge, None | Some("")) {
            check_subnet(findings, document);
        }
    }
    if matches!(bridge, None | Some("")) && !has_text(document, IPV4.bridge) {
        check_pools(findings, document);
    }
}

fn check_side(findings: &mut Findings<'_>, document: &Document, side: &Side) {
    let of_bridge: Option<IpNet> = parsed(document, side.bridge);
    let of_bridge = of_bridge.filter(|network| {
        let fits = side.family.includes(network.addr());
        if !fits && side.family == IpFamily::V6 {
            let message = format!("is of the other family; write one like {}", side.example);
            findings.error(&[side.bridge], message);
        }
        fits
    });
    if let Some(fault) = of_bridge.and_then(fault_of_bridge) {
        findings.error(&[side.bridge], format!("{fault}, like {}", side.example));
    }
    if let Some(gateway) = parsed::<IpAddr>(document, side.gateway) {
        let is_outside = of_bridge.is_some_and(|network| !network.contains(&gateway));
        if is_outside || !side.family.includes(gateway) {
            let message = format!(
                "is not in the network of the default bridge, and dockerd does not start; write \
                 an address of {}",
                side.bridge
            );
            findings.error(&[side.gateway], message);
        }
    }
    let range: Option<IpNet> = parsed(document, side.range);
    if let Some((network, range)) = of_bridge.zip(range)
        && !network.trunc().contains(&range)
    {
        let message = format!(
            "is not within {}: containers get addresses that the bridge does not reach",
            side.bridge
        );
        findings.warn(&[side.range], message);
    }
}

/// What is wrong with the bridge's own address, and what to write.
fn fault_of_bridge(network: IpNet) -> Option<&'static str> {
    let rest = network.max_prefix_len() - network.prefix_len();
    let is_last = matches!(network, IpNet::V4(v4) if v4.addr() == v4.broadcast());
    match rest {
        0 => Some("has no addresses for containers: none would start; write a shorter length"),
        _ if network.addr() == network.network() => {
            Some("is the network's own address, and dockerd does not start; write one within it")
        }
        // Two addresses have no last one that speaks to all.
        2.. if is_last => {
            Some("is the network's broadcast address, and dockerd does not start; write another")
        }
        _ => None,
    }
}

/// A range of IPv6, of which the gateway and the network itself take an address each.
fn check_room(findings: &mut Findings<'_>, document: &Document) {
    let range: Option<IpNet> = parsed(document, IPV6.range);
    let fault = match range.map(|range| range.prefix_len()) {
        Some(128) => "has no address for the gateway, and dockerd does not start",
        Some(127) => "has no address for a container: none would start",
        _ => return,
    };
    let message = format!("{fault}; write a shorter length, like \"fd00:12::/64\"");
    findings.error(&[IPV6.range], message);
}

fn check_subnet(findings: &mut Findings<'_>, document: &Document) {
    let is_named = has_text(document, IPV6.range);
    if findings.engine < FINDS_IPV6 && !is_named {
        let message = format!(
            "dockerd does not start without fixed-cidr-v6 before engine {FINDS_IPV6}; write one \
             like \"fd00:12::/64\""
        );
        findings.error(&["ipv6"], message);
    }
}

fn check_pools(findings: &mut Findings<'_>, document: &Document) {
    let pools = pools(document);
    if !pools.is_empty() && pools.iter().all(IpAddr::is_ipv6) {
        findings.error(
            &["default-address-pools"],
            "dockerd does not start without a range of IPv4; add one like \
             {\"base\": \"172.20.0.0/14\", \"size\": 24}",
        );
    }
}

/// The addresses that networks are taken from.
fn pools(document: &Document) -> Vec<IpAddr> {
    let pools = document
        .get("default-address-pools")
        .map_or(vec![], children);
    let bases = pools
        .iter()
        .filter_map(|(_, pool)| entry(pool, "base").as_str())
        .filter_map(|base| base.parse::<IpNet>().ok());
    bases.map(|base| base.addr()).collect()
}

fn has_text(document: &Document, key: &str) -> bool {
    let text = document.get(key).and_then(Value::as_str);
    text.is_some_and(|text| !text.is_empty())
}

fn parsed<T: std::str::FromStr>(document: &Document, key: &str) -> Option<T> {
    document.get(key)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::daemon_config::check::tests::{findings, findings_of};
    use crate::daemon_config::{Context, EngineRelease};

    fn wrong(text: &str, message: &str) {
        let found = findings(text);
        assert!(found.starts_with("error"), "{text}: {found}");
        assert!(found.contains(message), "{text}: {found}");
    }

    #[test]
    fn the_bridges_address_is_one_within_its_network() {
        assert_eq!(findings(r#"{"bip": "172.30.0.1/16"}"#), "");
        wrong(r#"{"bip": "172.30.0.0/16"}"#, "bip: is the network's own");
        wrong(r#"{"bip": "172.30.0.1/32"}"#, "bip: has no addresses");
        wrong(
            r#"{"bip": "172.30.255.255/16"}"#,
            "bip: is the network's broadcast",
        );
        assert_eq!(findings(r#"{"bip": "172.30.0.1/31"}"#), "");
        assert_eq!(findings(r#"{"bip": "172.30.0.1/30"}"#), "");
        wrong(r#"{"ipv6": true, "bip6": "fd00::/64"}"#, "bip6: is the");
        wrong(r#"{"ipv6": true, "bip6": "10.0.0.1/24"}"#, "other family");
        assert_eq!(findings(r#"{"bip6": "10.0.0.1/24"}"#), "", "not in use");
    }

    #[test]
    fn a_gateway_is_in_the_network_of_the_bridge() {
        let bridge = r#""bip": "172.30.0.1/16""#;
        let with = |gateway: &str| format!("{{{bridge}, \"default-gateway\": \"{gateway}\"}}");
        assert_eq!(findings(&with("172.30.0.254")), "");
        wrong(&with("172.31.0.254"), "default-gateway: is not in");
        wrong(
            r#"{"default-gateway": "fd00::1"}"#,
            "default-gateway: is not",
        );
        assert_eq!(findings(r#"{"default-gateway": "10.9.9.9"}"#), "");
        let none = r#"{"bridge": "none", "default-gateway": "fd00::1"}"#;
        assert_eq!(findings(none), "");
        let v6 = r#""ipv6": true, "default-gateway-v6": "10.9.9.9""#;
        wrong(&format!("{{{v6}}}"), "an address of bip6");
        assert_eq!(findings(r#"{"default-gateway-v6": "10.9.9.9"}"#), "");
    }

    #[test]
    fn a_range_that_is_not_within_the_bridges_network_is_a_warning() {
        let with = |range: &str| {
            findings(&format!(
                r#"{{"bip": "172.30.0.1/24", "fixed-cidr": "{range}"}}"#
            ))
        };
        assert_eq!(with("172.30.0.128/25"), "");
        for outside in ["172.31.0.0/24", "172.30.0.0/16"] {
            assert!(with(outside).starts_with("warning"), "{outside}");
        }
    }

    #[test]
    fn ipv6_of_older_engines_needs_a_network() {
        let older = Context {
            engine: Some(EngineRelease(26, 1)),
            ..Context::default()
        };
        let found = findings_of(r#"{"ipv6": true}"#, &older);
        assert!(
            found.contains("ipv6: dockerd does not start without"),
            "{found}"
        );
        let named = r#"{"ipv6": true, "fixed-cidr-v6": "fd00::/64"}"#;
        assert_eq!(findings_of(named, &older), "");
        assert_eq!(findings(r#"{"ipv6": true}"#), "");
        let pool = r#"{"ipv6": true, "default-address-pools": [{"base": "10.8.0.0/16", "size": 24},
            {"base": "fd00:1::/48", "size": 64}]}"#;
        let found = findings_of(pool, &older);
        assert!(
            found.contains("ipv6: dockerd does not start without"),
            "{found}"
        );
        assert_eq!(findings(pool), "");
    }

    #[test]
    fn a_range_of_ipv6_has_room_for_a_container() {
        let with =
            |length: u8| format!(r#"{{"ipv6": true, "fixed-cidr-v6": "fd00:5::/{length}"}}"#);
        wrong(&with(128), "fixed-cidr-v6: has no address for the gateway");
        wrong(&with(127), "fixed-cidr-v6: has no address for a container");
        assert_eq!(findings(&with(126)), "");
        assert_eq!(
            findings(r#"{"fixed-cidr-v6": "fd00:5::/128"}"#),
            "",
            "not in use"
        );
    }

    #[test]
    fn pools_without_a_range_of_ipv4_leave_nothing_for_the_bridge() {
        let pools = r#""default-address-pools": [{"base": "fd00:1::/48", "size": 64}]"#;
        wrong(&format!("{{{pools}}}"), "without a range of IPv4");
        let with_bridge = format!("{{{pools}, \"bip\": \"172.30.0.1/16\"}}");
        assert_eq!(findings(&with_bridge), "");
    }
}
