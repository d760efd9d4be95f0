//! Files that an earlier engine has kept, and with which no engine starts when they are damaged, as
//! a power cut or a full disk leaves them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::Obstacle;
use crate::daemon_config::{self, Document};
use crate::host::engine::is_of_remap;
use crate::host::{Host, is_forbidden};
use crate::reading;
use crate::shell::quoted;

/// Databases below the engine's folder, and what goes with each.
const OF_ENGINE: &[(&str, &str)] = &[
    (
        "network/files/local-kv.db",
        "networks that users created; containers, images and volumes stay",
    ),
    (
        "volumes/metadata.db",
        "labels and options of volumes; what is in them stays",
    ),
];

/// The same below containerd's folder.
const OF_CONTAINERD: &[(&str, &str)] = &[(
    "io.containerd.metadata.v1.bolt/meta.db",
    "images that containerd keeps, which are pulled again; volumes stay",
)];

/// The storage drivers by which an engine goes on when none is configured: it looks for the data of
/// each. Source: `scanPriorDrivers` in `daemon/graphdriver/driver.go` of moby.
const FOUND_AGAIN: &[&str] = &["btrfs", "fuse-overlayfs", "overlay2", "zfs"];

/// The names of images, in a folder of each storage driver.
const NAMES: &str = "repositories.json";
const NAMES_LOST: &str = "names of images; the images stay, and a pull names them again";

/// The two first pages of a database say what it is, and one of them is enough. Their size is that
/// of the machine's pages. Source: `meta` in bbolt's `db.go` and `page.go`.
const SECOND_PAGES: [usize; 4] = [4096, 8192, 16_384, 65_536];
const PAGE_HEADER: usize = 16;
const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Where its checksum stands.
const SUM: usize = 56;

/// Enough for the second page at its last place.
const HEAD: u64 = 65_536 + 128;

/// The first damaged file. A running engine has them open, and is not asked about them.
pub(crate) fn problem(host: &Host, configuration: &Document) -> Result<Option<Obstacle>> {
    let engine = root(host, configuration)?;
    let below = |root: &Path, files: &[(&str, &'static str)]| -> Vec<(PathBuf, &str)> {
        let files = files.iter();
        files.map(|(file, lost)| (root.join(file), *lost)).collect()
    };
    let root = engine.as_deref();
    let mut files = root.map_or_else(Vec::new, |root| below(root, OF_ENGINE));
    files.extend(below(&host.containerd_root()?, OF_CONTAINERD));
    for (path, lost) in files {
        if head(host, &path)?.is_some_and(|head| !is_database(&head)) {
            return Ok(Some(damaged(&path, lost)));
        }
    }
    if configuration.value_at(&["features", "containerd-snapshotter"]) == Some(&true.into()) {
        return Ok(None); // their names are kept with them
    }
    let named = configuration
        .get("storage-driver")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    root.map_or(Ok(None), |root| damaged_names(host, root, named))
}

/// The folder in which the engine keeps its data: with `userns-remap` one below the data-root. `None`
/// where there are several of those, or only root may look.
fn root(host: &Host, configuration: &Document) -> Result<Option<PathBuf>> {
    let data_root = daemon_config::data_root(configuration.get("data-root")).to_owned();
    if !daemon_config::remaps_root(configuration) {
        return Ok(Some(data_root));
    }
    let names = readable(host.list(&data_root))?.unwrap_or_default();
    let mut remapped = names.into_iter().filter(|name| is_of_remap(name));
    Ok(match (remapped.next(), remapped.next()) {
        (Some(one), None) => Some(data_root.join(one)),
        _ => None,
    })
}

/// Nothing where only root may look.
fn readable<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if is_forbidden(&error) => Ok(None),
        result => result.map(Some),
    }
}

