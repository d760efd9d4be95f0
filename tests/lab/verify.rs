//! The stages of a verification: each passes on a sound host, and names the cause on one that is
//! broken for real.

use std::process::Command;

use serde_json::Value;

use crate::host::LabHost;
use crate::neighbour::Neighbour;
use crate::outcome::Outcome;

/// Somebody outside of the host.
const STRANGER: &str = "import socket, sys
server = socket.create_server(('', 443))
print('listening', flush=True)
sys.stdin.read()";

/// Variables of a user whose docker command has other things to do.
const MEDDLING: [&str; 6] = [
    "DOCKER_HOST=tcp://192.0.2.1:2376",
    "DOCKER_TLS_VERIFY=1",
    "BUILDX_BUILDER=nobody",
    "BUILDX_CONFIG=/dev/null",
    "DOCKER_DEFAULT_PLATFORM=linux/s390x",
    "COMPOSE_PROFILES=none",
];

/// Everything that is in the engine, but for its own networks. The cache of builds is among it.
pub(crate) fn objects(host: &LabHost) -> String {
    host.sh(
        "docker ps --all --quiet; docker network ls --quiet --filter type=custom
         docker volume ls --quiet; docker images --all --quiet; docker buildx du | grep '^[a-z0-9]* *true' || true
         ls -d /tmp/dockstrap* 2>/dev/null || true",
    )
    .stdout
}

/// The outcome of each stage, as in `run passed`.
fn outcomes(proof: &Value) -> Vec<String> {
    let stages = proof["stages"].as_array().expect("stages");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    stages
        .iter()
        .map(|stage| format!("{} {}", text(&stage["stage"]), text(&stage["outcome"])))
        .collect()
}

/// Keeps the journal aside, to be put back after verifications: what the last one came to is the
/// only thing that they write down.
fn keep_journal(host: &LabHost) {
    host.sh("cp --preserve=all /var/lib/dockstrap/journal /root/journal");
}

/// Puts the journal back, to which nothing else may have been added since.
fn put_journal_back(host: &LabHost) {
    let added = "tail -n +$(($(wc -l </root/journal) + 1)) /var/lib/dockstrap/journal";
    let added = host.sh(added).stdout;
    assert!(!added.is_empty());
    for line in added.lines() {
        assert!(line.starts_with("{\"line\":\"verified\""), "{line}");
    }
    host.sh("cp --preserve=all /root/journal /var/lib/dockstrap/journal");
}

/// Lets the engine begin anew, however often that was done within the minute.
pub(crate) fn restart_engine(host: &LabHost) {
    host.sh(
        "systemctl reset-failed docker.service; systemctl restart docker.socket docker.service",
    );
}

#[track_caller]
pub(crate) fn fails(host: &LabHost, stage: &str) -> Outcome {
    host.dockstrap(["verify", stage])
        .exits(7)
        .says(&format!("✗ {stage}: "))
        .says(&format!("the verification failed: {stage}"))
}

on_each_release! {
    /// Also once more, as nothing of the first is in its way.
    fn every_stage_that_needs_only_the_host_passes_and_leaves_nothing(host) {
        host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"]).exits(0);
        keep_journal(host);
        let before = host.tree();
        for variables in [[""; 6], MEDDLING] {
            let words = ["dockstrap verify --json --junit /run/verify.xml"];
            let command = [&variables[..], &words[..]].concat().join(" ");
            let proof = host.run(["sh", "-c", &command]).exits(0).json();
            let expected = [
                "engine", "group", "run", "container", "volume", "network", "logs", "restart",
                "build", "image", "compose",
            ];
            assert_eq!(outcomes(&proof), expected.map(|stage| format!("{stage} passed")));
            let seconds = proof["seconds"].as_f64().expect("a time");
            // 8 s on a machine with 2 cores that does nothing else. Tests run side by side.
            assert!(seconds < 45.0, "{seconds} s");
            let each = proof["stages"].as_array().expect("stages").iter();
            let sum: f64 = each.filter_map(|stage| stage["seconds"].as_f64()).sum();
            assert!(sum > seconds, "one after the other: {sum} s of {seconds} s");
        }
        let xml = host.read("/run/verify.xml");
        assert!(xml.contains("tests=\"11\" failures=\"0\" skipped=\"0\""), "{xml}");
        put_journal_back(host);
        before.is_untouched_in(&host.tree());
        assert_eq!(objects(host), "");
    }
}

