use super::super::Extent;
use super::*;
use crate::daemon_config;
use crate::host::stub::StubHost;
use std::time::Duration;

fn removed(stub: &StubHost, purge_data: bool, paths: &[&str], used: &[&str]) -> Reverted {
    let extent = Extent {
        purge_data,
        restore_packages: false,
    };
    let none = std::iter::empty();
    let revert = Revert::of(&stub.authority(), none, extent, Duration::ZERO, &|_| {}).unwrap();
    let owned = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
    revert.remove_data(&owned(paths), &owned(used)).unwrap()
}

#[test]
fn of_a_folder_that_the_user_chose_only_what_the_engine_makes_goes() {
    let stub = StubHost::new()
        .file("/srv/docker/volumes/v/_data/file", "")
        .file("/srv/docker/100000.100000/image/x", "")
        .file("/srv/docker/engine-id", "id")
        .file("/srv/docker/letters/one", "kept")
        .folder("/srv/docker/lost+found");
    let folder = [PathBuf::from("/srv/docker")];
    let expected = ["100000.100000", "engine-id", "volumes"].map(|name| folder[0].join(name));
    assert_eq!(data_of(stub.host(), &folder).unwrap(), expected);
    let Reverted::Kept(reason) = removed(&stub, false, &["/srv/docker"], &[]) else {
        panic!("nothing was asked for");
    };
    assert!(
        reason.ends_with("/srv/docker/engine-id /srv/docker/volumes"),
        "{reason}"
    );
    let Reverted::Kept(reason) = removed(&stub, true, &["/srv/docker"], &[]) else {
        panic!("something is left");
    };
    assert_eq!(reason, "what is left in /srv/docker is not of the engine");
    let left = stub.host().list("/srv/docker").unwrap();
    assert_eq!(left, ["letters", "lost+found"]);
}

#[test]
fn dockers_own_folders_are_emptied_but_for_what_the_file_system_made() {
    let stub = StubHost::new()
        .file("/var/lib/docker/whatever/x", "")
        .folder("/var/lib/docker/lost+found")
        .file("/var/lib/containerd/x", "");
    let paths = ["/var/lib/docker", "/var/lib/containerd"];
    assert_eq!(removed(&stub, true, &paths, &[]), Reverted::Done);
    assert_eq!(stub.host().list(paths[0]).unwrap(), [LOST_AND_FOUND]);
    assert_eq!(stub.host().list(paths[1]).unwrap(), [""; 0]);
    assert_eq!(
        data_of(stub.host(), &paths.map(PathBuf::from)).unwrap(),
        [""; 0].map(PathBuf::from)
    );
}

fn reason(stub: &StubHost, paths: &[&str]) -> String {
    match removed(stub, true, paths, &[]) {
        Reverted::Kept(reason) => reason,
        Reverted::Done => panic!("all of it went"),
    }
}

#[test]
fn what_is_mounted_in_the_engines_folders_is_not_walked_into() {
    let volume = "/var/lib/docker/volumes/v/_data";
    for (mount, paths) in [
        (volume, ["/var/lib/docker"]),
        ("/srv/d/volumes", ["/srv/d"]),
    ] {
        let stub = StubHost::new()
            .file(&format!("{mount}/theirs"), "data")
            .file("/srv/d/image/x", "")
            .file(
                "/proc/self/mountinfo",
                format!("9 1 8:1 /srv/theirs {mount} rw - ext4 /dev/sda1 rw\n"),
            );
        let reason = reason(&stub, &paths);
        assert!(reason.contains(&format!("umount {mount};")), "{reason}");
        assert!(stub.has(&format!("{mount}/theirs")));
        assert_eq!(stub.has("/srv/d/image"), mount == volume);
    }
}

#[test]
fn through_a_link_only_what_the_engine_makes_goes() {
    let stub = StubHost::new()
        .file("/mnt/disk/volumes/v", "")
        .file("/mnt/disk/backups/one", "theirs");
    let (disk, link) = ("/mnt/disk", "/var/lib/docker");
    std::os::unix::fs::symlink(stub.host().path(disk), stub.host().path(link)).unwrap();
    assert!(reason(&stub, &[link]).ends_with("is not of the engine"));
    assert_eq!(stub.host().list(disk).unwrap(), ["backups"]);
}

