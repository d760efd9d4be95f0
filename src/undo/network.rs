//! Giving the host back the network that it had before there was an engine: what the engine made
//! goes, and what others made or want by now stays and is reported.
//!
//! It can be done twice. Rules are deleted one by one under the lock of iptables, in one
//! transaction for each table, so that none is lost that another program adds meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::host::authority::Authority;
use crate::host::command::{Command, Query};
use crate::host::files;
use crate::host::firewall::{
    KernelSetting, NetworkBaseline, Program, SETTINGS, localnet_setting, nft,
};
use crate::host::query::Reader;

/// How long iptables may wait for its lock, in seconds.
const LOCK_WAIT: &str = "30";

/// How often rules are read anew when they were changed between the reading and the deleting.
const ATTEMPTS: usize = 20;

const PAUSE: Duration = Duration::from_millis(50);

/// Something of the network that stays, and why, for people.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub text: String,
    pub reason: String,
}

/// Gives the host back the network that it had `before`; returns what was left. The engine has
/// stopped.
pub(crate) fn restore(host: &Authority<'_>, before: &NetworkBaseline) -> Result<Vec<Left>> {
    let mut left = Vec::new();
    if let Some(engine) = host.other_engines()?.first() {
        let text = "the network as it is";
        left.push(kept(
            text,
            format!("another engine uses it (dockerd, pid {engine})"),
        ));
        return Ok(left);
    }
    let links = before.engines_links(host)?;
    let mut bridges = BTreeSet::new();
    for program in host.firewall_programs() {
        bridges.extend(remove_rules(host, program, before, &links, &mut left)?);
    }
    remove_tables(host, before)?;
    for link in &links {
        remove_ends(host, link)?;
        remove_link(host, link)?;
    }
    restore_localnet(host, before, &bridges)?;
    remove_additions(host, before, &links, &mut left)?;
    let mut is_forwarding = Vec::new();
    for setting in SETTINGS {
        let stays = restore_setting(host, setting, before, &mut left)?;
        is_forwarding.extend(setting.forwards.filter(|_| stays));
    }
    for program in host.firewall_programs() {
        let forwards = is_forwarding.contains(&program.family);
        restore_policy(host, program, before, forwards, &mut left)?;
    }
    Ok(left)
}

fn kept(text: impl Into<String>, reason: impl Into<String>) -> Left {
    Left {
        text: text.into(),
        reason: reason.into(),
    }
}

/// Removes the engine's rules, and returns the bridges that they were about.
fn remove_rules(
    host: &Authority<'_>,
    program: Program,
    before: &NetworkBaseline,
    links: &[String],
    left: &mut Vec<Left>,
) -> Result<BTreeSet<String>> {
    let known = before.known_rules(program);
    let mut failure = None;
    for _ in 0..ATTEMPTS {
        let Some(rules) = host.rules_of(program)? else {
            return Ok(BTreeSet::new());
        };
        let removal = rules.removal(links, &known);
        if !removal.script.is_empty() {
            let restore = Command::new(&format!("{}-restore", program.name))
                .args(["--noflush", "--wait", LOCK_WAIT])
                .input(removal.script.into_bytes());
            let restored = restore.run_apart(host)?;
            if restored.code != 0 {
                // Somebody changed them since they were read.
                failure = Some(restored);
                sleep(PAUSE);
                continue;
            }
        }
        let shown = program.shown;
        let is_not_ours = "it is not the engine's";
        let rules = removal.left.iter();
        left.extend(rules.map(|rule| kept(format!("rule `{shown} {rule}`"), is_not_ours)));
        if removal.has_users {
            let text = format!("the chain DOCKER-USER of {shown}");
            left.push(kept(text, "it holds rules that are not the engine's"));
        }
        return Ok(removal.bridges);
    }
    match failure {
        Some(output) => output.success().map(|_| BTreeSet::new()),
        None => bail!("{} changes all the time", program.shown),
    }
}

fn remove_tables(host: &Authority<'_>, before: &NetworkBaseline) -> Result<()> {
    let is_new = |table: &String| nft::is_engines(table) && !before.tables.contains(table);
    for table in nft::tables(host)?.into_iter().filter(is_new) {
        let delete = Command::new("nft")
            .args(["delete", "table"])
            .args(table.split(' '));
        delete.run_apart(host)?.success()?;
    }
    Ok(())
}

/// Removes the host's ends of links to containers at a bridge: of a container whose start an engine
/// did not live to see, they outlive the bridge.
fn remove_ends(host: &Authority<'_>, bridge: &str) -> Result<()> {
    let show = Query::of(Reader::LinksOfBridge).arg(bridge);
    let shown = host.query(&show)?.stdout;
    let names = shown
        .lines()
        .filter_map(|line| line.split(": ").nth(1))
        .filter_map(|name| name.split('@').next());
    for end in names.filter(|name| name.starts_with("veth")) {
        remove_link(host, end)?;
    }
    Ok(())
}

