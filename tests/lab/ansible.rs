//! The Ansible collection, from its archive, with the real ansible-playbook over SSH. No host has
//! Python.

use serde_json::json;

use crate::controller::Controller;
use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;

const ENGINE: &str = "dockstrap.docker.engine";
const FACTS: &str = "dockstrap.docker.engine_facts";

/// The hosts of which the recap of a playbook has all of these counts.
fn hosts_with(outcome: &Outcome, counts: &[&str]) -> usize {
    let recap = outcome.stdout.split("PLAY RECAP").last().unwrap_or("");
    let has_all = |line: &&str| counts.iter().all(|count| line.contains(count));
    recap.lines().filter(has_all).count()
}

#[track_caller]
fn all_three(outcome: &Outcome, counts: &[&str]) {
    let counted = hosts_with(outcome, counts);
    assert_eq!(counted, 3, "{counts:?}: {}", outcome.all());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_fleet_is_set_up_left_alone_and_taken_back() {
    let hosts = ["jammy", "noble", "resolute"].map(LabHost::up);
    let [jammy, noble, resolute] = &hosts;
    let controller = Controller::of(&[jammy, noble, resolute]);
    for host in &hosts {
        host.sh(&format!("rm {PROGRAM}; ! command -v python3"));
    }
    let options = json!({
        "users": ["alice"],
        "key_fingerprint": noble.fingerprint(),
        "daemon": {"mtu": 1400},
    });
    // An inventory says so of a host that needs none.
    let variables = json!({"dockstrap_users": ["alice"], "dockstrap_daemon": {"mtu": 1400},
        "dockstrap_proxy": "", "dockstrap_engine_version": ""})
    .to_string();

    // Leaves the program on the hosts, so that the next run can leave all as it is.
    let bare = controller.play("dockstrap.docker.facts", []).exits(0);
    all_three(&bare.says("\"engine\": null"), &["changed=0"]);

    let before = hosts.each_ref().map(LabHost::tree);
    let with = ["--check", "--diff", "-e", &variables];
    let check = controller.play("dockstrap.docker.engine", with).exits(0);
    all_three(&check, &["changed=1", "failed=0"]);
    check.says_all(&[
        "+++ /etc/docker/daemon.json",
        "+  \"mtu\": 1400",
        "+create group docker",
    ]);
    for (host, before) in hosts.iter().zip(&before) {
        before.is_untouched_in(&host.tree());
    }

    noble.write("/etc/apt/sources.list.d/broken.list", "deb nonsense\n");
    let broken = controller.module("all", ENGINE, &options);
    broken
        .exits(2)
        .says_all(&["\"rc\": 4", "broken.list", noble.name(), "FAILED!"])
        .says_all(&["works on this host", "\"stage\": \"network\""]);
    for host in [jammy, resolute] {
        host.run_as("alice", ["docker", "version"]).exits(0);
    }
    assert!(!noble.has("/usr/bin/docker"));

    noble.sh("rm /etc/apt/sources.list.d/broken.list");
    let with = ["-e", &variables];
    let rolling = controller.play("dockstrap.docker.engine", with).exits(0);
    assert_eq!(hosts_with(&rolling, &["changed=1"]), 1, "{}", rolling.all());
    assert_eq!(hosts_with(&rolling, &["changed=0"]), 2, "{}", rolling.all());
    let batches = rolling.stdout.matches("PLAY [Docker Engine").count();
    assert_eq!(batches, 3, "{}", rolling.all());
    assert!(noble.read("/etc/docker/daemon.json").contains("1400"));

    let proxy = "dockstrap_proxy=http://alice:sesame@proxy.example:3128";
    let with = ["-e", &variables, "-e", proxy, "-vvv"];
    let second = controller.play("dockstrap.docker.engine", with).exits(0);
    all_three(&second.never_says("sesame"), &["changed=0", "failed=0"]);

    drift_is_told_and_an_uninstall_leaves_nothing(&controller, &hosts);
}

fn drift_is_told_and_an_uninstall_leaves_nothing(controller: &Controller, hosts: &[LabHost; 3]) {
    hosts[0].sh("sed -i s/1400/1300/ /etc/docker/daemon.json");
    let facts = controller.play("dockstrap.docker.facts", []).exits(0);
    assert_eq!(facts.stdout.matches("\"drifted\": true").count(), 1);
    assert_eq!(facts.stdout.matches("\"drifted\": false").count(), 2);

    let check = controller.play("dockstrap.docker.absent", ["--check"]);
    all_three(&check.exits(0), &["changed=1", "failed=0"]);
    for host in hosts {
        host.sh("docker info; ls /home/alice/.ansible/tmp/dockstrap-*");
    }
    let absent = controller.play("dockstrap.docker.absent", []).exits(0);
    all_three(&absent, &["changed=1", "failed=0"]);
    for host in hosts {
        assert!(!host.has("/usr/bin/docker"));
        host.sh("test -z \"$(ls -A /home/alice/.ansible/tmp)\"");
    }
}

/// By the oldest Ansible; the newest has the fleet.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_program_by_itself_is_a_module_and_others_than_its_machine_are_refused() {
    let host = LabHost::up("noble");
    let controller = Controller::oldest_of(&[&host]);
    let version = controller.run("ansible", ["--version"]).exits(0);
    let runtime = controller.collection.join("meta/runtime.yml");
    let runtime = std::fs::read_to_string(runtime).unwrap();
    let (_, oldest) = runtime.split_once("\">=").expect("the oldest");
    let oldest = oldest.split_once(".0\"").expect("its end").0;
    version.says(&format!("[core {oldest}."));
    let library = controller.path("library");
    std::fs::create_dir(&library).unwrap();
    let program = std::env::var("DOCKSTRAP_BIN").unwrap();
    std::fs::copy(program, format!("{library}/dockstrap_facts")).unwrap();
    let alone = ["all", "--become", "-M", &library, "-m", "dockstrap_facts"];
    let facts = controller.run("ansible", alone).exits(0);
    facts.says("\"drifted\": false");

    let not_root = controller.run("ansible", ["all", "-m", ENGINE]);
    not_root.exits(2).says_all(&["become: true", "\"rc\": 2"]);
    let wrong = controller.module("all", ENGINE, &json!({"user": "alice"}));
    wrong.exits(2).says("did you mean users?");
    assert!(!host.has("/var/lib/dockstrap"));

    let role = controller.play("dockstrap.docker.engine", ["--check"]);
    role.exits(0).says("changed=1").says("failed=0");

    // A kept program that was changed is not used again.
    host.sh("for kept in /home/alice/.ansible/tmp/dockstrap-*; do echo x >>$kept; done");
    controller.module("all", FACTS, &json!({})).exits(0);
    host.sh(
        "cd /home/alice/.ansible/tmp; set -- dockstrap-*; test $# = 1
         echo \"${1#*-}  $1\" | sha256sum --check",
    );

    host.write("/usr/local/bin/uname", "#!/bin/sh\necho riscv64\n");
    host.sh("chmod 0755 /usr/local/bin/uname");
    let other = controller.module("all", FACTS, &json!({}));
    other.exits(2).says("there is no dockstrap for riscv64");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_collection_is_documented_and_the_linter_has_nothing_to_say() {
    let controller = Controller::of(&[]);
    let list = controller
        .run("ansible-doc", ["-l", "dockstrap.docker"])
        .exits(0);
    let names = list
        .stdout
        .lines()
        .map(|line| line.split(' ').next().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), [ENGINE, FACTS]);
    assert_eq!(list.stderr, "");
    for (kind, name, says) in [
        ("module", ENGINE, "engine_version"),
        ("module", FACTS, "drifted"),
        (
            "role",
            "dockstrap.docker.dockstrap",
            "dockstrap_engine_version",
        ),
    ] {
        let doc = controller.run("ansible-doc", ["-t", kind, name]).exits(0);
        assert_eq!(doc.says(says).stderr, "", "{name}");
    }
    let collection = controller.collection.to_string_lossy();
    let readme = std::fs::read_to_string(controller.collection.join("README.md")).unwrap();
    let playbook = readme
        .split("```yaml\n")
        .nth(1)
        .expect("a playbook")
        .split("```")
        .next()
        .unwrap_or_default();
    std::fs::write(controller.path("readme.yml"), playbook).unwrap();
    let of_readme = controller.play("readme.yml", ["--syntax-check"]);
    of_readme.exits(0);
    let lint = [
        "--offline",
        "--profile",
        "production",
        "--strict",
        "--project-dir",
        &collection,
    ];
    controller.run("ansible-lint", lint).exits(0);
}
