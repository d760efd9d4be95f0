//! What an undo may name. The journal is a file, and root does what it says: an undo that dockstrap
//! cannot have written is refused before anything is done.

use std::path::{Component, Path};

use thiserror::Error;

use super::{FOLDER, JOURNAL, LINKED, Undo};
use crate::apt;
use crate::docker::GROUP;
use crate::host::UserName;

/// The kinds of units whose state is ever restored.
const UNITS: &[&str] = &["service", "socket", "target", "timer"];

/// The bits of a mode with which a program runs as its owner or group.
const SET_ID: u32 = 0o6000;

/// Why an undo is none of dockstrap's.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{what} `{value}` {fault}, which dockstrap never writes")]
pub(crate) struct Forged {
    what: &'static str,
    value: String,
    fault: &'static str,
}

impl Forged {
    fn new(what: &'static str, value: &str, fault: &'static str) -> Forged {
        let value = value.escape_debug().to_string();
        Forged { what, value, fault }
    }
}

impl Undo {
    /// Refuses what no act of dockstrap's names.
    pub(crate) fn check(&self) -> Result<(), Forged> {
        match self {
            Undo::RemoveFile { path, .. } | Undo::RemoveFolder { path } => normal(path),
            Undo::RestoreFile { path, backup, .. } => {
                normal(path)?;
                let is_journal = backup.as_path() == Path::new(JOURNAL);
                if is_journal {
                    Err(Forged::new("copy", JOURNAL, "is the journal"))
                } else {
                    beneath("copy", backup, FOLDER)
                }
            }
            Undo::RestoreLink { path, target } => link(path, target),
            Undo::RemoveList { path } => directly_in("list", path, apt::LISTS),
            Undo::RemoveArchives { paths, .. } => {
                let mut paths = paths.iter();
                paths.try_for_each(|path| directly_in("package file", path, apt::ARCHIVES))
            }
            Undo::RestoreMode { path, mode, .. } => {
                normal(path)?;
                mode_of(path, *mode)
            }
            Undo::RemoveData { paths, used } => {
                paths.iter().chain(used).try_for_each(|it| normal(it))
            }
            Undo::RestartEngine { containers } => all(containers, container),
            Undo::PurgePackages { packages, .. }
            | Undo::RemovePackages { packages, .. }
            | Undo::KeepConfigured { packages } => all(packages, package),
            Undo::OfferPackages {
                asked_for,
                automatic,
            } => all(asked_for, package).and_then(|()| all(automatic, package)),
            Undo::RemoveGroup { group } => docker_group(group),
            Undo::RemoveMember { group, user } => {
                docker_group(group)?;
                let user_name = UserName::new(user).map(drop);
                user_name.map_err(|_| Forged::new("user", user, "is no name"))
            }
            Undo::StartUnits {
                enabled,
                active,
                containers,
            } => {
                all(enabled, unit)?;
                all(active, unit)?;
                all(containers, container)
            }
            Undo::RestoreUnit { unit: name, .. } => unit(name),
            // Nothing of them names a file or goes to a program: keys of one file, and texts.
            Undo::RestoreDaemonJson { .. } | Undo::KeepUpgrades { .. } => Ok(()),
        }
    }
}

/// Refuses what is no name of a package, with or without an architecture.
pub(crate) fn package(name: &str) -> Result<(), Forged> {
    let (plain, architecture) = name.split_once(':').unwrap_or((name, "any"));
    let is_word = |text: &str, more: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
        text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && text.chars().all(fits)
    };
    // To apt, a name with a dash at its end is one to remove.
    if is_word(plain, "+-.") && !plain.ends_with('-') && is_word(architecture, "-") {
        Ok(())
    } else {
        Err(Forged::new("package", name, "is no name of one"))
    }
}

pub(crate) fn all(
    names: &[String],
    check: impl Fn(&str) -> Result<(), Forged>,
) -> Result<(), Forged> {
    names.iter().try_for_each(|name| check(name))
}

/// Requires an absolute path that is below the root and goes straight down.
fn normal(path: &Path) -> Result<(), Forged> {
    let text = path.to_string_lossy();
    let refuse = |fault| Err(Forged::new("path", &text, fault));
    let mut parts = path.components();
    if parts.next() != Some(Component::RootDir) {
        return refuse("is not absolute");
    }
    if text.contains(char::is_control) {
        return refuse("has control characters");
    }
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    match (parts.clone().all(is_plain), parts.next()) {
        (true, Some(_)) => Ok(()),
        (true, None) => refuse("is the root"),
        (false, _) => refuse("leads up"),
    }
}

