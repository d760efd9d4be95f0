//! The plug-ins for authorization that the host has.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::host::Host;
use crate::host::engine::is_of_remap;

/// Where a plug-in that is no container's leaves its socket, or what tells where that is.
///
/// Source: `pkg/plugins/discovery.go` of moby.
const SOCKETS: &str = "/run/docker/plugins";
const DESCRIPTIONS: &[&str] = &["/etc/docker/plugins", "/usr/lib/docker/plugins"];

/// Those of the plug-ins that there are not.
pub(super) fn absent(
    host: &Host,
    data_root: &str,
    is_remapped: bool,
    names: &[&str],
) -> BTreeSet<String> {
    if names.is_empty() {
        return BTreeSet::new();
    }
    let managed = managed(host, data_root, is_remapped);
    let is_absent = |name: &&&str| {
        let is_managed = managed.as_ref().map(|all| {
            let tagged = format!("{name}:latest");
            all.iter().any(|known| known == *name || *known == tagged)
        });
        !is_described(host, name) && is_managed == Some(false)
    };
    let absent = names.iter().filter(is_absent);
    absent.map(ToString::to_string).collect()
}

fn is_described(host: &Host, name: &str) -> bool {
    let sockets = [("sock", SOCKETS)].into_iter();
    let described = DESCRIPTIONS
        .iter()
        .flat_map(|folder| [("spec", *folder), ("json", *folder)]);
    for (ending, folder) in sockets.chain(described) {
        for path in [
            format!("{folder}/{name}.{ending}"),
            format!("{folder}/{name}/{name}.{ending}"),
        ] {
            // Where only root may look, it is not known to be absent.
            if host.exists(&path).unwrap_or(true) {
                return true;
            }
        }
    }
    false
}

/// The names of the plug-ins that the engine keeps; `None` where only root may look, or one of them
/// cannot be told.
fn managed(host: &Host, data_root: &str, is_remapped: bool) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for root in roots(host, data_root, is_remapped)? {
        let folder = format!("{root}/plugins");
        for entry in host.list(&folder).ok()? {
            let file = format!("{folder}/{entry}/config.json");
            if let Some(config) = host.read(&file).ok()? {
                names.extend(name_of(&config));
            }
        }
    }
    Some(names)
}

/// The folders in which an engine keeps its data: one for each user to whom it mapped containers.
fn roots(host: &Host, data_root: &str, is_remapped: bool) -> Option<Vec<String>> {
    if !is_remapped {
        return Some(vec![data_root.to_owned()]);
    }
    let names = host.list(data_root).ok()?.into_iter();
    let remapped = names.filter(|name| is_of_remap(name));
    Some(remapped.map(|name| format!("{data_root}/{name}")).collect())
}

/// The name of the plug-in that this file is about.
fn name_of(config: &[u8]) -> Option<String> {
    let config: Value = serde_json::from_slice(config).ok()?;
    Some(config["plugin"]["Name"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn a_plugin_has_a_socket_a_description_or_a_folder_of_the_engines() {
        let stub = StubHost::new()
            .file("/run/docker/plugins/a.sock", "")
            .file("/etc/docker/plugins/b/b.json", "{}")
            .file(
                "/srv/plugins/0123/config.json",
                r#"{"plugin": {"Name": "lab/c:latest"}}"#,
            );
        let names = ["a", "b", "lab/c", "lab/c:latest", "c"];
        let missing = absent(stub.host(), "/srv", false, &names);
        assert_eq!(missing.into_iter().collect::<Vec<_>>(), ["c"]);
        let none = absent(stub.host(), "/elsewhere", false, &["lab/c"]);
        assert_eq!(none.len(), 1);
    }

    #[test]
    fn an_engine_with_userns_remap_keeps_its_plugins_in_a_folder_of_that_user() {
        let named = |name: &str| format!(r#"{{"plugin": {{"Name": "{name}:latest"}}}}"#);
        let stub = StubHost::new()
            .file("/srv/plugins/01/config.json", named("lab/plain"))
            .file(
                "/srv/100000.100000/plugins/02/config.json",
                named("lab/remapped"),
            );
        let missing = |is_remapped: bool| {
            let names = ["lab/plain", "lab/remapped"];
            absent(stub.host(), "/srv", is_remapped, &names)
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(missing(false), ["lab/remapped"]);
        assert_eq!(missing(true), ["lab/plain"]);
    }

    #[test]
    fn a_plugin_whose_file_is_not_to_be_read_whole_is_not_called_absent() {
        let stub = StubHost::new().file("/srv/plugins/01/config.json", " ".repeat(2 << 20));
        let found = absent(stub.host(), "/srv", false, &["lab/c"]);
        assert!(found.is_empty(), "{found:?}");
    }
}
