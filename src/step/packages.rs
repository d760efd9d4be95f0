//! The engine's packages, installed by apt in exactly the transaction that was planned.

mod before;
mod refuse;
mod version;

use anyhow::{Context, Result, bail};

use super::repository::{ENGINE, Repository};
use super::{Finding, Step, conflicts, service};
use crate::apt::{self, Archives, Index, Install, Seen, Transaction, View};
use crate::change::{Tx, Undo};
use crate::facts::{self, Facts};
use crate::host::command::Command;
use crate::host::http::Http;
use crate::host::{Host, is_forbidden};
use crate::report::{Event, Listener};
use crate::settings::{EngineVersion, Settings};
use refuse::{refuse_another, refuse_foreign, refuse_removals};
pub use version::request;
use version::{goes_back, unmet};

/// Where most of what packages bring along goes.
const PROGRAMS: &str = "/usr";

/// What an engine needs for a start in each of the folders in which it keeps data, in bytes: its own
/// files, and the image of the proof.
const ROOM_FOR_DATA: u64 = 128 << 20;

pub struct Packages {
    /// The version of the engine that is asked for.
    version: Option<EngineVersion>,
    /// What is to be installed; `None` when all is there.
    offer: Option<Offer>,
}

struct Offer {
    /// Whether an older version takes the place of a newer one.
    goes_back: bool,
    seen: Seen,
    missing: Vec<&'static str>,
    /// Packages of others that are installed again.
    repaired: Vec<String>,
    /// Packages that are removed to make room.
    replaced: Vec<&'static str>,
    view: View,
    transaction: Transaction,
    archives: Archives,
    http: Http,
}

/// What is to be minded beside the packages of the engine.
pub struct Needs<'a> {
    /// Where the engine is going to keep its data.
    pub roots: &'a [String],
    /// Packages of others that are to be installed again.
    pub repaired: &'a [String],
}

/// What is asked of apt.
struct Wanted {
    version: Option<EngineVersion>,
    /// What is not there, or in another version.
    missing: Vec<&'static str>,
    /// Whether one of them is there in part.
    reinstalled: bool,
    /// Packages of others that are there in part.
    repaired: Vec<String>,
    replaced: Vec<&'static str>,
    allow_downgrade: bool,
    /// Where an engine that was not there before is going to keep its data.
    new_roots: Vec<String>,
}

impl Packages {
    /// Asks apt, on a private view, what it would do.
    pub fn plan(
        host: &Host,
        http: &Http,
        facts: &Facts,
        settings: &Settings,
        repository: &mut Repository,
        Needs { roots, repaired }: Needs<'_>,
        listener: Listener<'_>,
    ) -> Result<Packages> {
        let version = settings.engine_version.clone();
        let missing = unmet(&facts.packages, version.as_ref());
        if missing.is_empty() && repaired.is_empty() {
            return Ok(Packages {
                version,
                offer: None,
            });
        }
        listener(Event::Started {
            text: "asking apt what is to be installed".to_owned(),
        });
        let replaced = facts.conflicting_packages();
        let touched = missing.iter().chain(&replaced);
        let mut touched: Vec<String> = touched.map(|name| (*name).to_owned()).collect();
        touched.extend_from_slice(repaired);
        apt::refuse_held(host, &touched)?;
        let index = repository.index(http, &missing, listener)?;
        // Conflicts were refused before, unless they may be replaced.
        let in_part = |package: &&str| facts.unfinished.half_installed.contains(*package);
        let reinstalled = missing.iter().any(in_part);
        let mut missing = missing;
        if reinstalled {
            // Told to install again what is unpacked, apt looks for a file that it did not fetch;
            // it configures all that waits for it without being asked to.
            missing.retain(|package| !facts.unfinished.to_configure.contains(*package));
        }
        let wanted = Wanted {
            version,
            reinstalled: reinstalled || !repaired.is_empty(),
            repaired: repaired.to_vec(),
            missing,
            replaced,
            allow_downgrade: settings.allow_downgrade,
            new_roots: match facts.packages.contains_key(ENGINE) {
                true => Vec::new(),
                false => roots.to_vec(),
            },
        };
        Packages::offered(host, http, repository, &index, wanted, listener)
    }

    /// The version of the engine that is going to be installed, if one is.
    pub fn engine(&self) -> Option<&str> {
        let installs = &self.offer.as_ref()?.transaction.installs;
        let engine = installs.iter().find(|it| it.package == ENGINE)?;
        Some(&engine.version)
    }

    fn offered(
        host: &Host,
        http: &Http,
        repository: &Repository,
        index: &Index,
        wanted: Wanted,
        listener: Listener<'_>,
    ) -> Result<Packages> {
        let Wanted {
            version,
            missing,
            reinstalled,
            repaired,
            replaced,
            allow_downgrade,
            new_roots,
        } = wanted;
        let source = &repository.source;
        let mut view = View::open(host, source, &repository.certificate, index, http)?;
        if reinstalled {
            view.reinstall();
        }
        // A bundle holds no other engine than the one it was made with.
        let bundled = http.bundle().map(|bundle| &bundle.manifest().engine);
        let bundled = bundled
            .map(|engine| EngineVersion::parse(engine))
            .transpose()?;
        let meant = version.as_ref().or(bundled.as_ref());
        let mut request = request(host, &missing, meant, &index.offered)?;
        request.extend(repaired.iter().cloned());
        request.extend(replaced.iter().map(|name| format!("{name}-")));
        let mut transaction = view.plan(host, &request, listener)?;
        refuse_removals(&transaction, &replaced)?;
        let goes_back = goes_back(host, &transaction, allow_downgrade)?;
        let archives = view.archives(host, &request, &index.offered)?;
        refuse_foreign(&transaction, &archives, &index.offered, source)?;
        transaction.download = archives.download(host)?;
        let fetched = apt::still_to_fetch(host, &archives)?;
        let mut room = vec![(apt::ARCHIVES, fetched), (PROGRAMS, archives.unpacked)];
        room.extend(new_roots.iter().map(|root| (root.as_str(), ROOM_FOR_DATA)));
        apt::require_space(host, &room).context("the packages do not fit; nothing was changed")?;
        let seen = repository.look_back(host, index, allow_downgrade)?;
        Ok(Packages {
            version,
            offer: Some(Offer {
                goes_back,
                seen,
                missing,
                repaired,
                replaced,
                view,
                transaction,
                archives,
                http: http.again(),
            }),
        })
    }
}