fn beneath(what: &'static str, path: &Path, folder: &str) -> Result<(), Forged> {
    normal(path)?;
    if path.starts_with(folder) && path != Path::new(folder) {
        Ok(())
    } else {
        Err(Forged::new(what, &path.to_string_lossy(), "is elsewhere"))
    }
}

/// Requires a link that somebody may have in a place of Docker's.
fn link(path: &Path, target: &Path) -> Result<(), Forged> {
    let text = target.to_string_lossy();
    if !LINKED.iter().any(|it| path == Path::new(it)) {
        return Err(Forged::new("link", &path.to_string_lossy(), "is elsewhere"));
    }
    if text.is_empty() || text.contains(char::is_control) {
        Err(Forged::new("link to", &text, "is no path"))
    } else {
        Ok(())
    }
}

fn directly_in(what: &'static str, path: &Path, folder: &str) -> Result<(), Forged> {
    normal(path)?;
    if path.parent() == Some(Path::new(folder)) {
        Ok(())
    } else {
        Err(Forged::new(what, &path.to_string_lossy(), "is elsewhere"))
    }
}

/// Requires a mode that lets nothing run as somebody else.
fn mode_of(path: &Path, mode: u32) -> Result<(), Forged> {
    if mode <= 0o7777 && mode & SET_ID == 0 {
        Ok(())
    } else {
        Err(Forged::new(
            "mode of",
            &path.to_string_lossy(),
            "would run it as its owner",
        ))
    }
}

fn docker_group(group: &str) -> Result<(), Forged> {
    if group == GROUP {
        Ok(())
    } else {
        Err(Forged::new("group", group, "is not group docker"))
    }
}

