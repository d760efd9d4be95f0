//! dpkg's own state: apt does nothing on a host where dpkg was cut short.
//!
//! What it was cut short at in a run of ours is brought to an end without asking. What is of
//! others is theirs, and is touched only when that is asked for.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Inspection, Step};
use crate::apt;
use crate::change::{Journal, Tx};
use crate::error::Failure;
use crate::facts::{ENGINE_PACKAGES, Facts, UnfinishedPackages, unfinished_packages};
use crate::host::{Host, is_forbidden};
use crate::invocation;
use crate::undo::Undo;

pub(crate) struct Dpkg {
    /// Packages that are configured by the run of apt that installs the engine.
    left_to_apt: BTreeSet<String>,
    /// Packages that are not of the engine, nor came with it.
    others: BTreeSet<String>,
    /// Packages whose files are there in part: apt installs them again, along with the engine.
    reinstalled: Reinstalled,
}

/// Packages that apt is to install again, since files of theirs may be missing. dpkg alone could not
/// tell whether a package file is the right one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Reinstalled {
    /// Those that came along with the engine's.
    pub ours: Vec<String>,
    pub others: Vec<String>,
}

impl Dpkg {
    /// `None` when dpkg has nothing left to finish.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it has something left of others and `repair` is not asked for, or
    /// what is left lacks what it depends on.
    pub(crate) fn plan(host: &Host, facts: &Facts, repair: bool) -> Result<Option<Dpkg>> {
        let unfinished = &facts.unfinished;
        if unfinished.is_empty() {
            return Ok(None);
        }
        let ours = ours(host, unfinished)?;
        let (ours, others): (BTreeSet<String>, BTreeSet<String>) = unfinished
            .packages()
            .into_iter()
            .partition(|package| ours.contains(package));
        // Those of the engine are named to apt in any case.
        let is_of_engine = |package: &&String| ENGINE_PACKAGES.contains(&package.as_str());
        let partial = unfinished.partial().filter(|it| !is_of_engine(it));
        let (theirs, own) = partial.cloned().partition(|it| others.contains(it));
        let reinstalled = Reinstalled {
            ours: own,
            others: theirs,
        };
        refuse_unmet(host, &others)?;
        if !repair && !reinstalled.others.is_empty() {
            return Err(must_be_reinstalled(&reinstalled.others));
        }
        if !repair && !others.is_empty() {
            return Err(of_others(unfinished, &others));
        }
        let apt_runs = !facts.missing_packages().is_empty() || !reinstalled.ours.is_empty();
        let left_to_apt = if apt_runs { ours } else { BTreeSet::new() };
        Ok(Some(Dpkg {
            left_to_apt,
            others,
            reinstalled,
        }))
    }

    /// Packages that apt is to install again.
    pub(crate) fn reinstalled(&self) -> &Reinstalled {
        &self.reinstalled
    }

    /// What this step has to bring to an end.
    fn left(&self, host: &Host) -> Result<UnfinishedPackages> {
        let mut left = unfinished_packages(host)?;
        left.to_configure
            .retain(|package| !self.left_to_apt.contains(package));
        left.triggered
            .retain(|package| !self.left_to_apt.contains(package));
        // apt unpacks them.
        left.half_installed.clear();
        left.to_unpack.clear();
        left.amid_triggers.clear(); // they are to be configured
        Ok(left)
    }
}

impl Step for Dpkg {
    fn id(&self) -> &'static str {
        "dpkg"
    }

    fn title(&self) -> &'static str {
        "dpkg"
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let left = self.left(host)?;
        if left.is_empty() {
            return Ok(Inspection::satisfied(
                "dpkg has nothing of this left to finish",
            ));
        }
        let mut details = Vec::new();
        if left.interrupted.is_some() {
            details.push("merge the notes of a run that was cut short".to_owned());
        }
        details.extend(
            left.to_configure
                .iter()
                .map(|package| format!("configure {package}")),
        );
        if !left.triggered.is_empty() {
            let waiting: Vec<&str> = left.triggered.iter().map(String::as_str).collect();
            details.push(format!("run what {} waits for", waiting.join(", ")));
        }
        Ok(Inspection::pending(
            "finish what dpkg was cut short at",
            details,
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let left = self.left(tx.host())?;
        let finished = self
            .others
            .iter()
            .filter(|package| !self.reinstalled.others.contains(package));
        let packages = finished.cloned().collect();
        tx.finish_dpkg(&left, Undo::KeepConfigured { packages })
    }
}

/// The packages that dockstrap installs: those of the engine, and what came along with them. After
/// a run of ours that was cut short, so is what dpkg did for others because of them: it ran their
/// triggers.
fn ours(host: &Host, unfinished: &UnfinishedPackages) -> Result<BTreeSet<String>> {
    let mut ours: BTreeSet<String> = ENGINE_PACKAGES.iter().map(|it| (*it).to_owned()).collect();
    let journal = match Journal::read(host) {
        // Only root may look; what is planned by someone else is decided when it is installed.
        Err(error) if is_forbidden(&error) => return Ok(ours),
        journal => journal?,
    };
    for act in journal.acts() {
        if let Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. } =
            &act.undo
        {
            ours.extend(packages.iter().cloned());
        }
    }
    if journal.cut_short().is_some() {
        ours.extend(unfinished.amid_triggers.iter().cloned());
        let finished = |name: &&String| {
            let left = [&unfinished.to_configure, &unfinished.to_unpack]
                .into_iter()
                .chain([&unfinished.half_installed]);
            !left.into_iter().any(|names| names.contains(*name))
        };
        let noted = unfinished.interrupted.iter().flatten();
        ours.extend(noted.filter(finished).cloned());
    }
    Ok(ours)
}

/// dpkg configures no package without what that depends on, however often it is told to.
fn refuse_unmet(host: &Host, others: &BTreeSet<String>) -> Result<()> {
    if others.is_empty() {
        return Ok(());
    }
    let mut unmet = apt::unmet(host);
    unmet.retain(|it| others.contains(it.package.split(':').next().unwrap_or_default()));
    apt::refuse_unmet(host, &unmet)
}

fn of_others(unfinished: &UnfinishedPackages, others: &BTreeSet<String>) -> anyhow::Error {
    let names: Vec<&str> = others.iter().map(String::as_str).collect();
    let names = names.join(", ");
    let what = match unfinished.interrupted {
        Some(_) => format!("dpkg was cut short on this host while it worked on {names}"),
        None => format!("dpkg has not configured {names} on this host"),
    };
    Failure::Blocked(format!(
        "{what}, which is not dockstrap's, and apt refuses to work until that is fixed; nothing \
         was changed. To have it finished along with the install: {}. To see to it yourself: sudo \
         dpkg --configure -a",
        invocation::install(&["--repair"])
    ))
    .into()
}

fn must_be_reinstalled(packages: &[String]) -> anyhow::Error {
    let names = packages.join(" ");
    Failure::Blocked(format!(
        "dpkg has only a part of {names} on this host, which is not dockstrap's, and apt refuses \
         to work until that is fixed; nothing was changed. To have it installed again along with \
         the engine: {}. To see to it yourself: sudo apt-get install --reinstall {names}",
        invocation::install(&["--repair"])
    ))
    .into()
}

#[cfg(test)]
mod tests;