#[test]
fn the_data_of_an_engine_that_stays_stays_with_it() {
    let installed = |package: &str| {
        StubHost::new()
            .file("/var/lib/docker/volumes/v", "")
            .file("/var/lib/containerd/x", "")
            .program(
                "dpkg-query",
                &format!("echo {package} 1 amd64 installed ok"),
            )
    };
    let paths = ["/var/lib/docker", "/var/lib/containerd"];
    for package in ["docker-ce", "docker.io"] {
        let stub = installed(package);
        // Nobody is told to remove it, either.
        assert_eq!(removed(&stub, false, &paths[..1], &[]), Reverted::Done);
        let reason = reason(&stub, &paths);
        assert!(reason.starts_with(&format!("{package} stays")), "{reason}");
        assert!(stub.has("/var/lib/docker/volumes/v") && !stub.has("/var/lib/containerd/x"));
    }
    let stub = installed("containerd.io");
    assert!(reason(&stub, &paths).starts_with("containerd.io stays"));
    assert!(!stub.has("/var/lib/docker/volumes/v") && stub.has("/var/lib/containerd/x"));
    // With a data-root of its own it does not use the other one.
    let stub = installed("docker-ce")
        .file(daemon_config::PATH, r#"{"data-root": "/srv/docker"}"#)
        .file("/srv/docker/image/x", "");
    assert_eq!(removed(&stub, true, &paths[..1], &[]), Reverted::Done);
    assert!(reason(&stub, &["/srv/docker"]).starts_with("docker-ce stays"));
}

#[test]
fn a_folder_in_which_was_something_stays_and_is_told_of_when_data_is_to_go() {
    let stub = StubHost::new().file("/srv/volumes/theirs", "data");
    assert_eq!(removed(&stub, false, &[], &["/srv"]), Reverted::Done);
    let Reverted::Kept(reason) = removed(&stub, true, &[], &["/srv"]) else {
        panic!("nothing is said");
    };
    assert!(
        reason.contains("in /srv before the engine came"),
        "{reason}"
    );
    assert_eq!(stub.read("/srv/volumes/theirs"), "data");
}

#[test]
fn what_becomes_of_the_data_is_foreseen() {
    let [docker, containerd] = ["/var/lib/docker", "/var/lib/containerd"].map(PathBuf::from);
    let volume = docker.join("volumes/v/_data");
    let stub = StubHost::new()
        .program(
            "dpkg-query",
            "for it in docker-ce containerd.io; do echo $it 1 amd64 installed ok; done",
        )
        .folder(volume.to_str().unwrap())
        .folder("/var/lib/docker/overlay2/x/merged")
        .folder("/var/lib/docker/overlay2/y")
        .file("/var/lib/containerd/x", "")
        .file(
            "/proc/self/mountinfo",
            "7 1 0:9 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n\
             8 1 8:1 /y /var/lib/docker/overlay2/y rw - ext4 /dev/sda1 rw\n\
             9 1 0:8 /theirs /var/lib/docker/volumes/v/_data rw - overlay overlay rw\n",
        );
    let foreseen = |leaving: &[&str], data_root: Option<&str>| {
        let ahead = Ahead {
            leaving: leaving.iter().map(|it| (*it).to_owned()).collect(),
            engine_stops: true,
            containers_stop: true,
            data_root: data_root.map(PathBuf::from),
        };
        let folders = [docker.clone(), containerd.clone()];
        Foreseen::of(stub.host(), &folders, &folders, &ahead).unwrap()
    };
    let all_go = foreseen(&["docker-ce", "containerd.io"], None);
    assert_eq!(all_go.goes, [docker.clone(), containerd.clone()]);
    let mounted = vec![docker.join("overlay2/y"), volume];
    assert_eq!(all_go.mounted, [(docker.clone(), mounted)]);
    assert_eq!(all_go.stays, [""; 0]);
    // Others have come to need one of them.
    let one_stays = foreseen(&["docker-ce"], None);
    assert_eq!(one_stays.goes, std::slice::from_ref(&docker));
    assert_eq!(one_stays.stays.len(), 1);
    assert!(one_stays.stays[0].starts_with("containerd.io stays and keeps its data in"));
    assert!(foreseen(&[], None).goes.is_empty());
    // It was there before, and goes back to where it kept its data.
    assert_eq!(foreseen(&[], Some("/srv")).goes, [docker]);
}

#[test]
fn the_data_of_a_container_that_runs_on_stays() {
    let id = "abc".repeat(22)[..64].to_owned();
    let container = format!("/srv/docker/containers/{id}");
    let shim = "/usr/bin/containerd-shim-runc-v2";
    let stub = StubHost::new()
        .file(&format!("{container}/config.v2.json"), "{}")
        .file("/var/lib/docker/image", "")
        .file("/var/lib/containerd/x", "")
        .shim(7, shim, &format!("{shim}\0-namespace\0moby\0-id\0{id}\0"));
    let paths = ["/srv/docker", "/var/lib/docker", "/var/lib/containerd"];
    let reason = reason(&stub, &paths);
    assert_eq!(
        reason.matches("the container abcabcabcabc stays").count(),
        2
    );
    assert!(stub.has(&container) && stub.has("/var/lib/containerd/x"));
    // It is nothing of its.
    assert!(!stub.has("/var/lib/docker/image"));
    // Moved by hand since, its engine keeps its layers with containerd all the same.
    let stub = stub.file(daemon_config::PATH, r#"{"data-root": "/srv/docker"}"#);
    assert_eq!(
        removed(&stub, true, &["/var/lib/containerd"], &[]),
        Reverted::Kept(
            "the container abcabcabcabc stays and keeps its data in /var/lib/containerd, so that stays as \
             well"
                .to_owned()
        )
    );
}

#[test]
fn nothing_goes_where_another_user_decides_what_stands_there() {
    use std::os::unix::fs::symlink;
    let stub = StubHost::new()
        .file("/srv/open/docker/volumes/file", "")
        .file("/srv/victim/volumes/file", "");
    stub.set_mode("/srv/open", 0o777);
    let folders = ["/srv/open/docker", "/srv/open/link"];
    symlink(
        stub.host().path("/srv/victim"),
        stub.host().path(folders[1]),
    )
    .unwrap();
    let before = stub.snapshot();
    for folder in folders {
        let Reverted::Kept(reason) = removed(&stub, true, &[folder], &[]) else {
            panic!("{folder} is not safe");
        };
        assert!(reason.contains("sudo chmod go-w /srv/open"), "{reason}");
        let foreseen = Foreseen::of(
            stub.host(),
            &[folder.into()],
            &[],
            &Ahead {
                containers_stop: true,
                engine_stops: true,
                ..Ahead::default()
            },
        )
        .unwrap();
        assert!(
            foreseen.goes.is_empty() && foreseen.stays.len() == 1,
            "{foreseen:?}"
        );
    }
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn a_link_of_roots_own_is_followed_and_those_in_the_data_are_not() {
    use std::os::unix::fs::symlink;
    let stub = StubHost::new()
        .file("/srv/real/volumes/file", "")
        .file("/srv/victim/file", "");
    symlink("real", stub.host().path("/srv/docker")).unwrap();
    let victim = stub.host().path("/srv/victim");
    symlink(&victim, stub.host().path("/srv/real/volumes/link")).unwrap();
    symlink(&victim, stub.host().path("/srv/real/image")).unwrap();
    assert_eq!(removed(&stub, true, &["/srv/docker"], &[]), Reverted::Done);
    assert_eq!(stub.host().list("/srv/real").unwrap(), [""; 0]);
    assert_eq!(stub.read("/srv/victim/file"), "");
}