/// A name that no program takes for an option or a path.
fn is_word(text: &str, more: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

fn unit(name: &str) -> Result<(), Forged> {
    let kind = name.rsplit_once('.').map(|(_, kind)| kind);
    if is_word(name, ":_.\\@-") && kind.is_some_and(|kind| UNITS.contains(&kind)) {
        Ok(())
    } else {
        Err(Forged::new("unit", name, "is no name of one"))
    }
}

fn container(name: &str) -> Result<(), Forged> {
    if is_word(name, "_.-") {
        Ok(())
    } else {
        Err(Forged::new("container", name, "is no name of one"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(undo: Value) -> Result<(), Forged> {
        serde_json::from_value::<Undo>(undo).unwrap().check()
    }

    #[test]
    fn what_dockstrap_writes_passes() {
        for undo in [
            json!({"kind": "remove-file", "path": "/etc/docker/certs.d/r:5000/ca.crt", "sha256": ""}),
            json!({"kind": "restore-file", "path": "/etc/apt/sources.list.d/docker.list",
                   "backup": "/var/lib/dockstrap/3-docker.list"}),
            json!({"kind": "restore-link", "path": "/etc/docker", "target": "../srv/docker"}),
            json!({"kind": "remove-list", "path": "/var/lib/apt/lists/d_InRelease"}),
            json!({"kind": "remove-archives", "paths": ["/var/cache/apt/archives/a_1%3a2_amd64.deb"]}),
            json!({"kind": "remove-data", "paths": ["/srv/docker/"], "used": ["/srv//data"]}),
            json!({"kind": "purge-packages", "packages": ["libc6:i386", "docker-ce", "g++-12"]}),
            json!({"kind": "keep-upgrades", "packages": ["iptables 1 → 2"]}),
            json!({"kind": "restore-mode", "path": "/etc/docker", "mode": 0o1755}),
            json!({"kind": "start-units", "enabled": ["docker.socket"],
                   "active": ["docker@1.service"], "containers": ["web_1"]}),
            json!({"kind": "remove-member", "group": "docker", "user": "EXAMPLE\\alice"}),
        ] {
            assert_eq!(check(undo.clone()), Ok(()), "{undo}");
        }
    }

    #[test]
    fn no_path_leads_out_of_where_its_undo_may_go() {
        for path in [
            "etc/docker",
            "/etc/../bin/sh",
            "/",
            "",
            "/etc/a\u{0}b",
            "/etc/a\nb",
        ] {
            for undo in [
                json!({"kind": "remove-file", "path": path, "sha256": ""}),
                json!({"kind": "restore-file", "path": path, "backup": "/var/lib/dockstrap/1-a"}),
                json!({"kind": "remove-folder", "path": path}),
                json!({"kind": "restore-mode", "path": path, "mode": 0o644}),
                json!({"kind": "remove-data", "paths": [path]}),
                json!({"kind": "remove-data", "paths": [], "used": [path]}),
                json!({"kind": "remove-list", "path": path}),
                json!({"kind": "remove-archives", "paths": [path]}),
            ] {
                assert!(check(undo.clone()).is_err(), "{undo}");
            }
        }
        for undo in [
            json!({"kind": "restore-link", "path": "/etc/cron.d", "target": "/tmp"}),
            json!({"kind": "restore-link", "path": "/etc/docker/../cron.d", "target": "/tmp"}),
            json!({"kind": "restore-link", "path": "/etc/docker", "target": "/a\nb"}),
            json!({"kind": "remove-list", "path": "/etc/shadow"}),
            json!({"kind": "remove-list", "path": "/var/lib/apt/lists"}),
            json!({"kind": "remove-list", "path": "/var/lib/apt/lists/../../../etc/shadow"}),
            json!({"kind": "remove-archives", "paths": ["/var/cache/apt/archives/a.deb", "/etc/shadow"]}),
            json!({"kind": "remove-archives", "paths": ["/var/cache/apt/archives/partial/a.deb"]}),
            json!({"kind": "restore-file", "path": "/etc/shadow", "backup": "/tmp/shadow"}),
            json!({"kind": "restore-file", "path": "/etc/shadow",
                   "backup": "/var/lib/dockstrap/../../../tmp/shadow"}),
            json!({"kind": "restore-file", "path": "/etc/cron.d/x", "backup": "/var/lib/dockstrap/journal"}),
            json!({"kind": "restore-file", "path": "/etc/cron.d/x", "backup": "/var/lib/dockstrap"}),
            json!({"kind": "restore-file", "path": "/etc/cron.d/x", "backup": "/var/lib/dockstrap2/x"}),
            json!({"kind": "restore-mode", "path": "/bin/bash", "mode": 0o4755}),
            json!({"kind": "restore-mode", "path": "/bin/bash", "mode": 0o2755}),
            json!({"kind": "restore-mode", "path": "/bin/bash", "mode": 0o100_755}),
        ] {
            assert!(check(undo.clone()).is_err(), "{undo}");
        }
    }

    #[test]
    fn names_are_names_and_no_options() {
        for name in ["-x", "--force", "", "a b", "a/b", "../a", "a\nb", "a;b"] {
            for undo in [
                json!({"kind": "purge-packages", "packages": [name]}),
                json!({"kind": "remove-packages", "packages": ["git", name]}),
                json!({"kind": "offer-packages", "asked_for": [name], "automatic": []}),
                json!({"kind": "offer-packages", "asked_for": [], "automatic": [name]}),
                json!({"kind": "keep-configured", "packages": [name]}),
                json!({"kind": "restart-engine", "containers": [name]}),
                json!({"kind": "remove-group", "group": name}),
                json!({"kind": "remove-member", "group": "docker", "user": name}),
                json!({"kind": "remove-member", "group": name, "user": "alice"}),
                json!({"kind": "restore-unit", "unit": name, "enabled": true, "active": true}),
                json!({"kind": "start-units", "enabled": [name], "active": [], "containers": []}),
                json!({"kind": "start-units", "enabled": [], "active": [name], "containers": []}),
                json!({"kind": "start-units", "enabled": [], "active": [], "containers": [name]}),
            ] {
                assert!(check(undo.clone()).is_err(), "{undo}");
            }
        }
        for undo in [
            json!({"kind": "remove-group", "group": "sudo"}),
            json!({"kind": "purge-packages", "packages": ["git-"]}),
            json!({"kind": "remove-member", "group": "docker", "user": "1000"}),
            json!({"kind": "restore-unit", "unit": "docker", "enabled": true, "active": true}),
        ] {
            assert!(check(undo.clone()).is_err(), "{undo}");
        }
    }
}
