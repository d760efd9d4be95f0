//! What a configuration needs of the host: files, programs, a group, room, and leave to use it.
//!
//! Owns which key needs what. It must not look for them.

use serde_json::Value;

use super::check::{Findings, Severity};
use super::conflicts::keeps_images_in_containerd;
use super::document::Document;
use super::logging;
use super::schema::Engine;
use super::surroundings::{Disk, Found, Surroundings};
use super::types::{children, entry, named as named_entry};

/// Below this size, in bytes, a file system is too small for the engine's data: an image or two
/// fill it.
const TINY: u64 = 1 << 30;

/// What comes with the engine's packages, and so is there when the engine starts.
const BROUGHT: &[&str] = &[
    "runc",
    "containerd-shim-runc-v2",
    "docker-init",
    "docker-proxy",
];

/// What must stand at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Must {
    File,
    Program,
}

/// Every path that must be there for the engine to start or to run a container; a name without a
/// slash is one of a program that is looked for in `PATH`.
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
    // Before an engine is chosen, it is not known who keeps the images.
    let in_containerd = engine.is_some_and(|engine| keeps_images_in_containerd(document, engine));
    if let Some(disk) = around.containerd_root.as_ref().filter(|_| in_containerd) {
        let cure = "write another root into /etc/containerd/config.toml";
        check_disk(findings, disk, cure);
    }
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
    let mut add = |path: &[&str], file: &str, must, severity| {
        let name = file.strip_prefix("/usr/bin/").unwrap_or(file);
        if !file.is_empty() && !BROUGHT.contains(&name) {
            all.push(Named {
                path: path.iter().map(ToString::to_string).collect(),
                file: file.to_owned(),
                must,
                severity,
            });
        }
    };
    let get = |key| document.get(key);
    let text = |key| get(key).and_then(Value::as_str).unwrap_or_default();
    let is_on = |key| get(key) == Some(&Value::Bool(true));
    let bad_if = |condition| match condition {
        true => Severity::Error,
        false => Severity::Warning,
    };
    // dockerd opens these only when it is to speak TLS.
    if is_on("tls") || is_on("tlsverify") {
        for key in ["tlscacert", "tlscert", "tlskey"] {
            add(&[key], &from_root(text(key)), Must::File, Severity::Error);
        }
    }
    if !matches!(text("seccomp-profile"), "builtin" | "unconfined") {
        let profile = from_root(text("seccomp-profile"));
        add(&["seccomp-profile"], &profile, Must::File, Severity::Error);
    }
    let init = text("init-path");
    add(&["init-path"], init, Must::Program, bad_if(is_on("init")));
    let proxy = text("userland-proxy-path");
    if get("userland-proxy") != Some(&Value::Bool(false)) {
        let path = ["userland-proxy-path"];
        add(&path, &from_root(proxy), Must::Program, Severity::Error);
    }
    for (option, file) in logging::named_files(document) {
        add(&["log-opts", option], file, Must::File, Severity::Error);
    }
    let default = text("default-runtime");
    for (name, runtime) in get("runtimes").map_or(vec![], children) {
        let severity = bad_if(default == name);
        if let Some((entry, Value::String(program))) = named_entry(runtime, "path") {
            let path = ["runtimes", &name, entry];
            add(&path, program, Must::Program, severity);
        }
        if let Some((entry, Value::String(kind))) = named_entry(runtime, "runtimeType") {
            let path = ["runtimes", &name, entry];
            add(&path, &shim(kind), Must::Program, severity);
        }
    }
    if default.contains('.') && document.value_at(&["runtimes", default]).is_none() {
        let path = ["default-runtime"];
        add(&path, &shim(default), Must::Program, Severity::Error);
    }
    all
}

/// A path as dockerd has it, which starts in the root.
fn from_root(path: &str) -> String {
    match path {
        "" => String::new(),
        _ if path.starts_with('/') => path.to_owned(),
        _ => format!("/{path}"),
    }
}

/// The program behind a type of runtime: `containerd-shim-runsc-v1` of `io.containerd.runsc.v1`.
/// Source: `BinaryName` of containerd's shims.
fn shim(kind: &str) -> String {
    let mut parts = kind.rsplit('.');
    match (parts.next(), parts.next()) {
        (Some(version), Some(name)) if !kind.starts_with('/') => {
            format!("containerd-shim-{name}-{version}")
        }
        _ => kind.to_owned(),
    }
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

    fn paths(text: &str) -> Vec<String> {
        named_paths(&Document::parse(text.as_bytes()).unwrap())
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
            "runtimes": {"a": {"path": "/r"}, "b": {"Path": "/r"}, "c": {"path": "crun"}},
            "userland-proxy": false, "userland-proxy-path": "/p"}"#;
        assert_eq!(paths(text), ["/i", "/r", "/s", "crun"]);
        assert_eq!(paths(r#"{"tls": true, "tlskey": "/k"}"#), ["/k"]);
        assert!(paths(r#"{"seccomp-profile": "unconfined"}"#).is_empty());
        assert_eq!(
            paths(r#"{"seccomp-profile": "etc/s.json"}"#),
            ["/etc/s.json"]
        );
        let socket = r#"{"log-driver": "syslog", "log-opts": {"syslog-address": "unix:///l"}}"#;
        assert_eq!(paths(socket), ["/l"]);
    }

    #[test]
    fn a_type_of_runtime_names_its_shim_and_what_the_packages_bring_is_there() {
        let kind = |kind: &str| {
            paths(&format!(
                r#"{{"runtimes": {{"a": {{"runtimeType": "{kind}"}}}}}}"#
            ))
        };
        assert_eq!(kind("io.containerd.runsc.v1"), ["containerd-shim-runsc-v1"]);
        assert_eq!(kind("/opt/shim"), ["/opt/shim"]);
        assert_eq!(kind("nonsense"), ["nonsense"]);
        let named = r#"{"default-runtime": "io.containerd.kata.v2"}"#;
        assert_eq!(paths(named), ["containerd-shim-kata-v2"]);
        for brought in [
            r#"{"default-runtime": "io.containerd.runc.v2"}"#,
            r#"{"runtimes": {"a": {"path": "/usr/bin/runc"}, "b": {"path": "runc"}}}"#,
            r#"{"userland-proxy-path": "/usr/bin/docker-proxy"}"#,
        ] {
            assert!(paths(brought).is_empty(), "{brought}");
        }
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
