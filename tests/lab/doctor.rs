//! What the doctor looks at: each check is content with a sound host, and names what is wrong with
//! one that is broken for real, as far as one kernel for all hosts allows. Where it does not, what
//! the kernel says is covered by a file that says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::host::LabHost;
use crate::outcome::Outcome;

/// A check, how to break what it looks at, what it must say, and how to mend that.
type Case = (&'static str, &'static str, &'static str, &'static str);

const SHELL: &str = "
cover() { echo \"$2\" >/root/cover; mount --bind /root/cover $1; }
anew() { systemctl reset-failed docker.socket docker.service; systemctl restart docker.socket docker.service; }
";

/// On a host without an engine.
#[rustfmt::skip]
const BEFORE: &[Case] = &[
    ("DS001", "mount -t tmpfs none /run/systemd", "systemd does not run", "umount /run/systemd"),
    ("DS001", "cover /proc/version 'Linux 6.6 microsoft-standard-WSL2'; mount -t tmpfs none /run/systemd",
        "this is WSL", "umount /run/systemd /proc/version"),
    ("DS002", "cp /run/systemd/container /root/; echo lxc >/run/systemd/container", "may not nest",
        "cp /root/container /run/systemd/container"),
    ("DS003", "touch -r /var/lib/dpkg/status /root/time; touch -d '+40 days' /var/lib/dpkg/status",
        "/var/lib/dpkg/status was written, by 39 days", "touch -r /root/time /var/lib/dpkg/status"),
    ("DS004", "cover /etc/os-release 'PRETTY_NAME=Other'", "this host is Other, which dockstrap does not set up",
        "umount /etc/os-release"),
    ("DS101", "cover /proc/filesystems 'nodev proc'", "has no overlayfs", "umount /proc/filesystems"),
    ("DS103", "ln -sfn /usr/sbin/gone /etc/alternatives/iptables", "/usr/sbin/iptables leads to /usr/sbin/gone",
        "update-alternatives --set iptables /usr/sbin/iptables-nft"),
    ("DS105", "mount -t tmpfs none /sys/fs/cgroup", "version 1", "umount /sys/fs/cgroup"),
    ("DS106", "cover /sys/fs/cgroup/cgroup.controllers 'cpuset cpu io'", "memory, pids",
        "umount /sys/fs/cgroup/cgroup.controllers"),
    ("DS107", "cover /proc/sys/user/max_user_namespaces 0", "max_user_namespaces is 0",
        "umount /proc/sys/user/max_user_namespaces"),
    ("DS108", "mount -t tmpfs none /proc/sys/kernel; echo 1 >/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "AppArmor restricts", "umount /proc/sys/kernel"),
    ("DS108", "mount -t tmpfs none /proc/sys/kernel; echo 0 >/proc/sys/kernel/unprivileged_userns_clone",
        "unprivileged_userns_clone is 0", "umount /proc/sys/kernel"),
    ("DS717", "groupadd --non-unique --gid 0 docker", "group docker has the GID 0", "groupdel --force docker"),
    ("DS109", "mkdir -p /lib/modules/6.8.0-1-generic", "modules only for 6.8.0-1-generic",
        "rmdir /lib/modules/6.8.0-1-generic"),
    ("DS110", "cover /proc/cmdline 'quiet swapaccount=0'", "does not account for swap", "umount /proc/cmdline"),
    ("DS201", "touch /usr/sbin/ufw; mkdir -p /etc/ufw; echo ENABLED=yes >/etc/ufw/ufw.conf", "ufw is on", "rm /usr/sbin/ufw"),
    ("DS202", "systemd-run --quiet --unit=firewalld.service sleep 600", "firewalld runs", "systemctl stop firewalld"),
    ("DS203", "ip link add virbr0 type bridge; iptables -P FORWARD DROP", "the guests on virbr0",
        "iptables -P FORWARD ACCEPT; ip link delete virbr0"),
    ("DS302", "ip link add tun0 type veth peer name peer0; ip address add 172.20.1.1/16 dev tun0; ip link set tun0 up",
        "the tunnel tun0 leads to 172.20.0.0/16", "ip link delete tun0"),
    ("DS302", "ip link add lan0 type veth peer name lan1; ip address add 172.18.1.1/24 dev lan0; ip link set lan0 up",
        "the host's network on lan0 leads to 172.18.1.0/24", "ip link delete lan0"),
    ("DS302", "ip link add tailscale0 type veth peer name peer0; ip link set tailscale0 up
        ip route add 192.168.7.0/24 dev tailscale0 table 52", "tailscale0 leads to 192.168.7.0/24", "ip link delete tailscale0"),
    ("DS303", "cp /etc/resolv.conf /root/; echo 'nameserver 127.0.0.1' >/etc/resolv.conf",
        "the host's only name server is its own, 127.0.0.1", "cat /root/resolv.conf >/etc/resolv.conf"),
    ("DS401", "mount -t tmpfs -o size=100m none /var/lib/docker", "MB are free for /var/lib/docker",
        "umount /var/lib/docker"),
    ("DS401", "mount -t tmpfs -o size=2g,nr_inodes=200 none /var/lib/docker; cd /var/lib/docker; touch $(seq 199)",
        "files more can be made in /var/lib/docker", "umount /var/lib/docker"),
    ("DS402", "mount -t tmpfs -o size=1100m none /var/lib/containerd; fallocate -l 200m /var/lib/containerd/full",
        "MB are free for /var/lib/containerd", "umount /var/lib/containerd"),
    ("DS402", "mkdir -p /srv/images /etc/containerd; mount -t tmpfs -o size=100m none /srv/images
        echo 'root = \"/srv/images\"' >/etc/containerd/config.toml", "MB are free for /srv/images",
        "umount /srv/images; rm -r /etc/containerd"),
    ("DS403", "mount -t tmpfs -o ro none /var/lib/containerd", "/var/lib/containerd is on a file system that is mounted ro",
        "umount /var/lib/containerd"),
    ("DS403", "mount -t tmpfs -o noexec none /var/lib/docker", "mounted noexec", "umount /var/lib/docker"),
    ("DS501", "mkdir -p /root/p/DEBIAN; printf 'Package: docker.io\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@x>\\nDescription: x\\n' \
        >/root/p/DEBIAN/control; dpkg-deb --build /root/p /root/p.deb; dpkg --install /root/p.deb",
        "docker.io", "dpkg --purge docker.io"),
    ("DS502", "mkdir -p /snap/bin; touch /snap/bin/docker", "as a snap", "rm -r /snap"),
    ("DS503", "mkdir /opt/docker-desktop", "Docker Desktop", "rmdir /opt/docker-desktop"),
    ("DS505", "touch /var/lib/dpkg/updates/0003", "dpkg was cut short", "rm /var/lib/dpkg/updates/0003"),
    ("DS601", "echo 'deb https://download.docker.com/linux/debian UNKNOWN stable' >/etc/apt/sources.list.d/docker.list",
        "/etc/apt/sources.list.d/docker.list, line 1: it is for debian", "rm /etc/apt/sources.list.d/docker.list"),
    ("DS601", "for name in docker other; do echo \"deb [signed-by=/root/$name.asc] https://download.docker.com/linux/ubuntu noble stable\" \
        >/etc/apt/sources.list.d/$name.list; done", "is named 2 times, in /etc/apt/sources.list.d/docker.list and",
        "rm /etc/apt/sources.list.d/docker.list /etc/apt/sources.list.d/other.list"),
];

/// On a host with an engine.
#[rustfmt::skip]
const AFTER: &[Case] = &[
    ("DS102", "sysctl --quiet --write net.bridge.bridge-nf-call-iptables=0", "bridge-nf-call-iptables is 0",
        "sysctl --quiet --write net.bridge.bridge-nf-call-iptables=1"),
    ("DS103", "mv /usr/sbin/iptables /root/", "there is no iptables", "mv /root/iptables /usr/sbin/"),
    ("DS104", "iptables-legacy -A INPUT -s 198.51.100.9 -j DROP", "1 rules of iptables-legacy",
        "iptables-legacy -D INPUT -s 198.51.100.9 -j DROP"),
    ("DS204", "for t in filter nat; do iptables -t $t -F; iptables -t $t -X; done", "its chain DOCKER is not", "anew"),
    ("DS204", "for t in filter nat; do iptables -t $t -F; done", "PREROUTING of nat in the firewall does not lead", "anew"),
    ("DS204", "iptables -F FORWARD", "FORWARD of filter in the firewall does not lead", "anew"),
    ("DS301", "ip link add lan0 type veth peer name lan1; ip link set lan0 up
        ip route add $(ip -4 route show dev docker0 | head -n 1 | cut -d ' ' -f 1 | sed 's|0/.*|128/25|') dev lan0", ".128/25 on lan0 share addresses",
        "ip link delete lan0"),
    ("DS304", "sysctl --quiet --write net.ipv4.ip_forward=0", "does not forward",
        "sysctl --quiet --write net.ipv4.ip_forward=1"),
    ("DS404", "mkdir -p /srv/docker; cp /etc/docker/daemon.json /root/
        echo '{\"data-root\": \"/srv/docker\", \"log-driver\": \"local\", \"features\": {\"containerd-snapshotter\": true}}' \
        >/etc/docker/daemon.json; anew", "data-root is /srv/docker, but images are stored in /var/lib/containerd",
        "cp /root/daemon.json /etc/docker/daemon.json; anew; rm -r /srv/docker"),
    ("DS405", "systemctl stop docker.socket docker.service; cp /var/lib/docker/volumes/metadata.db /root/
        echo x >/var/lib/docker/volumes/metadata.db", "/var/lib/docker/volumes/metadata.db is damaged",
        "cp /root/metadata.db /var/lib/docker/volumes/metadata.db; anew"),
    ("DS504", "apt-mark hold docker-ce", "held back: docker-ce", "apt-mark unhold docker-ce"),
    ("DS506", "cp /var/lib/dpkg/status /root/; sed -i 's/^Version: 5:29.1.0-1~x$/Version: 5:28.5.2-1~x/' /var/lib/dpkg/status",
        "the engine is of release 28", "cp /root/status /var/lib/dpkg/status"),
    ("DS602", "chmod 0700 /etc/apt/keyrings", "/etc/apt/keyrings has the mode 0700", "chmod 0755 /etc/apt/keyrings"),
    ("DS602", "chmod 0600 /etc/apt/keyrings/docker.asc", "has the mode 0600", "chmod 0644 /etc/apt/keyrings/docker.asc"),
    ("DS603", "cp /etc/apt/sources.list.d/docker.sources /root/; mkdir -m 0700 /srv/keys; cp /etc/apt/keyrings/docker.asc /srv/keys/
        sed -i 's|^Signed-By: .*|Signed-By: /srv/keys/docker.asc|' /etc/apt/sources.list.d/docker.sources",
        "/srv/keys has the mode 0700", "cp /root/docker.sources /etc/apt/sources.list.d/; rm -r /srv/keys"),
    ("DS701", "gpasswd --add bob docker", "by group docker: bob", "gpasswd --delete bob docker"),
    ("DS703", "chmod 0666 /run/docker.sock", "has the mode 0666", "chmod 0660 /run/docker.sock"),
    ("DS703", "chgrp users /run/docker.sock", "belongs to the group users", "chgrp docker /run/docker.sock"),
    ("DS704", "groupdel docker", "there is no group docker", "groupadd --system docker; anew"),
    ("DS705", "chmod 0646 /etc/docker/daemon.json", "/etc/docker/daemon.json: other users can write to it",
        "chmod 0644 /etc/docker/daemon.json"),
    ("DS705", "mkdir -m 0777 /etc/systemd/system/docker.service.d; echo '[Service]' >/etc/systemd/system/docker.service.d/a.conf",
        "other users can write to /etc/systemd/system/docker.service.d", "rm -r /etc/systemd/system/docker.service.d"),
    ("DS706", "cp /etc/docker/daemon.json /root/; echo '{\"log-driver\": \"splunk\", \"log-opts\": {\"splunk-token\": \"x\", \
        \"splunk-url\": \"https://x\"}}' >/etc/docker/daemon.json", "every user can read it", "cp /root/daemon.json /etc/docker/daemon.json"),
    ("DS707", "chmod 0664 /usr/lib/systemd/system/docker.socket", "docker.socket has the mode 0664, more than 0644",
        "chmod 0644 /usr/lib/systemd/system/docker.socket"),
    ("DS707", "chgrp users /usr/lib/systemd/system/docker.service", "docker.service belongs to user 0 and group 100",
        "chgrp root /usr/lib/systemd/system/docker.service"),
    ("DS708", "chgrp users /etc/docker", "/etc/docker belongs to user 0 and group 100", "chgrp root /etc/docker"),
    ("DS709", "mkdir -p /etc/docker/certs.d/r.example; touch /etc/docker/certs.d/r.example/ca.crt",
        "certs.d/r.example/ca.crt has the mode 0644, more than 0444", "rm -r /etc/docker/certs.d"),
    ("DS710", "cp /etc/docker/daemon.json /root/; touch /root/tls.key; chmod 0644 /root/tls.key
        echo '{\"tlskey\": \"/root/tls.key\"}' >/etc/docker/daemon.json", "/root/tls.key has the mode 0644, more than 0400",
        "cp /root/daemon.json /etc/docker/daemon.json"),
    ("DS711", "chown bob /run/docker.sock", "/run/docker.sock belongs to user", "chown root /run/docker.sock"),
    ("DS712", "chmod 0755 /etc/docker/daemon.json", "daemon.json has the mode 0755, more than 0644", "chmod 0644 /etc/docker/daemon.json"),
    ("DS713", "mkdir -p /etc/default; touch /etc/default/docker; chmod 0755 /etc/default/docker", "/etc/default/docker has the mode 0755",
        "rm /etc/default/docker"),
    ("DS714", "chmod 0666 /run/containerd/containerd.sock", "containerd.sock has the mode 0666, more than 0660",
        "chmod 0660 /run/containerd/containerd.sock"),
    ("DS715", "chgrp users /etc/apt/keyrings/docker.asc", "docker.asc belongs to user 0 and group 100", "chgrp root /etc/apt/keyrings/docker.asc"),
    ("DS716", "printf '#!/bin/sh\\necho -w /usr/bin/dockerd -p wa -k docker\\n' >/usr/sbin/auditctl; chmod 0755 /usr/sbin/auditctl",
        "no audit rule for /run/containerd, /var/lib/docker, /etc/docker,", "rm /usr/sbin/auditctl"),
    ("DS507", "mkdir -p /usr/local/lib/docker/cli-plugins; cd /usr/local/lib/docker/cli-plugins
        echo 'Not Found' >docker-compose; chmod 0755 docker-compose",
        "/usr/local/lib/docker/cli-plugins/docker-compose is no package's", "rm -r /usr/local/lib/docker"),
    ("DS801", "systemctl mask docker.service", "masked: docker.service", "systemctl unmask docker.service"),
    ("DS802", "mkdir /etc/systemd/system/docker.service.d; printf '[Service]\\nNice=1\\n' \
        >/etc/systemd/system/docker.service.d/nice.conf; systemctl daemon-reload", "docker.service.d/nice.conf",
        "rm -r /etc/systemd/system/docker.service.d; systemctl daemon-reload"),
    ("DS802", "mkdir /etc/systemd/system/containerd.service.d; printf '[Service]\\nNice=1\\n' \
        >/etc/systemd/system/containerd.service.d/nice.conf; systemctl daemon-reload", "containerd.service is changed by",
        "rm -r /etc/systemd/system/containerd.service.d; systemctl daemon-reload"),
    ("DS803", "systemctl stop docker.socket docker.service
        echo '2026-11-24 03:00:00 upgrade containerd.io:amd64 1-1 2-1' >>/var/log/dpkg.log",
        "containerd.io was upgraded at 2026-11-24 03:00:00", "anew"),
    ("DS804", "cp /etc/docker/daemon.json /root/; echo '{\"no-such-key\": 1}' >/etc/docker/daemon.json
        systemctl reset-failed docker.service; systemctl restart docker.service || true", "docker.service fails",
        "cp /root/daemon.json /etc/docker/daemon.json; anew"),
    ("DS805", "systemctl --quiet disable docker.service docker.socket", "is started with the host",
        "systemctl --quiet enable docker.service docker.socket"),
    ("DS806", "cp /etc/containerd/config.toml /root/; echo 'version = ' >/etc/containerd/config.toml",
        "containerd does not start with this file", "cp /root/config.toml /etc/containerd/config.toml"),
    ("DS807", "mkdir /etc/systemd/system/docker.service.d; printf '[Service]\\nPrivateTmp=yes\\n' \
        >/etc/systemd/system/docker.service.d/private.conf; systemctl daemon-reload", "private.conf, line 2: PrivateTmp=yes",
        "rm -r /etc/systemd/system/docker.service.d; systemctl daemon-reload"),
    ("DS901", "cp /etc/docker/daemon.json /root/; echo '{\"live-restor\": true}' >/etc/docker/daemon.json",
        "live-restore", "cp /root/daemon.json /etc/docker/daemon.json"),
    ("DS902", "cp /etc/docker/daemon.json /root/; echo '{}' >/etc/docker/daemon.json", "json-file without max-size",
        "cp /root/daemon.json /etc/docker/daemon.json"),
    ("DS902", "cp /etc/docker/daemon.json /root/; echo '{\"log-opts\": {\"max-size\": \"-1\"}}' >/etc/docker/daemon.json",
        "json-file without max-size", "cp /root/daemon.json /etc/docker/daemon.json"),
    ("DS903", "mkdir /etc/systemd/system/docker.service.d; echo HTTPS_PROXY=http://192.0.2.1:3128 >/root/proxy
        printf '[Service]\\nEnvironmentFile=/root/proxy\\n' >/etc/systemd/system/docker.service.d/proxy.conf
        systemctl daemon-reload", "set for the engine, but not for apt",
        "rm -r /etc/systemd/system/docker.service.d; systemctl daemon-reload"),
    ("DS904", "cp /etc/docker/daemon.json /root/; echo '{\"log-driver\": \"fluentd\"}' >/etc/docker/daemon.json",
        "no log collector answers at 127.0.0.1:24224", "cp /root/daemon.json /etc/docker/daemon.json"),
    ("DS903", "echo 'Acquire::https::Proxy \"http://192.0.2.1:3128\";' >/etc/apt/apt.conf.d/99proxy",
        "set for apt, but not for the engine", "rm /etc/apt/apt.conf.d/99proxy"),
];

/// What every check says, by its id: `sound`, or what it found or why it could not look.
fn verdicts(outcome: &Outcome) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let diagnosis = outcome.json();
    let checks = diagnosis["checks"].as_array().expect("checks").clone();
    let verdict = |check: &Value| match check["verdict"].as_str() {
        Some("sound") => "sound".to_owned(),
        verdict => format!("{}: {}", verdict.unwrap_or_default(), text(&check["text"])),
    };
    let pairs = checks
        .iter()
        .map(|check| (text(&check["id"]), verdict(check)));
    pairs.collect()
}

/// Everything must be sound but for the checks that are named.
#[track_caller]
fn is_sound(host: &LabHost, but_for: &[&str]) {
    let found = verdicts(&host.dockstrap(["doctor", "--json"]).exits(0));
    let found: BTreeMap<&String, &String> = found
        .iter()
        .filter(|(id, verdict)| *verdict != "sound" && !but_for.contains(&id.as_str()))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[track_caller]
fn try_each(host: &LabHost, cases: &[Case]) {
    for (id, harm, words, mend) in cases {
        host.sh(&format!("{SHELL}{harm}"));
        let outcome = host.dockstrap(["doctor", "--json"]);
        host.sh(&format!("{SHELL}{mend}"));
        let has_error = outcome.json()["checks"].as_array().is_some_and(|checks| {
            let mut checks = checks.iter();
            checks.any(|it| it["verdict"] == "found" && it["severity"] == "error")
        });
        let outcome = outcome.exits(if has_error { 3 } else { 0 });
        let verdicts = verdicts(&outcome);
        let verdict = &verdicts[*id];
        let as_expected = verdict.starts_with("found: ") && verdict.contains(words);
        assert!(as_expected, "{id} was to find `{words}`: {verdicts:#?}");
    }
}

/// Every check is shown to fail somewhere here; one that is added must be added there.
#[track_caller]
fn every_check_has_a_case(outcome: &Outcome) {
    let cases = BEFORE.iter().chain(AFTER).map(|(id, ..)| *id);
    // A session without the group is alice's, at the end of the test with an engine.
    let cases: BTreeSet<&str> = cases.chain(["DS702"]).collect();
    let verdicts = verdicts(outcome);
    let checks: BTreeSet<&str> = verdicts.keys().map(String::as_str).collect();
    assert_eq!(cases, checks);
}

/// What the lab itself lacks: control groups are not delegated to it, and its name server is on
/// the host's loopback.
fn make_up_for_the_lab(host: &LabHost) {
    host.sh("echo 'cpuset cpu io memory pids' >/root/controllers
         mount --bind /root/controllers /sys/fs/cgroup/cgroup.controllers
         echo 'nameserver 192.0.2.1' >/etc/resolv.conf");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_doctor_finds_what_is_in_the_way_of_an_engine() {
    let host = LabHost::up("noble");
    host.dockstrap(["doctor"])
        .exits(0)
        .says("! DS106")
        .says("! DS303");
    make_up_for_the_lab(&host);
    is_sound(&host, &[]);
    every_check_has_a_case(&host.dockstrap(["doctor", "--json"]));
    let before = host.tree();
    host.dockstrap(["doctor"])
        .exits(0)
        .says("0 errors, 0 warnings, 0 notes");
    before.is_untouched_in(&host.tree());
    try_each(&host, BEFORE);
    is_sound(&host, &[]);
    only_root_is_told_more(&host);
}

/// A limit on user namespaces holds for those below one, so that it can be set without harm; and
/// in one, as for bob, there is less to be seen.
#[track_caller]
fn only_root_is_told_more(host: &LabHost) {
    let within = "echo 0 >/proc/sys/user/max_user_namespaces; dockstrap doctor --json || true";
    let outcome = host.run(["unshare", "--user", "--map-root-user", "sh", "-c", within]);
    assert_eq!(
        verdicts(&outcome)["DS107"],
        "found: user.max_user_namespaces is 0"
    );

    let seen = verdicts(&host.run_as("bob", ["dockstrap", "doctor", "--json"]));
    let unseen: Vec<&String> = seen.values().filter(|it| *it != "sound").collect();
    assert!(!unseen.is_empty());
    for verdict in unseen {
        assert_eq!(verdict, "unseen: only root can look");
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_doctor_finds_what_is_wrong_with_an_engine() {
    let host = LabHost::up("noble");
    host.install();
    make_up_for_the_lab(&host);
    host.dockstrap(["doctor"])
        .exits(0)
        .says("! DS506 the engine is of release 26");
    // The lab's engine is an old one. From here on dpkg takes it for one that gets updates.
    host.sh("sed -i '/^Package: docker-ce$/,/^$/s/^Version: .*/Version: 5:29.1.0-1~x/' /var/lib/dpkg/status");
    is_sound(&host, &[]);
    try_each(&host, AFTER);
    is_sound(&host, &[]);
    // An engine that waits for whoever asks for it is as it was meant.
    host.sh("systemctl --quiet disable docker.service; systemctl stop docker.service");
    is_sound(&host, &[]);
    host.sh("systemctl --quiet enable docker.service; systemctl start docker.service");
    // One without rules of its own needs no iptables, and one that keeps images elsewhere is sound.
    host.sh("cp /etc/docker/daemon.json /root/; mkdir -p /etc/containerd; touch /etc/containerd/config.toml
         echo '{\"iptables\": false, \"log-driver\": \"local\"}' >/etc/docker/daemon.json
         mv /usr/sbin/iptables /root/");
    is_sound(&host, &[]);
    host.sh("mv /root/iptables /usr/sbin/; cp /root/daemon.json /etc/docker/daemon.json");

    // A user who has just become a member; one without root sees less, and is told so.
    let script = "sudo gpasswd --add alice docker >/dev/null; dockstrap doctor";
    host.run_as("alice", ["sh", "-c", script])
        .exits(0)
        .says("! DS702 alice is a member of group docker, but not yet in this session")
        .says("? DS204 the engine's own firewall rules are there: only root can look");
    host.run_as("alice", ["dockstrap", "doctor"])
        .exits(0)
        .never_says("DS702");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_doctor_looks_also_where_systemd_does_not_run() {
    let host = LabHost::up_without_systemd("noble");
    host.dockstrap(["doctor"])
        .exits(3)
        .says("✗ DS001 systemd does not run on this host");
}
