//! The network that an uninstall gives back: the engine's part goes, and what others have made or
//! want since stays.

use crate::host::LabHost;

/// As on a fresh server: the lab turns forwarding on for its hosts.
const NOT_FORWARDING: &str = "sysctl --quiet --write net.ipv4.ip_forward=0 \
     net.ipv6.conf.all.forwarding=0 net.ipv6.conf.default.forwarding=0";

/// Whether packets between other hosts are forwarded, and what the rules do with them.
fn forwarding(host: &LabHost) -> String {
    host.sh("cat /proc/sys/net/ipv4/ip_forward
         iptables -S FORWARD | head -n 1; iptables-legacy -S FORWARD | head -n 1")
        .stdout
}

#[track_caller]
fn has_nothing_of_the_engines(host: &LabHost) {
    host.sh(
        "for rules in iptables-nft iptables-legacy ip6tables-nft ip6tables-legacy; do
             ! $rules-save | grep -e DOCKER -e 'docker0 -j MASQUERADE'
         done
         ! nft list tables | grep docker
         ! ip link show docker0",
    );
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_uninstall_leaves_what_others_have_made_and_want_since() {
    let host = LabHost::up("noble");
    host.sh(NOT_FORWARDING);
    let before = host.tree();
    host.install();
    assert!(forwarding(&host).starts_with("1\n-P FORWARD DROP\n"));
    host.uninstall().never_says("kept: rule");
    before.is_restored_in(&host.tree());

    host.install();
    host.sh(
        "docker network create --opt com.docker.network.bridge.name=lan7 lan
         docker network create other
         iptables -A INPUT -i docker0 -j ACCEPT
         iptables -I FORWARD 2 -i docker0 -o eth9 -j DROP
         iptables -t nat -A POSTROUTING -o docker0 -j MASQUERADE
         iptables-legacy -A FORWARD -i docker0 -j ACCEPT
         nft add table ip docker-bridges; nft add table ip6 docker-bridges
         nft add table inet mine
         echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/99-router.conf",
    );
    // Another program makes rules all the while; not one of them may be lost.
    let adds = host.start([
        "sh",
        "-c",
        "i=0; while [ ! -e /run/enough ]; do
             i=$((i + 1)); to=198.51.$((i / 250)).$((i % 250 + 1))
             iptables --wait 30 -A OUTPUT -d $to -j ACCEPT || echo \"not added: $to\"
         done; echo $i >/run/added",
    ]);
    host.uninstall()
        .says("kept: rule `iptables -A INPUT -i docker0 -j ACCEPT` (it is not the engine's)")
        .says("kept: rule `iptables -A FORWARD -i docker0 -o eth9 -j DROP`")
        .says("kept: rule `iptables -t nat -A POSTROUTING -o docker0 -j MASQUERADE`")
        .says("kept: rule `iptables-legacy -A FORWARD -i docker0 -j ACCEPT`")
        .says("kept: net.ipv4.ip_forward = 1 (/etc/sysctl.d/99-router.conf sets it)")
        .says("kept: policy DROP of chain FORWARD in iptables (packets are forwarded")
        .says("iptables -P FORWARD ACCEPT");
    host.sh("touch /run/enough");
    adds.end().exits(0).never_says("not added");
    let added = host.read("/run/added");
    let there = host
        .sh("iptables-save | grep -c -e '-A OUTPUT -d 198.51'")
        .stdout;
    assert_eq!(there, added, "a rule that another program added is lost");
    host.sh("iptables -C INPUT -i docker0 -j ACCEPT
         iptables -C FORWARD -i docker0 -o eth9 -j DROP
         iptables -t nat -C POSTROUTING -o docker0 -j MASQUERADE
         iptables-legacy -C FORWARD -i docker0 -j ACCEPT
         nft list table inet mine
         iptables -t nat -D POSTROUTING -o docker0 -j MASQUERADE");
    has_nothing_of_the_engines(&host);
    host.sh("! iptables-save | grep lan7");
    assert!(forwarding(&host).starts_with("1\n-P FORWARD DROP\n"));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_uninstall_asks_ufw_and_finds_rules_in_both_of_their_sets() {
    let host = LabHost::up("resolute");
    host.sh(NOT_FORWARDING);
    let bare = host.tree();
    host.install();
    // The engine dies, and cannot remove the rules of a port. Then the host is switched to the
    // other set of rules.
    host.sh(
        "docker run --detach --name web --publish 127.0.0.1:8080:80 hello-world /cat || true
         systemctl kill --signal KILL docker; systemctl stop docker.socket docker
         update-alternatives --set iptables /usr/sbin/iptables-legacy
         update-alternatives --set ip6tables /usr/sbin/ip6tables-legacy
         iptables-nft-save | grep DOCKER-FORWARD",
    );
    host.write("/usr/sbin/ufw", "#!/bin/sh\n");
    host.write("/etc/ufw/ufw.conf", "ENABLED=yes\n");
    host.write("/etc/default/ufw", "DEFAULT_FORWARD_POLICY=\"DROP\"\n");
    host.write(
        "/etc/firewalld/zones/docker.xml",
        "<?xml version=\"1.0\"?>\n<zone target=\"ACCEPT\"><short>docker</short></zone>\n",
    );
    host.sh("chmod 0755 /usr/sbin/ufw");
    host.uninstall()
        .says("kept: policy DROP of chain FORWARD in iptables (ufw sets it)")
        .never_says("kept: net.ipv4.ip_forward");
    has_nothing_of_the_engines(&host);
    assert!(!host.has("/etc/firewalld/zones/docker.xml"));
    assert_eq!(forwarding(&host).lines().next(), Some("0"));

    host.sh(
        "rm -r /usr/sbin/ufw /etc/ufw/ufw.conf /etc/default/ufw /etc/firewalld
         update-alternatives --auto iptables; update-alternatives --auto ip6tables
         for rules in iptables-nft ip6tables-nft; do $rules -P FORWARD ACCEPT; done",
    );
    bare.is_restored_in(&host.tree());
    // A VPN that came with the engine there needs forwarding as well.
    host.install();
    host.sh("ip link add wg0 type veth peer name far0");
    host.uninstall()
        .says("kept: net.ipv4.ip_forward = 1 (wg0 is there by now");
}
