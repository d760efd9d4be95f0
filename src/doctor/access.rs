//! Who may use the engine, or change what it goes by.

use std::os::unix::fs::MetadataExt;

use anyhow::Result;

use super::effective::EffectiveConfiguration;
use super::{Check, Level, audit, files};
use crate::docker::{GROUP, SOCKET};
use crate::facts::{ENGINE_PACKAGES, Facts};
use crate::host::command::Query;
use crate::host::query::Reader;
use crate::host::{Group, Host};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS701",
        severity: Level::Note,
        title: "only root has access to the engine",
        danger: "who may is as good as root: a container can be given all of the host's files.",
        cure: "nothing, when it is meant; else: gpasswd --delete USER docker",
        link: "https://docs.docker.com/engine/security/#docker-daemon-attack-surface",
        look: members,
        fix: None,
    },
    Check {
        id: "DS702",
        severity: Level::Warning,
        title: "your session has the groups that you are a member of",
        danger: "the docker command is refused, though you are a member of group docker.",
        cure: "log out and in again, or for one shell: newgrp docker",
        link: "https://docs.docker.com/engine/install/linux-postinstall/",
        look: session,
        fix: None,
    },
    Check {
        id: "DS703",
        severity: Level::Error,
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
        severity: Level::Error,
        title: "there is a group docker",
        danger: "only root can use the engine, and its socket unit may not start.",
        cure: "sudo dockstrap install",
        link: "https://docs.docker.com/engine/install/linux-postinstall/",
        look: group,
        fix: None,
    },
    Check {
        id: "DS705",
        severity: Level::Error,
        title: "only root can change what the engine goes by",
        danger: "a user who can change daemon.json, a unit or a drop-in, or a folder above one, can do anything as root \
                 through the engine; an install is refused.",
        cure: "check what the file says, then close it: sudo chmod go-w PATH",
        link: "https://docs.docker.com/engine/security/#docker-daemon-attack-surface",
        look: files::exposed,
        fix: None,
    },
    Check {
        id: "DS706",
        severity: Level::Warning,
        title: "secrets in daemon.json are root's alone to read",
        danger: "every user and service of the host can use the token or the password.",
        cure: "sudo chmod 0600 /etc/docker/daemon.json; the engine reads it as root",
        link: "https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file",
        look: files::readable_secret,
        fix: None,
    },
    Check {
        id: "DS707",
        severity: Level::Note,
        title: "units are root's, with the mode 0644 at most",
        danger: "CIS 3.1 to 3.4: others may read or change how the engine is started.",
        cure: "sudo chown root:root PATH; sudo chmod 0644 PATH",
        link: "https://www.cisecurity.org/benchmark/docker",
        look: files::units,
        fix: None,
    },
    Check {
        id: "DS708",
        severity: Level::Note,
        title: "/etc/docker is root's, with the mode 0755 at most",
        danger: "CIS 3.5 and 3.6: others may add files that the engine reads.",
        cure: "sudo chown root:root /etc/docker; sudo chmod 0755 /etc/docker",
        link: "https://www.cisecurity.org/benchmark/docker",
        look: files::folder,
        fix: None,
    },
    Check {
        id: "DS709",
        severity: Level::Note,
        title: "certificates of registries are root's, with the mode 0444 at most",
        danger: "CIS 3.7 and 3.8: others may change which registries the engine trusts; a client's key (0400 at most) \
                 is for the engine alone.",
        cure: "sudo chown root:root PATH; sudo chmod 0444 PATH (a key: 0400)",
        link: "https://www.cisecurity.org/benchmark/docker",
        look: files::certificates,
        fix: None,
    },
    Check {
        id: "DS710",
        severity: Level::Note,
        title: "the engine's TLS files are root's, certificates with the mode 0444 at most, the key with 0400",
        danger: "CIS 3.9 to 3.14: others may serve as this engine, or let clients of theirs in.",
        cure: "sudo chown root:root PATH; sudo chmod 0444 PATH (the key: 0400)",
        link: "https://www.cisecurity.org/benchmark/docker",
        look: files::tls,
        fix: None,
    },
    Check {
        id: "DS711",
        severity: Level::Note,
        title: "the engine's socket is of root and group docker, with the mode 0660 at most",
        danger: "CIS 3.15 and 3.16: others may use the engine.",
        cure: "let systemd make it again: systemctl restart docker.socket docker.service",
        link: "https://www.cisecurity.org/benchmark/docker",
        look: files::socket,
        fix: None,
    },
    Check {
        id: "DS712",
        severity: Level::Note,
        title: "daemon.json is root's, with the mode 0644 at most",
        danger: "CIS 3.17 and 3.18: others may change what the engine does.",
        cure: "sudo chown root:root /etc/docker/daemon.json; sudo chmod 0644 /etc/docker/daemon.json",
        link: "https://www.cisecurity.org/benchmark/docker",
        look: files::configuration,
        fix: None,
    },
    Check {
        id: "DS713",
        severity: Level::Note,
        title: "/etc/default/docker is root's, with the mode 0644 at most",
        danger: "CIS 3.19 and 3.20: others may change what a unit of your own passes to the engine.",
        cure: "sudo chown root:root /etc/default/docker; sudo chmod 0644 /etc/default/docker",
        link: "https://www.cisecurity.org/benchmark/docker",
        look: files::defaults,
        fix: None,
    },
    Check {
        id: "DS714",
        severity: Level::Note,
        title: "containerd's socket is root's, with the mode 0660 at most",
        danger: "CIS 3.23 and 3.24: others may run containers past the engine.",
        cure: "let containerd make it again: systemctl restart containerd.service",
        link: "https://www.cisecurity.org/benchmark/docker",
        look: files::containerd_socket,
        fix: None,
    },
    Check {
        id: "DS715",
        severity: Level::Note,
        title: "the key of Docker's repository is root's, with the mode 0644 at most",
        danger: "others may change whose packages apt installs.",
        cure: "sudo chown root:root PATH; sudo chmod 0644 PATH",
        link: "https://manpages.ubuntu.com/manpages/noble/man8/apt-secure.8.html",
        look: files::keyring,
        fix: None,
    },
    Check {
        id: "DS716",
        severity: Level::Note,
        title: "auditd watches the engine's programs and files",
        danger: "CIS 1.1.3 to 1.1.18: no record says who changed or used them. Checked only where auditd is \
                 installed.",
        cure: "add a rule for each, such as -w /usr/bin/dockerd -k docker, to /etc/audit/rules.d/docker.rules, then: \
               sudo augenrules --load",
        link: "https://www.cisecurity.org/benchmark/docker",
        look: audit::rules,
        fix: None,
    },
    Check {
        id: "DS717",
        severity: Level::Error,
        title: "group docker does not share its GID",
        danger: "with group root's GID, everyone in that group has root-equivalent access.",
        cure: "sudo groupdel --force docker && sudo dockstrap install",
        link: "https://docs.docker.com/engine/install/linux-postinstall/",
        look: roots_own,
        fix: None,
    },
];

