//! Taking away what a running engine has made of a host: its network, and what it keeps in `/run`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::host::Host;
use crate::host::command::Command;
use crate::host::engine::{UNIT, systemctl};
use crate::host::firewall::{FORWARDING, Network, PROGRAMS, rules};

/// How long the engine may take to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(120);

/// What it keeps until the next boot.
const RUNTIME: &[&str] = &["/run/docker", "/run/docker.pid", "/run/docker.sock"];

/// Stops the engine, if it runs. Where that fails, its package will say why when it is removed.
pub fn stop_engine(host: &Host) {
    let stop = systemctl(&["stop", "docker.socket", UNIT]).deadline(STOP_DEADLINE);
    let _ = stop.run_apart(host.search_path());
}

/// Gives the host back the network that it had `before`; returns what was left, for people.
pub fn restore_network(host: &Host, before: &Network) -> Result<Option<String>> {
    let removed = before.engines_links(host)?;
    let mut kept = None;
    for program in PROGRAMS {
        let Some(rules) = rules(host, program)? else {
            continue;
        };
        let (left, has_users) = before.without_engine(program, &rules, &removed);
        if left != rules {
            let restore = Command::new(&format!("{program}-restore"));
            let restore = restore.input(left.into_bytes());
            restore.run_apart(host.search_path())?.success()?;
        }
        if has_users {
            kept = Some(format!(
                "the chain DOCKER-USER of {program} holds rules of yours"
            ));
        }
    }
    for link in &removed {
        let delete = Command::new("ip").args(["link", "delete", "dev", link]);
        delete.run_apart(host.search_path())?.success()?;
    }
    for path in FORWARDING {
        let Some(value) = before.forwarding.get(*path) else {
            continue;
        };
        let now = host.read_text(path)?;
        if now.is_some_and(|now| now.trim() != value) {
            fs::write(host.path(path), value).with_context(|| format!("writing {path}"))?;
        }
    }
    Ok(kept)
}

/// Removes what a stopped engine has left in `/run`, as far as it can be: the next boot removes
/// the rest.
pub fn clear_runtime(host: &Host) {
    for path in RUNTIME {
        let path = host.path(path);
        let _ = match path.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        };
    }
}
