//! Whether what was done still stands, found out from the ways back: what they would take away
//! must be there.
//!
//! It must not change anything, and need not know which step an act belongs to.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;

use super::Undo;
use crate::apt;
use crate::host::Host;
use crate::host::command::Command;
use crate::host::engine::UNIT;

/// The package whose scripts enable and start the engine.
const ENGINE: &str = "docker-ce";

impl Undo {
    /// What an act was done to, where a later one may have been done to the same.
    pub fn subject(&self) -> Option<&Path> {
        let is_file = matches!(self, Undo::RemoveFile { .. } | Undo::RestoreFile { .. });
        self.file().filter(|_| is_file)
    }

    /// What of the act no longer holds, a line each. Keys of daemon.json and units are not looked at
    /// here.
    pub fn lost(&self, host: &Host) -> Result<Vec<String>> {
        let lost = match self {
            Undo::RemoveFile { path, sha256 } => file(host, path, sha256)?,
            Undo::RestoreFile { path, sha256, .. } => match sha256 {
                Some(sha256) => file(host, path, sha256)?,
                // Of others that were moved or kept, a package has its own by now.
                None if apt::is_source_file(path) && host.exists(path)? => {
                    Some(format!("{} is there again", path.display()))
                }
                None => None,
            },
            Undo::RestoreMode {
                path, mode, given, ..
            } => lost_mode(host, path, *mode, *given),
            Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. } => {
                return lost_packages(host, packages);
            }
            Undo::RemoveGroup { group } => match host.group_members(group)? {
                Some(_) => None,
                None => Some(format!("there is no group {group} any more")),
            },
            Undo::RemoveMember { group, user } => {
                let members = host.group_members(group)?.unwrap_or_default();
                let is_member = members.contains(user);
                (!is_member).then(|| format!("{user} is no longer a member of group {group}"))
            }
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
    pub fn unit(&self) -> Option<Unit<'_>> {
        match self {
            Undo::RestoreUnit {
                unit,
                enabled,
                active,
            } => Some(Unit {
                name: unit,
                is_enabled: !enabled,
                is_active: !active,
                of_package: false,
            }),
            Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. } => {
                let is_engine = packages.iter().any(|package| package == ENGINE);
                is_engine.then_some(Unit {
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
pub struct Unit<'a> {
    pub name: &'a str,
    pub is_enabled: bool,
    pub is_active: bool,
    /// Whether its package came with the install, and is looked at by itself.
    pub of_package: bool,
}

impl Unit<'_> {
    /// The same, where an earlier act was about it as well.
    pub fn and(self, other: Unit<'_>) -> Self {
        Unit {
            is_enabled: self.is_enabled || other.is_enabled,
            is_active: self.is_active || other.is_active,
            of_package: self.of_package || other.of_package,
            ..self
        }
    }

    /// What of it no longer holds, a line each. After an install that `starts` nothing, it need not
    /// run.
    pub fn lost(self, host: &Host, starts: bool) -> Result<Vec<String>> {
        let Unit {
            name,
            is_enabled,
            is_active,
            of_package,
        } = self;
        let state = host.unit(name)?;
        let is = |key: &str, value: &str| state.get(key).is_some_and(|it| it == value);
        if is("LoadState", "not-found") {
            let gone = format!("{name} is gone");
            return Ok((!of_package).then_some(gone).into_iter().collect());
        }
        let mut lost = Vec::new();
        if is_enabled && !is("UnitFileState", "enabled") {
            lost.push(format!("{name} is not enabled"));
        }
        if is_active && starts && !is("ActiveState", "active") {
            lost.push(format!("{name} is not running"));
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

fn file(host: &Host, path: &Path, sha256: &str) -> Result<Option<String>> {
    let path = path.display();
    Ok(match host.sha256(path.to_string())? {
        None => Some(format!("{path} is gone")),
        Some(now) if now.to_string() != sha256 => Some(format!("{path} was edited")),
        Some(_) => None,
    })
}

fn lost_packages(host: &Host, packages: &[String]) -> Result<Vec<String>> {
    let query = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
        .args(packages);
    // It exits 1 when it does not know all of them.
    let known = host.query(&query)?.stdout;
    let is_installed = |package: &str| {
        let line = format!("{package} installed");
        known.lines().any(|known| known == line)
    };
    let gone = packages.iter().filter(|package| !is_installed(package));
    Ok(gone
        .map(|package| format!("{package} is no longer installed"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    fn lost(stub: &StubHost, undo: &Undo) -> String {
        undo.lost(stub.host()).unwrap().join("\n")
    }

    #[test]
    fn a_file_stands_as_long_as_its_content_does() {
        let undo = Undo::RemoveFile {
            path: "/etc/key".into(),
            sha256: crate::trust::sha256_hex(b"ours"),
        };
        let stub = StubHost::new().file("/etc/key", "ours");
        assert_eq!(lost(&stub, &undo), "");
        stub.write("/etc/key", "theirs");
        assert_eq!(lost(&stub, &undo), "/etc/key was edited");
        assert_eq!(lost(&StubHost::new(), &undo), "/etc/key is gone");
        let aside = |path: &str| Undo::RestoreFile {
            path: path.into(),
            sha256: None,
            backup: "/backup".into(),
            backup_sha256: None,
        };
        let list = "/etc/apt/sources.list.d/docker.list";
        assert_eq!(lost(&StubHost::new(), &aside(list)), "");
        let again = format!("{list} is there again");
        assert_eq!(lost(&StubHost::new().file(list, ""), &aside(list)), again);
        // A package has its own file there by now.
        assert_eq!(lost(&stub, &aside("/etc/key")), "");
    }

    #[test]
    fn members_groups_and_modes_stand_as_they_were_made() {
        let stub = StubHost::new().file("/secret", "").program(
            "getent",
            "[ $2 = docker ] && echo docker:x:990:alice || exit 2",
        );
        let member = |user: &str| Undo::RemoveMember {
            group: "docker".to_owned(),
            user: user.to_owned(),
        };
        assert_eq!(lost(&stub, &member("alice")), "");
        assert_eq!(
            lost(&stub, &member("bob")),
            "bob is no longer a member of group docker"
        );
        let group = Undo::RemoveGroup {
            group: "wheel".to_owned(),
        };
        assert_eq!(lost(&stub, &group), "there is no group wheel any more");
        let mode = Undo::RestoreMode {
            path: "/secret".into(),
            mode: 0o644,
            given: None,
            owner: None,
            open: Vec::new(),
        };
        assert_eq!(lost(&stub, &mode), "other users can read /secret again");
        let hidden = Undo::RestoreMode {
            path: "/secret".into(),
            mode: 0o644,
            given: Some(0o600),
            owner: None,
            open: Vec::new(),
        };
        assert_eq!(lost(&stub, &hidden), "other users can read /secret again");
        stub.set_mode("/secret", 0o600);
        assert_eq!(lost(&stub, &mode) + &lost(&stub, &hidden), "");
        let opened = Undo::RestoreMode {
            path: "/secret".into(),
            mode: 0o600,
            given: Some(0o644),
            owner: None,
            open: Vec::new(),
        };
        assert_eq!(lost(&stub, &opened), "/secret has the mode 0600");
        stub.set_mode("/secret", 0o644);
        assert_eq!(lost(&stub, &opened), "");
    }

    #[test]
    fn the_engines_package_stands_for_its_unit() {
        let packages = ["docker-ce", "pigz"].map(str::to_owned).to_vec();
        let purge = Undo::PurgePackages {
            packages,
            network: None,
        };
        let stub = StubHost::new()
            .program(
                "dpkg-query",
                "echo docker-ce installed; echo pigz installed",
            )
            .program(
                "systemctl",
                "echo UnitFileState=enabled; echo ActiveState=failed",
            );
        assert_eq!(lost(&stub, &purge), "");
        let unit = purge.unit().unwrap();
        let lost_of = |starts: bool| unit.lost(stub.host(), starts).unwrap();
        assert_eq!(lost_of(true), ["docker.service is not running"]);
        assert!(lost_of(false).is_empty());
        let stub = stub.program("dpkg-query", "echo docker-ce installed; exit 1");
        assert_eq!(lost(&stub, &purge), "pigz is no longer installed");
    }
    #[test]
    fn a_unit_that_went_with_its_package_is_no_second_loss() {
        let stub = StubHost::new().program("systemctl", "echo LoadState=not-found");
        let unit = Unit {
            name: UNIT,
            is_enabled: true,
            is_active: false,
            of_package: true,
        };
        let started = Unit {
            is_active: true,
            is_enabled: false,
            of_package: false,
            ..unit
        };
        assert_eq!(unit.and(started).lost(stub.host(), true).unwrap(), [""; 0]);
        let of_others = started.lost(stub.host(), true).unwrap();
        assert_eq!(of_others, ["docker.service is gone"]);
        let stub = stub.program("systemctl", "echo ActiveState=failed");
        let lost = unit.and(started).lost(stub.host(), true).unwrap();
        assert_eq!(lost.len(), 2, "{lost:?}");
    }
}
