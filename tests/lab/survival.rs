//! What was on a host before dockstrap, or was changed since, survives it.

use std::fs;

use crate::host::LabHost;

const DAEMON_JSON: &str = "/etc/docker/daemon.json";
const KEYRING: &str = "/etc/apt/keyrings/docker.asc";
const SOURCE: &str = "/etc/apt/sources.list.d/docker.sources";

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_34_a_daemon_json_of_the_users_own_is_merged_into_and_comes_back_byte_by_byte() {
    let host = LabHost::up("noble");
    let own = "{\n\t\"max-concurrent-uploads\" : 3,\n\t\"debug\":   true,\n\
               \t\"labels\": [ \"site=lab\",\n\t            \"rack=1\" ],\n\t\"log-level\":\"info\"\n}";
    host.write(DAEMON_JSON, own);
    let before = host.tree();
    host.install();

    let merged = host.read(DAEMON_JSON);
    let kept = own.trim_end_matches("\n}");
    assert!(
        merged.starts_with(kept),
        "the user's part is left as it is:\n{merged}"
    );
    let engine = host.account();
    assert_eq!(engine["Debug"], true);
    assert_eq!(engine["LiveRestoreEnabled"], true);
    assert_eq!(engine["LoggingDriver"], "local");
    // The engine keeps them as a map, and so in no order.
    let labels = engine["Labels"].as_array().expect("a list of labels");
    for label in ["site=lab", "rack=1"] {
        assert!(labels.contains(&label.into()), "{labels:?}");
    }

    host.uninstall();
    assert_eq!(host.read(DAEMON_JSON), own);
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_35_a_key_of_daemon_json_that_was_edited_since_is_kept_and_reported() {
    let host = LabHost::up("noble");
    host.install();
    host.sh(&format!("sed -i 's/\"20m\"/\"50m\"/' {DAEMON_JSON}"));
    assert!(host.read(DAEMON_JSON).contains("50m"));
    host.uninstall()
        .says("kept")
        .says("log-opts")
        .says("edited since");
    let left = host.read(DAEMON_JSON);
    assert!(left.contains("\"50m\""), "{left}");
    assert!(!left.contains("live-restore"), "{left}");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn who_calls_sudo_becomes_a_member() {
    let host = LabHost::up("noble");
    let fingerprint = format!("--key-fingerprint={}", host.fingerprint());
    host.run_as(
        "alice",
        [
            "sudo",
            "dockstrap",
            "install",
            "--yes",
            "--no-verify",
            &fingerprint,
        ],
    )
    .exits(0)
    .says("log in again");
    host.run_as("alice", ["docker", "ps"]).exits(0);
    host.run_as("bob", ["docker", "ps"]).exits(1);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_repository_set_up_by_hand_is_used_and_left() {
    let host = LabHost::up("noble");
    let key = fs::read_to_string(host.docker_repository().join("gpg")).expect("reading the key");
    host.write(KEYRING, &key);
    // As Docker's documentation says it.
    host.write(
        SOURCE,
        "Types: deb\nURIs: https://download.docker.com/linux/ubuntu\nSuites: noble\n\
         Components: stable\nSigned-By: /etc/apt/keyrings/docker.asc\n",
    );
    host.sh("apt-get update");
    let before = host.tree();
    let asked = host.requests().len();
    host.install().never_says("write /etc/apt");
    let key_again = host.requests()[asked..]
        .iter()
        .any(|request| request.path.ends_with("/gpg"));
    assert!(!key_again, "the key is here already");
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_repository_set_up_by_older_instructions_is_used_and_left() {
    let host = LabHost::up("jammy");
    let keyring = "/usr/share/keyrings/docker-archive-keyring.gpg";
    let key = fs::read_to_string(host.docker_repository().join("gpg")).expect("reading the key");
    let body: Vec<&str> = key
        .lines()
        .skip_while(|line| !line.is_empty())
        .take_while(|line| !line.starts_with('='))
        .collect();
    host.write("/root/key.base64", &body.join("\n"));
    host.sh(&format!(
        "base64 --decode /root/key.base64 >{keyring}; rm /root/key.base64"
    ));
    host.write(
        "/etc/apt/sources.list.d/docker.list",
        &format!(
            "deb [arch=amd64 signed-by={keyring}] https://download.docker.com/linux/ubuntu jammy stable\n"
        ),
    );
    host.sh("apt-get update").never_says("W:");
    let before = host.tree();
    host.install();
    assert!(!host.has(SOURCE), "one source is enough");
    host.sh("apt-get update").never_says("W:").never_says("E:");
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn another_key_in_the_keyring_is_replaced_and_comes_back() {
    let host = LabHost::up("noble");
    let other = include_str!("../fixtures/trust/other.asc");
    host.write(KEYRING, other);
    host.sh(&format!("chmod 0640 {KEYRING}"));
    let before = host.tree();
    host.install().says(&format!("replace {KEYRING}"));
    assert_ne!(host.read(KEYRING), other);
    host.uninstall();
    assert_eq!(host.read(KEYRING), other);
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_06_under_a_strict_umask_apt_can_read_what_it_must() {
    let host = LabHost::up("noble");
    let install = format!(
        "umask 077; dockstrap install --yes --key-fingerprint {}",
        host.fingerprint()
    );
    host.sh(&install);
    let modes = host.sh(&format!(
        "stat --format=%a {KEYRING} {SOURCE} /etc/apt/keyrings"
    ));
    assert_eq!(modes.stdout, "644\n644\n755\n");
    let lists = "find /var/lib/apt/lists -maxdepth 1 -type f -name '*docker*' ! -perm 0644";
    assert_eq!(
        host.sh(lists).stdout,
        "",
        "lists that apt's user cannot read"
    );
    host.sh("apt-get update").never_says("W:").never_says("E:");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_dependency_that_was_asked_for_since_stays() {
    let host = LabHost::up("noble");
    host.install();
    host.sh("apt-get install --yes pigz");
    host.uninstall().says("somebody has asked apt for pigz");
    host.run(["pigz", "--version"]).exits(0);
    assert!(!host.has("/usr/bin/dockerd"), "the engine went");
}
