//! The storage driver and its options, as the driver reads them before the engine is ready.
//!
//! Owns which driver takes what. Sources: `daemon/graphdriver` of moby, tried with dockerd 26.1 and
//! 28.5. It must not look at the disk.

use serde_json::Value;

use super::conflicts::keeps_images_in_containerd;
use super::findings::{Context, Findings};
use super::host_facts::Disk;
use super::syntax;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::children;
use crate::daemon_config::schema::EngineRelease;
use crate::daemon_config::schema::suggestion::cure;

/// The drivers that dockerd has on Linux, each with its options.
const DRIVERS: &[(&str, &[&str])] = &[
    ("btrfs", &["btrfs.min_space"]),
    ("fuse-overlayfs", &[]),
    ("overlay2", &["overlay2.size"]),
    ("vfs", &["size"]),
    ("zfs", &["zfs.fsname"]),
];

/// What dockerd takes where none is named and its file system allows it.
const DEFAULT: &str = "overlay2";

/// Drivers that dockerd once had; the table of keys says since when it does not.
const GONE: &[&str] = &["aufs", "devicemapper", "overlay"];

/// The snapshotters of containerd by other names than a driver's.
const SNAPSHOTTERS: &[&str] = &["native", "nydus", "overlayfs", "soci", "stargz"];

/// Since this engine, the name of a snapshotter chooses containerd's store.
const CHOOSES_STORE: EngineRelease = EngineRelease(29, 0);

/// The options whose value is a size.
const SIZES: &[&str] = &["btrfs.min_space", "overlay2.size", "size"];

pub(super) fn check(findings: &mut Findings<'_>, document: &Document, context: &Context<'_>) {
    let named = document
        .get("storage-driver")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    let disk = context.host.and_then(|it| it.data_root.as_ref());
    if keeps_images_in_containerd(document, findings.engine) {
        return check_unused(findings, document);
    }
    match named {
        Some(name) if GONE.contains(&name) => {}
        Some(name) => match DRIVERS.iter().find(|(driver, _)| *driver == name) {
            Some((driver, options)) => {
                check_disk(findings, driver, disk);
                check_options(findings, document, driver, options, disk);
            }
            None if findings.engine >= CHOOSES_STORE && SNAPSHOTTERS.contains(&name) => {}
            None => check_stranger(findings, name),
        },
        None => {
            let options = DRIVERS.iter().find(|(driver, _)| *driver == DEFAULT);
            let options = options.map_or(&[][..], |(_, options)| options);
            check_options(findings, document, DEFAULT, options, disk);
        }
    }
}

/// A driver that dockerd does not have. Case matters in its names.
fn check_stranger(findings: &mut Findings<'_>, name: &str) {
    let cure = if SNAPSHOTTERS.contains(&name) {
        "it is one of containerd: write features {\"containerd-snapshotter\": true} as well"
            .to_owned()
    } else {
        cure(name, || DRIVERS.iter().map(|(driver, _)| *driver))
    };
    let message = format!("{name:?} is no storage driver, and dockerd does not start; {cure}");
    findings.error(&["storage-driver"], message);
}

/// Drivers that are a part of their file system.
fn check_disk(findings: &mut Findings<'_>, driver: &str, disk: Option<&Disk>) {
    let Some(disk) = disk.filter(|disk| matches!(driver, "btrfs" | "zfs") && disk.kind != driver)
    else {
        return;
    };
    let Disk { folder, kind, .. } = disk;
    let message = format!(
        "{folder} is on {kind}, and dockerd does not start with {driver} there; write \
         {DEFAULT:?}, or remove it"
    );
    findings.error(&["storage-driver"], message);
}

/// An option that engines before this one take.
const KERNEL_CHECK: &str = "overlay2.override_kernel_check";
const WITHOUT_KERNEL_CHECK: EngineRelease = EngineRelease(24, 0);

fn check_options(
    findings: &mut Findings<'_>,
    document: &Document,
    driver: &str,
    known: &[&str],
    disk: Option<&Disk>,
) {
    for (index, option) in document.get("storage-opts").map_or(vec![], children) {
        let path = ["storage-opts", index.as_str()];
        let Some(option) = option.as_str() else {
            continue;
        };
        let Some((name, value)) = option.split_once('=') else {
            let message =
                format!("{option:?} has no value, and dockerd does not start; write NAME=VALUE");
            findings.error(&path, message);
            continue;
        };
        let (name, value) = (name.trim().to_lowercase(), value.trim());
        let is_taken_yet = name == KERNEL_CHECK && findings.engine < WITHOUT_KERNEL_CHECK;
        if !known.contains(&&*name) && !is_taken_yet {
            let message = format!(
                "the storage driver {driver} takes no option {name}, and dockerd does not start; \
                 {}",
                instead(&name, known)
            );
            findings.error(&path, message);
        } else if SIZES.contains(&&*name) && syntax::size(value).is_none() {
            let message = format!("{value:?} is no size; write one like \"{name}=10G\"");
            findings.error(&path, message);
        } else if matches!(&*name, "overlay2.size" | "size")
            && let Some(fault) = disk.and_then(|disk| quota_fault(disk, driver))
        {
            let message = format!("{fault}, and dockerd does not start; remove it");
            findings.error(&path, message);
        }
    }
}

