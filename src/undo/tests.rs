mod accounts;
mod engine;
mod mode;
mod packages;

use std::path::PathBuf;

use super::revert::edited_since;
use super::*;
use crate::apt::Source;
use crate::change::trial;
use crate::host::stub::StubHost;
use crate::trust::sha256_hex;
use anyhow::Result;
use jiff::Timestamp;
use std::time::Duration;

fn undo_with(stub: &StubHost, undo: &Undo, purge_data: bool) -> Result<Reverted> {
    let extent = Extent {
        purge_data,
        restore_packages: false,
    };
    let acts = [(Timestamp::now(), undo)];
    let revert = Revert::of(
        &stub.authority(),
        acts.into_iter(),
        extent,
        Duration::ZERO,
        &|_| {},
    )?;
    revert.undo(undo, &["git".to_owned()])
}

fn undo_in(stub: &StubHost, undo: &Undo, is_rollback: bool) -> Result<Reverted> {
    let acts = [(Timestamp::now(), undo)];
    let extent = Extent::default();
    let revert = Revert {
        is_rollback,
        ..Revert::of(
            &stub.authority(),
            acts.into_iter(),
            extent,
            Duration::ZERO,
            &|_| {},
        )?
    };
    revert.undo(undo, &[])
}

fn undo(stub: &StubHost, undo: &Undo) -> Result<Reverted> {
    undo_with(stub, undo, false)
}

fn kept(stub: &StubHost, what: &Undo) -> String {
    match undo(stub, what).unwrap() {
        Reverted::Kept(reason) => reason,
        Reverted::Done => panic!("nothing was kept"),
    }
}

fn packages() -> Undo {
    Undo::PurgePackages {
        packages: vec!["containerd.io".to_owned(), "docker-ce".to_owned()],
        network: None,
    }
}

fn unit() -> Undo {
    Undo::RestoreUnit {
        unit: "docker.service".to_owned(),
        enabled: false,
        active: false,
    }
}

#[test]
fn every_undo_can_be_walked_twice() {
    let ours = sha256_hex(b"ours");
    let path = |path: &str| PathBuf::from(path);
    let undos = [
        Undo::RemoveFile {
            path: path("/etc/new"),
            sha256: ours.clone(),
        },
        Undo::RestoreFile {
            path: path("/etc/old"),
            sha256: Some(ours),
            backup: path("/var/lib/dockstrap/1-old"),
            backup_sha256: None,
        },
        Undo::RemoveList {
            path: path("/var/lib/apt/lists/docker"),
        },
        Undo::RemoveFolder {
            path: path("/etc/folder"),
        },
        Undo::RestoreDaemonJson {
            created: true,
            empty: None,
            written: Default::default(),
            changes: Vec::new(),
        },
        RESTART,
        packages(),
        Undo::RemoveData {
            paths: vec![path("/var/lib/docker")],
            used: Vec::new(),
        },
        Undo::RemoveGroup {
            group: "docker".to_owned(),
        },
        Undo::RemoveMember {
            group: "docker".to_owned(),
            user: "alice".to_owned(),
        },
        unit(),
    ];
    let stub = StubHost::new()
        .file("/etc/new", "ours")
        .file("/etc/old", "ours")
        .file("/var/lib/dockstrap/1-old", "theirs")
        .file("/var/lib/apt/lists/docker", "index")
        .folder("/etc/folder")
        .file("/etc/docker/daemon.json", "{}\n")
        .folder("/var/lib/docker/volumes")
        .file("/dpkg", "docker-ce installed\n")
        .program("systemctl", "case $1 in is-*) exit 3;; esac")
        .program("dpkg-query", "cat $ROOT/dpkg 2>/dev/null")
        .program(
            "apt-get",
            "case \"$*\" in *--simulate*) ;; *) rm $ROOT/dpkg;; esac",
        )
        .program("groupdel", "exit 6")
        .program("gpasswd", "exit 3");
    for turn in ["once", "twice"] {
        for what in undos.iter().rev() {
            let outcome = undo_with(&stub, what, true).unwrap();
            assert_eq!(outcome, Reverted::Done, "{turn}: {what:?}");
        }
        let left = stub.snapshot().into_keys().collect::<Vec<_>>().join(" ");
        assert_eq!(stub.read("/etc/old"), "theirs", "{turn}");
        for gone in [
            "/etc/new",
            "/etc/folder",
            "/lists/docker",
            "json",
            "volumes",
            "/dpkg",
        ] {
            assert!(
                !left.contains(&format!("{gone} ")),
                "{turn}: {gone} in {left}"
            );
        }
    }
}

