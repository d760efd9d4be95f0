//! What a configuration needs of the host: files, programs, a group, room, and leave to use it.
//!
//! Owns which key needs what. It must not look for them.

use serde_json::Value;

use super::check::{Findings, Severity};
use super::conflicts::keeps_images_in_containerd;
use super::document::Document;
use super::schema::Engine;
use super::surroundings::{Disk, Found, Surroundings};
use super::types::children;

/// Below this size, in bytes, a file system is too small for the engine's data: an image or two
/// fill it.
const TINY: u64 = 1 << 30;

/// What must stand at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Must {
    File,
    Program,
}

/// Every path that must be there for the engine to start or to run a container.
pub fn named_paths(document: &Document) -> Vec<String> {
    let mut paths: Vec<String> = named(document)
        .into_iter()
        .map(|named| named.file)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

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
    if let Some(most) = around.most_open_files {
        check_open_files(findings, document, most);
    }
    if let Some(disk) = &around.data_root {
        check_disk(findings, disk, "write a data-root elsewhere");
    }
    // Before an engine is chosen, it is not known who keeps the images.
    let in_containerd = engine.is_some_and(|engine| keeps_images_in_containerd(document, engine));
    if let Some(disk) = around.containerd_root.as_ref().filter(|_| in_containerd) {
        let cure = "write another root into /etc/containerd/config.toml";
        check_disk(findings, disk, cure);
    }
}

fn check_open_files(findings: &mut Findings<'_>, document: &Document, most: u64) {
    let path = ["default-ulimits", "nofile", "Hard"];
    let wanted = document.value_at(&path).and_then(Value::as_u64);
    if wanted.is_some_and(|wanted| wanted > most) {
        let message = format!("no container would start: this host allows {most} at most");
        findings.error(&path, message);
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

/// A value that names something.
struct Named {
    /// Where it stands in the configuration.
    path: Vec<String>,
    file: String,
    must: Must,
    /// How bad it is without: an error where the engine does not start, or no container does.
    severity: Severity,
}

fn named(document: &Document) -> Vec<Named> {
    let mut all = Vec::new();
    let mut add = |path: &[&str], must, severity| {
        let value = document.value_at(path).and_then(Value::as_str);
        all.extend(
            value
                .filter(|file| file.starts_with('/'))
                .map(|file| Named {
                    path: path.iter().map(ToString::to_string).collect(),
                    file: file.to_owned(),
                    must,
                    severity,
                }),
        );
    };
    let get = |key| document.get(key);
    let is_on = |key| get(key) == Some(&Value::Bool(true));
    let bad_if = |condition| match condition {
        true => Severity::Error,
        false => Severity::Warning,
    };
    // dockerd opens these only when it is to speak TLS.
    if is_on("tls") || is_on("tlsverify") {
        for key in ["tlscacert", "tlscert", "tlskey"] {
            add(&[key], Must::File, Severity::Error);
        }
    }
    add(&["seccomp-profile"], Must::File, Severity::Error);
    add(&["init-path"], Must::Program, bad_if(is_on("init")));
    if get("userland-proxy") != Some(&Value::Bool(false)) {
        add(&["userland-proxy-path"], Must::Program, Severity::Error);
    }
    let default = get("default-runtime").and_then(Value::as_str);
    for (name, _) in get("runtimes").map_or(vec![], children) {
        let severity = bad_if(default == Some(&name));
        add(&["runtimes", &name, "path"], Must::Program, severity);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{Disk, Document, Engine, Found, Surroundings, named_paths};
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
    fn what_must_be_there_is_named_once() {
        let text = r#"{"seccomp-profile": "/s", "init-path": "/i", "tlskey": "/k",
            "runtimes": {"a": {"path": "/r"}, "b": {"path": "/r"}, "c": {"path": "crun"}},
            "userland-proxy": false, "userland-proxy-path": "/p"}"#;
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(named_paths(&document), ["/i", "/r", "/s"]);
        let tls = Document::parse(br#"{"tls": true, "tlskey": "/k"}"#).unwrap();
        assert_eq!(named_paths(&tls), ["/k"]);
        let word = Document::parse(br#"{"seccomp-profile": "unconfined"}"#).unwrap();
        assert!(named_paths(&word).is_empty());
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
