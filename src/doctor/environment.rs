//! Where the host itself runs.

use std::time::SystemTime;

use anyhow::Result;

use super::{Check, Level};
use crate::error::Failure;
use crate::facts::{self, Facts, Init};
use crate::host::Host;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS001",
        severity: Level::Error,
        title: "systemd runs",
        danger: "the engine cannot be started, nor kept running.",
        cure: "on WSL put [boot] and systemd=true into /etc/wsl.conf and run `wsl --shutdown` in \
               Windows; elsewhere boot the host, or its container, with its own init",
        link: "https://learn.microsoft.com/en-us/windows/wsl/systemd",
        look: systemd,
        fix: None,
    },
    Check {
        id: "DS002",
        severity: Level::Error,
        title: "an LXC container may nest others",
        danger: "the engine starts, but no container does: it may not mount what it needs.",
        cure: "allow it outside: lxc config set NAME security.nesting true, or in Proxmox: pct set \
               ID --features nesting=1,keyctl=1; then restart the container",
        link: "https://documentation.ubuntu.com/lxd/latest/reference/instance_options/",
        look: nesting,
        fix: None,
    },
    Check {
        id: "DS003",
        severity: Level::Error,
        title: "the clock is right",
        danger: "certificates and signatures look as if they were not valid yet, so no download is \
                 trusted.",
        cure: "set it by the network: timedatectl set-ntp true, and look again: timedatectl",
        link: "https://documentation.ubuntu.com/server/how-to/networking/timedatectl-and-timesyncd/",
        look: clock,
        fix: None,
    },
    Check {
        id: "DS004",
        severity: Level::Error,
        title: "the host is one that dockstrap sets up",
        danger: "an install is refused; the other checks are made for such hosts, and may miss what \
                 is wrong with this one.",
        cure: "upgrade or change the system, or follow what Docker says of yours",
        link: "https://docs.docker.com/engine/install/",
        look: supported,
        fix: None,
    },
];

fn systemd(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if facts.init == Init::Systemd {
        return Ok(None);
    }
    let version = host.read_text("/proc/version")?.unwrap_or_default();
    Ok(Some(if version.to_lowercase().contains("microsoft") {
        "this is WSL, and systemd does not run in it".to_owned()
    } else {
        "systemd does not run on this host".to_owned()
    }))
}

/// LXC and LXD mount a second `/proc` where nesting is allowed.
fn nesting(host: &Host, _: &Facts) -> Result<Option<String>> {
    let container = host
        .read_text("/run/systemd/container")?
        .unwrap_or_default();
    let is_lxc = container.trim() == "lxc";
    Ok((is_lxc && !host.exists("/dev/.lxc/proc")?)
        .then(|| "this host is an LXC container that may not nest others".to_owned()))
}

/// A clock that stands before what has already happened is wrong for sure. An hour is allowed, as
/// images are made on machines with clocks of their own.
fn clock(host: &Host, _: &Facts) -> Result<Option<String>> {
    let now = SystemTime::now();
    for path in ["/var/lib/dpkg/status", "/etc/os-release"] {
        let Some(there) = host.metadata(path)? else {
            continue;
        };
        if let Ok(ahead) = there.modified()?.duration_since(now)
            && ahead.as_secs() > 3600
        {
            let days = ahead.as_secs() / 86_400;
            return Ok(Some(format!(
                "the clock stands before the time at which {path} was written, by {days} days"
            )));
        }
    }
    Ok(None)
}

fn supported(host: &Host, _: &Facts) -> Result<Option<String>> {
    if !host.has_program("dpkg-query") {
        return Ok(Some("this host has no dpkg".to_owned()));
    }
    match facts::gather(host) {
        Ok(_) => Ok(None),
        Err(error) => match error.downcast_ref::<Failure>() {
            Some(Failure::Blocked(reason)) => Ok(Some(reason.clone())),
            _ => Err(error),
        },
    }
}