fn remove_link(host: &Authority<'_>, link: &str) -> Result<()> {
    let delete = Command::new("ip").args(["link", "delete", "dev", link]);
    let deleted = delete.run_apart(host)?;
    if host.links()?.iter().any(|it| it == link) {
        deleted.success().map(drop)
    } else {
        // it may have gone with the engine
        Ok(())
    }
}

/// Bridges of the user's that the engine used take packets for the loopback no longer.
fn restore_localnet(
    host: &Authority<'_>,
    before: &NetworkBaseline,
    bridges: &BTreeSet<String>,
) -> Result<()> {
    let Some(routing) = &before.routes_localnet else {
        return Ok(());
    };
    let links = host.links()?;
    let is_theirs = |it: &&String| before.links.contains(it) && !routing.contains(it);
    for link in links
        .iter()
        .filter(|it| bridges.contains(*it))
        .filter(is_theirs)
    {
        let name = format!("net/ipv4/conf/{link}/route_localnet");
        let asked = host.configured_sysctl(&[&name])?;
        if asked.is_none_or(|asked| asked.value != "1") {
            set(host, &localnet_setting(link), "0")?;
        }
    }
    Ok(())
}

/// Removes what the engine added to firewalld. A running one is not made to load its files again,
/// by which it would forget what it was told for now only.
fn remove_additions(
    host: &Authority<'_>,
    before: &NetworkBaseline,
    links: &[String],
    left: &mut Vec<Left>,
) -> Result<()> {
    let mut additions = host
        .firewalld_additions()?
        .into_iter()
        .filter(|addition| !before.firewalld.iter().any(|it| it == addition.path))
        .peekable();
    if additions.peek().is_some() && host.runs_firewalld()? {
        for link in links {
            let remove = format!("--remove-interface={link}");
            let remove = Command::new("firewall-cmd").args(["--zone=docker", &remove]);
            let _ = remove.run_apart(host); // it may be in no zone
        }
    }
    for addition in additions {
        if addition.is_extended {
            left.push(kept(addition.path, "it was edited since"));
        } else {
            files::remove(&host.path(addition.path))?;
        }
    }
    Ok(())
}

/// Gives a setting of the kernel the value that it had; returns whether it stays as the engine has
/// it. What is neither the engine's value nor the old one was set by somebody else.
fn restore_setting(
    host: &Authority<'_>,
    setting: &KernelSetting,
    before: &NetworkBaseline,
    left: &mut Vec<Left>,
) -> Result<bool> {
    let now = host.read_text(setting.path)?.unwrap_or_default();
    let Some(value) = before.forwarding.get(setting.path) else {
        return Ok(false);
    };
    if now.trim() != setting.value {
        return Ok(false);
    }
    if value == setting.value {
        return Ok(true);
    }
    if let Some(reason) = host.wants_setting(setting, before)? {
        let name = setting.names.first().unwrap_or(&setting.path);
        left.push(kept(format!("{name} = {}", setting.value), reason));
        return Ok(true);
    }
    set(host, setting.path, value).map(|()| false)
}

fn set(host: &Authority<'_>, path: &str, value: &str) -> Result<()> {
    match fs::write(host.path(path), value) {
        // It goes with its link, or with its module of the kernel.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        written => written.with_context(|| format!("writing {path}")),
    }
}

/// Lets packets between other hosts through, if that was so and the engine changed it. It does so
/// only when it turns forwarding on; whoever has packets forwarded by now may rely on it.
fn restore_policy(
    host: &Authority<'_>,
    program: Program,
    before: &NetworkBaseline,
    forwards: bool,
    left: &mut Vec<Left>,
) -> Result<()> {
    let rules = host.rules_of(program)?;
    let is_closed = rules.is_some_and(|rules| rules.is_closed());
    if !before.let_through(program) || !is_closed {
        return Ok(());
    }
    let reason = match host.wants_closed(program.family)? {
        Some(reason) => Some(reason),
        None if forwards => Some(format!(
            "packets are forwarded; to let all of them through: {} -P FORWARD ACCEPT",
            program.shown
        )),
        None => None,
    };
    match reason {
        Some(reason) => left.push(kept(
            format!("policy DROP of chain FORWARD in {}", program.shown),
            reason,
        )),
        None => {
            let open = Command::new(program.name)
                .args(["--wait", LOCK_WAIT])
                .args(["-P", "FORWARD", "ACCEPT"]);
            open.run_apart(host)?.success()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
