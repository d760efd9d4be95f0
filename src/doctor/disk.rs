//! Room for images and containers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::statvfs::{FsFlags, Statvfs, statvfs};

use super::effective::EffectiveConfiguration;
use super::{Check, Level, engine, is_active};
use crate::docker::{CONTAINERD_ROOT, UNIT};
use crate::engine::obstacle::{Obstacle, kept_files_problem};
use crate::facts::Facts;
use crate::host::Host;
use crate::host::engine::DATA_ROOT;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS401",
        severity: Level::Error,
        title: "there is room for containers and volumes",
        danger: "containers fail in the middle of their work, and the engine may not start again.",
        cure: "see what takes it: docker system df; throw away what is not used: docker system prune; \
               or move it: data-root in /etc/docker/daemon.json",
        link: "https://docs.docker.com/engine/manage-resources/pruning/",
        look: room_for_data,
        fix: None,
    },
    Check {
        id: "DS402",
        severity: Level::Error,
        title: "there is room for containerd",
        danger: "images cannot be pulled, and containers do not start.",
        cure: "see what takes it: du --summarize --human-readable /var/lib/containerd/*; throw away \
               what is not used: docker system prune; or move it: root in /etc/containerd/config.toml",
        link: "https://docs.docker.com/engine/storage/containerd/",
        look: room_for_containerd,
        fix: None,
    },
    Check {
        id: "DS403",
        severity: Level::Error,
        title: "what is stored may be written and run",
        danger: "the engine does not start, or no container does.",
        cure: "mount it with other options, or move it: data-root in /etc/docker/daemon.json",
        link: "https://docs.docker.com/engine/daemon/#daemon-data-directory",
        look: mount_options,
        fix: None,
    },
    Check {
        id: "DS404",
        severity: Level::Warning,
        title: "images are stored where data-root says",
        danger: "with the containerd image store, images lie in /var/lib/containerd whatever data-root \
                 says, and fill the disk that data-root was to spare.",
        cure: "move them as well: root in /etc/containerd/config.toml, then: systemctl restart \
               containerd docker",
        link: "https://docs.docker.com/engine/storage/containerd/",
        look: store_elsewhere,
        fix: None,
    },
    Check {
        id: "DS405",
        severity: Level::Error,
        title: "what a stopped engine has kept is whole",
        danger: "the engine does not start again; a power cut or a full disk damages its databases.",
        cure: "move the damaged file away, which loses what the finding names",
        link: "https://github.com/moby/moby/issues/18113",
        look: damaged,
        fix: None,
    },
];

/// With less the engine itself may not start: a single image has often more.
const ROOM: u64 = 1 << 30;

/// The share of files that must be left, in percent.
const FILES: u64 = 1;

fn data_root(host: &Host, facts: &Facts) -> Result<PathBuf> {
    let chosen = EffectiveConfiguration::of(host, facts)?.text("data-root");
    Ok(chosen.map_or_else(|| DATA_ROOT.into(), PathBuf::from))
}

/// The file system on which a folder lies, or will once it is made.
fn file_system(host: &Host, folder: &Path) -> Result<Statvfs> {
    let there = folder.ancestors().find(|folder| host.path(folder).exists());
    let there = host.path(there.unwrap_or(Path::new("/")));
    statvfs(&there).with_context(|| format!("looking at {}", there.display()))
}

fn room(host: &Host, folder: &Path) -> Result<Option<String>> {
    let system = file_system(host, folder)?;
    let free = system.blocks_available() * system.fragment_size();
    if free < ROOM {
        return Ok(Some(format!(
            "{} MB are free for {}",
            free / 1_000_000,
            folder.display()
        )));
    }
    // Some file systems do not count files.
    let (all, left) = (system.files(), system.files_available());
    let is_short = all > 0 && left * 100 < all * FILES;
    Ok(is_short.then(|| format!("{left} files more can be made in {}", folder.display())))
}

fn room_for_data(host: &Host, facts: &Facts) -> Result<Option<String>> {
    room(host, &data_root(host, facts)?)
}

fn room_for_containerd(host: &Host, _: &Facts) -> Result<Option<String>> {
    room(host, &host.containerd_root()?)
}

fn mount_options(host: &Host, facts: &Facts) -> Result<Option<String>> {
    for folder in [data_root(host, facts)?, host.containerd_root()?] {
        let flags = file_system(host, &folder)?.flags();
        let bad = [(FsFlags::ST_NOEXEC, "noexec"), (FsFlags::ST_RDONLY, "ro")];
        if let Some((_, option)) = bad.iter().find(|(flag, _)| flags.contains(*flag)) {
            return Ok(Some(format!(
                "{} is on a file system that is mounted {option}",
                folder.display()
            )));
        }
    }
    Ok(None)
}

/// One that runs has its files open, and did start with them.
fn damaged(host: &Host, facts: &Facts) -> Result<Option<String>> {
    if is_active(host, facts, UNIT)? {
        return Ok(None);
    }
    let found = kept_files_problem(host, EffectiveConfiguration::of(host, facts)?.document())?;
    Ok(found.map(|Obstacle { cause, cure }| format!("{cause}. {cure}")))
}

/// An engine whose storage driver goes by the name of a snapshotter uses containerd's store.
fn store_elsewhere(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let Some(engine) = engine(host, facts)? else {
        return Ok(None);
    };
    let moved = engine.docker_root_dir != DATA_ROOT
        && host.containerd_root()? == Path::new(CONTAINERD_ROOT);
    Ok((moved && engine.driver == "overlayfs").then(|| {
        format!(
            "data-root is {}, but images are stored in {CONTAINERD_ROOT}",
            engine.docker_root_dir
        )
    }))
}
