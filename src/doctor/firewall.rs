//! Firewalls, and what they and the engine do to each other.

use anyhow::Result;

use super::effective::EffectiveConfiguration;
use super::{Check, Level, is_active, require_root, said};
use crate::docker::UNIT;
use crate::facts::Facts;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::links::is_guest_bridge;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS201",
        severity: Level::Warning,
        title: "published ports obey ufw",
        danger: "ports that containers publish are open to the world whatever ufw says: they are \
                 forwarded before its rules are asked.",
        cure: "publish to 127.0.0.1 what is not meant for all (-p 127.0.0.1:8080:80), or put rules \
               into the chain DOCKER-USER",
        link: "https://docs.docker.com/engine/network/packet-filtering-firewalls/#docker-and-ufw",
        look: ufw,
        fix: None,
    },
    Check {
        id: "DS202",
        severity: Level::Warning,
        title: "published ports obey firewalld",
        danger: "published ports bypass its zones, and in older versions its reload removes the \
                 engine's rules.",
        cure: "publish to 127.0.0.1 what is not meant for all; after a reload that broke networks: \
               systemctl restart docker",
        link: "https://docs.docker.com/engine/network/packet-filtering-firewalls/#integration-with-firewalld",
        look: firewalld,
        fix: None,
    },
    Check {
        id: "DS203",
        severity: Level::Warning,
        title: "other guests of the host are forwarded",
        danger: "the engine drops what is forwarded and not its own, so that machines of LXD, Incus \
                 or libvirt have no network.",
        cure: "allow their bridge: iptables -I DOCKER-USER -i BRIDGE -j ACCEPT; iptables -I \
               DOCKER-USER -o BRIDGE -j ACCEPT",
        link: "https://documentation.ubuntu.com/lxd/latest/howto/network_bridge_firewalld/",
        look: forward,
        fix: None,
    },
    Check {
        id: "DS204",
        severity: Level::Error,
        title: "the engine's own firewall rules are there",
        danger: "published ports are not reached, and new networks cannot be made.",
        cure: "let the engine make them again: systemctl restart docker",
        link: "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        look: own_rules,
        fix: None,
    },
];

fn ufw(host: &Host, _: &Facts) -> Result<Option<String>> {
    Ok(host
        .ufw_is_on()?
        .then(|| "ufw is on, and does not hold for published ports".to_owned()))
}

fn firewalld(host: &Host, facts: &Facts) -> Result<Option<String>> {
    Ok(is_active(host, facts, "firewalld.service")?
        .then(|| "firewalld runs, and does not hold for published ports".to_owned()))
}

fn forward(host: &Host, _: &Facts) -> Result<Option<String>> {
    let links = host.links()?.into_iter();
    let bridges: Vec<String> = links.filter(|link| is_guest_bridge(link)).collect();
    if bridges.is_empty() {
        return Ok(None);
    }
    require_root()?;
    let rules = said(host, &Query::rules("filter", None)).unwrap_or_default();
    if !rules.contains("-P FORWARD DROP") {
        return Ok(None);
    }
    let blocked = |name: &String| !rules.contains(&format!(" {name} "));
    let blocked: Vec<String> = bridges.into_iter().filter(blocked).collect();
    Ok((!blocked.is_empty()).then(|| {
        format!(
            "what is forwarded is dropped, also for the guests on {}",
            blocked.join(", ")
        )
    }))
}

/// Chains that nothing leads to any more are as good as none: that is what `iptables -F` leaves.
fn own_rules(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !is_active(host, facts, UNIT)? {
        return Ok(None);
    }
    let effective = EffectiveConfiguration::of(host, facts)?;
    let is = |key: &str, value: &str| effective.text(key).is_some_and(|told| told == value);
    if is("iptables", "false") || is("firewall-backend", "nftables") {
        return Ok(None); // it makes none, or makes them by other means
    }
    require_root()?;
    let list = |table: &str, chain: &str| -> Result<Option<String>> {
        let listed = host.query(&Query::rules(table, Some(chain)))?;
        Ok((listed.code == 0).then_some(listed.stdout))
    };
    if list("nat", "DOCKER")?.is_none() {
        let text = "the engine runs, but its chain DOCKER is not in the firewall any more";
        return Ok(Some(text.to_owned()));
    }
    if is("bridge", "none") {
        return Ok(None); // before 28, nothing leads there until a network is made
    }
    // Before 28 FORWARD leads to several chains, since then to DOCKER-FORWARD. DOCKER-USER is for
    // the user's rules.
    for (table, chain) in [("nat", "PREROUTING"), ("filter", "FORWARD")] {
        let rules = list(table, chain)?.unwrap_or_default();
        let mut targets = rules
            .split("-j ")
            .skip(1)
            .filter_map(|target| target.split_whitespace().next());
        if !targets.any(|target| target.starts_with("DOCKER") && target != "DOCKER-USER") {
            return Ok(Some(format!(
                "the engine runs, but {chain} of {table} in the firewall does not lead to its \
                 chains any more"
            )));
        }
    }
    Ok(None)
}
