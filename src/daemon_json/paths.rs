//! What a configuration needs of the host: files, programs, a group, room, and leave to use it.
//!
//! Owns what is wrong without them; `named` knows which key names what. It must not look for them.

use super::check::{Findings, Severity};
use super::conflicts::keeps_images_in_containerd;
use super::document::Document;
use super::named::{Must, Named, named};
use super::schema::Engine;
use super::surroundings::{Disk, Found, Surroundings};
use super::types::{children, entry, named as named_entry};

/// Below this size, in bytes, a file system is too small for the engine's data: an image or two
/// fill it.
const TINY: u64 = 1 << 30;

pub(super) fn check(
    findings: &mut Findings<'_>,
    document: &Document,
    around: &Surroundings,
    engine: Option<Engine>,
) {
    for Named {
        path,
        file,
        must,
        severity,
    } in named(document)
    {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let message = match (must, around.paths.get(&file)) {
            (_, Some(Found::Nothing)) if !file.contains('/') => {
                format!("there is no program {file} where the engine looks for one; install it")
            }
            (_, Some(Found::Nothing)) => format!("there is no {file}"),
            (_, Some(Found::Folder)) => format!("{file} is a folder"),
            (Must::Program, Some(Found::File)) => {
                format!("{file} may not be executed; allow it: chmod +x {file}")
            }
            _ => continue,
        };
        match severity {
            Severity::Error => findings.error(&path, message),
            Severity::Warning => findings.warn(&path, message),
        }
    }
    if let Some(group) = &around.absent_group {
        let message = format!("there is no group {group}; make it: groupadd --system {group}");
        findings.warn(&["group"], message);
    }
    if let Some(bridge) = &around.absent_bridge {
        let message = format!(
            "there is no bridge {bridge}, and dockerd does not start: make it first, or leave this \
             out for dockerd's own"
        );
        findings.error(&["bridge"], message);
    }
    if let Some(most) = around.most_open_files {
        check_open_files(findings, document, most);
    }
    if let Some(disk) = &around.data_root {
        check_disk(findings, disk, "write a data-root elsewhere");
    }
    let data_root = document.get("data-root").and_then(|it| it.as_str());
    if data_root.is_some_and(|it| it.split('/').any(|part| part == "..")) {
        findings.error(
            &["data-root"],
            "has `..` in it; write the folder itself".to_owned(),
        );
    }
    for (key, fault) in &around.folders_of_others {
        findings.warn(&[key], of_others(fault));
    }
    // Before an engine is chosen, it is not known who keeps the images.
    let in_containerd = engine.is_some_and(|engine| keeps_images_in_containerd(document, engine));
    if let Some(disk) = around.containerd_root.as_ref().filter(|_| in_containerd) {
        let cure = "write another root into /etc/containerd/config.toml";
        check_disk(findings, disk, cure);
    }
}

/// Why nothing of the engine's is to be in a folder that others can exchange.
pub(crate) fn of_others(fault: &str) -> String {
    format!("whoever can change this folder can run programs as root: {fault}")
}

/// dockerd reads names in any case here, and the name inside is the one that counts.
fn check_open_files(findings: &mut Findings<'_>, document: &Document, most: u64) {
    for (key, limit) in document.get("default-ulimits").map_or(vec![], children) {
        let hard = named_entry(limit, "Hard");
        let Some((name, hard)) = hard.filter(|_| entry(limit, "Name") == "nofile") else {
            continue;
        };
        if hard.as_u64().is_some_and(|wanted| wanted > most) {
            let message = format!("no container would start: this host allows {most} at most");
            findings.error(&["default-ulimits", &key, name], message);
        }
    }
}

fn check_disk(findings: &mut Findings<'_>, disk: &Disk, cure: &str) {
    let Disk { folder, mount, .. } = disk;
    let fault = if disk.is_read_only {
        "is mounted read-only, so that the engine cannot keep anything there"
    } else if disk.is_noexec {
        "is mounted noexec, so that programs in volumes, and with some kernels those of \
         containers, would not run"
    } else if disk.size < TINY {
        "is smaller than 1 GiB, too small for images"
    } else {
        return;
    };
    let message = format!(
        "the engine's data would be in {folder}, and the file system {mount} {fault}; mount \
         another one there, or {cure}"
    );
    findings.error(&["data-root"], message);
}

#[cfg(test)]
mod tests {
    use super::{Disk, Document, Engine, Found, Surroundings};
    use crate::daemon_json::check::tests::problems_in;
    use crate::daemon_json::{Context, check};

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
        assert_eq!(
            found(Found::Nothing),
            format!("{place}there is no /opt/crun")
        );
        assert_eq!(
            found(Found::Folder),
            format!("{place}/opt/crun is a folder")
        );
        assert!(found(Found::File).ends_with("chmod +x /opt/crun"));
        assert_eq!(found(Found::Program), "");
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
}
