//! What somebody changed since an install is theirs, and comes back only when that is asked for.

use serde_json::Value;

use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;

const FILE: &str = "/etc/docker/daemon.json";
const SETTINGS: &str = "/etc/dockstrap/config.toml";
const SOURCE: &str = "/etc/apt/sources.list.d/docker.sources";

/// Runs dockstrap as alice does, who so becomes a member by default.
fn as_alice(host: &LabHost, words: &str) -> Outcome {
    let key = host.fingerprint();
    let line = format!("sudo dockstrap {words} --key-fingerprint {key}");
    host.run_as("alice", ["sh", "-c", &line])
}

/// What one step of a status has under a key, by name.
fn names(status: &Value, step: &str, key: &str, name: &str) -> Vec<String> {
    let steps = status["steps"].as_array().expect("steps").iter();
    let of_step = steps.filter(|it| it["id"] == step);
    let rows = of_step.flat_map(|step| step[key].as_array().expect("rows"));
    rows.filter_map(|row| row[name].as_str().map(str::to_owned))
        .collect()
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn j1_what_somebody_changed_since_stays_and_is_restored_by_name_or_as_a_whole() {
    let host = LabHost::up("noble");
    let before = host.tree();
    as_alice(&host, "install --yes --no-verify").exits(0);
    host.dockstrap(["status"])
        .exits(0)
        .says("All of it is as dockstrap set it up.");
    let installed = host.read(FILE);
    let logging = r#"{"log-driver":"json-file","log-opts":{"max-size":"10m"}}"#;
    host.write(FILE, logging);
    host.sh(&format!(
        "gpasswd --delete alice docker; systemctl --quiet disable docker.service
         sed -i 's/^Suites: noble$/Suites: jammy/' {SOURCE}; dpkg --purge pigz"
    ));
    let kept = [
        "kept: yours: log-driver (\"json-file\")",
        "kept: yours: log-opts.max-size (\"10m\")",
        "kept: yours: log-opts.max-file (removed)",
        "kept: yours: live-restore (removed)",
        "kept: yours: user:alice (not in group docker)",
        "kept: yours: docker.service (disabled)",
        "kept: yours: pigz (removed)",
        "kept: yours: /etc/apt/sources.list.d/docker.sources (edited)",
    ];
    let untouched = host.tree();
    host.dockstrap(["status"])
        .exits(0)
        .says_all(&kept)
        .says("sudo dockstrap install --restore");
    let status = host.dockstrap(["status", "--json"]).exits(0).json();
    assert_eq!(names(&status, "daemon-json", "drift", "text"), [""; 0]);
    let keys = names(&status, "daemon-json", "kept", "name");
    assert_eq!(keys[..2], ["log-driver", "log-opts.max-size"]);
    as_alice(&host, "plan").exits(0).says_all(&kept);
    untouched.is_untouched_in(&host.tree());

    an_install_keeps_what_is_theirs(&host, &kept, logging);
    what_is_named_is_restored(&host);
    as_alice(&host, "install --yes --no-verify --restore").exits(0);
    let file: Value = serde_json::from_str(&host.read(FILE)).expect("JSON");
    let set: Value = serde_json::from_str(&installed).expect("JSON");
    assert_eq!(file, set);
    host.sh("getent group docker").says("alice");
    host.sh("pigz --version");
    host.sh(&format!("grep '^Suites: noble$' {SOURCE}"));
    host.dockstrap(["status"])
        .exits(0)
        .says("All of it is as dockstrap set it up.");
    host.uninstall();
    // sudo's, of the user who ran the install.
    host.sh("rm -f /home/alice/.sudo_as_admin_successful");
    before.is_restored_in(&host.tree());
}

fn what_is_named_is_restored(host: &LabHost) {
    host.unchanged_by(2, ["install", "--yes", "--restore", "icc"])
        .says("--restore icc: dockstrap never set that")
        .says_all(&["log-opts.max-file", "docker.service", "user:alice", SOURCE]);
    host.dockstrap(["plan", "--restore", "live-restore"])
        .exits(0)
        .says("live-restore: --restore puts it back");
    let some = "live-restore,log-opts.max-file,docker.service";
    host.dockstrap(["install", "--yes", "--no-verify", "--restore", some])
        .exits(0);
    let file: Value = serde_json::from_str(&host.read(FILE)).expect("JSON");
    assert_eq!(file["live-restore"], true);
    assert_eq!(file["log-opts"]["max-size"], "10m");
    assert_eq!(file["log-opts"]["max-file"], "5");
    assert_eq!(file["log-driver"], "json-file");
    host.sh("systemctl is-enabled docker.service");
    host.dockstrap(["plan", "--restore", "pigz"])
        .exits(0)
        .says("install 1 package")
        .says("pigz ");
}

fn an_install_keeps_what_is_theirs(host: &LabHost, kept: &[&str], logging: &str) {
    // The engine runs with what is in its file; then there is nothing left to do.
    as_alice(host, "install --yes").exits(0).says_all(kept);
    as_alice(host, "install --yes")
        .exits(0)
        .says("Nothing to do")
        .says_all(kept);
    as_alice(host, "plan --check").exits(0);
    assert_eq!(host.read(FILE), logging);
    assert_eq!(host.account()["LoggingDriver"], "json-file");
    let states = "systemctl is-enabled docker.service || true; getent group docker";
    host.sh(states).says("disabled").never_says("alice");
    host.sh(&format!("grep '^Suites: jammy$' {SOURCE}"));
    // A stopped engine is no choice: an install is to end with one that works.
    host.sh("systemctl stop docker.socket docker.service");
    as_alice(host, "install --yes --no-verify")
        .exits(0)
        .says("start docker.service");
    host.sh(states).says("disabled");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_the_settings_name_is_set_again_and_the_rest_is_kept() {
    let host = LabHost::up("noble");
    host.dockstrap(["status"])
        .exits(0)
        .says("has set up nothing");
    host.write(FILE, "{\n  \"debug\": true,\n  \"mtu\": 1400\n}\n");
    host.write(SETTINGS, "[daemon]\nmax-concurrent-downloads = 7\n");
    let install = ["install", "--yes", "--no-verify", "--user", "alice"];
    host.dockstrap(install).exits(0);
    host.run_as("alice", [PROGRAM, "status"])
        .exits(2)
        .says("sudo dockstrap status");
    host.sh(&format!(
        "sed -i -e 's/\"20m\"/\"50m\"/' -e 's/1400/1300/' -e '/live-restore/d' -e 's/: 7/: 9/' {FILE}
         gpasswd --delete alice docker"
    ));
    let untouched = host.tree();
    host.dockstrap(["status"])
        .exits(3)
        .says("max-concurrent-downloads was set to 7, and is 9")
        .says("alice is no longer a member of group docker")
        .says("kept: yours: log-opts.max-size (\"50m\")")
        .says("kept: yours: live-restore (removed)")
        .never_says("mtu");
    let status = host.dockstrap(["status", "--json"]).exits(3).json();
    let drift = names(&status, "daemon-json", "drift", "key");
    assert_eq!(drift, ["max-concurrent-downloads"]);
    untouched.is_untouched_in(&host.tree());

    host.dockstrap(install)
        .exits(0)
        .says("the settings' [daemon] says so")
        .says("kept: yours: live-restore (removed)");
    host.dockstrap(["status"]).exits(0);
    let back = host.read(FILE);
    for (text, is_there) in [
        ("\"max-concurrent-downloads\": 7", true),
        ("\"mtu\": 1300", true),
        ("\"max-size\": \"50m\"", true),
        ("live-restore", false),
    ] {
        assert_eq!(back.contains(text), is_there, "{text}: {back}");
    }

    // What the settings no longer name is theirs as well.
    host.sh(&format!("rm {SETTINGS}; sed -i 's/: 7/: 9/' {FILE}"));
    host.dockstrap(install).exits(0);
    host.dockstrap(["status"])
        .exits(0)
        .says("kept: yours: max-concurrent-downloads (9)");
    host.sh(&format!("sed -i 's/1300/1400/' {FILE}"));
    host.uninstall().says("edited since");
    let left = host.read(FILE);
    assert!(left.contains("\"debug\": true"), "{left}");
    assert!(left.contains("\"max-concurrent-downloads\": 9"), "{left}");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn j4_a_command_with_an_odd_path_in_it_works_as_it_is_printed() {
    let host = LabHost::up("noble");
    let root = "/srv/my docker's {a,b}";
    host.write(FILE, &format!("{{\"data-root\": \"{root}\"}}\n"));
    host.install();
    host.sh("docker volume create keep");
    let said = host.uninstall().all();
    let command = said
        .lines()
        .find_map(|line| line.split_once("to remove them: "));
    let (_, command) = command.expect("a command that removes the data");
    assert!(command.starts_with("rm -r "), "{command}");
    let list = [r"ls", "-A", root];
    assert!(host.run(list).exits(0).all().contains("volumes"));
    host.sh(command);
    assert_eq!(host.run(list).exits(0).stdout, "");
}

/// dpkg takes a link to a folder along with the package that has a folder in its place.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn j10_folders_that_are_links_stay_so_and_nothing_of_ours_stays_behind_them() {
    let host = LabHost::up("noble");
    let own = "{\n  \"debug\": true\n}\n";
    let behind = "/srv/docker/daemon.json";
    host.sh(
        "mkdir -p /srv/docker /srv/keyrings /srv/certs /etc/apt/keyrings
         rmdir /etc/apt/keyrings; rm -rf /etc/docker
         ln -s /srv/docker /etc/docker; ln -s ../../srv/keyrings /etc/apt/keyrings
         mv /etc/apt/sources.list.d /srv/sources; ln -s /srv/sources /etc/apt/sources.list.d
         ln -s /srv/certs /srv/docker/certs.d",
    );
    host.write(behind, own);
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/ca.pem");
    let authority = std::fs::read_to_string(authority).expect("an authority");
    host.write("/srv/ca.pem", &authority);
    host.write(
        SETTINGS,
        "[registries.\"registry.lab:5000\"]\nca = \"/srv/ca.pem\"\n",
    );
    let before = host.tree();
    let install = || {
        host.install();
        host.dockstrap(["plan", "--check"]).exits(0);
        assert!(host.read(behind).contains("live-restore"));
    };
    install();
    host.sh(&format!("{PROGRAM} uninstall --yes --purge-data"))
        .says("the host is as it was");
    before.is_restored_in(&host.tree());
    install();
    host.sh(&format!("{PROGRAM} uninstall --yes"))
        .says("Undone");
    assert_eq!(host.read(behind), own);

    // One that leads nowhere is refused with what moves it out of the way.
    host.sh("mv /srv/docker /srv/elsewhere");
    host.unchanged_by(4, ["install", "--yes"])
        .says("/etc/docker is a link to a folder that is not there")
        .says("mv /etc/docker /etc/docker.aside");
    host.sh("mv /srv/elsewhere /srv/docker");

    // The same of a link that was made since.
    host.sh("rm /etc/docker /srv/docker/certs.d; mv /srv/docker /etc/docker");
    host.install();
    host.sh("mv /etc/docker /srv/docker; ln -s /srv/docker /etc/docker");
    host.dockstrap(["plan", "--check"]).exits(0);
    host.uninstall();
    assert_eq!(host.read(behind), own);
    assert_eq!(host.sh("readlink /etc/docker").stdout, "/srv/docker\n");
}
