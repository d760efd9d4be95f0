use super::{Disk, Document, Engine, Found, Surroundings};
use crate::daemon_config::check::tests::problems_in;
use crate::daemon_config::{Context, check};

fn around(paths: &[(&str, Found)]) -> Surroundings {
    let pair = |(path, found): &(&str, Found)| ((*path).to_owned(), *found);
    Surroundings {
        paths: paths.iter().map(pair).collect(),
        ..Surroundings::default()
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

fn problems_on(disk: Disk) -> String {
    let around = Surroundings {
        data_root: Some(disk),
        ..Surroundings::default()
    };
    problems_in("{\n  \"data-root\": \"/var/lib/docker\"\n}", &around)
}

#[test]
fn a_program_that_is_in_no_path_is_an_error_where_all_containers_need_it() {
    let around = around(&[("crun", Found::Nothing)]);
    let runtimes = r#""runtimes": {"a": {"path": "crun"}}"#;
    let found = problems_in(&format!("{{{runtimes}}}"), &around);
    assert!(found.starts_with("warning"), "{found}");
    assert!(
        found.contains("there is no program crun where the engine looks"),
        "{found}"
    );
    let found = problems_in(
        &format!("{{\"default-runtime\": \"a\", {runtimes}}}"),
        &around,
    );
    assert!(found.starts_with("error"), "{found}");
}

#[test]
fn a_bridge_that_is_not_there_is_an_error() {
    let around = Surroundings {
        absent_bridge: Some("lan0".to_owned()),
        ..Surroundings::default()
    };
    let found = problems_in(r#"{"bridge": "lan0"}"#, &around);
    assert!(
        found.starts_with("error") && found.contains("no bridge lan0"),
        "{found}"
    );
}

#[test]
fn a_data_root_is_written_straight() {
    let found = problems_in(r#"{"data-root": "/srv/a/../b"}"#, &Surroundings::default());
    assert!(found.contains("data-root: has `..` in it"), "{found}");
    let found = problems_in(r#"{"data-root": "/srv/a..b/"}"#, &Surroundings::default());
    assert!(!found.contains("error"), "{found}");
}

#[test]
fn what_is_not_there_is_an_error_at_its_place() {
    let text = "{\n  \"runtimes\": {\"a\": {\"path\": \"/opt/crun\"}},\n\
                \"default-runtime\": \"a\"}";
    let found = |found| problems_in(text, &around(&[("/opt/crun", found)]));
    let place = "error: line 2, column 22: runtimes.a.path: ";
    let what_comes = "no container would start";
    assert_eq!(
        found(Found::Nothing),
        format!("{place}{what_comes}: there is no /opt/crun")
    );
    assert_eq!(
        found(Found::Folder),
        format!("{place}{what_comes}: /opt/crun is a folder")
    );
    assert!(found(Found::File).ends_with("chmod +x /opt/crun"));
    assert_eq!(found(Found::Program), "");
}

#[test]
fn the_process_file_is_no_folder() {
    let text = r#"{"pidfile": "/srv/pid"}"#;
    let found = |found| problems_in(text, &around(&[("/srv/pid", found)]));
    assert!(
        found(Found::Folder).starts_with("error: line 1, column 2: pidfile: /srv/pid is a folder")
    );
    for sound in [Found::Nothing, Found::File, Found::Program] {
        assert_eq!(found(sound), "", "{sound:?}");
    }
}

#[test]
fn what_only_some_containers_would_miss_is_a_warning() {
    let around = around(&[("/opt/crun", Found::Nothing), ("/init", Found::Nothing)]);
    let problem = |text: &str| problems_in(text, &around);
    let runtime = problem(r#"{"runtimes": {"a": {"path": "/opt/crun"}}}"#);
    assert!(runtime.starts_with("warning"), "{runtime}");
    assert!(problem(r#"{"init-path": "/init"}"#).starts_with("warning"));
    assert!(problem(r#"{"init-path": "/init", "init": true}"#).starts_with("error"));
}

#[test]
fn more_open_files_than_the_host_allows_are_an_error() {
    let around = Surroundings {
        most_open_files: Some(20_000),
        ..Surroundings::default()
    };
    let limit = |hard: u64| {
        let nofile = format!(r#"{{"Name": "nofile", "Hard": {hard}, "Soft": 10}}"#);
        problems_in(
            &format!(r#"{{"default-ulimits": {{"nofile": {nofile}}}}}"#),
            &around,
        )
    };
    assert!(limit(20_001).contains("default-ulimits.nofile.Hard: no container would start"));
    assert_eq!(limit(20_000), "");
    let other_case = r#"{"default-ulimits": {"files": {"name": "nofile", "HARD": 20001}}}"#;
    let found = problems_in(other_case, &around);
    assert!(
        found.contains("default-ulimits.files.HARD: no container"),
        "{found}"
    );
}

#[test]
fn what_the_engine_does_not_start_without_is_an_error() {
    let around = Surroundings {
        absent_plugins: ["nosuch".to_owned()].into(),
        remap_fault: Some("there is no user nosuch".to_owned()),
        ..around(&[("/etc/passwd", Found::File)])
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
        assert!(problems_in(text, &around).contains(place), "{text}");
    }
}

#[test]
fn a_group_that_is_not_there_is_a_warning() {
    let around = Surroundings {
        absent_group: Some("wheel".to_owned()),
        ..Surroundings::default()
    };
    let found = problems_in(r#"{"group": "wheel"}"#, &around);
    assert!(
        found.starts_with("warning") && found.contains("no group wheel"),
        "{found}"
    );
}

#[test]
fn fault_52_a_data_root_that_is_tiny_noexec_or_read_only_is_an_error() {
    assert_eq!(problems_on(disk()), "");
    let noexec = problems_on(Disk {
        is_noexec: true,
        ..disk()
    });
    assert!(
        noexec.starts_with("error: line 2, column 3: data-root: "),
        "{noexec}"
    );
    assert!(noexec.contains("/srv is mounted noexec"), "{noexec}");
    let read_only = problems_on(Disk {
        is_read_only: true,
        ..disk()
    });
    assert!(read_only.contains("read-only"), "{read_only}");
    let containerd = Surroundings {
        containerd_root: Some(Disk {
            folder: "/var/lib/containerd".to_owned(),
            is_noexec: true,
            ..disk()
        }),
        ..Surroundings::default()
    };
    let problems_with = |engine| {
        let context = Context {
            engine: Some(engine),
            surroundings: Some(&containerd),
            ..Context::default()
        };
        check(&Document::new(), &context).len()
    };
    assert_eq!(
        (problems_with(Engine(28, 5)), problems_with(Engine(29, 0))),
        (0, 1)
    );
    let tiny = problems_on(Disk {
        size: 64 << 20,
        ..disk()
    });
    assert!(tiny.contains("smaller than 1 GiB"), "{tiny}");
}
