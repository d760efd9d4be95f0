//! The plug-ins from which the `docker` command has its commands `buildx` and `compose`.
//!
//! It takes the first file of their name in a list of folders, so that one that somebody has put
//! there hides the package's own.

use std::fs::{Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::fcntl::OFlag;
use serde::Deserialize;

use super::{Host, UserName};
use crate::host::command::Query;
use crate::host::query::Reader;
use crate::shell;

/// Those that come with the engine.
pub(crate) const PLUGINS: &[&str] = &["buildx", "compose"];

/// Where the packages put them, and the folders that docker looks into before.
///
/// Source: docker/cli, `cli-plugins/manager/manager_unix.go`.
const PACKAGED: &str = "/usr/libexec/docker/cli-plugins";
const BEFORE: &[&str] = &[
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
];

/// The same in a user's home, before all others.
const IN_HOME: &str = ".docker/cli-plugins";

/// As `docker info` tells of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Plugin {
    name: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    err: Option<String>,
}

impl Host {
    /// Why the command that this plugin brings does not work, and what helps; nothing when it does.
    /// The users' own plugins are looked at, not run.
    pub(crate) fn plugin_fault(
        &self,
        plugin: &str,
        user: Option<&UserName>,
    ) -> Result<Option<String>> {
        match self.common_fault(plugin)? {
            None => self.fault_at_home(plugin, user),
            fault => Ok(fault),
        }
    }

    /// The same for all plugins, where files are out of their usual places: docker is asked only
    /// then, which takes a while.
    pub(crate) fn odd_plugin_faults(&self, user: Option<&UserName>) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for plugin in PLUGINS {
            let fault = if self.is_odd(plugin)? {
                self.plugin_fault(plugin, user)?
            } else {
                self.fault_at_home(plugin, user)?
            };
            faults.extend(fault);
        }
        Ok(faults)
    }

    fn is_odd(&self, plugin: &str) -> Result<bool> {
        for folder in BEFORE {
            if self.exists(file_of(Path::new(folder), plugin))? {
                return Ok(true);
            }
        }
        Ok(!self.exists(file_of(Path::new(PACKAGED), plugin))?)
    }

    /// What every user meets, as docker itself says.
    fn common_fault(&self, plugin: &str) -> Result<Option<String>> {
        let list = Query::of(Reader::DockerInfo).args(["--format", "{{json .ClientInfo.Plugins}}"]);
        // It fails where no engine answers, and knows its plugins all the same.
        let listed = self.query(&list)?.stdout;
        let listed: Option<Vec<Plugin>> =
            serde_json::from_str(listed.trim()).context("reading docker's list of its plugins")?;
        let mut listed = listed.unwrap_or_default().into_iter();
        let Some(found) = listed.find(|it| it.name == plugin) else {
            return Ok(Some(format!(
                "docker has no command {plugin}: its plugin is missing. Install it again: {}",
                reinstall(plugin)
            )));
        };
        let Some(fault) = found.err else {
            return Ok(None);
        };
        let fault = fault.split_whitespace().collect::<Vec<&str>>().join(" ");
        let path = Path::new(&found.path);
        Ok(Some(if self.is_packaged(path)? {
            format!(
                "docker has no command {plugin}: {} does not work ({fault}). Install it again: {}",
                found.path,
                reinstall(plugin)
            )
        } else {
            hidden(plugin, path, &fault)
        }))
    }

    /// What the users meet who are at work: the one of this process, and the one behind sudo.
    fn fault_at_home(&self, plugin: &str, user: Option<&UserName>) -> Result<Option<String>> {
        let own = nix::unistd::geteuid().to_string();
        let users = [Some(own.as_str()), user.map(UserName::as_str)];
        for user in users.into_iter().flatten() {
            let entry = self.query(&Query::of(Reader::Getent).args(["passwd", user]))?;
            let Some(home) = entry.stdout.trim().split(':').nth(5) else {
                continue;
            };
            let path = file_of(&Path::new(home).join(IN_HOME), plugin);
            if let Some(fault) = self.fault_of_file(&path) {
                return Ok(Some(hidden(plugin, &path, fault)));
            }
        }
        Ok(None)
    }

    /// What keeps a file from being run, if it is there; it is not tried.
    fn fault_of_file(&self, path: &Path) -> Option<&'static str> {
        let mut options = OpenOptions::new();
        // A pipe in its place must not hold us up.
        let options = options.read(true).custom_flags(OFlag::O_NONBLOCK.bits());
        let opened = options.open(self.path(path));
        let is_link = self.path(path).is_symlink();
        if is_link
            && opened
                .as_ref()
                .is_err_and(|it| it.kind() == ErrorKind::NotFound)
        {
            return Some("it is a link that leads nowhere");
        }
        let mut file = opened.ok()?;
        let there = file.metadata().ok().filter(Metadata::is_file)?;
        if there.permissions().mode() & 0o111 == 0 {
            return Some("it is not executable");
        }
        let mut head = [0; 20];
        match file.read_exact(&mut head) {
            Ok(()) => fault_of_head(&head),
            Err(_) if head.starts_with(b"#!") => None,
            Err(_) => Some("it is no program"),
        }
    }

    fn is_packaged(&self, path: &Path) -> Result<bool> {
        let search = Query::of(Reader::DpkgQuery).arg("--search").arg(path);
        let found = self.query(&search)?;
        match found.code {
            1 => Ok(false),
            _ => found.success().map(|_| true),
        }
    }
}

