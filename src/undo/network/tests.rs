use super::*;
use crate::host::stub::StubHost;

const FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";

/// A host on which forwarding was turned on by the engine, and packets of others are dropped.
fn host() -> StubHost {
    StubHost::new()
        .file(FORWARD, "1\n")
        .file("/proc/net/dev", "h\nh\n lo: 1\n docker0: 1\n")
        .program("systemctl", "exit 3")
        .program(
            "ip",
            "case $* in
                *master*) echo '7: veth12ab@if2: <BROADCAST> mtu 1500 master docker0' ;;
                *) printf 'h\\nh\\n lo: 1\\n' >$ROOT/proc/net/dev ;;
            esac",
        )
        .program("iptables-save", "cat $ROOT/rules")
        .program("iptables-restore", "cat >$ROOT/script; : >$ROOT/rules")
        .program("iptables", "")
        .file("/rules", RULES)
}

const RULES: &str = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -o docker0 -j DOCKER\n\
     -A INPUT -i docker0 -j ACCEPT\nCOMMIT\n";

fn before() -> NetworkBaseline {
    NetworkBaseline {
        links: vec!["lo".to_owned()],
        forwarding: [(FORWARD.to_owned(), "0".to_owned())].into(),
        lets_through: vec!["iptables".to_owned()],
        ..NetworkBaseline::default()
    }
}

fn restored(stub: &StubHost) -> Vec<String> {
    let left = restore(&stub.authority(), &before()).unwrap().into_iter();
    left.map(|Left { text, reason }| format!("{text} ({reason})"))
        .collect()
}

#[test]
fn what_the_engine_made_goes_and_what_is_of_others_is_reported() {
    let stub = host().program("iptables-restore", "cat >$ROOT/script");
    let left = restored(&stub);
    let rule = "rule `iptables -A INPUT -i docker0 -j ACCEPT` (it is not the engine's)";
    assert_eq!(left, [rule]);
    assert_eq!(
        stub.read("/script"),
        "*filter\n-D FORWARD -o docker0 -j DOCKER\nCOMMIT\n"
    );
    assert_eq!(stub.read(FORWARD), "0");
    let calls = stub.calls();
    let has = |call: &str| calls.iter().any(|it| it == call);
    assert!(has("iptables-restore --noflush --wait 30"), "{calls:?}");
    assert!(has("ip link delete dev veth12ab"), "{calls:?}");
    assert!(has("ip link delete dev docker0"), "{calls:?}");
    assert!(has("iptables --wait 30 -P FORWARD ACCEPT"), "{calls:?}");
}

#[test]
fn it_can_be_done_twice() {
    let stub = host();
    restored(&stub);
    stub.calls();
    assert_eq!(restored(&stub), [""; 0]);
    let calls = stub.calls().join("\n");
    for change in ["-restore", "delete", "-P"] {
        assert!(!calls.contains(change), "{calls}");
    }
}

#[test]
fn forwarding_that_somebody_wants_by_now_stays_and_so_does_the_policy() {
    let file = "/etc/sysctl.d/99-router.conf";
    let stub = host().file(file, "net.ipv4.ip_forward = 1\n");
    stub.write("/rules", "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n");
    let left = restored(&stub);
    assert_eq!(left[0], format!("net.ipv4.ip_forward = 1 ({file} sets it)"));
    assert_eq!(
        left[1],
        "policy DROP of chain FORWARD in iptables (packets are forwarded; to let all of them \
         through: iptables -P FORWARD ACCEPT)"
    );
    assert_eq!(stub.read(FORWARD), "1\n");
}

#[test]
fn a_setting_that_is_not_as_the_engine_made_it_is_not_touched() {
    let before = NetworkBaseline {
        forwarding: [(FORWARD.to_owned(), "1".to_owned())].into(),
        ..NetworkBaseline::default()
    };
    let stub = host().file(FORWARD, "0\n");
    restore(&stub.authority(), &before).unwrap();
    assert_eq!(stub.read(FORWARD), "0\n", "somebody turned it off since");
}

#[test]
fn a_policy_that_ufw_sets_stays() {
    let stub = host()
        .program("ufw", "")
        .file("/etc/ufw/ufw.conf", "ENABLED=yes\n");
    stub.write("/rules", "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n");
    let policy = "policy DROP of chain FORWARD in iptables (ufw sets it)";
    assert_eq!(restored(&stub), [policy]);
}

#[test]
fn rules_that_change_meanwhile_are_read_anew() {
    let stub = host().program(
        "iptables-restore",
        "test -e $ROOT/tried && cat >$ROOT/script && exit 0
         touch $ROOT/tried
         sed -i '/DOCKER$/d; s/^COMMIT/-A FORWARD -i docker0 -o docker0 -j DROP\\n&/' $ROOT/rules
         exit 1",
    );
    restored(&stub);
    let script = "*filter\n-D FORWARD -i docker0 -o docker0 -j DROP\nCOMMIT\n";
    assert_eq!(stub.read("/script"), script);
}

#[test]
fn tables_of_nftables_go_unless_they_were_there_before() {
    let stub = host().program(
        "nft",
        "case \"$*\" in *list*) echo 'table ip docker-bridges {'
             echo 'table ip6 docker-bridges {'; echo 'table inet filter {' ;; esac",
    );
    let mut before = before();
    before.tables.push("ip docker-bridges".to_owned());
    restore(&stub.authority(), &before).unwrap();
    let calls = stub.calls().into_iter();
    let deletes: Vec<String> = calls.filter(|it| it.starts_with("nft delete")).collect();
    assert_eq!(deletes, ["nft delete table ip6 docker-bridges"]);
}

#[test]
fn what_the_engine_added_to_firewalld_goes_unless_somebody_edited_it() {
    let zone = "/etc/firewalld/zones/docker.xml";
    let policy = "/etc/firewalld/policies/docker-forwarding.xml";
    let stub = host()
        .file(zone, "<zone target=\"ACCEPT\"><short>docker</short></zone>")
        .file(policy, "<policy><rule/></policy>");
    let left = restored(&stub);
    assert!(
        left.contains(&format!("{policy} (it was edited since)")),
        "{left:?}"
    );
    assert!(!stub.has(zone) && stub.has(policy));
}

#[test]
fn a_bridge_of_the_users_is_as_it_was() {
    let setting = "/proc/sys/net/ipv4/conf/lan0/route_localnet";
    let rules = "*filter\n:DOCKER-BRIDGE - [0:0]\n-A DOCKER-BRIDGE -o lan0 -j DOCKER\nCOMMIT\n";
    let stub = host()
        .file("/proc/net/dev", "h\nh\n lan0: 1\n")
        .file("/rules", rules);
    let value_after = |routing: Option<&str>| {
        stub.write(setting, "1\n");
        stub.write("/rules", rules);
        let before = NetworkBaseline {
            links: vec!["lan0".to_owned()],
            routes_localnet: Some(routing.into_iter().map(str::to_owned).collect()),
            ..NetworkBaseline::default()
        };
        restore(&stub.authority(), &before).unwrap();
        stub.read(setting)
    };
    assert_eq!(value_after(None), "0");
    assert_eq!(value_after(Some("lan0")), "1\n");
}

#[test]
fn the_network_of_another_engine_is_left() {
    let stub = host()
        .file("/proc/77/comm", "dockerd\n")
        .file("/proc/77/cgroup", "0::/other.service\n");
    let left = restored(&stub);
    assert_eq!(
        left,
        ["the network as it is (another engine uses it (dockerd, pid 77))"]
    );
    assert_eq!(stub.read(FORWARD), "1\n");
}
