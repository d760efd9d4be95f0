//! What apt would do and must not: before the host is changed, and right before apt runs.

use anyhow::{Context, Result, bail};

use super::offer::Offer;
use crate::apt::{self, Archives, PackageInstall, Source, Transaction};
use crate::error::Failure;
use crate::facts::ENGINE_PACKAGES;
use crate::host::Host;
use crate::trust::PackageIndex;

/// Refuses to remove anything but what may be replaced.
pub fn refuse_removals(transaction: &Transaction, replaced: &[&str]) -> Result<()> {
    let mut others = transaction.removals.clone();
    others.retain(|name| !replaced.contains(&name.as_str()));
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure::Blocked(format!(
        "apt would have to remove {names} to install the engine; nothing was changed. \
         If nothing needs them: sudo apt-get remove {names}",
        names = others.join(" ")
    ))
    .into())
}

/// Refuses packages of the engine that apt would take from another repository: to apt the highest
/// version wins, whoever offers it.
pub fn refuse_foreign(
    transaction: &Transaction,
    archives: &Archives,
    offered: &PackageIndex,
    source: &Source,
) -> Result<()> {
    let is_dockers = |install: &PackageInstall| {
        let mut versions = offered.versions(&install.package);
        versions.any(|package| {
            let mut files = archives.docker.iter();
            package.version == install.version
                && files.any(|file| file.entry.path == package.filename)
        })
    };
    let mut installs = transaction.installs.iter();
    let foreign =
        installs.find(|it| ENGINE_PACKAGES.contains(&it.package.as_str()) && !is_dockers(it));
    let Some(PackageInstall {
        package,
        version,
        origin,
        ..
    }) = foreign
    else {
        return Ok(());
    };
    let of_package = format!("{package}_");
    let mut files = archives.others.iter();
    let file = files.find(|file| file.name.as_str().starts_with(&of_package));
    let from = file.map_or_else(
        || format!("\"{origin}\""),
        |file| apt::without_password(&file.uri),
    );
    Err(Failure::Blocked(format!(
        "apt would take {package} {version} from {from}, not from Docker's repository at {uri}; \
         nothing was changed. See which source that is: apt-cache policy {package}. Remove it, or \
         pin its packages of that name in /etc/apt/preferences.d (Pin-Priority: -1), and run this \
         again",
        uri = source.uri
    ))
    .into())
}

/// Refuses to go on when apt would no longer do what the plan says.
pub fn refuse_another(host: &Host, offer: &Offer) -> Result<()> {
    let simulate = apt::apt_get().arg("install").args(offer.request());
    let simulated = host
        .query(&offer.lend(simulate).simulated())?
        .success()
        .context("comparing what apt would do with the plan")?;
    if Transaction::parse(&simulated.stdout).equals(&offer.transaction) {
        return Ok(());
    }
    bail!(
        "the host's packages changed since the plan was made, so apt would now do something \
         else; run this again for a new plan"
    )
}