/// The machine that a program is for stands behind its first 18 bytes.
fn fault_of_head(head: &[u8; 20]) -> Option<&'static str> {
    let ours = match std::env::consts::ARCH {
        "x86_64" => Some(62),
        "aarch64" => Some(183),
        _ => None,
    };
    if head.starts_with(b"#!") {
        return None;
    }
    if !head.starts_with(b"\x7fELF") {
        return Some("it is no program");
    }
    let machine = u16::from_le_bytes([head[18], head[19]]);
    ours.is_some_and(|ours| ours != machine)
        .then_some("it is a program for another architecture")
}

/// That a file which does not work hides the package's own.
fn hidden(plugin: &str, path: &Path, fault: &str) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Beside the folder, since docker takes whatever is in it for a plugin.
    let folder = path.parent().and_then(Path::parent).unwrap_or(path);
    let aside = folder.join(format!("{name}.moved"));
    let words = [Path::new("mv"), Path::new("--backup"), path, &aside];
    format!(
        "docker has no command {plugin}: {} is no package's and does not work ({fault}), and docker \
         takes it before the package's own. Move it away: sudo {}",
        path.display(),
        shell::joined(words)
    )
}

fn file_of(folder: &Path, plugin: &str) -> PathBuf {
    folder.join(format!("docker-{plugin}"))
}

fn reinstall(plugin: &str) -> String {
    format!("sudo apt-get install --reinstall docker-{plugin}-plugin")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const LOCAL: &str = "/usr/local/lib/docker/cli-plugins/docker-compose";

    fn host(plugins: &str) -> StubHost {
        StubHost::new()
            .program("docker", &format!("printf '%s' '{plugins}'; exit 1"))
            .program(
                "dpkg-query",
                "case $* in */usr/libexec/*) ;; *) exit 1 ;; esac",
            )
            .program("getent", "echo alice:x:1000:1000::/home/alice:/bin/sh")
            .file(&format!("{PACKAGED}/docker-buildx"), "")
            .file(&format!("{PACKAGED}/docker-compose"), "")
    }

    fn fault(stub: &StubHost) -> String {
        stub.host()
            .plugin_fault("compose", None)
            .unwrap()
            .unwrap_or_default()
    }

    #[test]
    fn a_file_of_no_package_that_hides_the_packages_own_is_named_with_the_way_out() {
        let stub = host(&format!(
            r#"[{{"Name":"compose","Path":"{LOCAL}","Err":"failed: exec format\nerror"}}]"#
        ));
        let text = fault(&stub);
        assert!(
            text.contains(LOCAL) && text.contains("(failed: exec format error)"),
            "{text}"
        );
        let moved = "/usr/local/lib/docker/docker-compose.moved";
        assert!(
            text.ends_with(&format!("sudo mv --backup {LOCAL} {moved}")),
            "{text}"
        );
    }

    #[test]
    fn the_packages_own_is_installed_again_when_it_is_missing_or_broken() {
        let broken =
            format!(r#"[{{"Name":"compose","Path":"{PACKAGED}/docker-compose","Err":"x"}}]"#);
        for plugins in ["[]", "null", &broken] {
            let text = fault(&host(plugins));
            assert!(
                text.ends_with("sudo apt-get install --reinstall docker-compose-plugin"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_users_own_is_looked_at_and_not_run() {
        let stub = host(r#"[{"Name":"compose","Path":"x"},{"Name":"buildx","Path":"x"}]"#);
        assert_eq!(fault(&stub), "");
        let path = "/home/alice/.docker/cli-plugins/docker-compose";
        stub.write(path, "Not Found");
        assert!(fault(&stub).contains("it is not executable"));
        stub.set_mode(path, 0o755);
        let text = fault(&stub);
        assert!(
            text.contains(path) && text.contains("(it is no program)"),
            "{text}"
        );
        stub.write(path, "#!/bin/sh\n");
        stub.set_mode(path, 0o755);
        assert_eq!(fault(&stub), "");
        let stub = stub.link(path, "/gone");
        assert!(fault(&stub).contains("leads nowhere"));
    }

    #[test]
    fn docker_is_not_asked_where_all_is_in_its_place() {
        let stub = host("[]");
        assert_eq!(stub.host().odd_plugin_faults(None).unwrap(), [""; 0]);
        assert!(!stub.calls().concat().contains("docker info"));
        let stub = stub.file(LOCAL, "Not Found");
        assert_eq!(stub.host().odd_plugin_faults(None).unwrap().len(), 1);
    }

    #[test]
    fn a_program_for_another_machine_is_told_from_one_for_this() {
        let mut head = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xff\x7f";
        assert_eq!(
            fault_of_head(&head),
            Some("it is a program for another architecture")
        );
        let ours: u16 = if cfg!(target_arch = "x86_64") {
            62
        } else {
            183
        };
        head[18..].copy_from_slice(&ours.to_le_bytes());
        assert_eq!(fault_of_head(&head), None);
    }
}
