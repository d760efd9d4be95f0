//! What a drop-in, or a unit of somebody's own, says with which systemd would not start the engine
//! or containerd.
//!
//! Refused is only what is certain. What may keep the engine from working is a warning.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;

use crate::docker::{CONTAINERD_UNIT, GROUP, SOCKET_UNIT, UNIT};
use crate::engine::obstacle::{self, Obstacle};
use crate::engine::unit::PREFIXES;
use crate::engine::unit::directives::{self, Directive, NEEDS, YES, in_force};
use crate::host::Host;
use crate::report::{Event, Listener};
use crate::shell::quoted;

/// Settings that name a program to run.
const COMMANDS: &[&str] = &[
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
];

/// Programs that come with the engine's packages and those that they need.
const COMING: &[&str] = &[
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "docker",
    "docker-init",
    "docker-proxy",
    "dockerd",
    "ip6tables",
    "ip6tables-restore",
    "ip6tables-save",
    "iptables",
    "iptables-restore",
    "iptables-save",
    "nft",
    "runc",
];
const COMING_TO: &[&str] = &["/bin", "/sbin", "/usr/bin", "/usr/sbin"];

/// Files with variables that come with them.
const COMING_FILES: &[&str] = &["/etc/default/docker"];

/// The first setting with which a unit would not start.
pub(super) fn check(host: &Host, listener: Listener<'_>) -> Result<Option<Obstacle>> {
    let mut hidden = BTreeSet::new();
    for unit in [CONTAINERD_UNIT, SOCKET_UNIT, UNIT] {
        let packaged = obstacle::packaged_unit(unit);
        let files = directives::files_of(host, unit)?;
        for path in files.hidden {
            if !hidden.insert(path.clone()) {
                continue; // one of all services
            }
            let text = format!("{path} was not checked, since only root can read it");
            listener(Event::Warning { text });
        }
        let settings = files.settings;
        if settings.iter().all(|setting| setting.file == packaged) {
            continue;
        }
        let found = [
            second_start(&settings),
            no_start(&settings),
            user(&settings),
            obstacle::confinement(unit, &settings, &packaged),
            absent_file(host, &settings, &packaged)?,
            absent_program(host, &settings, &packaged)?,
            absent_unit(host, &settings, &packaged)?,
            absent_group(host, &settings)?,
        ];
        if let Some(found) = found.into_iter().flatten().next() {
            return Ok(Some(found));
        }
        obstacle::warn_of_confinement(&settings, &packaged, listener);
    }
    Ok(None)
}

/// The obstacle that one line is, and the command that edits it.
fn at(setting: &Directive, fault: &str, cure: &str, script: &str) -> Obstacle {
    Obstacle::new(
        format!("{}: {fault}", setting.place()),
        format!("{cure}: {}", edit(setting, script)),
    )
}

/// The command that edits the line with this script of sed, for whose `#` it stands.
pub(super) fn edit(setting: &Directive, script: &str) -> String {
    let script = script.replace('#', &setting.line.to_string());
    let (script, file) = (quoted(script), quoted(&setting.file));
    format!("sudo sed -i {script} {file} && sudo systemctl daemon-reload")
}

/// A drop-in that adds a command where it was to replace one.
fn second_start(settings: &[Directive]) -> Option<Obstacle> {
    let kind = in_force(settings, "Type")
        .last()
        .map(|it| it.value.as_str());
    // A drop-in that waits for its unit comes after the one command of that.
    let waits = settings.iter().all(Directive::is_of_drop_in);
    let is_reset = settings
        .iter()
        .any(|it| it.name == "ExecStart" && it.value.is_empty());
    let starts = in_force(settings, "ExecStart");
    let implied = usize::from(waits && !is_reset);
    let last = starts.last()?;
    let is_second = starts.len() + implied > 1 && kind != Some("oneshot");
    is_second.then(|| {
        at(
            last,
            "a second ExecStart=, with which systemd refuses the service",
            "Put an empty ExecStart= before it, which removes the first",
            "#i ExecStart=",
        )
    })
}

/// A drop-in that removes the command and has none instead.
fn no_start(settings: &[Directive]) -> Option<Obstacle> {
    let mut starts = settings.iter().filter(|it| it.name == "ExecStart");
    let last = starts.next_back().filter(|it| it.value.is_empty())?;
    let fault = "an empty ExecStart= and none after it, so that there is nothing to start";
    Some(at(last, fault, "Remove the line", "#d"))
}

fn user(settings: &[Directive]) -> Option<Obstacle> {
    let last = |name: &str| in_force(settings, name).pop();
    let user = last("User").filter(|it| !matches!(it.value.as_str(), "root" | "0"));
    let dynamic = last("DynamicUser").filter(|it| is_true(&it.value));
    let setting = user.or(dynamic)?;
    let fault = format!(
        "{}={}, and only root can run it",
        setting.name, setting.value
    );
    Some(at(setting, &fault, "Remove the line", "#d"))
}

