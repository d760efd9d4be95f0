//! Secrets of daemon.json: what shows them, what keeps them, and who can read them.

use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;

const FILE: &str = "/etc/docker/daemon.json";
const SETTINGS: &str = "/etc/dockstrap/config.toml";

/// Not to be found anywhere but in the settings and in daemon.json.
const SECRETS: [&str; 3] = ["t0ken-of-splunk", "an0ther-token", "pr0xy-password"];

const THEIRS: &str = "{\n  \"labels\": [\"contact=https://ops@example.com\"]\n}\n";

fn settings(token: &str) -> String {
    format!(
        "[daemon]\nlog-driver = \"splunk\"\n[daemon.log-opts]\nsplunk-token = \"{token}\"\n\
         splunk-url = \"https://splunk.example:8088\"\n[daemon.proxies]\n\
         http-proxy = \"http://me:{}@192.0.2.1:3128\"\n",
        SECRETS[2]
    )
}

/// Writes the settings for root alone.
fn set(host: &LabHost, token: &str) {
    host.write(SETTINGS, &settings(token));
    host.sh(&format!("chmod 0600 {SETTINGS}"));
}

fn mode(host: &LabHost, path: &str) -> String {
    host.sh(&format!("stat --format=%a {path}"))
        .stdout
        .trim()
        .to_owned()
}

#[track_caller]
fn silent(outcome: Outcome) -> Outcome {
    SECRETS
        .iter()
        .fold(outcome, |outcome, secret| outcome.never_says(secret))
}

/// The files with a secret in them, and the lines of systemd's journal.
#[track_caller]
fn kept_to(host: &LabHost, files: &[&str]) {
    let words = SECRETS.map(|secret| format!("-e {secret}")).join(" ");
    let found = host.sh(&format!(
        "grep -rslF {words} /boot /etc /home /opt /root /run /srv /tmp /usr /var | sort
         journalctl --output=cat --no-pager | grep -F {words} || true"
    ));
    let found: Vec<&str> = found.stdout.lines().collect();
    assert_eq!(found, files);
}

