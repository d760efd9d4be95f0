//! Whether what was done still stands, found out from the ways back: what they would take away
//! must be there.
//!
//! It must not change anything, and need not know which step an act belongs to.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;

use super::Undo;
use crate::apt;
use crate::docker::UNIT;
use crate::facts::package_states;
use crate::host::Host;
use crate::report::Yours;

/// The package whose scripts enable and start the engine.
const ENGINE: &str = "docker-ce";

/// Something that was set up and no longer is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    /// For people.
    pub text: String,
    /// The same, where somebody may have chosen to have it so.
    pub yours: Option<Yours>,
}

impl Lost {
    /// What nobody chooses.
    fn plain(text: String) -> Lost {
        Lost { text, yours: None }
    }

    fn chosen(text: String, name: impl Into<String>, now: &str) -> Lost {
        let yours = Yours {
            name: name.into(),
            now: now.to_owned(),
        };
        Lost {
            text,
            yours: Some(yours),
        }
    }
}

impl Undo {
    /// What an act was done to, where a later one may have been done to the same.
    pub(crate) fn subject(&self) -> Option<&Path> {
        let is_file = matches!(self, Undo::RemoveFile { .. } | Undo::RestoreFile { .. });
        self.file().filter(|_| is_file)
    }

    /// What of the act no longer holds. Keys of daemon.json and units are not looked at here.
    pub(crate) fn lost(&self, host: &Host) -> Result<Vec<Lost>> {
        let lost = match self {
            Undo::RemoveFile { path, sha256 } => file(host, path, sha256)?,
            Undo::RestoreFile { path, sha256, .. } => match sha256 {
                Some(sha256) => file(host, path, sha256)?,
                // Of others that were moved or kept, a package has its own by now.
                None if apt::is_source_file(path) && host.exists(path)? => {
                    Some(Lost::plain(format!("{} is there again", path.display())))
                }
                None => None,
            },
            Undo::RestoreMode {
                path, mode, given, ..
            } => lost_mode(host, path, *mode, *given).map(Lost::plain),
            Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. } => {
                return lost_packages(host, packages);
            }
            Undo::RemoveGroup { group } => match host.group_members(group)? {
                Some(_) => None,
                None => Some(Lost::plain(format!("there is no group {group} any more"))),
            },
            Undo::RemoveMember { group, user } => lost_member(host, group, user)?,
            // Caches, data and folders that others use as they like, and what leaves no trace.
            Undo::RestoreLink { .. }
            | Undo::RemoveList { .. }
            | Undo::RemoveArchives { .. }
            | Undo::RemoveFolder { .. }
            | Undo::RestoreDaemonJson { .. }
            | Undo::RestartEngine { .. }
            | Undo::KeepUpgrades { .. }
            | Undo::KeepConfigured { .. }
            | Undo::OfferPackages { .. }
            | Undo::StartUnits { .. }
            | Undo::RestoreUnit { .. }
            | Undo::RemoveData { .. } => None,
        };
        Ok(lost.into_iter().collect())
    }

    /// The unit that an act has enabled or started, if that is what it did.
    pub(crate) fn unit(&self) -> Option<ManagedUnit<'_>> {
        match self {
            Undo::RestoreUnit {
                unit,
                enabled,
                active,
            } => Some(ManagedUnit {
                name: unit,
                is_enabled: !enabled,
                is_active: !active,
                of_package: false,
            }),
            Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. } => {
                let is_engine = packages.iter().any(|package| package == ENGINE);
                is_engine.then_some(ManagedUnit {
                    name: UNIT,
                    is_enabled: true,
                    is_active: true,
                    of_package: true,
                })
            }
            _ => None,
        }
    }
}

/// A unit as it was set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ManagedUnit<'a> {
    pub name: &'a str,
    pub is_enabled: bool,
    pub is_active: bool,
    /// Whether its package came with the install, and is looked at by itself.
    pub of_package: bool,
}

impl ManagedUnit<'_> {
    /// The same, where an earlier act was about it as well.
    pub(crate) fn and(self, other: ManagedUnit<'_>) -> Self {
        ManagedUnit {
            is_enabled: self.is_enabled || other.is_enabled,
            is_active: self.is_active || other.is_active,
            of_package: self.of_package || other.of_package,
            ..self
        }
    }

    /// What of it no longer holds. After an install that `starts` nothing, it need not run.
    pub(crate) fn lost(self, host: &Host, starts: bool) -> Result<Vec<Lost>> {
        let ManagedUnit {
            name,
            is_enabled,
            is_active,
            of_package,
        } = self;
        let state = host.unit(name)?;
        let is = |key: &str, value: &str| state.get(key).is_some_and(|it| it == value);
        if is("LoadState", "not-found") {
            let gone = Lost::plain(format!("{name} is gone"));
            return Ok((!of_package).then_some(gone).into_iter().collect());
        }
        let mut lost = Vec::new();
        if is_enabled && !is("UnitFileState", "enabled") {
            let text = format!("{name} is not enabled");
            lost.push(if name == UNIT && is("UnitFileState", "disabled") {
                Lost::chosen(text, name, "disabled")
            } else {
                Lost::plain(text)
            });
        }
        if is_active && starts && !is("ActiveState", "active") {
            lost.push(Lost::plain(format!("{name} is not running")));
        }
        Ok(lost)
    }
}

/// What of a mode that was set no longer holds: it was to open something, or to keep others out.
fn lost_mode(host: &Host, path: &Path, before: u32, given: Option<u32>) -> Option<String> {
    let there = std::fs::metadata(host.path(path)).ok()?;
    let (now, shown) = (there.mode() & 0o7777, path.display());
    let given = given.unwrap_or(before & !0o077);
    let opened = given & !before;
    if now & opened != opened {
        return Some(format!("{shown} has the mode {now:04o}"));
    }
    let is_open = before & !given != 0 && now & 0o077 & !given != 0;
    is_open.then(|| format!("other users can read {shown} again"))
}

fn file(host: &Host, path: &Path, sha256: &str) -> Result<Option<Lost>> {
    let path = path.display().to_string();
    Ok(match host.sha256(&path)? {
        None => Some(Lost::chosen(format!("{path} is gone"), path, "removed")),
        Some(now) if now.to_string() != sha256 => {
            Some(Lost::chosen(format!("{path} was edited"), path, "edited"))
        }
        Some(_) => None,
    })
}

fn lost_member(host: &Host, group: &str, user: &str) -> Result<Option<Lost>> {
    let text = || format!("{user} is no longer a member of group {group}");
    Ok(match host.group_members(group)? {
        Some(members) if members.iter().any(|it| it == user) => None,
        Some(_) => {
            let now = format!("not in group {group}");
            Some(Lost::chosen(text(), member(user), &now))
        }
        None => Some(Lost::plain(text())),
    })
}

/// The name of a user's membership.
pub(crate) fn member(user: &str) -> String {
    format!("user:{user}")
}

/// The user of such a name.
pub(crate) fn user_of(name: &str) -> Option<&str> {
    name.strip_prefix("user:")
}

fn lost_packages(host: &Host, packages: &[String]) -> Result<Vec<Lost>> {
    let states = package_states(host, packages)?;
    let lost = packages.iter().filter_map(|package| {
        let text = format!("{package} is no longer installed");
        match states.get(package).map(String::as_str) {
            Some("installed") => None,
            None | Some("config-files") => Some(Lost::chosen(text, package, "removed")),
            Some(_) => Some(Lost::plain(text)),
        }
    });
    Ok(lost.collect())
}

#[cfg(test)]
mod tests;