/// The store that engines use by themselves from 29 on.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn every_stage_passes_with_images_in_containerds_store() {
    let host = LabHost::up("resolute");
    let features = "{\"features\": {\"containerd-snapshotter\": true}}\n";
    host.write("/etc/docker/daemon.json", features);
    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0);
    keep_journal(&host);
    let before = host.tree();
    let proof = host
        .dockstrap(["verify", "--all", "--json"])
        .exits(0)
        .json();
    let wrong: Vec<String> = outcomes(&proof)
        .into_iter()
        .filter(|outcome| !outcome.ends_with(" passed"))
        .collect();
    assert_eq!(wrong, ["registry skipped"], "{proof:#}");
    let engine = proof["stages"][0]["text"].as_str().unwrap_or_default();
    assert!(engine.contains("overlayfs storage"), "{engine}");
    put_journal_back(&host);
    before.is_untouched_in(&host.tree());
    assert_eq!(objects(&host), "");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn units_socket_and_group_that_are_broken_are_named() {
    let host = LabHost::up("noble");
    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0);
    host.sh("systemctl stop docker.socket docker.service");
    host.dockstrap(["verify"])
        .exits(7)
        .says("docker.service is inactive; start it with: systemctl start docker.service")
        .says("- compose: stage engine failed")
        .never_says("✓");
    fails(&host, "run").says("docker.service is inactive");
    host.sh("systemctl mask --now docker.service");
    fails(&host, "engine").says("systemctl unmask --now docker.service");
    host.sh("systemctl unmask docker.service; systemctl start docker.service");
    host.sh("systemctl stop containerd.service");
    fails(&host, "engine").says("containerd.service is inactive");
    host.sh("systemctl start docker.service");
    host.sh("rm /run/docker.sock");
    fails(&host, "engine").says("systemctl restart docker.socket docker.service");
    restart_engine(&host);
    // Another docker command comes first.
    host.write(
        "/usr/local/bin/docker",
        "#!/bin/sh\n/usr/bin/docker \"$@\" | sed 's/\"Version\":\"[^\"]*\"/\"Version\":\"1.2.3\"/'\n",
    );
    host.sh("chmod 0755 /usr/local/bin/docker");
    fails(&host, "engine").says("the docker command is 1.2.3, but the running engine is 2");
    host.sh("rm /usr/local/bin/docker");
    host.dockstrap(["verify", "engine", "group"])
        .exits(0)
        .says("alice may use the engine after a new login; nobody may not");

    let verify = ["dockstrap", "verify", "run", "group"];
    host.run_as("alice", verify)
        .exits(0)
        .says("✓ run")
        .says("- group: only root");
    host.run_as("bob", ["dockstrap", "verify"])
        .exits(4)
        .says("bob cannot use the engine: not a member of group docker");
    host.sh("chmod 0666 /run/docker.sock");
    fails(&host, "group")
        .says("nobody is not a member of group docker and has access to the engine");
    host.sh("chmod 0660 /run/docker.sock; chgrp root /run/docker.sock");
    fails(&host, "group").says("alice is a member of group docker, but may not use the engine");
    restart_engine(&host);
    host.sh("gpasswd --add nobody docker");
    fails(&host, "group").says("gpasswd --delete nobody docker");
    host.sh("gpasswd --delete nobody docker; gpasswd --delete alice docker");
    host.dockstrap(["verify", "group"])
        .exits(0)
        .says("- group: group docker has no members");
    host.sh("groupdel docker");
    fails(&host, "group").says("there is no group docker");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn bridges_rules_forwarding_and_name_servers_that_are_broken_are_named() {
    let host = LabHost::up("noble");
    host.install();
    host.sh("ip link delete docker0");
    fails(&host, "run").says("the engine's own bridge docker0 is gone");
    restart_engine(&host);
    host.sh("for table in filter nat; do iptables -t $table -F; iptables -t $table -X; done");
    fails(&host, "network").says("the engine's firewall rules were removed");
    restart_engine(&host);

    let _outside = lead_outside(&host);
    host.dockstrap(["verify", "network"])
        .exits(0)
        .says("and they the outside");
    // The engine turns it on by itself, unless it is told not to.
    host.write("/etc/docker/daemon.json", "{\"ip-forward\": false}\n");
    host.sh("sysctl --quiet --write net.ipv4.ip_forward=0");
    restart_engine(&host);
    fails(&host, "network").says("sysctl --write net.ipv4.ip_forward=1");
    host.sh("rm /etc/docker/daemon.json; sysctl --quiet --write net.ipv4.ip_forward=1");
    restart_engine(&host);
    host.sh("iptables -I DOCKER-USER -d 198.51.100.2 -j DROP");
    fails(&host, "network")
        .says("the host reaches the outside, but a container does not")
        .says("whether a firewall drops what is forwarded");
    host.sh("iptables -D DOCKER-USER -d 198.51.100.2 -j DROP");
    host.sh("echo 'nameserver 127.0.0.9' >/etc/resolv.conf");
    fails(&host, "network").says("containers reach the outside, but cannot look up");
}

