use std::path::PathBuf;

use super::*;
use crate::daemon_json;
use crate::host::stub::StubHost;
use crate::trust::sha256_hex;
use std::time::Duration;

fn undo_with(stub: &StubHost, undo: &Undo, purge_data: bool) -> Result<Reverted> {
    let extent = Extent {
        purge_data,
        restore_packages: false,
    };
    let acts = [act_with(undo)];
    let revert = Revert::of(stub.host(), acts.iter(), extent, Duration::ZERO, &|_| {})?;
    revert.undo(undo, &["git".to_owned()])
}

fn undo_in(stub: &StubHost, undo: &Undo, is_rollback: bool) -> Result<Reverted> {
    let acts = [act_with(undo)];
    let extent = Extent::default();
    let revert = Revert {
        is_rollback,
        ..Revert::of(stub.host(), acts.iter(), extent, Duration::ZERO, &|_| {})?
    };
    revert.undo(undo, &[])
}

fn act_with(undo: &Undo) -> Act {
    Act {
        act: 1,
        at: jiff::Timestamp::now(),
        step: String::new(),
        text: String::new(),
        undo: undo.clone(),
    }
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
        },
        Undo::RemoveList {
            path: path("/var/lib/apt/lists/docker"),
        },
        Undo::RemoveFolder {
            path: path("/etc/folder"),
        },
        Undo::RestoreDaemonJson {
            created: true,
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
fn what_is_gone_already_is_no_error_but_any_other_failure_is() {
    let group = Undo::RemoveGroup {
        group: "docker".to_owned(),
    };
    let member = Undo::RemoveMember {
        group: "docker".to_owned(),
        user: "alice".to_owned(),
    };
    let stub = StubHost::new()
        .program("groupdel", "exit 6")
        .program("gpasswd", "exit 3");
    assert_eq!(undo(&stub, &group).unwrap(), Reverted::Done);
    assert_eq!(undo(&stub, &member).unwrap(), Reverted::Done);
    assert_eq!(
        stub.calls(),
        [
            "getent group docker",
            "groupdel docker",
            "gpasswd --delete alice docker"
        ]
    );
    let stub = stub
        .program("groupdel", "exit 10")
        .program("gpasswd", "exit 1");
    assert!(undo(&stub, &group).is_err());
    assert!(undo(&stub, &member).is_err());
}

#[test]
fn what_a_killed_account_tool_has_left_of_a_group_is_removed_by_such_a_tool() {
    let group = Undo::RemoveGroup {
        group: "docker".to_owned(),
    };
    for (path, text) in [
        ("/etc/gshadow", "users:*::\ndocker:!::\n"),
        ("/etc/group.lock", "99999999"),
    ] {
        let stub = StubHost::new()
            .file(path, text)
            .program("groupadd", "touch $ROOT/created")
            .program("groupdel", "test -e $ROOT/created || exit 6");
        assert_eq!(undo(&stub, &group).unwrap(), Reverted::Done, "{path}");
        let calls = stub.calls();
        let again = ["groupadd --system docker", "groupdel docker"];
        assert_eq!(&calls[calls.len() - 2..], again, "{path}");
    }
}

#[test]
fn a_group_that_became_somebodys_primary_one_is_kept() {
    let stub = StubHost::new().program("groupdel", "exit 8");
    let group = Undo::RemoveGroup {
        group: "docker".to_owned(),
    };
    assert_eq!(kept(&stub, &group), "docker is the primary group of a user");
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

#[test]
fn a_unit_goes_back_to_the_state_it_was_in() {
    let stub = StubHost::new().program("systemctl", "");
    undo(&stub, &unit()).unwrap();
    let disable = "systemctl disable docker.service";
    let stop = "systemctl stop docker.service";
    assert_eq!(stub.calls()[1..], [disable, stop]);
    let gone = stub.program("systemctl", "echo LoadState=not-found");
    assert_eq!(undo(&gone, &unit()).unwrap(), Reverted::Done);
    assert_eq!(gone.calls().len(), 1);
    let image = gone.program("systemctl", "echo enabled").without_systemd();
    undo(&image, &unit()).unwrap();
    assert_eq!(
        image.calls()[1..],
        [disable],
        "nothing runs that could be stopped"
    );
}

#[test]
fn fault_56_in_a_chroot_the_network_is_that_of_the_host_around_it() {
    let links = "h\nh\n lo: 0\n docker0: 0\n";
    let stub = host_with_packages("").file("/proc/net/dev", links);
    let stub = stub.program("ip", "").program("systemctl", "");
    let purge = Undo::PurgePackages {
        packages: vec!["docker-ce".to_owned()],
        network: Some(Network::default()),
    };
    let removes_link = |stub: &StubHost| {
        undo(stub, &purge).unwrap();
        let calls = stub.calls().join("\n");
        assert!(calls.contains(" purge containerd.io docker-ce"), "{calls}");
        calls.contains("ip link delete dev docker0")
    };
    assert!(removes_link(&stub));
    assert!(!removes_link(&stub.without_systemd()));
}

const RUNNING: &str = "case $1 in show) echo active;; esac";
const RESTART: Undo = Undo::RestartEngine {
    containers: Vec::new(),
};

#[test]
fn a_restart_of_an_earlier_journal_names_no_containers() {
    let undo: Undo = serde_json::from_str(r#"{"kind": "restart-engine"}"#).unwrap();
    assert_eq!(undo, RESTART);
}

#[test]
fn only_a_running_engine_is_restarted() {
    let stub = StubHost::new().program("systemctl", RUNNING);
    undo(&stub, &RESTART).unwrap();
    assert_eq!(stub.calls()[2], "systemctl restart docker.service");
    let stopped = stub.program("systemctl", "echo inactive");
    undo(&stopped, &RESTART).unwrap();
    assert_eq!(stopped.calls().len(), 1);
}

#[test]
fn an_engine_with_containers_is_not_restarted_under_them() {
    let engine = serde_json::json!({
        "ServerVersion": "29.5.3", "LoggingDriver": "local", "LiveRestoreEnabled": true,
        "ContainersRunning": 1, "Driver": "overlay2", "CgroupDriver": "systemd",
        "CgroupVersion": "2", "DockerRootDir": "/var/lib/docker",
    });
    let stub = StubHost::new().program("systemctl", RUNNING).engine(engine);
    let stub = stub.program("docker", "echo 0123");
    assert!(kept(&stub, &RESTART).ends_with("systemctl restart docker"));
    assert_eq!(
        stub.calls().last().unwrap(),
        "systemctl reload docker.service"
    );
    // Unless both the old and the new one keep them.
    stub.write(daemon_json::PATH, "{\"live-restore\": true}");
    assert_eq!(undo(&stub, &RESTART).unwrap(), Reverted::Done);
    assert_eq!(
        stub.calls().last().unwrap(),
        "systemctl restart docker.service"
    );
}

#[test]
fn an_engine_that_failed_with_our_file_gets_another_chance_and_its_containers() {
    for state in ["failed", "activating"] {
        let stub = StubHost::new().program("systemctl", &format!("echo {state}"));
        let stub = stub.program("docker", "echo 0123");
        // The other one was to be removed once it ends.
        let containers = vec!["0123".to_owned(), "4567".to_owned()];
        undo(&stub, &Undo::RestartEngine { containers }).unwrap();
        let calls = ["reset-failed", "restart"].map(|it| format!("systemctl {it} docker.service"));
        let ask = "docker --host unix:///run/docker.sock ps --all --no-trunc --format {{.ID}}";
        let start = "docker --host unix:///run/docker.sock start 0123";
        let docker = [ask.to_owned(), start.to_owned()];
        assert_eq!(stub.calls()[1..], [&calls[..], &docker].concat());
    }
}

#[test]
fn containers_that_a_cancelled_restart_stopped_run_again_and_others_stay_as_they_are() {
    for (is_rollback, starts) in [(true, 1), (false, 0)] {
        let stub = StubHost::new().program("systemctl", RUNNING);
        let stub = stub.program("docker", "echo 0123");
        let containers = vec!["0123".to_owned()];
        let undo = Undo::RestartEngine { containers };
        undo_in(&stub, &undo, is_rollback).unwrap();
        let calls = stub.calls();
        let started = calls.iter().filter(|call| call.ends_with("start 0123"));
        assert_eq!(started.count(), starts, "{calls:?}");
    }
}

#[test]
fn a_file_with_a_password_is_not_opened_to_others() {
    let text = r#"{"proxies": {"http-proxy": "http://me:s3cret@proxy"}}"#;
    let stub = StubHost::new().file("/etc/docker/daemon.json", text);
    let open = Undo::RestoreMode {
        path: "/etc/docker/daemon.json".into(),
        mode: 0o644,
        given: None,
    };
    assert!(kept(&stub, &open).starts_with("it holds a password"));
}

/// dpkg knows both packages; apt would take `taken` along with containerd.io.
fn host_with_packages(taken: &str) -> StubHost {
    let simulate = "case \"$*\" in
        *--simulate*containerd.io*) for name in containerd.io docker-ce TAKEN; do
            echo \"Purg $name [1]\"; done;;
        *--simulate*) echo 'Purg docker-ce [1]';;
    esac";
    StubHost::new()
        .program(
            "dpkg-query",
            "printf 'containerd.io installed\\ndocker-ce config-files\\n'",
        )
        .program("apt-get", &simulate.replace("TAKEN", taken))
}

fn purged(stub: &StubHost) -> Vec<String> {
    let purges = |call: &String| call.contains(" purge ") && !call.contains("--simulate");
    let calls = stub.calls().into_iter().filter(purges);
    let names = calls.map(|call| call.split_once(" purge ").unwrap().1.to_owned());
    names
        .flat_map(|names| names.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| !word.starts_with('-'))
        .collect()
}

#[test]
fn packages_are_purged_in_one_go() {
    let stub = host_with_packages("");
    assert_eq!(undo(&stub, &packages()).unwrap(), Reverted::Done);
    assert_eq!(purged(&stub), ["containerd.io", "docker-ce"]);
}

#[test]
fn a_package_that_others_need_is_kept_and_named() {
    let stub = host_with_packages("nerdctl");
    assert_eq!(
        kept(&stub, &packages()),
        "other packages need containerd.io"
    );
    assert_eq!(purged(&stub), ["docker-ce"]);
}

#[test]
fn packages_that_are_all_needed_by_others_are_all_named() {
    let stub = host_with_packages("nerdctl");
    let containerd = Undo::PurgePackages {
        packages: vec!["containerd.io".to_owned()],
        network: None,
    };
    let stub = stub.program("dpkg-query", "echo containerd.io installed");
    assert_eq!(
        kept(&stub, &containerd),
        "other packages need containerd.io"
    );
    assert_eq!(purged(&stub), [""; 0]);
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
        stub.host(),
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
fn a_daemon_json_that_no_one_can_read_is_kept() {
    let stub = StubHost::new().file(daemon_json::PATH, "{,");
    let restore = Undo::RestoreDaemonJson {
        created: true,
        changes: Vec::new(),
    };
    let reason = kept(&stub, &restore);
    assert!(reason.starts_with("it cannot be read"), "{reason}");
    assert_eq!(stub.read(daemon_json::PATH), "{,");
}

#[test]
fn a_group_that_others_joined_is_kept() {
    let stub = StubHost::new().program("getent", "echo docker:x:999:carol");
    let group = Undo::RemoveGroup {
        group: "docker".to_owned(),
    };
    assert_eq!(kept(&stub, &group), "others are members by now: carol");
}

#[test]
fn a_package_that_was_asked_for_since_stays() {
    let stub = host_with_packages("").program(
        "dpkg-query",
        "echo git installed; echo containerd.io installed; echo docker-ce installed",
    );
    let ours = ["containerd.io", "docker-ce", "git"].map(str::to_owned);
    let purge = Undo::PurgePackages {
        packages: ours.to_vec(),
        network: None,
    };
    assert_eq!(kept(&stub, &purge), "somebody has asked apt for git");
}
