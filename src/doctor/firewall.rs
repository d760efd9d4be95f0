//! Firewalls, and what they and the engine do to each other.

use anyhow::Result;

use super::{Check, Severity, is_active, require_root, said};
use crate::daemon_json;
use crate::facts::Facts;
use crate::host::Host;
use crate::host::command::Command;
use crate::host::engine::UNIT;

pub const CHECKS: &[Check] = &[
    Check {
        id: "DS201",
        severity: Severity::Warning,
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
        severity: Severity::Warning,
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
        severity: Severity::Warning,
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
        severity: Severity::Error,
        title: "the engine's own firewall rules are there",
        danger: "published ports are not reached, and new networks cannot be made.",
        cure: "let the engine make them again: systemctl restart docker",
        link: "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        look: own_rules,
        fix: None,
    },
];

/// Bridges of others who have guests on a host.
const GUESTS: &[&str] = &["lxdbr", "lxcbr", "incusbr", "virbr"];

fn ufw(host: &Host, _: &Facts) -> Result<Option<String>> {
    let text = host.read_text("/etc/ufw/ufw.conf")?.unwrap_or_default();
    let on = |line: &str| line.trim().to_lowercase().replace(' ', "") == "enabled=yes";
    Ok(text
        .lines()
        .any(on)
        .then(|| "ufw is on, and does not hold for published ports".to_owned()))
}

fn firewalld(host: &Host, facts: &Facts) -> Result<Option<String>> {
    Ok(is_active(host, facts, "firewalld.service")?
        .then(|| "firewalld runs, and does not hold for published ports".to_owned()))
}

fn forward(host: &Host, _: &Facts) -> Result<Option<String>> {
    let devices = host.read_text("/proc/net/dev")?.unwrap_or_default();
    let names = devices.lines().filter_map(|line| line.split_once(':'));
    let names = names.map(|(name, _)| name.trim());
    let of_guests = |name: &&str| GUESTS.iter().any(|start| name.starts_with(start));
    let bridges: Vec<&str> = names.filter(of_guests).collect();
    if bridges.is_empty() {
        return Ok(None);
    }
    require_root()?;
    let rules = said(host, "iptables", &["--wait", "--list-rules"]).unwrap_or_default();
    if !rules.contains("-P FORWARD DROP") {
        return Ok(None);
    }
    let blocked = |name: &&str| !rules.contains(&format!(" {name} "));
    let blocked: Vec<&str> = bridges.into_iter().filter(blocked).collect();
    Ok((!blocked.is_empty()).then(|| {
        format!(
            "what is forwarded is dropped, also for the guests on {}",
            blocked.join(", ")
        )
    }))
}

fn own_rules(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !is_active(host, facts, UNIT)? || makes_none(host)? {
        return Ok(None);
    }
    require_root()?;
    let list =
        Command::new("iptables").args(["--wait", "--table", "nat", "--list-rules", "DOCKER"]);
    let listed = host.query(&list)?;
    Ok((listed.code != 0).then(|| {
        "the engine runs, but its chain DOCKER is not in the firewall any more".to_owned()
    }))
}

/// Whether the engine is told to make no rules, or to make them by other means.
fn makes_none(host: &Host) -> Result<bool> {
    let bytes = host.read(daemon_json::PATH)?.unwrap_or_default();
    let Ok(document) = daemon_json::Document::parse(&bytes) else {
        return Ok(false);
    };
    let by_other_means = document.get("firewall-backend") == Some(&"nftables".into());
    Ok(by_other_means || document.get("iptables") == Some(&false.into()))
}
