//! The engine's configuration: what is refused before anything is changed, and what is planned.

use std::process::Command;

use crate::host::LabHost;
use crate::outcome::Outcome;

const FILE: &str = "/etc/docker/daemon.json";
const SETTINGS: &str = "/etc/dockstrap/config.toml";

/// Tries to install, which must be refused with this code before anything is changed or fetched.
#[track_caller]
fn refuses(host: &LabHost, code: i32) -> Outcome {
    let before = host.tree();
    let requests = host.requests();
    let outcome = host.dockstrap(["install", "--yes"]).exits(code);
    before.is_untouched_in(&host.tree());
    assert_eq!(host.requests(), requests, "no network for that");
    outcome
}

#[track_caller]
fn refuses_file(host: &LabHost, text: &str) -> Outcome {
    host.write(FILE, text);
    refuses(host, 4).says(FILE)
}

/// Marks a path of the host's as one that nobody may change, or takes the mark away.
#[track_caller]
fn mark(host: &LabHost, mark: &str, path: &str) {
    let path = host.lab_path("root").join(path);
    let marked = Command::new("chattr").arg(mark).arg(path).status();
    assert!(marked.expect("running chattr").success());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_30_a_file_that_is_no_json_is_refused_with_line_and_column_before_apt_runs() {
    let host = LabHost::up("noble");
    refuses_file(&host, "{\n  \"debug\": true,\n}\n").says("line 2, column 16");
    refuses_file(&host, "{\n  // mine\n  \"debug\": true\n}\n").says("line 2, column 3");
    refuses_file(&host, "[]\n").says("line 1, column 1");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_31_a_key_that_is_none_is_refused_with_the_one_probably_meant() {
    let host = LabHost::up("noble");
    for (wrong, meant) in [
        ("lables", "write labels"),
        ("Log-Driver", "write log-driver"),
        ("insecure_registries", "write insecure-registries"),
        ("graph", "write data-root"),
    ] {
        refuses_file(&host, &format!("{{\n  \"{wrong}\": []\n}}\n"))
            .says("line 2, column 3")
            .says(meant);
    }
    host.sh(&format!("rm -r /etc/docker; mkdir {}", "/etc/dockstrap"));
    host.write(SETTINGS, "[daemon]\nlog-drivers = 'local'\n");
    refuses(&host, 2).says("write log-driver");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_32_hosts_beside_the_units_own_are_refused() {
    let host = LabHost::up("noble");
    refuses_file(&host, "{\n  \"hosts\": [\"fd://\"]\n}\n")
        .says("line 2, column 3: hosts: the unit passes -H");
    refuses_file(
        &host,
        "{\"containerd\": \"/run/containerd/containerd.sock\"}\n",
    )
    .says("containerd: the unit passes --containerd");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_33_a_link_is_followed_and_what_cannot_be_replaced_is_refused() {
    let host = LabHost::up("noble");
    host.sh(&format!("mkdir -p {FILE}"));
    refuses(&host, 4).says("it is a folder");
    host.sh(&format!("rmdir {FILE}; ln -s /srv/engine.json {FILE}"));
    refuses(&host, 4).says("a link to a file that is not there");

    host.sh("echo '{\"debug\": true}' >/srv/engine.json; chmod 0640 /srv/engine.json");
    let before = host.tree();
    host.install();
    assert_eq!(
        host.sh(&format!("readlink {FILE}")).stdout,
        "/srv/engine.json\n"
    );
    host.sh("stat --format %a /srv/engine.json").says("640");
    assert_eq!(host.account()["LoggingDriver"], "local");
    mark(&host, "+i", "srv/engine.json");
    let installed = host.tree();
    let refused = host.dockstrap(["uninstall", "--yes"]);
    mark(&host, "-i", "srv/engine.json");
    refused.exits(4).says("chattr -i -a /srv/engine.json");
    installed.is_untouched_in(&host.tree());
    host.uninstall();
    before.is_restored_in(&host.tree());

    mark(&host, "+i", "srv/engine.json");
    let refused = host.dockstrap(["install", "--yes"]);
    mark(&host, "-i", "srv/engine.json");
    refused.exits(4).says("chattr -i -a /srv/engine.json");
    before.is_restored_in(&host.tree());
    host.sh(&format!("rm {FILE}"));
    mark(&host, "+i", "etc/docker");
    let refused = host.dockstrap(["install", "--yes"]);
    mark(&host, "-i", "etc/docker");
    refused.exits(4).says("chattr -i -a /etc/docker");

    // The same for all else that is to be written, and for folders that are to be made.
    host.sh("rmdir /etc/docker; rm -r /var/lib/dockstrap");
    let before = host.tree();
    for folder in ["etc", "etc/apt/sources.list.d", "var/lib"] {
        mark(&host, "+i", folder);
        let refused = host.dockstrap(["install", "--yes"]);
        mark(&host, "-i", folder);
        refused.exits(4).says(&format!("chattr -i -a /{folder}"));
        before.is_untouched_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_36_a_key_that_is_there_twice_is_refused_and_a_byte_order_mark_is_kept() {
    let host = LabHost::up("noble");
    refuses_file(&host, "{\n  \"debug\": true,\n  \"debug\": false\n}\n")
        .says("line 3, column 3")
        .says("the engine goes by the last")
        .never_says("would not work");

    // What some editors write: the engine takes it, and so our edit keeps it.
    host.write(FILE, "\u{feff}{\"debug\": true}\n");
    let before = host.tree();
    host.install();
    let merged = host.read(FILE);
    assert!(
        merged.starts_with("\u{feff}{") && merged.contains("live-restore"),
        "{merged}"
    );
    assert_eq!(host.account()["Debug"], true);
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_45_flags_of_a_drop_in_are_the_ones_that_count() {
    let host = LabHost::up("noble");
    // A part of them waits on the bare host in a file of variables.
    host.write("/etc/default/docker", "DOCKER_OPTS=--log-driver=journald\n");
    host.write(
        "/etc/systemd/system/docker.service.d/own.conf",
        "[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=\n\
         ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock \
         $DOCKER_OPTS --mtu=1400\n",
    );
    host.install();
    let merged = host.read(FILE);
    assert!(
        !merged.contains("log-driver") && !merged.contains("log-opts"),
        "{merged}"
    );
    assert_eq!(host.account()["LoggingDriver"], "journald");
    host.write(SETTINGS, "[daemon]\nmtu = 1300\n");
    refuses(&host, 2).says("the unit passes --mtu=1400");

    // Where it comes from the unit's environment as well.
    host.write(
        "/etc/default/docker",
        "DOCKER_OPTS='--log-driver=journald --mtu=1401'\n",
    );
    host.sh(
        "sed -i 's/ --mtu=1400//' /etc/systemd/system/docker.service.d/own.conf
         systemctl daemon-reload",
    );
    refuses(&host, 2).says("the unit passes --mtu=1401");

    // Without the flag the same is fine, and the engine is asked with what is left of them.
    host.sh("sed -i 's/ $DOCKER_OPTS//' /etc/systemd/system/docker.service.d/own.conf");
    host.sh("systemctl daemon-reload");
    host.dockstrap(["install", "--yes", "--no-verify"]).exits(0);
    host.sh("ip link show docker0").says("mtu 1300");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_52_a_data_root_on_a_tiny_noexec_or_read_only_disk_is_refused() {
    let host = LabHost::up("noble");
    host.sh("mkdir -p /srv/docker");
    host.write(FILE, "{\n  \"data-root\": \"/srv/docker\"\n}\n");
    for (options, words) in [
        ("size=64m", "smaller than 1 GiB"),
        ("size=2g,noexec", "mounted noexec"),
        ("size=2g,ro", "mounted read-only"),
    ] {
        host.sh(&format!("mount -t tmpfs -o {options} tmpfs /srv"));
        refuses(&host, 4)
            .says("line 2, column 3: data-root")
            .says(words);
        host.sh("umount /srv");
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_the_engine_alone_finds_wrong_is_refused_before_anything_is_changed() {
    let host = LabHost::up("noble");
    host.install();
    // Known to newer engines, and so to us.
    host.write(SETTINGS, "[daemon]\ndefault-stop-timeout = 5\n");
    refuses(&host, 2).says("needs engine 29.7");
    host.write(SETTINGS, "[daemon]\ndefault-gateway-v6 = 'fd00::1%eth0'\n");
    let before = host.tree();
    host.dockstrap(["plan"]).exits(2).says("invalid IP address");
    before.is_untouched_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_bare_host_is_judged_by_the_engine_that_comes() {
    let host = LabHost::up("noble");
    // Newer engines do not take the one, and keep images elsewhere.
    host.write(
        FILE,
        "{\"api-cors-header\": \"*\", \"data-root\": \"/srv/docker\"}\n",
    );
    host.dockstrap(["plan"])
        .exits(0)
        .says("engine 28.0 no longer knows it")
        .never_says("/var/lib/containerd");
    // And this one does not take what newer ones do, nor what older ones did.
    for (text, words) in [
        (
            "{\"log-driver\": \"local\", \"log-opts\": {\"tag\": \"x\"}}",
            "takes this since engine 29.5",
        ),
        (
            "{\"storage-opts\": [\"overlay2.override_kernel_check=true\"]}",
            "takes no option overlay2.override_kernel_check",
        ),
    ] {
        host.write(FILE, text);
        host.unchanged_by(4, ["install", "--yes"]).says(words);
    }
}

/// What `dockerd --validate` says OK to, and an engine then starts with or does not.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_the_engine_starts_with_is_taken_and_what_it_does_not_start_with_is_refused() {
    let host = LabHost::up("noble");
    host.install();
    host.write(SETTINGS, "preset = 'none'\n");
    let ends_at_once = "/etc/systemd/system/docker.service.d/once.conf";
    host.write(ends_at_once, "[Service]\nRestart=no\n");
    host.sh("systemctl daemon-reload");
    for (text, starts) in [
        (
            r#"{"insecure-registries": ["http://registry.lab:5000", "10.0.0.1/8"]}"#,
            true,
        ),
        (r#"{"insecure-registries": ["registry.lab/path"]}"#, false),
        (
            r#"{"bip": "172.30.0.1/16", "default-gateway": "172.30.0.254"}"#,
            true,
        ),
        (
            r#"{"bip": "172.30.0.1/16", "default-gateway": "172.31.0.254"}"#,
            false,
        ),
        (r#"{"bip": "fd00::1/64"}"#, false),
        (
            r#"{"metrics-addr": "127.0.0.1:9323", "cgroup-parent": "lab.slice"}"#,
            true,
        ),
        (r#"{"metrics-addr": ":9323"}"#, false),
        (r#"{"cgroup-parent": "lab"}"#, false),
        (
            r#"{"log-driver": "syslog", "log-opts": {"syslog-address": "udp://10.0.0.1"}}"#,
            true,
        ),
        (
            r#"{"log-driver": "syslog", "log-opts": {"syslog-address": "10.0.0.1:514"}}"#,
            false,
        ),
        (r#"{"log-driver": "gelf", "log-opts": {"tag": "x"}}"#, false),
        (r#"{"bridge": "lan0"}"#, false),
        (r#"{"mtu": 67}"#, false),
        (
            r#"{"storage-opts": ["overlay2.override_kernel_check=true"]}"#,
            false,
        ),
        (
            r#"{"log-opts": {"tag": "{{.Name}}"}, "log-opt": ["max-size=1m"]}"#,
            true,
        ),
        (
            r#"{"log-driver": "local", "log-opts": {"tag": "x"}}"#,
            false,
        ),
        (r#"{"authorization-plugins": ["nosuch"]}"#, false),
        (r#"{"metrics-addr": "10.99.0.1:9323"}"#, false),
        (
            r#"{"registry-mirrors": ["HTTPS://m.example"], "mine": {"debug": true}}"#,
            true,
        ),
    ] {
        host.write(FILE, text);
        host.run(["dockerd", "--validate", "-H", "fd://"]).exits(0);
        let plan = host.dockstrap(["plan"]);
        host.sh("systemctl reset-failed docker.service docker.socket");
        let started = host.run(["systemctl", "restart", "docker.service"]);
        assert_eq!(started.has_succeeded(), starts, "{text}");
        plan.exits(if starts { 0 } else { 4 });
    }
}
