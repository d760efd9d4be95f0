//! What the engine makes of a host's network beside its own files: links, rules of the firewall,
//! and settings of the kernel. None of it goes with its packages.

mod forwarding;
pub(crate) mod nft;
mod rules;
mod shape;

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::Host;
use super::command::Query;
use super::links::is_engine_bridge;
pub(crate) use rules::Rules;

/// A setting of the kernel that the engine makes.
#[derive(Debug)]
pub(crate) struct KernelSetting {
    pub path: &'static str,
    /// The value that the engine gives it.
    pub value: &'static str,
    /// Its names in files of settings.
    pub names: &'static [&'static str],
    /// By which it has packets forwarded, if that is what it does.
    pub forwards: Option<IpVersion>,
}

/// Source: `libnetwork` in <https://github.com/moby/moby>: `setup_ip_forwarding.go`,
/// `setup_bridgenetfiltering.go`, and `ostweaks_linux.go` for a swarm.
pub(crate) const SETTINGS: &[KernelSetting] = &[
    KernelSetting {
        path: "/proc/sys/net/ipv4/ip_forward",
        value: "1",
        names: &["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"],
        forwards: Some(IpVersion::V4),
    },
    KernelSetting {
        path: "/proc/sys/net/ipv6/conf/all/forwarding",
        value: "1",
        names: &["net.ipv6.conf.all.forwarding"],
        forwards: Some(IpVersion::V6),
    },
    KernelSetting {
        path: "/proc/sys/net/ipv6/conf/default/forwarding",
        value: "1",
        names: &[
            "net.ipv6.conf.default.forwarding",
            "net.ipv6.conf.all.forwarding",
        ],
        forwards: Some(IpVersion::V6),
    },
    KernelSetting {
        path: "/proc/sys/net/bridge/bridge-nf-call-iptables",
        value: "1",
        names: &["net.bridge.bridge-nf-call-iptables"],
        forwards: None,
    },
    KernelSetting {
        path: "/proc/sys/net/bridge/bridge-nf-call-ip6tables",
        value: "1",
        names: &["net.bridge.bridge-nf-call-ip6tables"],
        forwards: None,
    },
    KernelSetting {
        path: "/proc/sys/net/ipv4/neigh/default/gc_thresh1",
        value: "8192",
        names: &["net.ipv4.neigh.default.gc_thresh1"],
        forwards: None,
    },
    KernelSetting {
        path: "/proc/sys/net/ipv4/neigh/default/gc_thresh2",
        value: "49152",
        names: &["net.ipv4.neigh.default.gc_thresh2"],
        forwards: None,
    },
    KernelSetting {
        path: "/proc/sys/net/ipv4/neigh/default/gc_thresh3",
        value: "65536",
        names: &["net.ipv4.neigh.default.gc_thresh3"],
        forwards: None,
    },
];

/// IPv4 or IPv6: each has its own rules and its own forwarding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IpVersion {
    V4,
    V6,
}

/// A program that shows and changes rules of the firewall. The kernel keeps two sets of them, and a
/// host may have been switched from one to the other since the engine made its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Program {
    pub family: IpVersion,
    /// Its name, with the set of rules that it looks after.
    pub name: &'static str,
    /// As people call it.
    pub shown: &'static str,
}

const fn program(family: IpVersion, name: &'static str, shown: &'static str) -> Program {
    Program {
        family,
        name,
        shown,
    }
}

const BY_SET: &[Program] = &[
    program(IpVersion::V4, "iptables-nft", "iptables"),
    program(IpVersion::V6, "ip6tables-nft", "ip6tables"),
    program(IpVersion::V4, "iptables-legacy", "iptables-legacy"),
    program(IpVersion::V6, "ip6tables-legacy", "ip6tables-legacy"),
];

/// Where none says which set it looks after.
const BY_FAMILY: &[Program] = &[
    program(IpVersion::V4, "iptables", "iptables"),
    program(IpVersion::V6, "ip6tables", "ip6tables"),
];

