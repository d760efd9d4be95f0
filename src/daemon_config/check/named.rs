//! Files and programs that a configuration names, and what must stand there.
//!
//! Owns which key names what. It must not look for them.

use serde_json::Value;

use super::{logging, tls};
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::{children, named as named_entry};
use crate::daemon_config::finding::Severity;

/// What comes with the engine's packages, and so is there when the engine starts.
const BROUGHT: &[&str] = &[
    "runc",
    "containerd-shim-runc-v2",
    "docker-init",
    "docker-proxy",
];

/// What must stand at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Must {
    File,
    Program,
    /// One that is made where there is nothing yet.
    Folder,
    /// Anything else, or nothing: the engine makes a file there.
    NoFolder,
}

/// A value that names something.
pub(super) struct Named {
    /// Where it stands in the configuration.
    pub path: Vec<String>,
    pub file: String,
    pub must: Must,
    /// How bad it is without: an error where the engine does not start, or no container does.
    pub severity: Severity,
}

/// Every path that must be there for the engine to start or to run a container; a name without a
/// slash is one of a program that is looked for in `PATH`.
pub(crate) fn named_paths(document: &Document) -> Vec<String> {
    let mut paths: Vec<String> = named(document)
        .into_iter()
        .map(|named| named.file)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The plug-ins that are to be asked before each request is served.
pub(crate) fn authorization_plugins(document: &Document) -> Vec<&str> {
    let plugins = document
        .get("authorization-plugins")
        .map_or(vec![], children)
        .into_iter();
    plugins.filter_map(|(_, name)| name.as_str()).collect()
}

pub(super) fn named(document: &Document) -> Vec<Named> {
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
    for key in ["data-root", "exec-root"] {
        let folder = text(key);
        if folder.starts_with('/') {
            add(&[key], folder, Must::Folder, Severity::Error);
        }
    }
    let pid_file = text("pidfile");
    if pid_file.starts_with('/') {
        add(&["pidfile"], pid_file, Must::NoFolder, Severity::Error);
    }
    if text("storage-driver") == "fuse-overlayfs" {
        let path = ["storage-driver"];
        add(&path, "fuse-overlayfs", Must::Program, Severity::Error);
    }
    // dockerd opens these only when it is to speak TLS.
    if tls::is_spoken(document) {
        for key in ["tlscacert", "tlscert", "tlskey"] {
            add(&[key], &from_root(text(key)), Must::File, Severity::Error);
        }
    }
    if !matches!(text("seccomp-profile"), "builtin" | "unconfined") {
        let profile = from_root(text("seccomp-profile"));
        add(&["seccomp-profile"], &profile, Must::File, Severity::Error);
    }
    let init = text("init-path");
    add(&["init-path"], init, Must::Program, error_if(is_on("init")));
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
        let severity = error_if(default == name);
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

fn error_if(condition: bool) -> Severity {
    if condition {
        Severity::Error
    } else {
        Severity::Warning
    }
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
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        named_paths(&Document::parse(text.as_bytes()).unwrap())
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
}
