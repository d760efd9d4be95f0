//! Who may use the engine.

use std::os::unix::fs::MetadataExt;

use anyhow::Result;

use super::told::Told;
use super::{Check, Severity};
use crate::facts::{ENGINE_PACKAGES, Facts};
use crate::host::Host;
use crate::host::command::Command;
use crate::host::engine::{GROUP, SOCKET};

pub const CHECKS: &[Check] = &[
    Check {
        id: "DS701",
        severity: Severity::Note,
        title: "nobody beside root may use the engine",
        danger: "who may is as good as root: a container can be given all of the host's files.",
        cure: "nothing, when it is meant; else: gpasswd --delete USER docker",
        link: "https://docs.docker.com/engine/security/#docker-daemon-attack-surface",
        look: members,
        fix: None,
    },
    Check {
        id: "DS702",
        severity: Severity::Warning,
        title: "your session has the groups that you are a member of",
        danger: "the docker command is refused, though you are a member of group docker.",
        cure: "log out and in again, or for one shell: newgrp docker",
        link: "https://docs.docker.com/engine/install/linux-postinstall/",
        look: session,
        fix: None,
    },
    Check {
        id: "DS703",
        severity: Severity::Error,
        title: "the engine's socket is closed to strangers",
        danger: "every user and every service of the host is as good as root.",
        cure: "let systemd make it again: systemctl restart docker.socket docker.service, and see who \
               opened it: systemctl cat docker.socket",
        link: "https://docs.docker.com/engine/security/protect-access/",
        look: socket,
        fix: None,
    },
    Check {
        id: "DS704",
        severity: Severity::Error,
        title: "there is a group docker",
        danger: "only root can use the engine, and its socket unit may not start.",
        cure: "sudo dockstrap install",
        link: "https://docs.docker.com/engine/install/linux-postinstall/",
        look: group,
        fix: None,
    },
];

fn members(host: &Host, _: &Facts) -> Result<Option<String>> {
    let members = host.group_members(GROUP)?.unwrap_or_default();
    Ok((!members.is_empty())
        .then(|| format!("as good as root by group {GROUP}: {}", members.join(", "))))
}

/// Looks at the nearest process above this one that is not root's: the user's shell.
fn session(host: &Host, _: &Facts) -> Result<Option<String>> {
    let entry = host
        .query(&Command::new("getent").args(["group", GROUP]))?
        .stdout;
    let fields: Vec<&str> = entry.trim().split(':').collect();
    let [_, _, group, members] = fields[..] else {
        return Ok(None);
    };
    let mut process = std::process::id().to_string();
    while process != "0" {
        let status = host
            .read_text(format!("/proc/{process}/status"))?
            .unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default()
                .split_whitespace()
                .collect::<Vec<_>>()
        };
        let user = field("Uid:").first().copied().unwrap_or("0").to_owned();
        if user != "0" {
            let passwd = host
                .query(&Command::new("getent").args(["passwd", &user]))?
                .stdout;
            let name = passwd.split(':').next().unwrap_or_default().to_owned();
            let is_member = members.split(',').any(|member| member == name);
            let has_it = field("Groups:").contains(&group) || field("Gid:").contains(&group);
            return Ok((is_member && !has_it).then(|| {
                format!("{name} is a member of group {GROUP}, but not yet in this session")
            }));
        }
        let parent = field("PPid:");
        process = parent.first().copied().unwrap_or("0").to_owned();
    }
    Ok(None)
}

fn socket(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let Some(there) = host.metadata(SOCKET)? else {
        return Ok(None);
    };
    let mode = there.mode() & 0o7777;
    if mode & 0o006 != 0 {
        return Ok(Some(format!(
            "{SOCKET} has the mode {mode:04o}: anyone may use it"
        )));
    }
    if there.gid() == 0 || mode & 0o060 == 0 {
        return Ok(None);
    }
    let entry = Command::new("getent").args(["group", &there.gid().to_string()]);
    let entry = host.query(&entry)?.stdout;
    let name = entry.split(':').next().unwrap_or_default();
    let meant = Told::of(host, facts)?.text("group");
    let is_meant = name == meant.as_deref().unwrap_or(GROUP);
    Ok((!is_meant)
        .then(|| format!("{SOCKET} belongs to the group {name}: all of its members may use it")))
}

fn group(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let missing = facts.has(ENGINE_PACKAGES[0]) && host.group_members(GROUP)?.is_none();
    Ok(missing.then(|| format!("the engine is installed, but there is no group {GROUP}")))
}
