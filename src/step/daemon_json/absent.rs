//! What a configuration names and the host does not have: plug-ins, addresses, users.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener};

use anyhow::Result;
use serde_json::Value;

use super::subids;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::engine::is_of_remap;
use crate::host::query::Reader;

/// Where a plug-in that is no container's leaves its socket, or what tells where that is.
///
/// Source: `pkg/plugins/discovery.go` of moby.
const SOCKETS: &str = "/run/docker/plugins";
const DESCRIPTIONS: &[&str] = &["/etc/docker/plugins", "/usr/lib/docker/plugins"];

/// The user that dockerd makes for user namespaces where none is named.
const REMAP_DEFAULT: &str = "default";

/// Those of the plug-ins that there are not.
pub(super) fn plugins(
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

/// Those of the hosts on which no program of this host can listen.
pub(super) fn hosts(host: &Host, hosts: BTreeSet<String>) -> Result<BTreeSet<String>> {
    let mut foreign = BTreeSet::new();
    for name in hosts {
        let is_foreign = match name.parse::<IpAddr>() {
            Ok(address) => is_of_others(address),
            Err(_) if name.contains('%') => false, // an address of one device
            Err(_) => !is_known(host, &name)?,
        };
        if is_foreign {
            foreign.insert(name);
        }
    }
    Ok(foreign)
}

/// Asks the kernel, at a port that it chooses, and listens no longer than that takes.
fn is_of_others(address: IpAddr) -> bool {
    let listening = TcpListener::bind((address, 0));
    listening.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable)
}

fn is_known(host: &Host, name: &str) -> Result<bool> {
    /// What `getent(1)` exits with where there is no such entry.
    const NO_SUCH_KEY: i32 = 2;
    if name.starts_with('-') {
        return Ok(false);
    }
    let asked = host.query(&Query::of(Reader::Getent).args(["ahosts", name]))?;
    Ok(asked.code != NO_SUCH_KEY)
}

/// Why containers' root cannot be mapped to this user, and group, of the host.
///
/// Source: `parseRemappedRoot` of dockerd.
pub(super) fn remapped(host: &Host, text: &str) -> Result<Option<String>> {
    if matches!(text, "" | REMAP_DEFAULT) {
        return Ok(None);
    }
    let (user, group) = match text.split(':').collect::<Vec<_>>()[..] {
        [user] => (user, None),
        [user, group] => (user, Some(group)),
        _ => {
            return Ok(Some(
                "has more than a user and a group; write USER:GROUP".to_owned(),
            ));
        }
    };
    let Some(entry) = host.entry("passwd", user)? else {
        let cure = "create it, or write \"default\" for one that dockerd makes";
        return Ok(Some(format!("there is no user {user}; {cure}")));
    };
    if let Some(group) = group
        && host.entry("group", group)?.is_none()
    {
        return Ok(Some(format!("there is no group {group}; create it first")));
    }
    let mut fields = entry.split(':');
    let name = fields.next().unwrap_or(user);
    let number = fields.nth(1).unwrap_or_default();
    if name == "root" {
        return Ok(None); // dockerd goes on without
    }
    subids::fault(host, name, number)
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
        let absent = plugins(stub.host(), "/srv", false, &names);
        assert_eq!(absent.into_iter().collect::<Vec<_>>(), ["c"]);
        let none = plugins(stub.host(), "/elsewhere", false, &["lab/c"]);
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
        let absent = |is_remapped: bool| {
            let names = ["lab/plain", "lab/remapped"];
            plugins(stub.host(), "/srv", is_remapped, &names)
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(absent(false), ["lab/remapped"]);
        assert_eq!(absent(true), ["lab/plain"]);
    }

    #[test]
    fn a_plugin_whose_file_is_not_to_be_read_whole_is_not_called_absent() {
        let stub = StubHost::new().file("/srv/plugins/01/config.json", " ".repeat(2 << 20));
        let found = plugins(stub.host(), "/srv", false, &["lab/c"]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_foreign_host_is_an_address_of_others_or_an_unknown_name() {
        let stub = StubHost::new().program("getent", "test $2 = known || exit 2");
        let names = [
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "192.0.2.1",
            "known",
            "unknown",
        ];
        let foreign = hosts(stub.host(), names.map(str::to_owned).into()).unwrap();
        assert!(foreign.contains("192.0.2.1") && foreign.contains("unknown"));
        assert!(!foreign.contains("127.0.0.1") && !foreign.contains("known"));
    }

    #[test]
    fn a_user_for_namespaces_is_there_and_has_ranges() {
        let stub = StubHost::new()
            .program(
                "getent",
                "case \"$1 $2\" in
                    'passwd mapped'|'passwd 1000') echo mapped:x:1000:1000::/: ;;
                    'passwd bare') echo bare:x:1001:1001::/: ;;
                    'passwd root') echo root:x:0:0::/: ;;
                    'group staff') echo staff:x:50: ;;
                    *) exit 2 ;;
                esac",
            )
            .file(
                "/etc/passwd",
                "mapped:x:1000:1000::/:\nbare:x:1001:1001::/:\n",
            )
            .file("/etc/subuid", "mapped:100000:65536\n")
            .file("/etc/subgid", "1000:100000:65536\n");
        let fault = |text: &str| remapped(stub.host(), text).unwrap();
        for right in ["", "default", "mapped", "1000", "mapped:staff", "root"] {
            assert_eq!(fault(right), None, "{right}");
        }
        for (wrong, message) in [
            ("nobodys", "there is no user nobodys"),
            ("100000:100000", "there is no user 100000"),
            ("mapped:nosuch", "there is no group nosuch"),
            (
                "bare",
                "sudo usermod --add-subuids 165536-231071 --add-subgids",
            ),
            ("a:b:c", "write USER:GROUP"),
        ] {
            let found = fault(wrong).unwrap_or_default();
            assert!(found.contains(message), "{wrong}: {found}");
        }
    }
}
