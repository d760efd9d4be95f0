//! What the kernel must have.

use anyhow::Result;

use super::effective::EffectiveConfiguration;
use super::{Check, Level, is_active, require_root, said};
use crate::docker::UNIT;
use crate::engine::obstacle::{Obstacle, iptables_problem};
use crate::facts::{ENGINE_PACKAGES, Facts};
use crate::host::Host;
use crate::host::command::Query;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS101",
        severity: Level::Error,
        title: "the kernel has overlayfs",
        danger: "images cannot be stacked; the engine does not start, or stores whole copies.",
        cure: "install the kernel's own modules: apt-get install linux-modules-extra-$(uname -r), or \
               boot a kernel of Ubuntu's",
        link: "https://docs.docker.com/engine/storage/drivers/overlayfs-driver/",
        look: overlay,
        fix: None,
    },
    Check {
        id: "DS102",
        severity: Level::Warning,
        title: "bridges are seen by iptables",
        danger: "rules between containers of one network do not hold, and published ports may not \
                 be reached from containers.",
        cure: "sysctl --write net.bridge.bridge-nf-call-iptables=1, and see what turned it off in \
               /etc/sysctl.d",
        link: "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        look: bridge_filter,
        fix: None,
    },
    Check {
        id: "DS103",
        severity: Level::Error,
        title: "iptables works",
        danger: "the engine cannot make its firewall rules, and does not start.",
        cure: "see what it says: iptables --table nat --list-rules; choose the backend that this \
               kernel has: update-alternatives --config iptables",
        link: "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        look: iptables,
        fix: None,
    },
    Check {
        id: "DS104",
        severity: Level::Warning,
        title: "firewall rules are kept in one backend",
        danger: "rules of iptables-legacy and of iptables-nft are both in force: what one allows, the \
                 other may drop, and each shows only its own.",
        cure: "find out who made the legacy ones (iptables-legacy-save), let them use nft, and restart \
               the host",
        link: "https://wiki.debian.org/iptables",
        look: backends,
        fix: None,
    },
    Check {
        id: "DS105",
        severity: Level::Warning,
        title: "control groups are of version 2",
        danger: "version 1 is deprecated; engine and systemd are giving it up.",
        cure: "take systemd.unified_cgroup_hierarchy=0 off the kernel's command line, and restart \
               the host",
        link: "https://docs.docker.com/engine/containers/runmetrics/",
        look: cgroup_version,
        fix: None,
    },
    Check {
        id: "DS106",
        severity: Level::Warning,
        title: "the control groups for cpu, memory and processes are there",
        danger: "limits like --memory are ignored with a warning.",
        cure: "in a container or virtual machine delegate them from outside; otherwise take \
               cgroup_disable=… off the kernel's command line",
        link: "https://docs.docker.com/engine/containers/resource_constraints/",
        look: controllers,
        fix: None,
    },
    Check {
        id: "DS107",
        severity: Level::Warning,
        title: "user namespaces can be made",
        danger: "userns-remap and rootless engines do not work.",
        cure: "sysctl --write user.max_user_namespaces=31000, and see what turned them off in \
               /etc/sysctl.d",
        link: "https://docs.docker.com/engine/security/userns-remap/",
        look: user_namespaces,
        fix: None,
    },
    Check {
        id: "DS108",
        severity: Level::Note,
        title: "user namespaces are open to everyone",
        danger: "AppArmor keeps them from programs without a profile, or the kernel from all but root. \
                 The engine of the host is not concerned, but a rootless one is.",
        cure: "nothing, unless you set up a rootless engine; then give rootlesskit a profile as the \
               link says, or: sysctl --write kernel.unprivileged_userns_clone=1",
        link: "https://docs.docker.com/engine/security/rootless/troubleshoot/",
        look: apparmor,
        fix: None,
    },
    Check {
        id: "DS109",
        severity: Level::Warning,
        title: "the modules of the running kernel are there",
        danger: "the kernel was upgraded and its old modules are gone: what is not loaded yet cannot \
                 be any more, such as overlay or the firewall's.",
        cure: "restart the host: reboot",
        link: "https://github.com/moby/moby/issues/38157",
        look: modules,
        fix: None,
    },
    Check {
        id: "DS110",
        severity: Level::Note,
        title: "swap is accounted for",
        danger: "--memory-swap is ignored: a container may use any amount of swap.",
        cure: "take swapaccount=0 off the kernel's command line, or with control groups of version 1 \
               put swapaccount=1 there",
        link: "https://docs.docker.com/engine/containers/resource_constraints/",
        look: swap,
        fix: None,
    },
];

const CONTROLLERS: &str = "/sys/fs/cgroup/cgroup.controllers";

fn text(host: &Host, path: &str) -> Result<String> {
    Ok(host.read_text(path)?.unwrap_or_default())
}

