//! The engine's packages, installed by apt in exactly the transaction that was planned.

mod finding;
mod offer;
mod prior;
mod version;

use anyhow::{Result, bail};

use super::dpkg::Reinstalled;
use super::{Inspection, Step, service};
use crate::apt::{self, ENGINE, Repository, Transaction};
use crate::change::Tx;
use crate::engine::failure;
use crate::facts::{self, Facts, STATUS};
use crate::host::Host;
use crate::host::command::Command;
use crate::host::http::Http;
use crate::report::{Event, Listener};
use crate::settings::{EngineVersion, Settings};
use crate::undo::Undo;
use finding::restarts_engine;
use offer::{Offer, PackageRequest, refuse_another};
pub(crate) use version::request;
use version::unmet;

/// One of the files that packages bring.
const DOCKER: &str = "/usr/bin/docker";

pub(crate) struct Packages {
    /// The version of the engine that is asked for.
    version: Option<EngineVersion>,
    /// Packages that somebody removed since, and that are to be there again.
    restored: Vec<String>,
    /// What is to be installed; `None` when all is there.
    offer: Option<Offer>,
}

/// What is to be minded beside the packages of the engine.
pub(crate) struct Needs<'a> {
    /// Where the engine is going to keep its data.
    pub roots: &'a [String],
    /// Packages that are not the engine's and are to be installed again.
    pub reinstalled: &'a Reinstalled,
    /// Packages that somebody removed since, and that are to be there again.
    pub restored: Vec<String>,
}

impl Packages {
    /// Asks apt, on a private view, what it would do.
    pub(crate) fn plan(
        host: &Host,
        http: &Http,
        facts: &Facts,
        settings: &Settings,
        repository: &mut Repository,
        Needs {
            roots,
            reinstalled,
            restored,
        }: Needs<'_>,
        listener: Listener<'_>,
    ) -> Result<Packages> {
        let version = settings.engine_version.clone();
        let missing = unmet(&facts.packages, version.as_ref());
        let again = [&*reinstalled.ours, &*reinstalled.others].concat();
        if missing.is_empty() && again.is_empty() && restored.is_empty() {
            return Ok(Packages {
                version,
                restored,
                offer: None,
            });
        }
        listener(Event::Started {
            text: "asking apt what is to be installed".to_owned(),
        });
        let replaced = facts.conflicting_packages();
        let touched: Vec<String> = missing
            .iter()
            .chain(&replaced)
            .map(ToString::to_string)
            .chain(again.iter().chain(&restored).cloned())
            .collect();
        apt::refuse_held(host, &touched)?;
        let index = repository.index(http, &missing, listener)?;
        // Conflicts were refused before, unless they may be replaced.
        let in_part = |name: &&str| facts.unfinished.partial().any(|it| it == name);
        let reinstalls = missing.iter().any(in_part) || !again.is_empty();
        // Told to install again what is unpacked, apt looks for a file that it did not fetch; it
        // configures all that waits for it without being asked to.
        let waits = |name: &str| reinstalls && facts.unfinished.to_configure.contains(name);
        let missing = missing.into_iter().filter(|name| !waits(name)).collect();
        let wanted = PackageRequest {
            version: version.as_ref(),
            reinstalls,
            again,
            repaired: reinstalled.others.clone(),
            restored: restored.clone(),
            missing,
            replaced,
            allow_downgrade: settings.allow_downgrade,
            new_roots: if facts.packages.contains_key(ENGINE) {
                Vec::new()
            } else {
                roots.to_vec()
            },
        };
        let offer = Offer::of(host, http, repository, &index, wanted, listener)?;
        Ok(Packages {
            version,
            restored,
            offer: Some(offer),
        })
    }

    /// The version in which this package is going to be installed, if it is.
    pub(crate) fn version_of(&self, package: &str) -> Option<&str> {
        let installs = &self.offer.as_ref()?.transaction.installs;
        let install = installs.iter().find(|it| it.package == package)?;
        Some(&install.version)
    }
}

