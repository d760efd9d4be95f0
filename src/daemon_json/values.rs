//! Values of the right type that dockerd would still refuse, or that fail silently later.
//!
//! Owns what is wrong with which value. It must not ask the host: paths, routes and groups
//! are for others to look at.

use serde_json::Value;

use super::check::Findings;
use super::document::Document;
use super::meant::nearest;
use super::syntax;
use super::types::children;

const PROXIES: &[&str] = &["http-proxy", "https-proxy", "no-proxy"];

/// The keys that take one of a few words.
const WORDS: &[(&str, &[&str])] = &[
    ("default-cgroupns-mode", &["host", "private"]),
    ("default-ipc-mode", &["private", "shareable"]),
    ("firewall-backend", &["iptables", "nftables"]),
    ("log-format", &["json", "text"]),
    (
        "log-level",
        &["debug", "error", "fatal", "info", "panic", "trace", "warn"],
    ),
];

/// Judges every value that has a form of its own. Empty text stands for no value at most keys.
pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    for (key, value) in document.root() {
        let path = [key.as_str()];
        match key.as_str() {
            "default-shm-size" => check_size(findings, &path, value),
            "data-root" => check_absolute(findings, &path, value),
            "bip" | "bip6" | "fixed-cidr" | "fixed-cidr-v6" => {
                check_network(findings, &path, value);
            }
            "default-address-pools" => check_pools(findings, &path, value),
            "registry-mirrors" => check_mirrors(findings, &path, value),
            "max-concurrent-downloads"
            | "max-concurrent-uploads"
            | "max-download-attempts"
            | "mtu" => check_not_negative(findings, &path, value),
            "proxies" => check_names(findings, &path, value, PROXIES),
            _ => check_word(findings, &path, value),
        }
    }
}

pub(super) fn check_size(findings: &mut Findings<'_>, path: &[&str], value: &Value) {
    let Some(text) = value.as_str() else { return };
    if syntax::size(text).is_none() {
        findings.error(path, format!("{text:?} is no size; write one like \"64m\""));
    }
}

/// Every name of a map must be among the known ones.
pub(super) fn check_names(
    findings: &mut Findings<'_>,
    path: &[&str],
    value: &Value,
    known: &[&str],
) {
    for (name, _) in children(value) {
        if known.contains(&name.as_str()) {
            continue;
        }
        let cure = match nearest(&name, known.iter().copied()) {
            Some(meant) => format!("write {meant}"),
            None => format!("write one of {}", known.join(", ")),
        };
        let message = format!("dockerd takes no such entry here; {cure}");
        findings.error(&[path, &[&name]].concat(), message);
    }
}

fn check_word(findings: &mut Findings<'_>, path: &[&str], value: &Value) {
    let words = WORDS.iter().find(|(key, _)| path == [*key]);
    let (Some(text), Some((key, words))) = (value.as_str(), words) else {
        return;
    };
    // Of these, dockerd reads the level alone in any case.
    let lower = text.to_lowercase();
    let word = if *key == "log-level" { &lower } else { text };
    if !word.is_empty() && !words.contains(&word) {
        let message = format!("{text:?} is not taken; write one of {}", words.join(", "));
        findings.error(path, message);
    }
}

fn check_not_negative(findings: &mut Findings<'_>, path: &[&str], value: &Value) {
    if value.as_i64().is_some_and(|number| number < 0) {
        findings.error(path, format!("{value} is too little; write 0 or more"));
    }
}

fn check_absolute(findings: &mut Findings<'_>, path: &[&str], value: &Value) {
    let Some(folder) = value.as_str() else { return };
    if !folder.is_empty() && !folder.starts_with('/') {
        let message = format!("{folder:?} depends on where dockerd is started; write it from /");
        findings.error(path, message);
    }
}

fn check_network(findings: &mut Findings<'_>, path: &[&str], value: &Value) {
    let Some(text) = value.as_str() else { return };
    if !text.is_empty() && syntax::network(text).is_none() {
        let message = format!("{text:?} is no network; write ADDRESS/LENGTH like 172.17.0.1/16");
        findings.error(path, message);
    }
}

fn check_mirrors(findings: &mut Findings<'_>, path: &[&str], value: &Value) {
    for (index, mirror) in children(value) {
        if let Some(fault) = mirror.as_str().and_then(syntax::mirror_fault) {
            let message = format!("a mirror's URL {fault}");
            findings.error(&[path, &[&index]].concat(), message);
        }
    }
}

fn check_pools(findings: &mut Findings<'_>, path: &[&str], value: &Value) {
    for (index, pool) in children(value) {
        if pool.is_object() {
            check_pool(findings, &[path, &[&index]].concat(), pool);
        }
    }
}