/// Puts somebody outside of the host, whom the host takes for Docker's server.
fn lead_outside(host: &LabHost) -> Neighbour {
    let stranger = Neighbour::start(host, ["unshare", "--net", "python3", "-c", STRANGER]);
    let process = stranger.id();
    let netns = host.lab_path("netns");
    let script = format!(
        "inside() {{ nsenter --net={netns} \"$@\"; }}
         outside() {{ nsenter --net=/proc/{process}/ns/net \"$@\"; }}
         inside ip link add out0 type veth peer name in0 netns {process}
         inside ip address add 198.51.100.1/24 dev out0; inside ip link set out0 up
         outside ip address add 198.51.100.2/24 dev in0; outside ip link set in0 up",
        netns = netns.display(),
    );
    let led = Command::new("sh").args(["-euc", &script]).status();
    assert!(led.expect("running sh").success(), "a link to the outside");
    host.sh("sed -i '/download.docker.com/d' /etc/hosts");
    host.sh("echo 198.51.100.2 download.docker.com >>/etc/hosts");
    stranger
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn logs_restarts_plugins_and_disks_that_are_broken_are_named() {
    let host = LabHost::up("noble");
    host.install();
    host.write(
        "/etc/docker/daemon.json",
        "{\"log-driver\": \"json-file\"}\n",
    );
    restart_engine(&host);
    fails(&host, "logs").says("the log driver is json-file without max-size");

    // Without live-restore a restart would stop what others run.
    let others = "docker run --detach --tty --name keeper hello-world /cat";
    host.sh(others);
    host.dockstrap([
        "verify", "--skip", "logs", "--skip", "compose", "--skip", "build",
    ])
    .exits(0)
    .says("- restart: it would stop running containers, since live-restore is off: keeper")
    .says("- logs: left out by --skip");
    host.sh("docker ps").says("keeper");
    host.dockstrap(["verify", "restart"])
        .exits(0)
        .says("was started again after the engine was restarted");
    // What the engine is told now is not what it will be told.
    host.write("/etc/docker/daemon.json", "{\"live-restore\": true}\n");
    restart_engine(&host);
    host.sh("rm /etc/docker/daemon.json; docker start keeper");
    let mut rest = vec!["dockstrap", "verify"];
    for stage in [
        "group",
        "run",
        "container",
        "volume",
        "network",
        "logs",
        "build",
        "image",
        "compose",
    ] {
        rest.extend(["--skip", stage]);
    }
    host.sh(&rest.join(" "))
        .says("live-restore is on, but not in /etc/docker/daemon.json: keeper");
    host.sh("docker rm --force keeper");
    host.write("/etc/docker/daemon.json", "{\"no-such-key\": 1}\n");
    fails(&host, "restart")
        .says("a restart was not tried, as the engine would not come back")
        .says("no-such-key");
    host.sh("docker info; docker ps --all")
        .never_says("dockstrap-verify");
    host.sh("rm /etc/docker/daemon.json");
    let unit = "/etc/systemd/system/docker.service.d/broken.conf";
    host.write(unit, "[Service]\nExecStartPre=/bin/false\n");
    host.sh("systemctl daemon-reload");
    fails(&host, "restart").says("the engine did not start; its last words");
    host.sh(&format!("rm {unit}; systemctl daemon-reload"));
    restart_engine(&host);
    host.sh("docker ps --all").says("dockstrap-verify");
    host.dockstrap(["verify", "run"]).exits(0);
    host.sh("docker ps --all").never_says("dockstrap-verify");

    plugins_and_disks_that_are_broken_are_named(&host);
}

fn plugins_and_disks_that_are_broken_are_named(host: &LabHost) {
    for (stage, plugin) in [("build", "docker-buildx"), ("compose", "docker-compose")] {
        let path = format!("/usr/libexec/docker/cli-plugins/{plugin}");
        host.sh(&format!("mv {path} /root/"));
        fails(host, stage).says(&format!("apt-get install --reinstall {plugin}-plugin"));
        host.sh(&format!("mv /root/{plugin} {path}"));
    }
    host.sh("mount -t tmpfs -o ro none /var/lib/docker/volumes");
    fails(host, "volume").says("read-only file system");
    host.sh("umount /var/lib/docker/volumes");

    host.write("/etc/docker/daemon.json", "{\"data-root\": \"/mnt\"}\n");
    host.sh("mount -t tmpfs -o size=40m none /mnt");
    restart_engine(host);
    host.dockstrap(["verify", "container", "image"]).exits(0);
    host.sh("dd if=/dev/zero of=/mnt/filler bs=1M status=none || true");
    host.dockstrap(["verify", "container", "image"])
        .exits(7)
        .says("the verification failed: container, image")
        .says("the engine's disk is full");
    fails(host, "image").says("no space left on device");
}