/// A file with variables, or a working directory, that is not there and must be.
fn absent_file(host: &Host, settings: &[Directive], packaged: &str) -> Result<Option<Obstacle>> {
    for name in ["EnvironmentFile", "WorkingDirectory"] {
        for setting in own(settings, name, packaged) {
            let path = &setting.value;
            let comes = COMING_FILES.contains(&path.as_str());
            if !comes && is_plain_path(path) && is_absent(host, path) {
                let fault = format!("{name}={path} is not there");
                let cure = "Create it, or let the service start without it";
                return Ok(Some(at(setting, &fault, cure, "#s/=/=-/")));
            }
        }
    }
    Ok(None)
}

fn absent_program(host: &Host, settings: &[Directive], packaged: &str) -> Result<Option<Obstacle>> {
    for name in COMMANDS {
        for setting in own(settings, name, packaged) {
            let Some(program) = program(&setting.value) else {
                continue;
            };
            let (folder, file) = program.rsplit_once('/').unwrap_or_default();
            let comes = COMING.contains(&file) && COMING_TO.contains(&folder);
            let arguments = setting.value.split_whitespace().nth(1);
            if *name == "ExecStart"
                && file == "docker"
                && matches!(arguments, Some("daemon" | "-d"))
            {
                let fault = format!("`{program} daemon` is gone since Docker 17.12");
                let script = r"#s|=.*docker  *[a-z-]*|=/usr/bin/dockerd|";
                let cure = "Let it run dockerd instead";
                return Ok(Some(at(setting, &fault, cure, script)));
            }
            if comes || !is_absent(host, program) {
                continue;
            }
            let fault = format!("{name}= names {program}, which is not there");
            let is_ours = matches!(file, "dockerd" | "containerd");
            let (cure, script) = if *name == "ExecStart" && is_ours {
                (
                    "Let it run the packages' own",
                    format!("#s|{program}|/usr/bin/{file}|"),
                )
            } else {
                ("Install it, or remove the line", "#d".to_owned())
            };
            return Ok(Some(at(setting, &fault, cure, &script)));
        }
    }
    Ok(None)
}

/// A unit that the service needs and the host does not have.
fn absent_unit(host: &Host, settings: &[Directive], packaged: &str) -> Result<Option<Obstacle>> {
    if !host.runs_systemd()? {
        return Ok(None);
    }
    for name in NEEDS {
        for setting in own(settings, name, packaged) {
            for unit in setting.value.split_whitespace() {
                let comes = [UNIT, SOCKET_UNIT, CONTAINERD_UNIT].contains(&unit);
                // Of a name without a kind, systemd passes over the setting.
                // The file system's root and that of all groups are always there.
                let is_root = matches!(unit, "-.mount" | "-.slice");
                if comes || is_root || unit.contains('%') || !unit.contains('.') {
                    continue;
                }
                let state = host.unit(unit)?;
                if state.get("LoadState").is_some_and(|it| it == "not-found") {
                    let fault = format!("{name}= names {unit}, which this host does not have");
                    let cure = "Install it, or let the service start without it";
                    let script = format!("#s| *{}||", unit.replace('\\', r"\\"));
                    return Ok(Some(at(setting, &fault, cure, &script)));
                }
            }
        }
    }
    Ok(None)
}

/// A group that is to get the engine's socket, and that the host does not have. The engine's own is
/// made by the install.
fn absent_group(host: &Host, settings: &[Directive]) -> Result<Option<Obstacle>> {
    let Some(setting) = in_force(settings, "SocketGroup").pop() else {
        return Ok(None);
    };
    let group = setting.value.as_str();
    let is_number = group.bytes().all(|byte| byte.is_ascii_digit());
    if group == GROUP || is_number || host.group_members(group)?.is_some() {
        return Ok(None);
    }
    let fault = format!("SocketGroup={group}, and this host has no such group");
    Ok(Some(at(
        setting,
        &fault,
        "Create it, or remove the line",
        "#d",
    )))
}

/// The settings in force of this name that no package of Docker's brought.
fn own<'a>(
    settings: &'a [Directive],
    name: &str,
    packaged: &'a str,
) -> impl Iterator<Item = &'a Directive> {
    let found = in_force(settings, name).into_iter();
    found.filter(move |setting| setting.file != packaged)
}

/// The program of a command line, unless its failure does not count.
fn program(command: &str) -> Option<&str> {
    let program = command.trim_start_matches(PREFIXES);
    let prefix = &command[..command.len() - program.len()];
    let program = program.split_whitespace().next()?.trim_matches(['"', '\'']);
    (!prefix.contains('-') && is_plain_path(program)).then_some(program)
}

/// Whether it is a path that stands for itself: no pattern, no variable and no specifier.
fn is_plain_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains(['*', '?', '[', '$', '%'])
}

fn is_absent(host: &Host, path: &str) -> bool {
    let there = std::fs::metadata(host.path(Path::new(path)));
    there.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn is_true(value: &str) -> bool {
    YES.contains(&value.to_lowercase().as_str())
}

#[cfg(test)]
mod tests;
