use super::*;
use crate::host::stub::StubHost;
use nix::sys::stat::Mode;

const SHIM_PROGRAM: &str = "/usr/bin/containerd-shim-runc-v2";

fn id(digit: char) -> String {
    digit.to_string().repeat(ID_LENGTH)
}

fn line(namespace: &str, id: &str) -> String {
    format!("{SHIM_PROGRAM}\0-namespace\0{namespace}\0-id\0{id}\0")
}

/// A host with two engines' containers.
fn host() -> StubHost {
    StubHost::new().file(
        &format!("/srv/docker/containers/{}/config.v2.json", id('a')),
        r#"{"Name": "/web"}"#,
    )
}

fn found(stub: &StubHost) -> Vec<RunningContainer> {
    let roots = ["/var/lib/docker", "/srv/docker"].map(PathBuf::from);
    stub.host().contained_of(&roots).unwrap()
}

fn contained(name: &str, root: &str, processes: &[i32]) -> RunningContainer {
    RunningContainer {
        name: name.to_owned(),
        root: root.into(),
        processes: processes.to_vec(),
    }
}

#[test]
fn the_engines_containers_are_found_by_what_looks_after_them() {
    let (docker, own) = ("/var/lib/docker", "/srv/docker");
    let stub = host()
        .folder(&format!("{docker}/1000.1000/containers/{}", id('b')))
        .folder(&format!("{own}/containers/{}", id('c')))
        .file("/proc/11/cmdline", "sleep\0")
        .file("/proc/11/stat", "11 (a) b) S 10 1")
        .shim(10, SHIM_PROGRAM, &line("moby", &id('a')))
        .shim(12, SHIM_PROGRAM, &line("moby-1000.1000", &id('b')))
        .shim(13, SHIM_PROGRAM, &line("k8s.io", &id('c')))
        .shim(15, SHIM_PROGRAM, &line("moby", &id('d')));
    let web = contained("web", own, &[11, 10]);
    let other = contained("bbbbbbbbbbbb", docker, &[12]);
    assert_eq!(found(&stub), [web.clone(), other]);
    let of_own = stub.host().contained_of(&[own.into()]);
    assert_eq!(of_own.unwrap(), [web]);
}

#[test]
fn a_process_that_only_looks_like_a_shim_counts_for_nothing() {
    let shim = || host().shim(10, SHIM_PROGRAM, &line("moby", &id('a')));
    assert_eq!(found(&shim()).len(), 1);
    for (name, text) in [
        ("status", "Uid:\t1000\t1000\t1000\t1000\n"),
        ("status", "Uid:\t1000\t0\t0\t0\n"), // a program with the set-user-ID bit
        ("status", "Uid:\t0\t1000\t0\t0\n"),
        ("status", ""),
    ] {
        let stub = shim().file(&format!("/proc/10/{name}"), text);
        assert_eq!(found(&stub), [], "{text}");
    }
    for (name, target) in [
        ("ns/user", "user:[2]"),
        ("ns/pid", "pid:[2]"),
        ("exe", "/usr/bin/containerd-shim-of-another-root"),
    ] {
        let stub = shim().link(&format!("/proc/10/{name}"), target);
        assert_eq!(found(&stub), [], "{name}");
    }
    for program in ["/home/m/containerd-shim-runc-v2", "/usr/bin/perl"] {
        let stub = host().shim(10, program, &line("moby", &id('a')));
        assert_eq!(found(&stub), [], "{program}");
    }
}

#[test]
fn a_shim_outlives_the_upgrade_that_replaces_its_program() {
    let deleted = format!("{SHIM_PROGRAM} (deleted)");
    let stub = host().shim(10, &deleted, &line("moby", &id('a')));
    assert_eq!(found(&stub), [contained("web", "/srv/docker", &[10])]);
    let stub = stub.link("/proc/10/ns/mnt", "mnt:[2]");
    assert_eq!(found(&stub), []);
}

#[test]
fn an_identifier_is_nothing_but_a_name_in_a_path() {
    for id in [
        "/home/m/x".to_owned(),
        "../../../home/m/x".to_owned(),
        id('a') + "a",
        id('A'),
        id('a').replacen("aaa", "../", 1),
        String::new(),
    ] {
        assert_eq!(ContainerId::parse(&id), None, "{id}");
        let stub = host().shim(10, SHIM_PROGRAM, &line("moby", &id));
        assert_eq!(found(&stub), [], "{id}");
    }
}

#[test]
fn a_name_that_cannot_be_read_or_is_none_is_left_out() {
    let (file, unnamed) = (
        format!("/srv/docker/containers/{}/config.v2.json", id('a')),
        contained("aaaaaaaaaaaa", "/srv/docker", &[10]),
    );
    let shim = || host().shim(10, SHIM_PROGRAM, &line("moby", &id('a')));
    let stub = shim().file(&file, r#"{"Name": "/\u001b]0;owned\u0007"}"#);
    assert_eq!(found(&stub), std::slice::from_ref(&unnamed));
    let stub = shim();
    fs::remove_file(stub.host().path(&file)).unwrap();
    nix::unistd::mkfifo(&stub.host().path(&file), Mode::S_IRWXU).unwrap();
    assert_eq!(found(&stub), std::slice::from_ref(&unnamed));
    let stub = shim().link(&file, "/dev/zero");
    assert_eq!(found(&stub), [unnamed]);
}