/// Calls the program as Ansible does, in check mode and with a diff.
fn called_by_ansible(host: &LabHost) -> Outcome {
    let module =
        r#"{"_ansible_module_name": "engine", "_ansible_check_mode": true, "_ansible_diff": true}"#;
    host.write("/root/task.json", module);
    let key = host.fingerprint();
    host.sh(&format!(
        "DOCKSTRAP_KEY_FINGERPRINT={key} {PROGRAM} /root/task.json"
    ))
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_secret_is_shown_nowhere_and_the_file_with_it_is_roots_alone() {
    let host = LabHost::up("noble");
    host.write(FILE, THEIRS);
    let [first, second, _] = SECRETS;
    set(&host, first);
    let announced =
        "keep /etc/docker/daemon.json from other users (mode 0600): log-opts holds a secret";
    for arguments in [["plan"].as_slice(), &["plan", "--json"]] {
        let line = arguments.join(" ");
        let key = host.fingerprint();
        let plan = host.sh(&format!("{PROGRAM} {line} --key-fingerprint {key}"));
        silent(plan).says_all(&["splunk-token", "***", announced]);
    }
    silent(called_by_ansible(&host)).says_all(&["splunk-token", announced]);
    silent(host.dockstrap(["settings", "show"]).exits(0)).says("\"splunk-token\":\"***\"");
    silent(host.dockstrap(["settings", "show", "--json"]).exits(0)).says("***");
    silent(host.dockstrap(["settings", "check", SETTINGS]).exits(0));

    silent(host.install()).says(announced);
    assert_eq!(mode(&host, FILE), "600");
    assert!(host.read(FILE).contains(first));
    silent(host.dockstrap(["status"]).exits(0));
    silent(host.dockstrap(["status", "--json"]).exits(0)).says("\"splunk-token\": \"***\"");
    silent(host.dockstrap(["doctor", "--json"]));
    kept_to(&host, &[FILE, SETTINGS]);

    a_rotated_token_is_drift_and_stays_hidden(&host, first, second);
    // A new one from the settings is seen to change.
    set(&host, second);
    let plan = silent(host.dockstrap(["plan"]).exits(0));
    plan.says("-    \"splunk-token\": \"***\"")
        .says("+    \"splunk-token\": \"***\"");
    silent(called_by_ansible(&host)).says("+    \\\"splunk-token\\\": \\\"***\\\"");
    silent(host.install());
    assert!(host.read(FILE).contains(second));
    kept_to(&host, &[FILE, SETTINGS]);

    // What the engine says of a file that it does not take is quoted without it.
    host.sh(&format!(
        "cp -p {FILE} /root/daemon.json
         sed -i 's/\"splunk-token\"/\"splunk-tokem\"/' {FILE}"
    ));
    silent(host.dockstrap(["plan"]).exits(4)).says("splunk-tokem");
    silent(host.dockstrap(["doctor"]).exits(3)).says("splunk-tokem");
    host.sh(&format!(
        "cp -p /root/daemon.json {FILE}; rm /root/daemon.json"
    ));

    silent(host.uninstall());
    assert_eq!(
        (host.read(FILE).as_str(), mode(&host, FILE).as_str()),
        (THEIRS, "644")
    );
    kept_to(&host, &[SETTINGS]);
}

fn a_rotated_token_is_drift_and_stays_hidden(host: &LabHost, first: &str, second: &str) {
    // Somebody rotates the token past dockstrap, and the mode goes with it.
    host.sh(&format!(
        "sed -i s/{first}/{second}/ {FILE}; chmod 0644 {FILE}"
    ));
    let drift = host.dockstrap(["status"]).exits(3);
    silent(drift).says_all(&[
        "log-opts was set to",
        "other users can read /etc/docker/daemon.json again",
    ]);
    silent(host.dockstrap(["status", "--json"]).exits(3));
    silent(host.dockstrap(["doctor"])).says("! DS706");
    host.sh(&format!(
        "sed -i s/{second}/{first}/ {FILE}; chmod 0600 {FILE}"
    ));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_mode_that_somebody_changed_is_left_and_a_file_of_others_refused() {
    let host = LabHost::up("noble");
    host.write(FILE, THEIRS);
    for (harm, path, cure) in [
        ("chmod 0646", FILE, "chmod go-w"),
        ("chmod 0777", "/etc/docker", "chmod go-w"),
        ("chown alice", FILE, "chown root:root"),
    ] {
        host.sh(&format!("{harm} {path}"));
        let refused = host.unchanged_by(4, ["install", "--yes"]);
        refused.says_all(&["nothing was changed", &format!("sudo {cure} {path}")]);
        host.dockstrap(["plan"]).exits(4);
        host.sh(&format!(
            "chown root {path}; chmod go-w {path}; chmod 0644 {FILE}"
        ));
    }
    set(&host, SECRETS[0]);
    host.sh(&format!("chgrp users {FILE}; chmod 0640 {FILE}"));
    host.install();
    assert_eq!(mode(&host, FILE), "600");
    host.sh(&format!("chmod 0440 {FILE}"));
    let kept = "its mode was changed since, from 0600 to 0440";
    host.uninstall().says(kept);
    assert_eq!(
        (host.read(FILE).as_str(), mode(&host, FILE).as_str()),
        (THEIRS, "440")
    );
    let owner = host.sh(&format!("stat --format=%U:%G {FILE}")).stdout;
    assert_eq!(owner.trim(), "root:users");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_hardened_preset_adds_nobody_who_is_not_named() {
    let host = LabHost::up("noble");
    let install = ["install", "--yes", "--no-verify", "--preset", "hardened"];
    let installed = host
        .dockstrap_by(["env", "SUDO_USER=alice"], install)
        .exits(0);
    installed.says("alice is not added: members have root's rights on this host");
    host.sh("getent group docker | grep ':$'");
    let named = [
        "install",
        "--yes",
        "--no-verify",
        "--preset",
        "hardened",
        "--user",
        "bob",
    ];
    host.dockstrap_by(["env", "SUDO_USER=alice"], named)
        .exits(0);
    host.sh("getent group docker | grep ':bob$'");
}
