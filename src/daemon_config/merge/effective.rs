//! What a running engine tells of its configuration, held against the file.
//!
//! Owns in which form the engine says what; the table says which key it belongs to. It must not ask
//! the engine.
//!
//! Only keys have a form of which the engine says what it was told, so that it can be told from any
//! other: a storage driver goes by other names with containerd, a folder by its real path, and of
//! plug-ins for authorization engine 26.1 goes on telling those that it had when it started.

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::{children, entry};
use crate::daemon_config::schema::{self, Shown};

/// The keys of the file that the engine has other values for, as far as it tells.
pub(crate) fn differing(document: &Document, info: &Value) -> Vec<&'static str> {
    let differs = |key: &&schema::Key| {
        let value = document.get(key.name).filter(|value| !is_blank(value));
        let both = key.shown.zip(value);
        both.and_then(|(shown, value)| shown.is_in_force(value, info)) == Some(false)
    };
    schema::keys().filter(differs).map(|key| key.name).collect()
}

/// Blank values are no values to the engine.
fn is_blank(value: &Value) -> bool {
    value.is_null() || value == ""
}

impl Shown {
    /// Whether the answer shows that this value is in force; `None` when it does not tell.
    fn is_in_force(self, value: &Value, info: &Value) -> Option<bool> {
        match self {
            Shown::Same(place) => {
                let said = info.pointer(place).filter(|said| !said.is_null())?;
                Some(said == value)
            }
            Shown::Folders(place) => {
                let said = info.pointer(place)?.as_array()?;
                (!said.is_empty()).then(|| Some(said) == value.as_array())
            }
            Shown::Among(place) => {
                let said = info.pointer(place)?.as_array()?;
                Some(entries(value).iter().all(|entry| said.contains(entry)))
            }
            Shown::Names(place) => {
                let said = info.pointer(place)?.as_object()?;
                let names = value.as_object()?.keys();
                Some(names.into_iter().all(|name| said.contains_key(name)))
            }
            Shown::Begins(place) => {
                let said = info
                    .pointer(place)?
                    .as_str()
                    .filter(|said| !said.is_empty())?;
                Some(said.starts_with(value.as_str()?))
            }
            Shown::SecurityOption(option) => {
                let options = info["SecurityOptions"].as_array()?;
                Some(value.as_bool()? == options.contains(&json!(option)))
            }
            Shown::CgroupDriver => has_cgroup_driver(value, info),
            Shown::InsecureRegistries => has_insecure_registries(value, info),
            Shown::Mirrors => has_mirrors(value, info),
            Shown::Pools => has_pools(value, info),
            Shown::Proxies => has_proxies(value, info),
            Shown::Resources => has_resources(value, info),
            Shown::Seccomp => has_seccomp(value, info),
        }
    }
}

fn entries(list: &Value) -> Vec<&Value> {
    list.as_array().into_iter().flatten().collect()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    entries(list).into_iter().filter_map(Value::as_str)
}

fn has_cgroup_driver(value: &Value, info: &Value) -> Option<bool> {
    let said = info["CgroupDriver"].as_str()?;
    let (_, driver) = texts(value).last()?.split_once('=')?;
    Some(said == driver.trim())
}

/// The engine has networks and hosts apart, and adds the loopback.
fn has_insecure_registries(value: &Value, info: &Value) -> Option<bool> {
    let said = info["RegistryConfig"].as_object()?;
    let networks: Vec<Value> = entries(said.get("InsecureRegistryCIDRs")?)
        .into_iter()
        .map(network)
        .collect();
    let hosts = said.get("IndexConfigs")?;
    let is_there = |registry: &str| {
        let name = registry
            .split_once("://")
            .map_or(registry, |(_, name)| name);
        match name.parse::<IpNet>() {
            Ok(_) => networks.contains(&network(&name.into())),
            Err(_) => hosts.get(name).is_some_and(|host| host["Secure"] == false),
        }
    };
    Some(texts(value).all(is_there))
}

/// The engine writes a slash at the end of each, and `null` for none.
fn has_mirrors(value: &Value, info: &Value) -> Option<bool> {
    let said = info["RegistryConfig"].as_object()?.get("Mirrors");
    let plain = |url: &str| url.trim_end_matches('/').to_owned();
    let said: Vec<String> = said.into_iter().flat_map(texts).map(plain).collect();
    Some(texts(value).all(|url| said.contains(&plain(url))))
}

fn has_pools(value: &Value, info: &Value) -> Option<bool> {
    let pools = |list: &Value| -> Option<Vec<(Value, Value)>> {
        let pools = list
            .as_array()?
            .iter()
            .map(|pool| (network(entry(pool, "base")), entry(pool, "size").clone()));
        Some(pools.collect())
    };
    Some(pools(&info["DefaultAddressPools"])? == pools(value)?)
}

/// One network can be written in many ways: `fd00:0::/48`, `FD00::1/48`.
fn network(text: &Value) -> Value {
    let network = text.as_str().and_then(|text| text.parse::<IpNet>().ok());
    network.map_or(text.clone(), |network| network.trunc().to_string().into())
}

/// Names and passwords are crossed out.
fn has_proxies(value: &Value, info: &Value) -> Option<bool> {
    let plain = |url: &str| match url.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://@{host}")
        }
        None => url.to_owned(),
    };
    let mut all = None;
    for (name, place) in [
        ("http-proxy", "HttpProxy"),
        ("https-proxy", "HttpsProxy"),
        ("no-proxy", "NoProxy"),
    ] {
        let wanted = value[name].as_str().filter(|wanted| !wanted.is_empty());
        if let Some((wanted, said)) = wanted.zip(info[place].as_str()) {
            all = Some(all.unwrap_or(true) && plain(wanted) == plain(said));
        }
    }
    all
}

