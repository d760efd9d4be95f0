use super::*;
use crate::host::stub::StubHost;

const CLOSED: &str = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i docker0 -j ACCEPT\nCOMMIT\n";

#[test]
fn a_network_is_known_with_what_looks_like_an_engines() {
    let stub = StubHost::new()
        .file("/proc/net/dev", "h\nh\n lo: 1\n eth0: 2\n lan0: 3\n")
        .file("/proc/sys/net/ipv4/ip_forward", "0\n")
        .file("/proc/sys/net/ipv4/conf/lan0/route_localnet", "1\n")
        .file("/etc/firewalld/zones/docker.xml", "<zone/>")
        .program("iptables-nft-save", &format!("printf '{CLOSED}'"))
        .program("iptables-legacy-save", "")
        .program("nft", "echo 'table ip docker-bridges {'");
    let network = NetworkBaseline::of(stub.host()).unwrap();
    assert_eq!(network.links, ["lo", "eth0", "lan0"]);
    assert_eq!(network.forwarding["/proc/sys/net/ipv4/ip_forward"], "0");
    assert_eq!(network.lets_through, ["iptables-legacy"]);
    let rule = "-A FORWARD -i docker0 -j ACCEPT";
    assert_eq!(network.rules, [format!("iptables-nft {rule}")]);
    assert_eq!(network.known_rules(BY_SET[0]), [rule]);
    assert_eq!(network.tables, ["ip docker-bridges"]);
    assert_eq!(network.firewalld, ["/etc/firewalld/zones/docker.xml"]);
    assert_eq!(
        network.routes_localnet.as_deref(),
        Some(["lan0".to_owned()].as_slice())
    );
}

#[test]
fn links_that_came_with_the_engine_are_told_apart() {
    let network = NetworkBaseline {
        links: vec!["lo".to_owned(), "br-0123456789ab".to_owned()],
        ..NetworkBaseline::default()
    };
    let links = "h\nh\n lo: 1\n docker0: 3\n br-0123456789ab: 1\n tun0: 1\n";
    let stub = StubHost::new().file("/proc/net/dev", links);
    assert_eq!(network.engines_links(stub.host()).unwrap(), ["docker0"]);
    assert!(network.has_engines_links());
}

#[test]
fn a_journal_of_an_earlier_version_names_a_program_of_either_set() {
    let network: NetworkBaseline =
        serde_json::from_str(r#"{"links": [], "forwarding": {}, "lets_through": ["iptables"]}"#)
            .unwrap();
    let [nft, nft6, legacy, legacy6] = BY_SET else {
        panic!();
    };
    assert!(network.let_through(*nft) && network.let_through(*legacy));
    assert!(!network.let_through(*nft6) && !network.let_through(*legacy6));
}

/// A host on which `setup` was done since there is an engine, and what keeps `ip_forward` on there.
fn wanted(setup: impl FnOnce(StubHost) -> StubHost) -> Option<String> {
    let before = NetworkBaseline {
        links: vec!["lo".to_owned(), "wg0".to_owned()],
        rules: vec!["iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE".to_owned()],
        tables: vec!["inet lxd".to_owned()],
        ..NetworkBaseline::default()
    };
    let stub = setup(StubHost::new().program("systemctl", "exit 3"));
    stub.host().wants_setting(&SETTINGS[0], &before).unwrap()
}

#[test]
fn whoever_has_packets_forwarded_is_named() {
    assert_eq!(wanted(|stub| stub), None);
    let file = "/etc/sysctl.d/99-router.conf";
    let asks = |value: &str| wanted(|stub| stub.file(file, format!("net.ipv4.ip_forward={value}")));
    assert_eq!(asks("1").unwrap(), format!("{file} sets it"));
    assert_eq!(asks("0"), None);
    let found = wanted(|stub| {
        stub.program("ufw", "")
            .file("/etc/ufw/ufw.conf", "ENABLED=yes\n")
            .file("/etc/ufw/sysctl.conf", "net/ipv4/ip_forward=1\n")
    });
    assert_eq!(found.unwrap(), "ufw sets it by /etc/ufw/sysctl.conf");
    let found = wanted(|stub| stub.file("/etc/systemd/network/a.network", "IPMasquerade=ipv4\n"));
    assert!(found.unwrap().contains("a.network"));
    let links = "h\nh\n lo: 1\n wg0: 1\n virbr0: 1\n";
    let found = wanted(|stub| stub.file("/proc/net/dev", links));
    assert!(found.unwrap().starts_with("virbr0 is there by now"));
    let found = wanted(|stub| stub.file("/proc/net/dev", "h\nh\n wg0: 1\n veth0: 1\n"));
    assert_eq!(found, None, "it was there before, without");
}

#[test]
fn rules_and_tables_that_others_made_since_count() {
    let rules = |lines: &str| {
        wanted(|stub| stub.program("iptables-save", &format!("printf '*nat\n{lines}'")))
    };
    assert_eq!(
        rules("-A POSTROUTING -o eth0 -j MASQUERADE\n"),
        None,
        "known"
    );
    let found = rules("-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE\n").unwrap();
    assert!(
        found.contains("`iptables -t nat -A POSTROUTING -s 10.8.0.0/24"),
        "{found}"
    );
    assert_eq!(rules("-A POSTROUTING -o docker0 -j MASQUERADE\n"), None);
    let table = |name: &str| {
        let body = format!("echo 'table {name} {{'; echo 'chain c {{'; echo masquerade");
        wanted(|stub| stub.program("nft", &body))
    };
    assert_eq!(table("inet lxd"), None, "known");
    assert_eq!(table("ip docker-bridges"), None);
    assert!(table("inet mine").unwrap().contains("table inet mine"));
}

#[test]
fn whoever_drops_what_is_forwarded_is_named() {
    let closed = |stub: &StubHost, family| stub.host().wants_closed(family).unwrap();
    let stub = StubHost::new();
    assert_eq!(closed(&stub, IpVersion::V4), None);
    let stub = stub.file("/etc/iptables/rules.v4", "*filter\n:FORWARD DROP [1:2]\n");
    let sets = "/etc/iptables/rules.v4 sets it";
    assert_eq!(closed(&stub, IpVersion::V4).as_deref(), Some(sets));
    assert_eq!(closed(&stub, IpVersion::V6), None);
    let stub = stub
        .program("ufw", "")
        .file("/etc/ufw/ufw.conf", "ENABLED=yes\n");
    assert_eq!(closed(&stub, IpVersion::V6).as_deref(), Some("ufw sets it"));
}