impl Offer {
    /// An apt command that is to do what was planned.
    fn lend(&self, command: Command) -> Command {
        let command = self.view.lend(command);
        match self.goes_back {
            true => command.arg("--allow-downgrades"),
            false => command,
        }
    }

    /// What apt is asked for. Dependencies are not named, so that apt goes on knowing them as
    /// dependencies.
    fn request(&self) -> Vec<String> {
        let mut named = self.missing.clone();
        named.extend(self.repaired.iter().map(String::as_str));
        let mut request = self.transaction.pinned(&named);
        request.extend(self.replaced.iter().map(|name| format!("{name}-")));
        request
    }
}

impl Step for Packages {
    fn id(&self) -> &'static str {
        "packages"
    }

    fn title(&self) -> &'static str {
        "packages"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let known = facts::known_packages(host)?;
        let is_whole = match &self.offer {
            Some(offer) if !offer.repaired.is_empty() => {
                let unfinished = facts::unfinished_packages(host)?;
                let is_repaired = |package: &String| offer.repaired.contains(package);
                !unfinished.partial().any(is_repaired)
            }
            _ => true,
        };
        if is_whole && unmet(&known, self.version.as_ref()).is_empty() {
            let engine = known.get(ENGINE).map_or("", |engine| &engine.version);
            return Ok(Finding::satisfied(format!("docker-ce {engine}")));
        }
        let Some(Offer {
            transaction, http, ..
        }) = &self.offer
        else {
            bail!("packages went missing since the plan was made; run this again");
        };
        let installs = &transaction.installs;
        let removals = transaction.removals.iter();
        let removals = removals.map(|name| format!("remove {name}, its containers stop"));
        let restarts = installs.iter().any(restarts_engine) && host.engine_is_active()?;
        let details = installs.iter().map(|install| match &install.replaces {
            None => format!("{} {}", install.package, install.version),
            Some(old) if *old == install.version => {
                let Install {
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
        let containers = match restarts {
            true => containers_in_restart(host)?,
            false => None,
        };
        let removed: Vec<&str> = transaction.removals.iter().map(String::as_str).collect();
        let stopped = match removed.as_slice() {
            [] => Vec::new(),
            removed => conflicts::running_under(host, removed),
        };
        let stopped = (!stopped.is_empty())
            .then(|| format!("containers that run under them: {}", stopped.join(", ")));
        if installs.is_empty() {
            return Ok(Finding::pending("finish the packages", Vec::new()));
        }
        let packages = match installs.len() {
            1 => "1 package".to_owned(),
            several => format!("{several} packages"),
        };
        let origin = match http.bundle() {
            None => format!(
                ", download {:.1} MB",
                transaction.download.bytes as f64 / 1e6
            ),
            Some(bundle) => format!(" from {}", bundle.path().display()),
        };
        Ok(Finding::pending(
            format!("install {packages}{origin}"),
            removals
                .chain(stopped)
                .chain(details)
                .chain(containers)
                .collect(),
        ))
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
        tx.remember(offer.seen.clone())?;
        // They come back last: when nothing of Docker's, and no data, is left in their place.
        before::note_replaced(tx, &offer.transaction.removals)?;
        before::note_what_the_engine_makes(tx)?;
        let mut packages = offer.transaction.new_packages();
        before::note_what_was_configured(tx, &mut packages)?;
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
        let restarts = installs.any(restarts_engine) && tx.host().engine_is_active()?;
        let running = match restarts {
            true => tx.host().running_containers()?,
            false => Vec::new(),
        };
        if !running.is_empty() {
            let containers = running.clone();
            let undo = Undo::RestartEngine { containers };
            tx.note_anew("restart the engine with its upgrade", undo)?;
        }
        let install = offer.lend(apt::install(&offer.request()));
        let (text, undo) = match packages.as_slice() {
            // Their upgrade is written down, or a run that was cut short has begun with them and
            // has written that down.
            [] => ("finish the packages".to_owned(), Undo::nothing()),
            names => {
                let text = format!("install {}", names.join(" "));
                let network = before::network(tx.host(), names)?;
                (text, Undo::PurgePackages { packages, network })
            }
        };
        let installed = tx.run_apt(&text, undo, &install, |host| refuse_another(host, offer));
        let Err(error) = installed else {
            return service::start_again(tx, &running);
        };
        // The packages start the engine, and fail when it does not start.
        Err(match service::failure(tx.host())? {
            Some(reason) => error.context(reason),
            None => error,
        })
    }

    fn transaction(&self) -> Option<&Transaction> {
        self.offer.as_ref().map(|offer| &offer.transaction)
    }
}

/// Whether the engine that runs makes room for another version of itself.
fn restarts_engine(install: &Install) -> bool {
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
    Ok(engine.map(|engine| {
        service::fate_of_containers(engine.containers_running, engine.live_restore_enabled)
    }))
}

#[cfg(test)]
mod tests;
