//! The networks that the host reaches, from the kernel's main table of routes, or from all of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Host;
use super::command::Query;
use super::links::is_engine_link;
use super::query::Reader;
use crate::daemon_config::Route;

const IPV4: &str = "/proc/net/route";
const IPV6: &str = "/proc/net/ipv6_route";

impl Host {
    /// Every network behind a device, but for the way to everywhere else, this host itself and
    /// what ends at the next link. Routes of other tables than the main one are not seen.
    pub(crate) fn routes(&self) -> Result<Vec<Route>> {
        let ipv4 = self.read_text(IPV4)?.unwrap_or_default();
        let ipv6 = self.read_text(IPV6)?.unwrap_or_default();
        let ipv4 = ipv4.lines().skip(1).filter_map(parse_ipv4);
        let ipv6 = ipv6.lines().filter_map(parse_ipv6);
        Ok(ipv4.chain(ipv6).filter(leads_elsewhere).collect())
    }

    /// As [`routes`](Host::routes), but from all tables: VPNs like to have one of their own. Where
    /// there is no `ip` to be asked, from the main one.
    pub(crate) fn routes_of_all_tables(&self) -> Result<Vec<Route>> {
        let mut routes = Vec::new();
        for family in [Reader::Ip4Routes, Reader::Ip6Routes] {
            let show = Query::of(family).args(["table", "all"]);
            let Ok(shown) = self.query(&show) else {
                return self.routes();
            };
            // The ways of a route that has several stand in lines of their own.
            let shown = shown.stdout.replace("\n\t", " ");
            routes.extend(shown.lines().filter_map(parse_shown));
        }
        routes.retain(leads_elsewhere);
        Ok(routes)
    }
}

fn leads_elsewhere(route: &Route) -> bool {
    let address = route.network.network();
    let at_link = match route.network {
        IpNet::V4(network) => network.network().is_link_local(),
        IpNet::V6(network) => network.network().is_unicast_link_local(),
    };
    // The way to everywhere is cut in halves by VPNs that leave the real one in place: OpenVPN's
    // redirect-gateway def1.
    route.network.prefix_len() > 1 && route.device != "lo" && !at_link && !address.is_multicast()
}

fn route(network: IpNet, device: &str) -> Route {
    Route {
        network,
        device: device.to_owned(),
        is_engines: is_engine_link(device),
    }
}

/// `NETWORK [via ADDRESS] dev DEVICE …`, or with an address alone. What begins with another word is
/// the default or leads nowhere: see `ip-route(8)`.
fn parse_shown(line: &str) -> Option<Route> {
    let mut words = line.split_whitespace();
    let network = words.next()?;
    let network = match network.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => network.parse::<IpAddr>().ok()?.into(),
    };
    words.find(|word| *word == "dev")?;
    Some(route(network.trunc(), words.next()?))
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask …`; the numbers are in hexadecimal and
/// lie in memory as they are sent, which on our machines reads backwards.
fn parse_ipv4(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let address = |field: &str| {
        let number = u32::from_str_radix(field, 16).ok()?;
        Some(Ipv4Addr::from(number.swap_bytes()))
    };
    let network = address(fields.get(1)?)?;
    let mask = address(fields.get(7)?)?;
    let network = Ipv4Net::with_netmask(network, mask).ok()?.trunc();
    Some(route(network.into(), fields.first()?))
}

/// `destination length source length next metric references used flags device`.
fn parse_ipv6(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let address = u128::from_str_radix(fields.first()?, 16).ok()?;
    let length = u8::from_str_radix(fields.get(1)?, 16).ok()?;
    let network = Ipv6Net::new(Ipv6Addr::from(address), length).ok()?;
    Some(route(network.trunc().into(), fields.get(9)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    /// Each with its network and its link.
    fn shown(routes: &[Route]) -> Vec<String> {
        let shown = |route: &Route| format!("{} {}", route.network, route.device);
        routes.iter().map(shown).collect()
    }

    #[test]
    fn networks_behind_devices_are_routes_and_the_rest_of_the_world_is_none() {
        let stub = StubHost::new()
            .file(
                IPV4,
                "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                 eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                 eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n\
                 eth0\t0000FEA9\t00000000\t0001\t0\t0\t1000\t0000FFFF\t0\t0\t0\n\
                 tun0\t00000000\t0101080A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n\
                 tun0\t00000080\t0101080A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n\
                 wg0\t0000140A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n",
            )
            .file(
                IPV6,
                "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 \
                 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n\
                 fe800000000000000000000000000000 40 00000000000000000000000000000000 00 \
                 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n\
                 00000000000000000000000000000001 80 00000000000000000000000000000000 00 \
                 00000000000000000000000000000000 00000000 00000003 00000000 80200001       lo\n",
            );
        let found = stub.host().routes().unwrap();
        assert_eq!(
            shown(&found),
            ["192.168.1.0/24 eth0", "10.20.0.0/16 wg0", "fd00::/64 eth0"]
        );
    }

    #[test]
    fn the_tables_of_vpns_are_read_where_ip_shows_them() {
        let stub = StubHost::new().program(
            "ip",
            "case $1 in -4) echo 'default dev wg0 table 51820 scope link'
                 echo '100.101.1.2 dev tailscale0 table 52'
                 echo 'throw 10.9.0.0/16 table 52'
                 printf '10.8.0.0/16 proto static \\n\\tnexthop via 10.1.0.1 dev eth1 weight 1 \\n'
                 echo '10.1.0.0/16 dev eth1 proto kernel scope link src 10.1.0.9'
                 echo '128.0.0.0/1 via 10.1.0.1 dev tun0'
                 echo 'local 10.1.0.9 dev eth1 table local proto kernel scope host src 10.1.0.9'
                 echo 'broadcast 10.1.255.255 dev eth1 table local proto kernel scope link' ;;
             *) echo 'fd7a::/48 dev tailscale0 table 52 metric 1024 pref medium'
                 echo 'local ::1 dev lo table local proto kernel metric 0 pref medium'
                 echo 'multicast ff00::/8 dev eth1 table local metric 256 pref medium' ;;
             esac",
        );
        let found = stub.host().routes_of_all_tables().unwrap();
        assert_eq!(
            shown(&found),
            [
                "100.101.1.2/32 tailscale0",
                "10.8.0.0/16 eth1",
                "10.1.0.0/16 eth1",
                "fd7a::/48 tailscale0"
            ]
        );
    }

    #[test]
    fn a_host_without_networks_has_no_routes() {
        assert_eq!(StubHost::new().host().routes().unwrap(), []);
    }
}