fn instead(name: &str, known: &[&str]) -> String {
    match (name, known) {
        ("size", [only]) => format!("write {only}"),
        _ if name.starts_with("dm.") => {
            "it is of devicemapper, which is gone; remove it".to_owned()
        }
        _ => "remove it".to_owned(),
    }
}

/// Why a file system cannot keep a container's layer small.
fn quota_fault(disk: &Disk, driver: &str) -> Option<String> {
    let Disk { folder, kind, .. } = disk;
    if driver == DEFAULT && kind != "xfs" {
        return Some(format!(
            "{folder} is on {kind}, and only xfs has such a limit"
        ));
    }
    let lacks = format!("{folder} is mounted without project quotas (pquota)");
    (!disk.has_project_quotas).then_some(lacks)
}

/// containerd reads no options of a storage driver.
fn check_unused(findings: &mut Findings<'_>, document: &Document) {
    if !document
        .get("storage-opts")
        .map_or(vec![], children)
        .is_empty()
    {
        let message = "has no effect where containerd keeps the images; remove it";
        findings.warn(&["storage-opts"], message);
    }
}

#[cfg(test)]
mod tests {
    use crate::daemon_config::check::tests::findings_of;
    use crate::daemon_config::{Context, Disk, EngineRelease, HostFacts};

    fn on(kind: &str, has_project_quotas: bool) -> HostFacts {
        HostFacts {
            data_root: Some(Disk {
                folder: "/var/lib/docker".to_owned(),
                mount: "/".to_owned(),
                kind: kind.to_owned(),
                has_project_quotas,
                is_noexec: false,
                is_read_only: false,
                size: 10 << 30,
            }),
            ..HostFacts::default()
        }
    }

    fn found(text: &str, engine: EngineRelease, around: &HostFacts) -> String {
        let context = Context {
            engine: Some(engine),
            host: Some(around),
            ..Context::default()
        };
        findings_of(text, &context)
    }

    #[test]
    fn options_are_those_of_the_driver() {
        let ext4 = on("ext4", false);
        let of_option = |option: &str| {
            let text = format!(r#"{{"storage-opts": ["{option}"]}}"#);
            found(&text, EngineRelease(26, 1), &ext4)
        };
        for (option, cure) in [
            ("overlay2.override_kernel_check=true", "remove it"),
            ("dm.basesize=20G", "devicemapper, which is gone"),
            ("size=10G", "write overlay2.size"),
            ("overlay2.size=10G", "only xfs has such a limit"),
            ("overlay2.size=much", "is no size"),
            ("overlay2.size", "write NAME=VALUE"),
        ] {
            let found = of_option(option);
            assert!(
                found.starts_with("error") && found.contains(cure),
                "{found}"
            );
        }
        let gone = r#"{"storage-opts": ["overlay2.override_kernel_check=true"]}"#;
        assert_eq!(found(gone, EngineRelease(23, 0), &ext4), "");
        let vfs = r#"{"storage-driver": "vfs", "storage-opts": ["size=10G"]}"#;
        assert!(found(vfs, EngineRelease(26, 1), &ext4).contains("project quotas"));
        assert_eq!(found(vfs, EngineRelease(26, 1), &on("ext4", true)), "");
        let quota = r#"{"storage-opts": ["Overlay2.Size = 10G"]}"#;
        assert_eq!(found(quota, EngineRelease(26, 1), &on("xfs", true)), "");
        let without = found(quota, EngineRelease(26, 1), &on("xfs", false));
        assert!(without.contains("pquota"), "{without}");
        let containerd = found(quota, EngineRelease(29, 5), &ext4);
        assert!(containerd.starts_with("warning"), "{containerd}");
    }

    #[test]
    fn a_driver_is_one_of_dockerds_on_its_file_system() {
        let driver = |name: &str, around: &HostFacts| {
            let text = format!(r#"{{"storage-driver": "{name}"}}"#);
            found(&text, EngineRelease(26, 1), around)
        };
        let ext4 = on("ext4", false);
        for (name, cure) in [
            ("Overlay2", "write overlay2"),
            ("windowsfilter", "write one of btrfs"),
            ("overlayfs", "containerd-snapshotter"),
            ("zfs", "/var/lib/docker is on ext4"),
            ("btrfs", "write \"overlay2\""),
        ] {
            let found = driver(name, &ext4);
            assert!(
                found.starts_with("error") && found.contains(cure),
                "{found}"
            );
        }
        assert_eq!(driver("overlay2", &ext4), "");
        assert_eq!(driver("btrfs", &on("btrfs", false)), "");
        let snapshotter =
            r#"{"storage-driver": "overlayfs", "features": {"containerd-snapshotter": true}}"#;
        assert_eq!(found(snapshotter, EngineRelease(28, 5), &ext4), "");
    }
}
