//! Values of the right type that dockerd would still refuse, or that fail silently later.
//!
//! Owns which form belongs to which type. It must not know any key, nor ask the host: paths,
//! routes and groups are for others to look at.

use serde_json::Value;

use super::address;
use super::findings::Findings;
use super::syntax;
use crate::daemon_config::schema::suggestion::cure;
use crate::daemon_config::schema::{EngineRelease, IpFamily, ValueKind};

/// Since this engine, a port that is none stops it; 26.1 went on without.
const CHECKS_PORT: EngineRelease = EngineRelease(28, 5);

/// Since this engine, an unknown option of the runtime stops it; 26.1 went on without.
const CHECKS_EXEC_OPTIONS: EngineRelease = EngineRelease(28, 0);

/// Since this engine, the cache of builds can have a share of the disk; 28.5 does not start with one.
const TAKES_SHARES: EngineRelease = EngineRelease(29, 0);

/// Judges a value that is no list or object. Empty text stands for no value at most keys.
pub(super) fn check(findings: &mut Findings<'_>, path: &[&str], kind: ValueKind, value: &Value) {
    if let ValueKind::Count | ValueKind::Port | ValueKind::Mtu = kind {
        return check_number(findings, path, kind, value);
    }
    let Some(text) = value.as_str() else { return };
    match kind {
        ValueKind::CgroupDriver => check_exec_option(findings, path, text),
        ValueKind::Mirror => {
            if let Some((severity, fault)) = address::mirror_fault_for(text, findings.engine) {
                findings.add(severity, path, format!("a mirror's URL {fault}"));
            }
        }
        _ => {
            if let Some(fault) = fault(kind, text) {
                findings.error(path, fault);
            } else if kind == ValueKind::Proxy && !text.is_empty() && !address::is_known_proxy(text)
            {
                let message = "is no URL of a proxy that the engine knows, and it speaks HTTP \
                               with it; write http://, https:// or socks5://";
                findings.warn(path, message);
            }
        }
    }
}

fn check_number(findings: &mut Findings<'_>, path: &[&str], kind: ValueKind, value: &Value) {
    let Some(number) = value.as_i64() else { return };
    let fits = match kind {
        ValueKind::Port => (0..=65_535).contains(&number),
        ValueKind::Mtu => number == 0 || (68..=65_535).contains(&number),
        _ => number >= 0,
    };
    if fits {
        return;
    }
    let message = match kind {
        ValueKind::Count => format!("{number} is too little; write 0 or more"),
        _ => format!("must be {kind}; {number} is not"),
    };
    if kind == ValueKind::Port && findings.engine < CHECKS_PORT {
        findings.warn(path, message)
    } else {
        findings.error(path, message)
    }
}

/// What is wrong with a text, and what to write.
fn fault(kind: ValueKind, text: &str) -> Option<String> {
    let fault = match kind {
        ValueKind::Size if syntax::size(text).is_none() => {
            format!("{text:?} is no size; write one like \"64m\"")
        }
        _ if text.is_empty() && !matches!(kind, ValueKind::Registry | ValueKind::Pair) => {
            return None;
        }
        ValueKind::Word(words) if !words.contains(&text) => untaken(text, words),
        ValueKind::AnyCaseWord(words) if !words.contains(&text.to_lowercase().as_str()) => {
            untaken(text, words)
        }
        ValueKind::Path if !text.starts_with('/') => {
            format!("{text:?} depends on where dockerd is started; write it from /")
        }
        ValueKind::Network(family) => return network_fault(family, text),
        ValueKind::Mark if !syntax::is_mark(text) => {
            format!("{text:?} is no mark; write one like \"0x1\" or \"0x1/0xff\"")
        }
        ValueKind::Listener => {
            let fault = address::listener_fault(text)?;
            format!("{text:?} {fault}; write one like \"unix:///run/docker.sock\"")
        }
        ValueKind::HostPort if !address::is_host_port(text) => {
            format!("{text:?} is no address with a port; write one like \"127.0.0.1:9323\"")
        }
        ValueKind::Domain if !address::is_search_domain(text) => {
            format!("{text:?} is no domain; write one like \"example.com\"")
        }
        ValueKind::Pair if !text.contains('=') => {
            format!("{text:?} has no value; write \"name=value\"")
        }
        ValueKind::Registry => {
            let fault = address::registry_fault(text)?;
            format!("{text:?} {fault}; write one like \"registry.example:5000\" or \"10.0.0.0/8\"")
        }
        ValueKind::Proxy => {
            let fault = address::proxy_fault(text)?;
            format!("a proxy's URL {fault}; write one like \"http://proxy.example:3128\"")
        }
        _ => return None,
    };
    Some(fault)
}

