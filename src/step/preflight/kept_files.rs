//! Files that an earlier engine has kept, and with which no engine starts when they are damaged, as
//! a power cut or a full disk leaves them.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, Result};
use serde::de::IgnoredAny;

use super::Obstacle;
use crate::daemon_json::{self, Document};
use crate::host::Host;
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
    let data_root = daemon_json::data_root(configuration.get("data-root")).to_owned();
    let containerd = host.containerd_root()?;
    for (root, files) in [(&data_root, OF_ENGINE), (&containerd, OF_CONTAINERD)] {
        for (file, lost) in files {
            let path = root.join(file);
            if head(host, &path)?.is_some_and(|head| !is_database(&head)) {
                return Ok(Some(damaged(&path, lost)));
            }
        }
    }
    if configuration.value_at(&["features", "containerd-snapshotter"]) == Some(&true.into()) {
        return Ok(None); // their names are kept with them
    }
    damaged_names(host, &data_root)
}

fn damaged_names(host: &Host, data_root: &Path) -> Result<Option<Obstacle>> {
    let images = data_root.join("image");
    let drivers = match host.list(&images) {
        Err(error) if crate::host::is_forbidden(&error) => return Ok(None),
        drivers => drivers?,
    };
    for driver in drivers {
        let path = images.join(driver).join(NAMES);
        let Some(text) = host.read(&path)? else {
            continue;
        };
        if serde_json::from_slice::<IgnoredAny>(&text).is_err() {
            return Ok(Some(damaged(&path, NAMES_LOST)));
        }
    }
    Ok(None)
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

    #[test]
    fn names_of_images_are_json() {
        let names = "/var/lib/docker/image/overlay2/repositories.json";
        assert_eq!(
            found(&StubHost::new().file(names, "{\"Repositories\":{}}")),
            None
        );
        for damaged in ["", "{\"Repositories\":{"] {
            let told = found(&StubHost::new().file(names, damaged)).unwrap();
            assert!(told.cure.contains("names of images"), "{}", told.cure);
        }
    }
}