#[test]
fn what_took_a_folders_place_is_kept() {
    let stub = StubHost::new().folder("/srv/docker");
    let link = stub.host().path("/etc/docker");
    std::os::unix::fs::symlink(stub.host().path("/srv/docker"), link).unwrap();
    let folder = Undo::RemoveFolder {
        path: "/etc/docker".into(),
    };
    assert_eq!(kept(&stub, &folder), "it is no folder any more");
    assert!(stub.has("/etc/docker") && stub.has("/srv/docker"));
}

#[test]
fn data_is_kept_unless_it_is_to_be_purged() {
    let data = Undo::RemoveData {
        paths: vec!["/var/lib/docker".into(), "/var/lib/containerd".into()],
        used: Vec::new(),
    };
    let stub = StubHost::new().folder("/var/lib/docker/volumes");
    let reason = kept(&stub, &data);
    assert!(reason.ends_with("rm -r /var/lib/docker"), "{reason}");
    undo_with(&stub, &data, true).unwrap();
    assert!(
        stub.has("/var/lib/docker"),
        "the folder has an act of its own"
    );
    assert!(!stub.has("/var/lib/docker/volumes"));
}

const RESTART: Undo = Undo::RestartEngine {
    containers: Vec::new(),
};

#[test]
fn a_file_with_a_password_is_not_opened_to_others() {
    let text = r#"{"proxies": {"http-proxy": "http://me:s3cret@proxy"}}"#;
    let stub = StubHost::new().file("/etc/docker/daemon.json", text);
    let open = Undo::RestoreMode {
        path: "/etc/docker/daemon.json".into(),
        mode: 0o644,
        given: None,
        owner: None,
        open: Vec::new(),
    };
    stub.set_mode("/etc/docker/daemon.json", 0o600);
    assert!(kept(&stub, &open).starts_with("it holds a password"));
}

#[test]
fn with_an_edited_source_stay_its_keyring_and_no_other_source() {
    let list = "/etc/apt/sources.list.d/docker.list";
    let keyring = "/etc/apt/keyrings/docker.asc";
    let backup = "/var/lib/dockstrap/2-docker.list";
    let stub = StubHost::new()
        .file(Source::PATH, format!("Signed-By: {keyring}\n# edited\n"))
        .file(keyring, "key")
        .file("/etc/apt/keyrings/other.asc", "key")
        .file(backup, "old");
    let none = std::iter::empty();
    let revert = Revert::of(
        &stub.authority(),
        none,
        Extent::default(),
        Duration::ZERO,
        &|_| {},
    )
    .unwrap();
    let remove = |path: &str, text: &str| Undo::RemoveFile {
        path: path.into(),
        sha256: sha256_hex(text.as_bytes()),
    };
    let restore = Undo::RestoreFile {
        path: list.into(),
        sha256: None,
        backup: backup.into(),
        backup_sha256: None,
    };
    let undo = |undo: &Undo| revert.undo(undo, &[]).unwrap();
    assert_eq!(
        undo(&remove(Source::PATH, "as we wrote it")),
        edited_since()
    );
    for what in [restore, remove(keyring, "key")] {
        let Reverted::Kept(reason) = undo(&what) else {
            panic!("{what:?}");
        };
        assert!(reason.contains(Source::PATH), "{reason}");
    }
    assert_eq!(
        undo(&remove("/etc/apt/keyrings/other.asc", "key")),
        Reverted::Done
    );
    assert_eq!(stub.read(&format!("{list}.before-dockstrap")), "old");
    assert!(!stub.has(list) && stub.has(keyring));
}

#[test]
fn a_link_that_went_with_a_package_comes_back_and_another_thing_in_its_place_stays() {
    let stub = StubHost::new().folder("/etc").folder("/srv/docker");
    let undo = Undo::RestoreLink {
        path: "/etc/docker".into(),
        target: "../srv/docker".into(),
    };
    let note = |stub: &StubHost| {
        trial::run(stub.host(), |tx| tx.note("use a link", undo.clone())).unwrap();
        trial::revert(stub.host()).unwrap();
        std::fs::read_link(stub.host().path("/etc/docker")).ok()
    };
    assert_eq!(note(&stub), Some("../srv/docker".into()));
    assert_eq!(note(&stub), Some("../srv/docker".into()), "it is there");
    std::fs::remove_file(stub.host().path("/etc/docker")).unwrap();
    std::fs::create_dir(stub.host().path("/etc/docker")).unwrap();
    assert_eq!(note(&stub), None);
}