impl Step for Packages {
    fn id(&self) -> &'static str {
        "packages"
    }

    fn title(&self) -> &'static str {
        "packages"
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let known = facts::known_packages(host)?;
        let is_whole = match &self.offer {
            Some(offer) if !offer.again.is_empty() => {
                let unfinished = facts::unfinished_packages(host)?;
                let is_meant = |package: &String| offer.again.contains(package);
                !unfinished.partial().any(is_meant)
            }
            _ => true,
        };
        let is_whole = is_whole && facts::are_installed(host, &self.restored)?;
        if is_whole && unmet(&known, self.version.as_ref()).is_empty() {
            let engine = known.get(ENGINE).map_or("", |engine| &engine.version);
            return Ok(Inspection::satisfied(format!("docker-ce {engine}")));
        }
        match &self.offer {
            Some(offer) => finding::pending(host, offer),
            None => bail!("packages went missing since the plan was made; run this again"),
        }
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let Some(offer) = &self.offer else {
            return Ok(());
        };
        tx.publish_lists(&offer.view.fetched()?)?;
        tx.fetch_archives(&offer.http, &offer.archives)?;
        // Who has the lock may be changing the very packages that the plan is about.
        tx.wait_for_apt()?;
        refuse_another(tx.host(), offer)?;
        if let Some(download) = offer.download() {
            tx.download(&download)?;
        }
        tx.remember(offer.freshness.clone())?;
        // They come back last: when nothing of Docker's, and no data, is left in their place.
        prior::note_replaced(tx, &offer.transaction.removals)?;
        prior::note_what_the_engine_makes(tx)?;
        let mut packages = offer.transaction.new_packages();
        prior::note_what_was_configured(tx, &mut packages)?;
        let running = note_what_is_there(tx, offer)?;
        let install = offer.lend(apt::install(&offer.request()));
        let (text, undo) = match packages.as_slice() {
            // Their upgrade is written down, or a run that was cut short has begun with them and
            // has written that down.
            [] => ("finish the packages".to_owned(), Undo::nothing()),
            names => {
                let text = format!("install {}", names.join(" "));
                let network = prior::network(tx.host(), names)?;
                (text, Undo::PurgePackages { packages, network })
            }
        };
        let installed = tx.run_apt(&text, undo, &install, |host| refuse_another(host, offer));
        let Err(error) = installed else {
            mark_as_dependencies(tx, &offer.restored)?;
            return service::start_again(tx, &running);
        };
        // The packages start the engine, and fail when it does not start.
        Err(match failure::failure(tx.host())? {
            Some(reason) => error.context(reason),
            None => error,
        })
    }

    fn writes(&self, host: &Host) -> Result<Vec<String>> {
        match self.offer {
            Some(_) => written(host),
            None => Ok(Vec::new()),
        }
    }

    fn transaction(&self) -> Option<&Transaction> {
        self.offer.as_ref().map(|offer| &offer.transaction)
    }
}

/// Notes what becomes of packages that were there; returns the containers that a restart of the engine
/// stops.
fn note_what_is_there(tx: &mut Tx<'_>, offer: &Offer) -> Result<Vec<String>> {
    if !offer.repaired.is_empty() {
        let text = format!("install {} again", offer.repaired.join(" "));
        let packages = offer.repaired.clone();
        tx.note(&text, Undo::KeepConfigured { packages })?;
    }
    let upgrades = offer.transaction.upgrades();
    if !upgrades.is_empty() {
        let undo = Undo::KeepUpgrades { packages: upgrades };
        tx.note("upgrade packages that were there", undo)?;
    }
    let mut installs = offer.transaction.installs.iter();
    if !installs.any(restarts_engine) || !tx.host().engine_is_active()? {
        return Ok(Vec::new());
    }
    let running = tx.host().running_containers()?;
    if !running.is_empty() {
        let containers = running.clone();
        let undo = Undo::RestartEngine { containers };
        tx.note_anew("restart the engine with its upgrade", undo)?;
    }
    Ok(running)
}

/// Gives packages the mark that they had before somebody removed them: an uninstall leaves what
/// people asked apt for.
fn mark_as_dependencies(tx: &mut Tx<'_>, packages: &[String]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let mark = Command::new("apt-mark").arg("auto").args(packages);
    tx.run_covered(&mark).map(drop)
}

/// A place on each file system that must be writable. apt itself may see to that.
fn written(host: &Host) -> Result<Vec<String>> {
    let archives = format!("{}/lock", apt::ARCHIVES);
    let mut written = Vec::new();
    for place in [DOCKER, STATUS, &archives] {
        if !apt::makes_writable(host, place)? {
            written.push(place.to_owned());
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
