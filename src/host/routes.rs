//! The networks that the host reaches, from the kernel's main table of routes.

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Host;
use crate::daemon_json::Route;

const IPV4: &str = "/proc/net/route";
const IPV6: &str = "/proc/net/ipv6_route";

impl Host {
    /// Every network behind a device, but for the way to everywhere else, this host itself and
    /// what ends at the next link. Routes of other tables than the main one are not seen.
    pub fn routes(&self) -> Result<Vec<Route>> {
        let ipv4 = self.read_text(IPV4)?.unwrap_or_default();
        let ipv6 = self.read_text(IPV6)?.unwrap_or_default();
        let ipv4 = ipv4.lines().skip(1).filter_map(parse_ipv4);
        let ipv6 = ipv6.lines().filter_map(parse_ipv6);
        let leads_elsewhere = |route: &Route| {
            let address = route.network.network();
            let at_link = match route.network {
                IpNet::V4(network) => network.network().is_link_local(),
                IpNet::V6(network) => network.network().is_unicast_link_local(),
            };
            route.network.prefix_len() > 0
                && route.device != "lo"
                && !at_link
                && !address.is_multicast()
        };
        Ok(ipv4.chain(ipv6).filter(leads_elsewhere).collect())
    }
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
    Some(Route {
        network: Ipv4Net::with_netmask(network, mask).ok()?.trunc().into(),
        device: fields.first()?.to_string(),
    })
}

/// `destination length source length next metric references used flags device`.
fn parse_ipv6(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let address = u128::from_str_radix(fields.first()?, 16).ok()?;
    let length = u8::from_str_radix(fields.get(1)?, 16).ok()?;
    let network = Ipv6Net::new(Ipv6Addr::from(address), length).ok()?;
    Some(Route {
        network: network.trunc().into(),
        device: fields.get(9)?.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn networks_behind_devices_are_routes_and_the_rest_of_the_world_is_none() {
        let stub = StubHost::new()
            .file(
                IPV4,
                "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                 eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                 eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n\
                 eth0\t0000FEA9\t00000000\t0001\t0\t0\t1000\t0000FFFF\t0\t0\t0\n\
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
        let found: Vec<String> = found
            .iter()
            .map(|route| format!("{} {}", route.network, route.device))
            .collect();
        assert_eq!(
            found,
            ["192.168.1.0/24 eth0", "10.20.0.0/16 wg0", "fd00::/64 eth0"]
        );
    }

    #[test]
    fn a_host_without_networks_has_no_routes() {
        assert_eq!(StubHost::new().host().routes().unwrap(), []);
    }
}
