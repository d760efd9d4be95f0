use super::{Disk, Document, EngineRelease, HostFacts, PathKind};
use crate::daemon_config::check::tests::findings_in;
use crate::daemon_config::{Context, check};

fn host(paths: &[(&str, PathKind)]) -> HostFacts {
    let pair = |(path, found): &(&str, PathKind)| ((*path).to_owned(), *found);
    HostFacts {
        paths: paths.iter().map(pair).collect(),
        ..HostFacts::default()
    }
}

fn disk() -> Disk {
    Disk {
        folder: "/srv/docker".to_owned(),
        mount: "/srv".to_owned(),
        kind: "ext4".to_owned(),
        has_project_quotas: false,
        is_noexec: false,
        is_read_only: false,
        size: 10 << 30,
    }
}

fn findings_on(disk: Disk) -> String {
    let host = HostFacts {
        data_root: Some(disk),
        ..HostFacts::default()
    };
    findings_in("{\n  \"data-root\": \"/var/lib/docker\"\n}", &host)
}

#[test]
fn a_program_that_is_in_no_path_is_an_error_where_all_containers_need_it() {
    let host = host(&[("crun", PathKind::Nothing)]);
    let runtimes = r#""runtimes": {"a": {"path": "crun"}}"#;
    let found = findings_in(&format!("{{{runtimes}}}"), &host);
    assert!(found.starts_with("warning"), "{found}");
    assert!(
        found.contains("there is no program crun where the engine looks"),
        "{found}"
    );
    let found = findings_in(
        &format!("{{\"default-runtime\": \"a\", {runtimes}}}"),
        &host,
    );
    assert!(found.starts_with("error"), "{found}");
}