/// The damaged names of the images of a driver that is in force: the one that is configured, or one
/// whose data the engine finds.
fn damaged_names(
    host: &Host,
    data_root: &Path,
    configured: Option<&str>,
) -> Result<Option<Obstacle>> {
    let is_kept = |driver: &str| {
        let data = readable(host.list(data_root.join(driver)))?;
        Ok::<_, anyhow::Error>(data.is_some_and(|names| !names.is_empty()))
    };
    let drivers = match &configured {
        Some(driver) => std::slice::from_ref(driver),
        None => FOUND_AGAIN,
    };
    for driver in drivers {
        if configured.is_none() && !is_kept(driver)? {
            continue;
        }
        let path = data_root.join("image").join(driver).join(NAMES);
        let Ok(text) = reading::read(&host.path(&path), reading::RECORDS) else {
            continue; // it is not there, or cannot be judged
        };
        if !is_names(&text) {
            return Ok(Some(damaged(&path, NAMES_LOST)));
        }
    }
    Ok(None)
}

/// Whether the engine takes it. It reads one object, and nothing behind that.
///
/// Source: `reload` of moby's `daemon/internal/refstore/store.go`.
fn is_names(text: &[u8]) -> bool {
    let mut read = serde_json::Deserializer::from_slice(text);
    Option::<BTreeMap<String, IgnoredAny>>::deserialize(&mut read).is_ok()
}

fn damaged(path: &Path, lost: &str) -> Obstacle {
    let shown = path.display().to_string();
    let (from, to) = (quoted(&shown), quoted(format!("{shown}.before")));
    Obstacle::new(
        format!("{shown} is damaged, and the engine does not start with it"),
        format!(
            "Without the file these are lost: {lost}. To go on without it: sudo mv {from} {to}"
        ),
    )
}

/// The beginning of a file; `None` where there is none, or only root may look.
fn head(host: &Host, path: &Path) -> Result<Option<Vec<u8>>> {
    let there = host.path(path).metadata();
    if there.is_ok_and(|there| !there.is_file()) {
        return Ok(Some(Vec::new())); // nor is it to be waited for
    }
    let file = match File::open(host.path(path)) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
            ) =>
        {
            return Ok(None);
        }
        file => file,
    };
    let mut head = Vec::new();
    file.and_then(|file| file.take(HEAD).read_to_end(&mut head))
        .with_context(|| format!("reading {}", path.display()))?;
    Ok(Some(head))
}

/// Whether it is one of bbolt's. An empty file is made one.
fn is_database(head: &[u8]) -> bool {
    let mut pages = [0].into_iter().chain(SECOND_PAGES);
    head.is_empty() || pages.any(|page| is_meta(head.get(page + PAGE_HEADER..)))
}