fn overlay(host: &Host, _: &Facts) -> Result<Option<String>> {
    let known = text(host, "/proc/filesystems")?;
    if known
        .lines()
        .any(|line| line.trim_start_matches("nodev").trim() == "overlay")
    {
        return Ok(None);
    }
    let release = text(host, "/proc/sys/kernel/osrelease")?;
    let release = release.trim();
    for list in ["modules.dep", "modules.builtin"] {
        if text(host, &format!("/lib/modules/{release}/{list}"))?.contains("/overlay.ko") {
            return Ok(None);
        }
    }
    Ok(Some(format!("the kernel {release} has no overlayfs")))
}

fn bridge_filter(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !is_active(host, facts, UNIT)? {
        return Ok(None); // the engine turns it on when it starts
    }
    let call = text(host, "/proc/sys/net/bridge/bridge-nf-call-iptables")?;
    Ok((call.trim() == "0").then(|| "net.bridge.bridge-nf-call-iptables is 0".to_owned()))
}

fn iptables(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let effective = EffectiveConfiguration::of(host, facts)?;
    if let Some(Obstacle { cause, cure }) = iptables_problem(host, effective.document())? {
        return Ok(Some(format!("{cause}. {cure}")));
    }
    if !facts.has(ENGINE_PACKAGES[0]) {
        return Ok(None); // it comes with the engine
    }
    if effective.text("iptables").as_deref() == Some("false") {
        return Ok(None); // the engine is configured to do without
    }
    require_root()?;
    Ok(match host.query(&Query::rules("nat", None)) {
        Ok(listed) if listed.code == 0 => None,
        Ok(listed) => Some(format!("iptables does not work: {}", listed.tail())),
        Err(_) => Some("there is no iptables, though the engine needs it".to_owned()),
    })
}

fn backends(host: &Host, _: &Facts) -> Result<Option<String>> {
    // Asked first, since the program itself would load what it lists.
    let Some(tables) = host.read_text("/proc/net/ip_tables_names")? else {
        return Ok(None);
    };
    if tables.trim().is_empty() {
        return Ok(None);
    }
    require_root()?;
    let rules = |program: &str| {
        let saved = said(host, &Query::saved_rules(program)).unwrap_or_default();
        saved.lines().filter(|line| line.starts_with("-A")).count()
    };
    let (legacy, nft) = (rules("iptables-legacy"), rules("iptables-nft"));
    Ok((legacy > 0 && nft > 0).then(|| {
        format!("there are {legacy} rules of iptables-legacy beside {nft} of iptables-nft")
    }))
}

fn cgroup_version(host: &Host, _: &Facts) -> Result<Option<String>> {
    Ok((!host.exists(CONTROLLERS)?).then(|| "control groups are of version 1".to_owned()))
}

fn controllers(host: &Host, _: &Facts) -> Result<Option<String>> {
    let Some(there) = host.read_text(CONTROLLERS)? else {
        return Ok(None);
    };
    let there: Vec<&str> = there.split_whitespace().collect();
    let missing: Vec<&str> = ["cpu", "memory", "pids"]
        .iter()
        .filter(|name| !there.contains(name))
        .copied()
        .collect();
    Ok((!missing.is_empty()).then(|| format!("there is no control over: {}", missing.join(", "))))
}

fn user_namespaces(host: &Host, _: &Facts) -> Result<Option<String>> {
    let most = text(host, "/proc/sys/user/max_user_namespaces")?;
    Ok((most.trim() == "0").then(|| "user.max_user_namespaces is 0".to_owned()))
}

fn apparmor(host: &Host, _: &Facts) -> Result<Option<String>> {
    let restricted = text(
        host,
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    )?;
    if restricted.trim() == "1" {
        let text = "AppArmor restricts user namespaces (Ubuntu's default)";
        return Ok(Some(text.to_owned()));
    }
    let open = text(host, "/proc/sys/kernel/unprivileged_userns_clone")?;
    Ok((open.trim() == "0").then(|| "kernel.unprivileged_userns_clone is 0".to_owned()))
}

fn modules(host: &Host, _: &Facts) -> Result<Option<String>> {
    let release = text(host, "/proc/sys/kernel/osrelease")?;
    let release = release.trim();
    let there = host.list("/lib/modules")?;
    // A system container may bring modules of its own, but runs on the kernel around it, and WSL
    // on one of Microsoft's.
    let container = text(host, "/run/systemd/container")?;
    let is_other = container.trim() == "lxc" || release.to_lowercase().contains("microsoft");
    if there.is_empty() || is_other || there.iter().any(|name| name == release) {
        return Ok(None);
    }
    Ok(Some(format!(
        "the running kernel is {release}, but there are modules only for {}",
        there.join(", ")
    )))
}

fn swap(host: &Host, _: &Facts) -> Result<Option<String>> {
    let line = text(host, "/proc/cmdline")?;
    let off = line.split_whitespace().any(|word| word == "swapaccount=0");
    let v1 = "/sys/fs/cgroup/memory";
    let uncounted =
        host.exists(v1)? && !host.exists(format!("{v1}/memory.memsw.limit_in_bytes"))?;
    Ok((off || uncounted).then(|| "the kernel does not account for swap".to_owned()))
}