fn members(host: &Host, _: &Facts) -> Result<Option<String>> {
    let members = host.group(GROUP)?.unwrap_or_default().everyone();
    Ok((!members.is_empty())
        .then(|| format!("as good as root by group {GROUP}: {}", members.join(", "))))
}

fn roots_own(host: &Host, _: &Facts) -> Result<Option<String>> {
    let group = host.group(GROUP)?;
    Ok(group
        .filter(Group::is_roots)
        .map(|_| format!("group {GROUP} has the GID 0, which is group root's")))
}

/// Looks at the nearest process above this one that is not root's: the user's shell.
fn session(host: &Host, _: &Facts) -> Result<Option<String>> {
    let entry = host
        .query(&Query::of(Reader::Getent).args(["group", GROUP]))?
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
                .query(&Query::of(Reader::Getent).args(["passwd", &user]))?
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
    let entry = Query::of(Reader::Getent).args(["group", &there.gid().to_string()]);
    let entry = host.query(&entry)?.stdout;
    let name = entry.split(':').next().unwrap_or_default();
    let meant = EffectiveConfiguration::of(host, facts)?.text("group");
    let is_meant = name == meant.as_deref().unwrap_or(GROUP);
    Ok((!is_meant)
        .then(|| format!("{SOCKET} belongs to the group {name}: all of its members may use it")))
}

fn group(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let missing = facts.has(ENGINE_PACKAGES[0]) && host.group_members(GROUP)?.is_none();
    Ok(missing.then(|| format!("the engine is installed, but there is no group {GROUP}")))
}