fn untaken(text: &str, words: &[&str]) -> String {
    let cure = cure(text, || words.iter().copied());
    format!("{text:?} is not taken; {cure}")
}

/// What is wrong with a size or a share of the disk. Before engine 29 there are no shares.
pub(super) fn share_fault(text: &str, engine: EngineRelease) -> Option<String> {
    let share = text.strip_suffix('%').filter(|_| engine >= TAKES_SHARES);
    let is_share = share.is_some_and(|number| number.parse::<u8>().is_ok());
    let is_size = text.is_empty() || syntax::size(text).is_some();
    let example = if engine >= TAKES_SHARES {
        "\"20GB\" or \"10%\""
    } else {
        "\"20GB\""
    };
    (!is_share && !is_size).then(|| format!("{text:?} is no size; write one like {example}"))
}

fn network_fault(family: IpFamily, text: &str) -> Option<String> {
    let example = match family {
        IpFamily::V6 => "fd00:12::1/64",
        IpFamily::V4 | IpFamily::Either => "172.17.0.1/16",
    };
    match syntax::network(text) {
        None => Some(format!(
            "{text:?} is no network; write ADDRESS/LENGTH like {example}"
        )),
        Some((address, _)) if !family.includes(address) => Some(format!(
            "{text:?} is of the other family; write one like {example}"
        )),
        Some(_) => None,
    }
}

/// dockerd reads the name in any case, and passes over spaces. Of what it does not know, earlier
/// engines took no notice.
fn check_exec_option(findings: &mut Findings<'_>, path: &[&str], option: &str) {
    let (name, driver) = option.split_once('=').unwrap_or((option, ""));
    let is_driver = name.trim().eq_ignore_ascii_case("native.cgroupdriver");
    let cure = "write \"native.cgroupdriver=systemd\" or \"native.cgroupdriver=cgroupfs\"";
    if is_driver && matches!(driver.trim(), "systemd" | "cgroupfs") {
        return;
    }
    if is_driver && option.contains('=') && !driver.trim().is_empty()
        || findings.engine >= CHECKS_EXEC_OPTIONS
    {
        findings.error(path, format!("{option:?} is not taken; {cure}"));
    } else if !option.is_empty() {
        findings.warn(path, format!("{option:?} has no effect; {cure}"));
    }
}

#[cfg(test)]
mod tests {
    use crate::daemon_config::check::tests::{findings, findings_of};
    use crate::daemon_config::{Context, EngineRelease};

    fn sound(text: &str) {
        assert_eq!(findings(text), "");
    }

