//! What was there before the packages, written down as ways back before apt is run.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::ENGINE;
use crate::apt;
use crate::change::{Tx, note_data_of_host, note_folder};
use crate::facts;
use crate::host::Host;
use crate::host::firewall::NetworkBaseline;
use crate::undo::{LINKED, Undo};

/// Configuration that Docker's packages bring along, and take along when they are purged.
const CONFIGURATION: &[&str] = &[
    "/etc/containerd/config.toml",
    "/etc/default/docker",
    "/etc/init.d/docker",
];

/// Folders that containerd makes when it first starts, outermost first; no package owns them.
const MADE_BY_CONTAINERD: &[&str] = &[
    "/opt/containerd",
    "/opt/containerd/bin",
    "/opt/containerd/lib",
    "/etc/cni",
    "/etc/cni/net.d",
];

/// Writes down the ways back for configuration that was there before its package. Packages that
/// left theirs behind when they were removed are no longer among `packages`.
pub(crate) fn note_what_was_configured(tx: &mut Tx<'_>, packages: &mut Vec<String>) -> Result<()> {
    for path in CONFIGURATION {
        tx.keep_for_return(path)?;
    }
    for path in LINKED {
        if let Ok(target) = fs::read_link(tx.host().path(path)) {
            let text = format!("let packages use the folder behind the link {path}");
            let path = path.into();
            tx.note(&text, Undo::RestoreLink { path, target })?;
        }
    }
    let known = facts::configured_packages(tx.host())?;
    let (configured, new) = packages
        .drain(..)
        .partition(|package| known.contains(package));
    *packages = new;
    if !Vec::is_empty(&configured) {
        let text = format!("install {}", configured.join(" "));
        // What an earlier engine has left of its own there stays as it is.
        let network = network(tx.host(), &configured)?;
        let undo = Undo::RemovePackages {
            network: network.filter(|network| !network.has_engines_links()),
            packages: configured,
        };
        tx.note(&text, undo)?;
    }
    Ok(())
}

/// The network of the host, where the engine is one of these packages.
pub(crate) fn network(host: &Host, packages: &[String]) -> Result<Option<NetworkBaseline>> {
    if !packages.iter().any(|name| name == ENGINE) {
        return Ok(None);
    }
    // In a chroot it would be that of the host around it.
    Ok(Some(if host.runs_systemd()? {
        NetworkBaseline::of(host)?
    } else {
        NetworkBaseline::default()
    }))
}

/// Writes down the ways back for what the engine itself is going to make.
pub(crate) fn note_what_the_engine_makes(tx: &mut Tx<'_>) -> Result<()> {
    note_data_of_host(tx)?;
    for folder in MADE_BY_CONTAINERD {
        note_folder(tx, Path::new(folder))?;
    }
    Ok(())
}

/// Writes down which packages make room, and which of them came along with others.
pub(crate) fn note_replaced(tx: &mut Tx<'_>, removals: &[String]) -> Result<()> {
    if removals.is_empty() {
        return Ok(());
    }
    let (asked_for, automatic) = apt::asked_for(tx.host(), removals.to_vec())?;
    let text = format!("remove {}", removals.join(" "));
    let undo = Undo::OfferPackages {
        asked_for,
        automatic,
    };
    tx.note(&text, undo)
}
