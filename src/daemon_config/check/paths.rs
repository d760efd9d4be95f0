//! What a configuration needs of the host: files, programs, a group, room, and leave to use it.
//!
//! Owns what is wrong without them; `named` knows which key names what. It must not look for them.

use serde_json::Value;

use super::conflicts::keeps_images_in_containerd;
use super::findings::Findings;
use super::host_facts::{Disk, HostFacts, PathKind};
use super::listening;
use super::named::{Must, Named, named};
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::{children, entry, named as named_entry};
use crate::daemon_config::finding::Severity;
use crate::daemon_config::schema::EngineRelease;
use crate::shell::quoted;

/// Below this size, in bytes, a file system is too small for the engine's data: an image or two
/// fill it.
const TINY: u64 = 1 << 30;

pub(super) fn check(
    findings: &mut Findings<'_>,
    document: &Document,
    host: &HostFacts,
    engine: Option<EngineRelease>,
) {
    check_named(findings, document, host);
    check_absent(findings, document, host);
    listening::check(findings, document, &host.foreign_hosts);
    if let Some(most) = host.most_open_files {
        check_open_files(findings, document, most);
    }
    if let Some(disk) = &host.data_root {
        check_disk(findings, disk, "write a data-root elsewhere");
    }
    let data_root = document.get("data-root").and_then(|it| it.as_str());
    if data_root.is_some_and(|it| it.split('/').any(|part| part == "..")) {
        findings.error(
            &["data-root"],
            "has `..` in it; write the folder itself".to_owned(),
        );
    }
    for (key, fault) in &host.folders_of_others {
        findings.warn(&[key], of_others(fault));
    }
    // Before an engine is chosen, it is not known who keeps the images.
    let in_containerd = engine.is_some_and(|engine| keeps_images_in_containerd(document, engine));
    if let Some(disk) = host.containerd_root.as_ref().filter(|_| in_containerd) {
        let cure = "write another root into /etc/containerd/config.toml";
        check_disk(findings, disk, cure);
    }
}

/// The files and programs that the configuration names.
fn check_named(findings: &mut Findings<'_>, document: &Document, host: &HostFacts) {
    for Named {
        path,
        file,
        must,
        severity,
    } in named(document)
    {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        // The engine starts without these, but no container does.
        let is_of_containers = matches!(path[0], "default-runtime" | "init-path" | "runtimes");
        let message = match (must, host.paths.get(&file)) {
            (Must::Folder, Some(PathKind::File | PathKind::Program)) => {
                format!("{file} is a file, and dockerd does not start without a folder there")
            }
            (Must::NoFolder, Some(PathKind::Folder)) => {
                format!(
                    "{file} is a folder, and dockerd does not start without room for a file there"
                )
            }
            (Must::Folder | Must::NoFolder, _) => continue,
            (_, Some(PathKind::Nothing)) if !file.contains('/') => {
                format!("there is no program {file} where the engine looks for one; install it")
            }
            (_, Some(PathKind::Nothing)) => format!("there is no {file}"),
            (_, Some(PathKind::Folder)) => format!("{file} is a folder"),
            (Must::Program, Some(PathKind::File)) => {
                let quoted = quoted(&file);
                format!("{file} may not be executed; allow it: chmod +x {quoted}")
            }
            _ => continue,
        };
        match severity {
            Severity::Error if is_of_containers => {
                findings.error(&path, format!("no container would start: {message}"));
            }
            Severity::Error => findings.error(&path, message),
            Severity::Warning => findings.warn(&path, message),
        }
    }
}

/// What it names and the host does not have.
fn check_absent(findings: &mut Findings<'_>, document: &Document, host: &HostFacts) {
    if let Some(group) = &host.absent_group {
        let quoted = quoted(group);
        let message = format!("there is no group {group}; make it: groupadd --system {quoted}");
        findings.warn(&["group"], message);
    }
    if let Some(bridge) = &host.absent_bridge {
        let message = format!(
            "there is no bridge {bridge}, and dockerd does not start: make it first, or leave this \
             out for dockerd's own"
        );
        findings.error(&["bridge"], message);
    }
    for (index, name) in document
        .get("authorization-plugins")
        .map_or(vec![], children)
    {
        let name = name.as_str().unwrap_or_default();
        if host.absent_plugins.contains(name) {
            let message = format!(
                "there is no plug-in {name}, and dockerd does not start; install it first: \
                 docker plugin install {name}"
            );
            findings.error(&["authorization-plugins", &index], message);
        }
    }
    if let Some(fault) = &host.remap_fault {
        let message = format!("dockerd does not start: {fault}");
        findings.error(&["userns-remap"], message);
    }
}

/// Why nothing of the engine's is to be in a folder that others can exchange.
pub(crate) fn of_others(fault: &str) -> String {
    format!("anyone who can change this folder can run programs as root: {fault}")
}

/// dockerd reads names in any case here, and the name inside is the one that counts.
fn check_open_files(findings: &mut Findings<'_>, document: &Document, most: u64) {
    for (key, limit) in document.get("default-ulimits").map_or(vec![], children) {
        let hard = named_entry(limit, "Hard");
        let Some((name, hard)) = hard.filter(|_| is_of_files(limit)) else {
            continue;
        };
        if hard.as_u64().is_some_and(|wanted| wanted > most) {
            let message = format!("no container would start: this host allows {most} at most");
            findings.error(&["default-ulimits", &key, name], message);
        }
    }
}

fn is_of_files(limit: &Value) -> bool {
    let name = entry(limit, "Name").as_str();
    name.is_some_and(|name| name.eq_ignore_ascii_case("nofile"))
}

fn check_disk(findings: &mut Findings<'_>, disk: &Disk, cure: &str) {
    let Disk { folder, mount, .. } = disk;
    let fault = if disk.is_read_only {
        "is mounted read-only, so that the engine cannot keep anything there"
    } else if disk.is_noexec {
        "is mounted noexec, so that programs in volumes, and with some kernels those of \
         containers, would not run"
    } else if disk.size < TINY {
        "is smaller than 1 GiB, too small for images"
    } else {
        return;
    };
    let message = format!(
        "the engine's data would be in {folder}, and the file system {mount} {fault}; mount \
         another one there, or {cure}"
    );
    findings.error(&["data-root"], message);
}

#[cfg(test)]
mod tests;