    fn wrong(text: &str, message: &str) {
        let found = findings(text);
        assert!(found.starts_with("error"), "{text}: {found}");
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
        sound(r#"{"metrics-addr": "", "proxies": {"http-proxy": ""}, "dns-search": [""]}"#);
        wrong(r#"{"default-shm-size": ""}"#, "is no size");
    }

    #[test]
    fn some_keys_take_one_of_a_few_words() {
        sound(r#"{"log-level": "WARN", "log-format": "json", "default-ipc-mode": ""}"#);
        wrong(
            r#"{"default-ipc-mode": "none"}"#,
            "write one of private, shareable",
        );
        wrong(r#"{"log-level": "inof"}"#, "is not taken; write info");
        wrong(r#"{"log-level": "warning"}"#, "\"warning\" is not taken");
    }

    #[test]
    fn numbers_are_not_negative_and_no_packet_is_too_small_or_too_large() {
        sound(r#"{"mtu": 0, "max-concurrent-uploads": 5, "max-download-attempts": 1}"#);
        sound(r#"{"mtu": 68, "shutdown-timeout": -1}"#);
        wrong(r#"{"max-concurrent-uploads": -1}"#, "write 0 or more");
        for wrong_mtu in [-1, 67, 65_536] {
            wrong(&format!(r#"{{"mtu": {wrong_mtu}}}"#), "68 to 65535, or 0");
        }
    }

    #[test]
    fn a_port_that_is_none_stops_newer_engines_only() {
        let text = r#"{"network-diagnostic-port": 70000}"#;
        wrong(text, "0 to 65535");
        let older = Context {
            engine: Some(EngineRelease(26, 1)),
            ..Context::default()
        };
        assert!(findings_of(text, &older).starts_with("warning"));
    }

    #[test]
    fn options_of_the_runtime_that_there_are_not_stop_newer_engines_only() {
        let under = |engine, option: &str| {
            let context = Context {
                engine: Some(engine),
                ..Context::default()
            };
            findings_of(&format!(r#"{{"exec-opts": ["{option}"]}}"#), &context)
        };
        for option in ["isolation=process", "nonsense", "native.cgroupdriver="] {
            let older = under(EngineRelease(26, 1), option);
            assert!(older.starts_with("warning"), "{option}: {older}");
            let newer = under(EngineRelease(28, 5), option);
            assert!(newer.starts_with("error"), "{option}: {newer}");
        }
        assert_eq!(under(EngineRelease(26, 1), ""), "");
        assert_eq!(
            under(EngineRelease(26, 1), "native.CgroupDriver = systemd"),
            ""
        );
        assert!(under(EngineRelease(26, 1), "native.cgroupdriver=none").starts_with("error"));
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
    fn networks_are_written_with_their_length_and_of_the_keys_family() {
        sound(r#"{"bip": "10.1.0.1/24", "fixed-cidr-v6": "fd00::/80"}"#);
        wrong(r#"{"bip": "10.1.0.1"}"#, "bip: \"10.1.0.1\" is no network");
        wrong(r#"{"bip": "fd00::1/64"}"#, "is of the other family");
        wrong(r#"{"fixed-cidr-v6": "10.0.0.0/24"}"#, "like fd00:12::1/64");
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
    fn a_registry_without_tls_is_a_host_or_a_network() {
        sound(r#"{"insecure-registries": ["registry.example:5000", "10.0.0.0/8"]}"#);
        wrong(
            r#"{"insecure-registries": ["registry.example/images"]}"#,
            "insecure-registries.0: \"registry.example/images\"",
        );
    }

    #[test]
    fn a_proxy_is_a_url_with_a_host_and_speaks_a_protocol_that_the_engine_knows() {
        sound(r#"{"proxies": {"https-proxy": "http://proxy.example:3128"}}"#);
        sound(r#"{"proxies": {"https-proxy": "proxy.example:3128", "no-proxy": "*"}}"#);
        wrong(
            r#"{"proxies": {"https-proxy": "http://proxy example"}}"#,
            "proxies.https-proxy: a proxy's URL",
        );
        let other = findings(r#"{"proxies": {"http-proxy": "ftp://proxy.example:3128"}}"#);
        assert!(other.starts_with("warning"), "{other}");
        wrong(
            r#"{"proxies": {"http_proxy": "x"}}"#,
            "proxies.http_proxy: dockerd knows no such entry here; write http-proxy",
        );
        wrong(
            r#"{"proxies": {"HTTP-proxy": "http://proxy.example"}}"#,
            "write http-proxy",
        );
    }

    #[test]
    fn what_the_engine_listens_on_and_serves_figures_on_are_addresses() {
        sound(r#"{"hosts": ["fd://", "unix:///run/x.sock", "tcp://127.0.0.1:2375"]}"#);
        wrong(r#"{"hosts": ["http://127.0.0.1:2375"]}"#, "hosts.0");
        sound(r#"{"metrics-addr": "127.0.0.1:9323"}"#);
        wrong(r#"{"metrics-addr": ":9323"}"#, "is no address with a port");
    }

    #[test]
    fn a_mark_of_packets_is_a_number_with_or_without_a_mask() {
        sound(r#"{"bridge-accept-fwmark": "0x1/0xff", "bridge": ""}"#);
        wrong(
            r#"{"bridge-accept-fwmark": "one"}"#,
            "is no mark; write one like",
        );
    }

    #[test]
    fn search_domains_and_resources_have_their_form() {
        sound(r#"{"dns-search": [".", "example.com."], "node-generic-resources": ["GPU=a"]}"#);
        wrong(r#"{"dns-search": ["a b"]}"#, "is no domain");
        wrong(r#"{"node-generic-resources": ["GPU"]}"#, "has no value");
    }
}