fn check_pool(findings: &mut Findings<'_>, path: &[&str], pool: &Value) {
    check_names(findings, path, pool, &["base", "size"]);
    let base = pool["base"].as_str().filter(|base| !base.is_empty());
    let (Some(base), Some(size)) = (base, pool["size"].as_u64()) else {
        let message =
            "must hold a network and a number; write {\"base\": \"10.0.0.0/8\", \"size\": 24}";
        return findings.error(path, message);
    };
    check_network(findings, &[path, &["base"]].concat(), &pool["base"]);
    let Some((address, length)) = syntax::network(base) else {
        return;
    };
    let (least, most) = (u64::from(length), u64::from(syntax::bits(address)));
    if !(least..=most).contains(&size) {
        let message = format!("is the length of each network's prefix; write {least} to {most}");
        findings.error(&[path, &["size"]].concat(), message);
    }
}

#[cfg(test)]
mod tests {
    use crate::daemon_json::check::tests::problems;

    fn sound(text: &str) {
        assert_eq!(problems(text), "");
    }

    fn wrong(text: &str, message: &str) {
        let found = problems(text);
        assert!(found.contains(message), "{text}: {found}");
    }

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        sound(r#"{"default-shm-size": "64M"}"#);
        wrong(
            r#"{"default-shm-size": "64x"}"#,
            r#""64x" is no size; write one like"#,
        );
        wrong(r#"{"default-shm-size": 64}"#, r#"write "64""#);
    }

    #[test]
    fn empty_text_is_no_value() {
        sound(r#"{"data-root": "", "bip": "", "fixed-cidr": "", "ip": "", "log-driver": ""}"#);
        wrong(r#"{"default-shm-size": ""}"#, "is no size");
    }

    #[test]
    fn some_keys_take_one_of_a_few_words() {
        sound(r#"{"log-level": "WARN", "log-format": "json", "default-ipc-mode": ""}"#);
        wrong(
            r#"{"default-ipc-mode": "none"}"#,
            "write one of private, shareable",
        );
        wrong(r#"{"log-level": "warning"}"#, "\"warning\" is not taken");
    }

    #[test]
    fn numbers_are_not_negative() {
        sound(r#"{"mtu": 0, "max-concurrent-uploads": 5, "max-download-attempts": 1}"#);
        wrong(r#"{"mtu": -1}"#, "write 0 or more");
    }

    #[test]
    fn data_root_is_absolute() {
        sound(r#"{"data-root": "/var/lib/docker"}"#);
        wrong(
            r#"{"data-root": "docker"}"#,
            "data-root: \"docker\" depends on where",
        );
    }

    #[test]
    fn networks_are_written_with_their_length() {
        sound(r#"{"bip": "10.1.0.1/24", "fixed-cidr-v6": "fd00::/80"}"#);
        wrong(r#"{"bip": "10.1.0.1"}"#, "bip: \"10.1.0.1\" is no network");
    }

    #[test]
    fn a_pool_has_a_base_and_a_size_that_fits_in_it() {
        sound(r#"{"default-address-pools": [{"base": "10.0.0.0/8", "size": 24}]}"#);
        let pool = |pool: &str| format!("{{\"default-address-pools\": [{pool}]}}");
        wrong(
            &pool(r#"{"base": "10.0.0.0/8"}"#),
            "pools.0: must hold a network and a number",
        );
        wrong(
            &pool(r#"{"base": "10.0.0.0", "size": 24}"#),
            "0.base: \"10.0.0.0\" is no network",
        );
        wrong(
            &pool(r#"{"base": "10.0.0.0/16", "size": 8}"#),
            "0.size: is the length of each",
        );
        wrong(
            &pool(r#"{"base": "10.0.0.0/8", "size": 24, "sise": 1}"#),
            "0.sise: dockerd takes",
        );
    }

    #[test]
    fn a_mirror_is_an_http_address() {
        sound(r#"{"registry-mirrors": ["https://mirror.example"]}"#);
        wrong(
            r#"{"registry-mirrors": ["https://a.example", "ftp://b.example"]}"#,
            "registry-mirrors.1: a mirror's URL must start with https://",
        );
    }

    #[test]
    fn an_unknown_entry_of_proxies_comes_with_the_known_ones() {
        sound(r#"{"proxies": {"https-proxy": "http://proxy.example:3128"}}"#);
        wrong(
            r#"{"proxies": {"http_proxy": "x"}}"#,
            "proxies.http_proxy: dockerd takes no such",
        );
        wrong(
            r#"{"proxies": {"ftp": "x"}}"#,
            "write one of http-proxy, https-proxy, no-proxy",
        );
    }
}
