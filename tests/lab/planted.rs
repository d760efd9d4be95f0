//! What other users and containers put in the way of root.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::host::LabHost;

/// The escape that begins a sequence, and the one with which C1 begins it.
const CONTROLS: &[char] = &['\u{1b}', '\u{9b}', '\u{7f}', '\u{202e}'];

/// A process of alice's that looks like a shim which looks after a container of hers.
fn forge_shims(host: &LabHost, ids: &[&str]) {
    for id in ids {
        host.sh(&format!(
            "systemd-run --quiet --uid=alice bash -c 'exec -a /usr/bin/containerd-shim-runc-v2 bash \
             -c \"sleep 600; true\" -- -namespace moby -id \"$0\"' '{id}'"
        ));
    }
    host.sh("sleep 0.5; pgrep --full 'shim-runc-v2.*-namespace moby' >/dev/null");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_users_process_that_looks_like_a_container_does_not_keep_root_from_anything() {
    let host = LabHost::up("noble");
    host.install();
    let id = "a".repeat(64);
    host.sh(&format!(
        "for folder in pipe zero; do su alice -c \"mkdir -p /home/alice/$folder\"; done
         su alice -c 'mkfifo /home/alice/pipe/config.v2.json'
         su alice -c 'ln -s /dev/zero /home/alice/zero/config.v2.json'
         mkdir -p /var/lib/docker/containers/{id}
         echo '{{\"Name\": \"/precious\"}}' >/var/lib/docker/containers/{id}/config.v2.json"
    ));
    forge_shims(
        &host,
        &["/home/alice/pipe", "../../../../home/alice/zero", &id],
    );
    host.sh("systemctl stop docker.socket docker.service");
    let begun = Instant::now();
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .says("the host is as it was")
        .never_says("kill -KILL")
        .never_says("Containers run on");
    assert!(begun.elapsed() < Duration::from_secs(60), "it waited");
    host.sh("pgrep --full 'shim-runc-v2.*-namespace moby'");
    assert!(!host.has("/var/lib/docker/containers"));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn root_writes_a_report_into_another_users_folder_and_nowhere_else() {
    let host = LabHost::up("noble");
    host.install();
    host.sh(
        "su alice -c 'cd; mkdir ws; ln -s /etc/cron.d/owned ws/new.xml
             ln -s /etc/shadow ws/old.xml; ln -s /etc ws/folder; mkfifo ws/pipe'",
    );
    let shadow = host.read("/etc/shadow");
    for planted in ["new.xml", "old.xml", "folder/owned.xml", "pipe"] {
        let path = format!("/home/alice/ws/{planted}");
        host.dockstrap(["verify", "engine", "--junit", &path])
            .exits(2)
            .says(&path)
            .says("of another user");
    }
    assert_eq!(host.read("/etc/shadow"), shadow);
    assert!(!host.has("/etc/cron.d/owned") && !host.has("/etc/owned.xml"));
    let path = "/home/alice/ws/verify.xml";
    host.dockstrap(["verify", "engine", "--junit", path])
        .exits(0);
    host.run_as("alice", ["cat", path])
        .exits(0)
        .says("<testsuite");
    host.sh("test \"$(ls -A /home/alice/ws | wc --lines)\" = 5");
    host.dockstrap(["verify", "engine", "--json", "--junit", "/dev/stderr"])
        .exits(0)
        .says("</testsuite>");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_containers_and_files_say_neither_moves_the_cursor_nor_speaks_for_the_engine() {
    let host = LabHost::up("noble");
    let text = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}";
    host.write(
        "/etc/docker/daemon.json",
        &format!("{{\n  \"labels\": [\"a={text}\"]\n}}\n").replace('\u{1b}', ""),
    );
    let plan = host.dockstrap(["plan"]).exits(0).all();
    assert!(plan.contains("\\x9b31m\\x7f\\u{202e}"), "{plan}");
    assert!(!plan.contains(CONTROLS), "{plan:?}");
    let plan = host.dockstrap(["plan", "--json"]).exits(0);
    assert!(!plan.stdout.contains(CONTROLS), "{}", plan.stdout);
    assert!(
        plan.json().to_string().contains('\u{9b}'),
        "nothing is lost"
    );
    host.sh("rm /etc/docker/daemon.json");
    host.install();

    // A container that logs to systemd's journal, by the engine's own hand.
    let evil = format!("{text}the engine is broken; mend it with: docker run --privileged evil");
    host.write("/root/evil", &format!("{evil}\n"));
    host.sh(
        "docker run --rm --interactive --log-driver journald hello-world /cat </root/evil
         journalctl --sync; journalctl --unit docker.service --output=cat --all | grep evil",
    );
    host.write(
        "/etc/systemd/system/docker.service.d/broken.conf",
        "[Service]\nExecStartPre=/bin/sh -c 'echo no room in /var; exit 1'\n",
    );
    host.sh("systemctl daemon-reload; systemctl stop docker.socket docker.service");
    let install = ["--output", "json", "install", "--yes", "--no-verify"];
    let failed = host.dockstrap(install).exits(1);
    let last = failed.stdout.lines().last().expect("a last line");
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["error"]["next"], "sudo dockstrap doctor");
    let failed = failed
        .says_all(&["its last words", "no room in /var"])
        .never_says("evil")
        .all();
    assert!(!failed.contains(CONTROLS), "{failed:?}");
}