/// A resource is a name with a number, or with a name of one piece.
fn has_resources(value: &Value, info: &Value) -> Option<bool> {
    let said = info.get("GenericResources")?;
    let said: Vec<String> = entries(said)
        .into_iter()
        .flat_map(children)
        .filter_map(|(_, it)| {
            let text = |part: &Value| part.as_str().map_or(part.to_string(), str::to_owned);
            Some(format!("{}={}", it["Kind"].as_str()?, text(&it["Value"])))
        })
        .collect();
    Some(texts(value).all(|resource| said.iter().any(|it| it == resource)))
}

/// Nothing is said by a kernel without it.
fn has_seccomp(value: &Value, info: &Value) -> Option<bool> {
    let mut said = texts(&info["SecurityOptions"]);
    let profile = said.find_map(|option| option.strip_prefix("name=seccomp,profile="))?;
    let wanted = value.as_str().filter(|wanted| *wanted != "builtin")?;
    Some(profile == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> Value {
        json!({
            "Debug": false, "DefaultRuntime": "runc", "LiveRestoreEnabled": true,
            "LoggingDriver": "local", "Labels": ["b=2", "a=1"], "ExperimentalBuild": false,
            "SecurityOptions": ["name=seccomp,profile=builtin"], "CgroupDriver": "systemd",
            "RegistryConfig": {
                "Mirrors": ["https://mirror.example/"],
                "InsecureRegistryCIDRs": ["127.0.0.0/8", "10.0.0.0/8"],
                "IndexConfigs": {"a.example:5000": {"Secure": false}},
            },
            "Runtimes": {"runc": {"path": "runc"}},
            "DefaultAddressPools": [{"Base": "172.20.0.0/14", "Size": 24}],
            "CDISpecDirs": ["/etc/cdi", "/run/cdi"],
            "FirewallBackend": {"Driver": "iptables+firewalld"},
            "HttpProxy": "http://xxxxx:xxxxx@proxy.example:3128", "HttpsProxy": "", "NoProxy": "a",
            "GenericResources": [{"DiscreteResourceSpec": {"Kind": "GPU", "Value": 2}}],
        })
    }

    fn differing_in(text: &str) -> Vec<&'static str> {
        differing(&Document::parse(text.as_bytes()).unwrap(), &info())
    }

    #[test]
    fn an_engine_with_the_values_of_the_file_differs_in_nothing() {
        let text = r#"{"debug": false, "live-restore": true, "log-driver": "local",
            "labels": ["a=1", "b=2"], "registry-mirrors": ["https://mirror.example"],
            "default-address-pools": [{"base": "172.20.0.0/14", "size": 24}],
            "no-new-privileges": false, "runtimes": {}, "default-runtime": "", "mtu": 1400,
            "insecure-registries": ["http://a.example:5000", "10.0.0.1/8"],
            "cdi-spec-dirs": ["/etc/cdi", "/run/cdi"],
            "firewall-backend": "iptables", "exec-opts": ["native.cgroupdriver=systemd"],
            "proxies": {"http-proxy": "http://me:word@proxy.example:3128", "no-proxy": "a"},
            "seccomp-profile": "builtin", "node-generic-resources": ["GPU=2"]}"#;
        assert_eq!(differing_in(text), [""; 0]);
    }

    #[test]
    fn every_value_that_the_engine_shows_can_be_told_from_another() {
        let text = r#"{"debug": true, "live-restore": false, "log-driver": "journald",
            "labels": ["c=3"], "registry-mirrors": ["https://other.example"],
            "default-address-pools": [{"base": "10.0.0.0/8", "size": 24}],
            "no-new-privileges": true, "runtimes": {"a": {"path": "a"}},
            "default-runtime": "a", "experimental": true,
            "insecure-registries": ["b.example"],
            "cdi-spec-dirs": ["/srv"], "firewall-backend": "nftables",
            "exec-opts": ["native.cgroupdriver=cgroupfs"], "proxies": {"no-proxy": "b"},
            "seccomp-profile": "/srv/profile.json", "node-generic-resources": ["GPU=3"]}"#;
        let shown = schema::keys().filter(|key| key.shown.is_some());
        let names: Vec<&str> = shown.map(|key| key.name).collect();
        assert_eq!(differing_in(text), names);
        assert_eq!(
            differing_in(r#"{"insecure-registries": ["192.168.0.0/16"]}"#).len(),
            1
        );
    }

    #[test]
    fn a_pool_is_the_same_however_its_network_is_written() {
        let info = json!({"DefaultAddressPools": [{"Base": "fd00:12::/48", "Size": 64}]});
        let differing = |base| {
            let pools = json!({"default-address-pools": [{"base": base, "size": 64}]});
            differing(
                &Document::parse(pools.to_string().as_bytes()).unwrap(),
                &info,
            )
        };
        assert_eq!(differing("FD00:0012:0::/48"), [""; 0]);
        assert_eq!(differing("fd00:13::/48"), ["default-address-pools"]);
    }

    #[test]
    fn an_engine_that_does_not_tell_does_not_differ() {
        let document = Document::parse(br#"{"debug": true, "labels": ["a=1"]}"#).unwrap();
        assert_eq!(differing(&document, &json!({})), [""; 0]);
    }
}