fn is_meta(page: Option<&[u8]>) -> bool {
    let number = |at: usize| {
        let bytes = page?.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let sum = || {
        let bytes = page?.get(SUM..SUM + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    let summed = || page.and_then(|page| page.get(..SUM)).map(fnv);
    // The first databases had no sum.
    let is_whole = matches!(sum(), Some(0)) || sum() == summed();
    number(0) == Some(MAGIC) && number(4) == Some(VERSION) && is_whole
}

/// The hash of Fowler, Noll and Vo, as bbolt sums its pages (FNV-1a, 64 bits).
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const NETWORKS: &str = "/var/lib/docker/network/files/local-kv.db";

    fn meta() -> Vec<u8> {
        let mut meta = vec![0; SUM];
        meta[..4].copy_from_slice(&MAGIC.to_le_bytes());
        meta[4..8].copy_from_slice(&VERSION.to_le_bytes());
        let sum = fnv(&meta);
        [meta, sum.to_le_bytes().to_vec()].concat()
    }

    fn found(stub: &StubHost) -> Option<Obstacle> {
        problem(stub.host(), &Document::new()).unwrap()
    }

    #[test]
    fn a_hash_is_the_one_that_everybody_calls_so() {
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn one_whole_page_of_two_is_enough() {
        let first = [vec![0; PAGE_HEADER], meta()].concat();
        let second = [vec![7; 4096 + PAGE_HEADER], meta()].concat();
        for whole in [vec![], first.clone(), second] {
            assert!(is_database(&whole));
        }
        let mut flipped = first;
        flipped[PAGE_HEADER + 20] ^= 1;
        for damaged in [flipped, b"x".to_vec(), vec![0; 32_768]] {
            assert!(!is_database(&damaged));
        }
    }

    #[test]
    fn a_damaged_file_is_named_with_what_goes_with_it() {
        assert_eq!(found(&StubHost::new()), None);
        let stub = StubHost::new().file(NETWORKS, [vec![0; PAGE_HEADER], meta()].concat());
        assert_eq!(found(&stub), None);
        let told = found(&stub.file(NETWORKS, "garbage")).unwrap();
        assert!(told.cause.starts_with(&format!("{NETWORKS} is damaged")));
        assert!(told.cure.contains("networks that users created"));
        assert!(
            told.cure
                .ends_with(&format!(": sudo mv {NETWORKS} {NETWORKS}.before"))
        );
        let meta_db = "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db";
        assert!(found(&StubHost::new().file(meta_db, "x")).is_some());
    }

    const NAMES_OF_OVERLAY: &str = "/var/lib/docker/image/overlay2/repositories.json";

    /// A host on which an engine has kept images with overlay2.
    fn with_images() -> StubHost {
        StubHost::new().folder("/var/lib/docker/overlay2/l")
    }

    fn judged(stub: &StubHost, configuration: &str) -> Option<String> {
        let document = Document::parse(configuration.as_bytes()).unwrap();
        let found = problem(stub.host(), &document).unwrap();
        found.map(|found| found.cause.split(' ').next().unwrap().to_owned())
    }

    #[test]
    fn names_of_images_are_json() {
        let read = |text: &str| found(&with_images().file(NAMES_OF_OVERLAY, text));
        for whole in [
            "{\"Repositories\":{}}",
            "{\"Repositories\":{}}\n",
            "{\"Repositories\":{}}\0\0garbage",
            "{} {",
            "null",
        ] {
            assert_eq!(read(whole), None, "{whole}");
        }
        for damaged in ["", "\0", "{\"Repositories\":{", "[]", "7"] {
            let told = read(damaged).unwrap();
            assert!(told.cure.contains("names of images"), "{}", told.cure);
        }
    }

    #[test]
    fn names_of_many_images_are_read_wherever_they_are() {
        let many = format!(r#"{{"Repositories": {{"{}": {{}}}}}}"#, "a".repeat(2 << 20));
        let names = "/srv/docker/image/overlay2/repositories.json";
        let stub = StubHost::new()
            .folder("/srv/docker/overlay2/l")
            .file(names, many);
        assert_eq!(judged(&stub, r#"{"data-root": "/srv/docker"}"#), None);
    }

    #[test]
    fn names_count_for_the_driver_in_force() {
        let vfs = "/var/lib/docker/image/vfs/repositories.json";
        let stub = with_images().file(vfs, "{");
        assert_eq!(judged(&stub, "{}"), None, "overlay2 is in force");
        assert_eq!(judged(&stub, r#"{"storage-driver": "overlay2"}"#), None);
        let named = r#"{"storage-driver": "vfs"}"#;
        assert_eq!(judged(&stub, named).as_deref(), Some(vfs));
        let stub = stub.file(NAMES_OF_OVERLAY, "{");
        assert_eq!(judged(&stub, "{}").as_deref(), Some(NAMES_OF_OVERLAY));
        let bare = StubHost::new()
            .file(NAMES_OF_OVERLAY, "{")
            .folder("/var/lib/docker/overlay2");
        assert_eq!(judged(&bare, "{}"), None, "its data is gone");
    }

    #[test]
    fn an_engine_with_userns_remap_keeps_its_files_in_a_folder_of_that_user() {
        let kept = "/var/lib/docker/100000.100000/network/files/local-kv.db";
        let remap = r#"{"userns-remap": "default"}"#;
        let stub = StubHost::new().file(NETWORKS, "x");
        assert_eq!(judged(&stub, remap), None);
        let stub = stub.file(kept, "x");
        assert_eq!(judged(&stub, remap).as_deref(), Some(kept));
        for plain in ["{}", r#"{"userns-remap": "root"}"#] {
            assert_eq!(judged(&stub, plain).as_deref(), Some(NETWORKS));
        }
    }
}
