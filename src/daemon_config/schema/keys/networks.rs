//! Keys of networks.

use super::{STRINGS, V1_12, V1_13, V17_09, V18_06, V20_10, V28_0, V29_0, entries, key};
use crate::daemon_config::schema::IpFamily::{Either, V4, V6};
use crate::daemon_config::schema::ValueKind::{
    Bool, Domain, Int, Ip, List, Map, Mark, Mtu, Network, Object, Str, Word,
};
use crate::daemon_config::schema::{Conflict, EngineRelease, Key, Shown, With};

pub(crate) const KEYS: &[Key] = &[
    key("allow-direct-routing", Bool, EngineRelease(28, 2))
        .about("let other hosts reach containers' own addresses"),
    key("bip", Network(V4), V1_12)
        .about("address and network of the default bridge")
        .conflicts(&[Conflict::error(
            With::OwnBridge,
            "is the network of dockerd's own bridge, which there is none of \
             beside a bridge of yours: dockerd does not start; remove one of \
             the two",
        )]),
    key("bip6", Network(Either), V28_0)
        .about("the same for IPv6")
        .conflicts(&[Conflict::error(
            With::OwnBridge,
            "is the network of dockerd's own bridge, which there is none of \
             beside a bridge of yours: dockerd does not start; remove one of \
             the two",
        )]),
    key("bridge", Str, V1_12).about("a bridge of one's own to use as the default one"),
    key("bridge-accept-fwmark", Mark, V29_0).about("packets with this mark may pass to containers"),
    key(
        "default-address-pools",
        List(&Object(&entries::POOL)),
        V18_06,
    )
    .about("ranges that networks are taken from")
    .shown(Shown::Pools),
    key("default-gateway", Ip(Either), V1_12)
        .about("the gateway of containers on the default bridge"),
    key("default-gateway-v6", Ip(Either), V1_12).about("the same for IPv6"),
    key(
        "default-network-opts",
        Map(&Map(&Str)),
        EngineRelease(24, 0),
    )
    .about("options of new networks, by driver"),
    key("dns", List(&Ip(Either)), V1_12).about("name servers of containers"),
    key("dns-opts", STRINGS, V1_12).about("options for resolv.conf in containers"),
    key("dns-search", List(&Domain), V1_12).about("search domains of containers"),
    key("firewall-backend", Word(&["iptables", "nftables"]), V29_0)
        .about("write rules for iptables or for nftables")
        .conflicts(&[Conflict::error(
            With::Swarm,
            "a swarm works with iptables, or from engine 29.6 with features \
             {\"swarm-nftables\": true}; write \"iptables\", or leave the swarm: \
             docker swarm leave",
        )])
        .shown(Shown::Begins("/FirewallBackend/Driver")),
    key("fixed-cidr", Network(V4), V1_12).about(
        "the part of the default bridge's network that containers get \
             addresses of",
    ),
    key("fixed-cidr-v6", Network(V6), V1_12).about("the same for IPv6"),
    key("host-gateway-ip", Ip(Either), V20_10)
        .about("the address that host-gateway stands for")
        .conflicts(&[Conflict::error(
            With::Key("host-gateway-ips"),
            "dockerd takes one of the two only; remove this one",
        )]),
    key("host-gateway-ips", List(&Ip(Either)), V28_0).about("the same, one of each family"),
    key("icc", Bool, V1_12)
        .about("let containers on the default bridge reach each other")
        .conflicts(&[Conflict::error(
            With::NoRules,
            "dockerd does not start with false here and without the rules that \
             do it; remove it, or write iptables true, and with ipv6 also \
             ip6tables",
        )]),
    key("ip", Ip(Either), V1_12)
        .about("the address that ports are published on when none is named"),
    key("ip-forward", Bool, V1_12).about("switch forwarding on in the kernel"),
    key("ip-forward-no-drop", Bool, V28_0).about("let the kernel forward for others as well"),
    key("ip-masq", Bool, V1_12).about("hide containers behind the host's address"),
    key("ip6tables", Bool, V20_10).about("guard networks by rules for IPv6"),
    key("iptables", Bool, V1_12).about("guard networks by rules for the firewall"),
    key("ipv6", Bool, V1_12).about("IPv6 on the default bridge"),
    key("mtu", Mtu, V1_12).about("the size of packets on the default bridge"),
    key("network-control-plane-mtu", Int, V17_09)
        .about("the size of packets between members of a swarm"),
    key("userland-proxy", Bool, V1_12)
        .about("serve published ports by a program, where the kernel could do it"),
    key("userland-proxy-path", Str, V1_13).about("that program"),
];
