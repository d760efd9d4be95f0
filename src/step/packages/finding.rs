//! A plan's words for what becomes of the packages, and of the containers with them.

use anyhow::Result;
use jiff::Timestamp;

use super::ENGINE;
use super::offer::Offer;
use crate::apt::PackageInstall;
use crate::apt::ubuntu::Pocket;
use crate::engine::workloads::{fate_of_containers, running_under};
use crate::host::{Host, is_forbidden};
use crate::step::Inspection;

/// What is going to be done.
pub(super) fn pending(host: &Host, offer: &Offer) -> Result<Inspection> {
    let transaction = &offer.transaction;
    let installs = &transaction.installs;
    let removals = transaction
        .removals
        .iter()
        .map(|name| format!("remove {name}, its containers stop"));
    let restarts = installs.iter().any(restarts_engine) && host.engine_is_active()?;
    let details = installs.iter().map(|install| match &install.replaces {
        None => format!("{} {}", install.package, install.version),
        Some(old) if *old == install.version => {
            let PackageInstall {
                package, version, ..
            } = install;
            format!("{package} {version} again, since dpkg has only a part of it")
        }
        Some(old) if install.package == ENGINE && restarts => {
            let new = &install.version;
            format!("{ENGINE} {old} → {new}, the engine restarts")
        }
        Some(old) => format!("{} {old} → {}", install.package, install.version),
    });
    let containers = if restarts {
        containers_in_restart(host)?
    } else {
        None
    };
    let bundled = bundled_indexes(offer.view.pockets());
    let removed: Vec<&str> = transaction.removals.iter().map(String::as_str).collect();
    let stopped = match removed.as_slice() {
        [] => Vec::new(),
        removed => running_under(host, removed),
    };
    let stopped = (!stopped.is_empty())
        .then(|| format!("containers that run under them: {}", stopped.join(", ")));
    if installs.is_empty() {
        return Ok(Inspection::pending("finish the packages", Vec::new()));
    }
    Ok(Inspection::pending(
        summary(offer),
        removals
            .chain(stopped)
            .chain(details)
            .chain(containers)
            .chain(bundled)
            .collect(),
    ))
}

/// How many packages are installed, and where they come from.
fn summary(offer: &Offer) -> String {
    let packages = match offer.transaction.installs.len() {
        1 => "1 package".to_owned(),
        several => format!("{several} packages"),
    };
    match offer.http.bundle() {
        None => format!(
            "install {packages}, download {:.1} MB",
            offer.transaction.download.bytes as f64 / 1e6
        ),
        Some(bundle) => format!("install {packages} from {}", bundle.path().display()),
    }
}

/// From when the indexes of Ubuntu's archive in a bundle are.
fn bundled_indexes(pockets: &[Pocket]) -> Option<String> {
    let dated: Vec<String> = pockets
        .iter()
        .map(|pocket| {
            let date = Timestamp::try_from(pocket.date).unwrap_or_default();
            format!("{} of {}", pocket.suite, date.strftime("%F"))
        })
        .collect();
    (!dated.is_empty()).then(|| format!("Ubuntu's indexes in the bundle: {}", dated.join(", ")))
}

/// Whether the engine that runs makes room for another version of itself.
pub(super) fn restarts_engine(install: &PackageInstall) -> bool {
    install.package == ENGINE && install.replaces.is_some()
}

/// What becomes of the containers that run when the engine is restarted, if there are any.
fn containers_in_restart(host: &Host) -> Result<Option<String>> {
    let engine = match host.engine_info() {
        // Only root, and who is in its group, may ask the engine.
        Err(error) if is_forbidden(&error) => None,
        engine => engine?,
    };
    let engine = engine.filter(|engine| engine.containers_running > 0);
    Ok(engine
        .map(|engine| fate_of_containers(engine.containers_running, engine.live_restore_enabled)))
}