#[test]
fn a_bridge_that_is_not_there_is_an_error() {
    let host = HostFacts {
        absent_bridge: Some("lan0".to_owned()),
        ..HostFacts::default()
    };
    let found = findings_in(r#"{"bridge": "lan0"}"#, &host);
    assert!(
        found.starts_with("error") && found.contains("no bridge lan0"),
        "{found}"
    );
}

#[test]
fn a_data_root_is_written_straight() {
    let found = findings_in(r#"{"data-root": "/srv/a/../b"}"#, &HostFacts::default());
    assert!(found.contains("data-root: has `..` in it"), "{found}");
    let found = findings_in(r#"{"data-root": "/srv/a..b/"}"#, &HostFacts::default());
    assert!(!found.contains("error"), "{found}");
}

#[test]
fn what_is_not_there_is_an_error_at_its_place() {
    let text = "{\n  \"runtimes\": {\"a\": {\"path\": \"/opt/crun\"}},\n\
                \"default-runtime\": \"a\"}";
    let found = |found| findings_in(text, &host(&[("/opt/crun", found)]));
    let place = "error: line 2, column 22: runtimes.a.path: ";
    let what_comes = "no container would start";
    assert_eq!(
        found(PathKind::Nothing),
        format!("{place}{what_comes}: there is no /opt/crun")
    );
    assert_eq!(
        found(PathKind::Folder),
        format!("{place}{what_comes}: /opt/crun is a folder")
    );
    assert!(found(PathKind::File).ends_with("chmod +x /opt/crun"));
    assert_eq!(found(PathKind::Program), "");
}

#[test]
fn the_process_file_is_no_folder() {
    let text = r#"{"pidfile": "/srv/pid"}"#;
    let found = |found| findings_in(text, &host(&[("/srv/pid", found)]));
    assert!(
        found(PathKind::Folder)
            .starts_with("error: line 1, column 2: pidfile: /srv/pid is a folder")
    );
    for sound in [PathKind::Nothing, PathKind::File, PathKind::Program] {
        assert_eq!(found(sound), "", "{sound:?}");
    }
}

#[test]
fn what_only_some_containers_would_miss_is_a_warning() {
    let host = host(&[
        ("/opt/crun", PathKind::Nothing),
        ("/init", PathKind::Nothing),
    ]);
    let finding = |text: &str| findings_in(text, &host);
    let runtime = finding(r#"{"runtimes": {"a": {"path": "/opt/crun"}}}"#);
    assert!(runtime.starts_with("warning"), "{runtime}");
    assert!(finding(r#"{"init-path": "/init"}"#).starts_with("warning"));
    assert!(finding(r#"{"init-path": "/init", "init": true}"#).starts_with("error"));
}

#[test]
fn more_open_files_than_the_host_allows_are_an_error() {
    let host = HostFacts {
        most_open_files: Some(20_000),
        ..HostFacts::default()
    };
    let limit = |hard: u64| {
        let nofile = format!(r#"{{"Name": "nofile", "Hard": {hard}, "Soft": 10}}"#);
        findings_in(
            &format!(r#"{{"default-ulimits": {{"nofile": {nofile}}}}}"#),
            &host,
        )
    };
    assert!(limit(20_001).contains("default-ulimits.nofile.Hard: no container would start"));
    assert_eq!(limit(20_000), "");
    let other_case = r#"{"default-ulimits": {"files": {"name": "nofile", "HARD": 20001}}}"#;
    let found = findings_in(other_case, &host);
    assert!(
        found.contains("default-ulimits.files.HARD: no container"),
        "{found}"
    );
}

#[test]
fn what_the_engine_does_not_start_without_is_an_error() {
    let host = HostFacts {
        absent_plugins: ["nosuch".to_owned()].into(),
        remap_fault: Some("there is no user nosuch".to_owned()),
        ..host(&[("/etc/passwd", PathKind::File)])
    };
    for (text, place) in [
        (
            r#"{"authorization-plugins": ["a", "nosuch"]}"#,
            "authorization-plugins.1: there is",
        ),
        (
            r#"{"data-root": "/etc/passwd"}"#,
            "data-root: /etc/passwd is a file",
        ),
        (
            r#"{"exec-root": "/etc/passwd"}"#,
            "exec-root: /etc/passwd is a file",
        ),
        (
            r#"{"userns-remap": "nosuch"}"#,
            "userns-remap: dockerd does not start: there is",
        ),
    ] {
        assert!(findings_in(text, &host).contains(place), "{text}");
    }
}

#[test]
fn a_group_that_is_not_there_is_a_warning() {
    let host = HostFacts {
        absent_group: Some("wheel".to_owned()),
        ..HostFacts::default()
    };
    let found = findings_in(r#"{"group": "wheel"}"#, &host);
    assert!(
        found.starts_with("warning") && found.contains("no group wheel"),
        "{found}"
    );
}

#[test]
fn fault_52_a_data_root_that_is_tiny_noexec_or_read_only_is_an_error() {
    assert_eq!(findings_on(disk()), "");
    let noexec = findings_on(Disk {
        is_noexec: true,
        ..disk()
    });
    assert!(
        noexec.starts_with("error: line 2, column 3: data-root: "),
        "{noexec}"
    );
    assert!(noexec.contains("/srv is mounted noexec"), "{noexec}");
    let read_only = findings_on(Disk {
        is_read_only: true,
        ..disk()
    });
    assert!(read_only.contains("read-only"), "{read_only}");
    let containerd = HostFacts {
        containerd_root: Some(Disk {
            folder: "/var/lib/containerd".to_owned(),
            is_noexec: true,
            ..disk()
        }),
        ..HostFacts::default()
    };
    let findings_with = |engine| {
        let context = Context {
            engine: Some(engine),
            host: Some(&containerd),
            ..Context::default()
        };
        check(&Document::new(), &context).len()
    };
    assert_eq!(
        (
            findings_with(EngineRelease(28, 5)),
            findings_with(EngineRelease(29, 0))
        ),
        (0, 1)
    );
    let tiny = findings_on(Disk {
        size: 64 << 20,
        ..disk()
    });
    assert!(tiny.contains("smaller than 1 GiB"), "{tiny}");
}
