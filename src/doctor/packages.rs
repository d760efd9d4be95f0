//! The packages of the engine, and those beside it.

use anyhow::{Result, bail};

use super::{Check, Level, require_root, said};
use crate::docker;
use crate::facts::{self, CONFLICTING_PACKAGES, ENGINE_PACKAGES, Facts};
use crate::host::Host;
use crate::host::command::Query;
use crate::host::lock::Holder;
use crate::host::plugins::PLUGINS;
use crate::host::query::Reader;
use crate::release::ENGINE_MAJOR;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS501",
        severity: Level::Error,
        title: "no other packages of Docker are installed",
        danger: "Docker's own packages cannot be installed beside those of the distribution, or fight \
                 with them over files and sockets.",
        cure: "remove them; containers may run under them, and their data stays: apt-get remove PACKAGE",
        link: "https://docs.docker.com/engine/install/ubuntu/#uninstall-old-versions",
        look: others,
        fix: None,
    },
    Check {
        id: "DS502",
        severity: Level::Error,
        title: "Docker is not installed as a snap",
        danger: "two engines on one host fight over its networks and its socket.",
        cure: "snap remove docker",
        link: "https://github.com/moby/moby/issues/43228",
        look: snap,
        fix: None,
    },
    Check {
        id: "DS503",
        severity: Level::Warning,
        title: "Docker Desktop is not installed",
        danger: "it runs its own engine in a virtual machine; the docker command talks to the one \
                 that its context names, and images of one are not seen by the other.",
        cure: "see which is meant: docker context ls; or remove it: apt-get remove docker-desktop",
        link: "https://docs.docker.com/desktop/setup/install/linux/#what-is-the-difference-between-docker-desktop-for-linux-and-docker-engine",
        look: desktop,
        fix: None,
    },
    Check {
        id: "DS504",
        severity: Level::Note,
        title: "the engine's packages are not held back",
        danger: "they get no updates, also none for security.",
        cure: "let them be upgraded again: apt-mark unhold PACKAGE",
        link: "https://manpages.ubuntu.com/manpages/noble/man8/apt-mark.8.html",
        look: held,
        fix: None,
    },
    Check {
        id: "DS505",
        severity: Level::Error,
        title: "dpkg has finished its work",
        danger: "apt refuses every task until it has.",
        cure: "let it finish: dpkg --configure -a",
        link: "https://manpages.ubuntu.com/manpages/noble/man1/dpkg.1.html",
        look: unfinished,
        fix: None,
    },
    Check {
        id: "DS506",
        severity: Level::Warning,
        title: "the engine is of a release that gets updates",
        danger: "Docker maintains the newest major release only; holes in older ones stay open.",
        cure: "upgrade it: apt-get update; apt-get install --only-upgrade docker-ce docker-ce-cli \
               containerd.io",
        link: "https://github.com/moby/moby/blob/master/project/BRANCHES-AND-TAGS.md",
        look: ended,
        fix: None,
    },
    Check {
        id: "DS507",
        severity: Level::Error,
        title: "the plugins of the docker command work",
        danger: "`docker compose` or `docker build` does not: docker takes the first file of a \
                 plugin's name that it finds, and a download that failed leaves one that is none.",
        cure: "move away the file that is named, or install the package again: sudo apt-get install \
               --reinstall docker-compose-plugin docker-buildx-plugin",
        link: "https://github.com/docker/compose/issues/6268",
        look: plugins,
        fix: None,
    },
];

/// Held by whoever works with dpkg.
const DPKG_LOCK: &str = "/var/lib/dpkg/lock-frontend";

fn others(_: &Host, facts: &Facts) -> Result<Option<String>> {
    let there: Vec<&str> = CONFLICTING_PACKAGES
        .iter()
        .filter(|name| facts.has(name))
        .copied()
        .collect();
    Ok((!there.is_empty()).then(|| format!("installed beside Docker's own: {}", there.join(" "))))
}

fn snap(host: &Host, _: &Facts) -> Result<Option<String>> {
    let there =
        host.exists("/snap/bin/docker")? || host.exists("/var/lib/snapd/snap/bin/docker")?;
    Ok(there.then(|| "Docker is installed as a snap".to_owned()))
}

fn desktop(host: &Host, _: &Facts) -> Result<Option<String>> {
    Ok(host
        .exists("/opt/docker-desktop")?
        .then(|| "Docker Desktop is installed".to_owned()))
}

fn held(host: &Host, _: &Facts) -> Result<Option<String>> {
    let held = said(host, &Query::of(Reader::AptHeld)).unwrap_or_default();
    let held: Vec<&str> = held
        .lines()
        .filter(|name| ENGINE_PACKAGES.contains(name))
        .collect();
    Ok((!held.is_empty()).then(|| format!("held back: {}", held.join(" "))))
}

fn unfinished(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if facts.unfinished.is_empty() {
        return Ok(None);
    }
    require_root()?; // to ask whether it is being finished just now
    if let Some(Holder { pid, program }) = host.lock_holder(DPKG_LOCK)? {
        bail!("{program} (pid {pid}) is at work");
    }
    let unfinished = facts::unfinished_packages(host)?; // it may have been finished meanwhile
    if unfinished.is_empty() {
        return Ok(None);
    }
    let packages: Vec<String> = unfinished.packages().into_iter().collect();
    Ok(Some(if packages.is_empty() {
        "dpkg was cut short".to_owned()
    } else {
        format!("dpkg was cut short at: {}", packages.join(" "))
    }))
}

fn plugins(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if !facts.has(docker::CLI_PACKAGE) {
        return Ok(None);
    }
    let mut faults = Vec::new();
    for plugin in PLUGINS {
        faults.extend(host.plugin_fault(plugin, facts.invoking_user.as_ref())?);
    }
    Ok((!faults.is_empty()).then(|| faults.join("; ")))
}

fn ended(_: &Host, facts: &Facts) -> Result<Option<String>> {
    let installed = facts.packages.get(ENGINE_PACKAGES[0]);
    let Some(package) = installed.filter(|package| package.is_installed()) else {
        return Ok(None);
    };
    let major: Option<u32> = package
        .version
        .split_once(':')
        .map_or(package.version.as_str(), |(_, version)| version)
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    Ok(major.filter(|major| *major < ENGINE_MAJOR).map(|major| {
        format!(
            "the engine is of release {major}, which ended when {ENGINE_MAJOR} came at the latest"
        )
    }))
}
