//! What is somebody's own by now, although dockstrap set it up: they changed it since.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::{Act, Journal};
use crate::apt::{self, PROXY, Source};
use crate::daemon_config::{Document, names_of};
use crate::docker::{CERTIFICATES, UNIT};
use crate::facts::{ENGINE_PACKAGES, HostPackage, known_packages};
use crate::host::Host;
use crate::report::Yours;
use crate::undo::{Lost, ManagedUnit, Undo, member};

/// What an install leaves as somebody has it, but for keys of daemon.json, of which its step tells.
///
/// None of it is theirs once the engine is gone: the next install sets up all anew.
pub(crate) fn yours(host: &Host, journal: &Journal) -> Result<Vec<Yours>> {
    if journal.settled().next().is_none() || !has_engine_of_dockers(host)? {
        return Ok(Vec::new());
    }
    let mut lost = Vec::new();
    for act in journal.settled() {
        if act.undo.subject().is_none() {
            lost.extend(act.undo.lost(host)?);
        }
    }
    lost.extend(lost_source(host, journal)?);
    let units = journal.settled().filter_map(|act| act.undo.unit());
    if let Some(unit) = units.filter(|it| it.name == UNIT).reduce(ManagedUnit::and) {
        lost.extend(unit.lost(host, false)?);
    }
    let mut yours: Vec<Yours> = Vec::new();
    for it in lost.into_iter().filter_map(|lost: Lost| lost.yours) {
        // An install brings all packages of Docker's.
        if !ENGINE_PACKAGES.contains(&it.name.as_str()) && !yours.contains(&it) {
            yours.push(it);
        }
    }
    Ok(yours)
}

/// Our source as somebody edited it, unless apt would no longer verify what comes from it.
fn lost_source(host: &Host, journal: &Journal) -> Result<Vec<Lost>> {
    let is_of_source = |act: &&Act| act.undo.subject() == Some(Path::new(Source::PATH));
    // Of several acts on the file, the last one counts.
    let last = journal.acts().iter().rfind(is_of_source);
    let Some(act) = last.filter(|last| journal.settled().any(|act| act.act == last.act)) else {
        return Ok(Vec::new());
    };
    let text = host.read(Source::PATH)?.unwrap_or_default();
    if apt::is_sound(&text) {
        act.undo.lost(host)
    } else {
        Ok(Vec::new())
    }
}

/// Whether it is the name of a file that is there only since settings ask for it, and comes back only
/// with them.
pub(crate) fn is_of_settings(name: &str) -> bool {
    name == PROXY || name.starts_with(CERTIFICATES)
}

/// Whether the package of Docker's own engine is installed.
pub(crate) fn has_engine_of_dockers(host: &Host) -> Result<bool> {
    let known = known_packages(host)?;
    Ok(known
        .get(ENGINE_PACKAGES[0])
        .is_some_and(HostPackage::is_installed))
}

/// The names of all that could be theirs, had they changed it.
pub(crate) fn restorable(journal: &Journal) -> BTreeSet<String> {
    let mut names = names_of(&journal.settled_configuration(&Document::new()));
    for act in journal.settled() {
        match &act.undo {
            Undo::RemoveMember { user, .. } => drop(names.insert(member(user))),
            Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. } => {
                let others = packages.iter().cloned();
                names.extend(others.filter(|name| !ENGINE_PACKAGES.contains(&name.as_str())));
            }
            undo if undo.subject() == Some(Path::new(Source::PATH)) => {
                names.insert(Source::PATH.to_owned());
            }
            _ => {}
        }
        if act.undo.unit().is_some_and(|unit| unit.name == UNIT) {
            names.insert(UNIT.to_owned());
        }
    }
    names
}