/// The network of a host before there was an engine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NetworkBaseline {
    /// The names of its links.
    pub links: Vec<String>,
    /// Those of [`SETTINGS`] that were there, by their paths, with their values.
    pub forwarding: BTreeMap<String, String>,
    /// The programs by whose rules packets between other hosts were let through. In a journal of an
    /// earlier version, `iptables` and `ip6tables` only.
    pub lets_through: Vec<String>,
    /// Rules that looked like an engine's, that named a bridge of one, or by which others had
    /// packets forwarded; each as a command behind the name of its program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Tables of nftables that have the name of an engine's, or in which others translate addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Files of firewalld that have the name of an engine's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firewalld: Vec<String>,
    /// The links to which packets for the loopback could be routed, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes_localnet: Option<Vec<String>>,
}

impl NetworkBaseline {
    pub(crate) fn of(host: &Host) -> Result<NetworkBaseline> {
        let links = host.links()?;
        let mut network = NetworkBaseline {
            tables: nft::tables(host)?,
            routes_localnet: Some(routing_localnet(host, &links)?),
            links,
            ..NetworkBaseline::default()
        };
        for KernelSetting { path, .. } in SETTINGS {
            if let Some(value) = host.read_text(path)? {
                let value = value.trim().to_owned();
                network.forwarding.insert((*path).to_owned(), value);
            }
        }
        for program in host.firewall_programs() {
            // Without the program there are no rules of its: everything is let through.
            let rules = host.rules_of(program)?.unwrap_or_default();
            if !rules.is_closed() {
                network.lets_through.push(program.name.to_owned());
            }
            let found = rules
                .of_an_engine(is_engine_bridge)
                .into_iter()
                .chain(rules.of_forwarding(is_engine_bridge))
                .map(|rule| format!("{} {rule}", program.name));
            network.rules.extend(found);
        }
        let additions = host.firewalld_additions()?.into_iter();
        network.firewalld = additions.map(|it| it.path.to_owned()).collect();
        Ok(network)
    }

    /// Whether there were bridges of an engine.
    pub(crate) fn has_engines_links(&self) -> bool {
        self.links.iter().any(|link| is_engine_bridge(link))
    }

    /// Bridges of the engine's that were not there before.
    pub(crate) fn engines_links(&self, host: &Host) -> Result<Vec<String>> {
        let mut links = host.links()?;
        links.retain(|link| is_engine_bridge(link) && !self.links.contains(link));
        Ok(links)
    }

    /// Whether this program's rules let packets between other hosts through.
    pub(crate) fn let_through(&self, program: Program) -> bool {
        let Program { name, family, .. } = program;
        let of_family = BY_FAMILY.iter().find(|it| it.family == family);
        let mut known = self.lets_through.iter();
        known.any(|it| it == name || of_family.is_some_and(|family| it == family.name))
    }

    /// The rules that were known of this program, as commands.
    pub(crate) fn known_rules(&self, program: Program) -> Vec<String> {
        let rules = self
            .rules
            .iter()
            .filter_map(|rule| rule.split_once(' '))
            .filter(|(name, _)| *name == program.name);
        rules.map(|(_, rule)| rule.to_owned()).collect()
    }
}

impl Host {
    /// The programs for every set of rules that this host can have.
    pub(crate) fn firewall_programs(&self) -> Vec<Program> {
        let is_there = |program: &&Program| self.has_program(&format!("{}-save", program.name));
        let by_set: Vec<Program> = BY_SET.iter().filter(is_there).copied().collect();
        if by_set.is_empty() {
            BY_FAMILY.to_vec()
        } else {
            by_set
        }
    }

    /// The rules that a program shows; `None` when it is not there, or has none to show.
    pub(crate) fn rules_of(&self, program: Program) -> Result<Option<Rules>> {
        let save = Query::saved_rules(program.name);
        // It is no error here when it cannot be run: not by everybody, and not on every host.
        let saved = self.query(&save).ok().filter(|output| output.code == 0);
        Ok(saved.map(|output| Rules::parse(&output.stdout)))
    }
}

/// The setting by which packets for the loopback can be routed to a link.
pub(crate) fn localnet_setting(link: &str) -> String {
    format!("/proc/sys/net/ipv4/conf/{link}/route_localnet")
}

/// Those of the links to which packets for the loopback can be routed.
fn routing_localnet(host: &Host, links: &[String]) -> Result<Vec<String>> {
    let mut routing = Vec::new();
    for link in links {
        let value = host.read_text(localnet_setting(link))?;
        if value.is_some_and(|value| value.trim() == "1") {
            routing.push(link.clone());
        }
    }
    Ok(routing)
}

#[cfg(test)]
mod tests;
