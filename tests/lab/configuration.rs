//! The engine's configuration: what is refused before anything is changed, what is merged, and
//! what comes back when the engine does not.

use std::process::Command;

use crate::host::{LabHost, PROGRAM};
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

/// What the engine says of itself.
#[track_caller]
fn account(host: &LabHost) -> serde_json::Value {
    host.run(["docker", "info", "--format", "{{json .}}"])
        .json()
}

/// Starts a container that runs until it is stopped, and says which process it is.
#[track_caller]
fn run_keeper(host: &LabHost) -> String {
    host.sh("docker run --detach --interactive --tty --name keeper hello-world /cat");
    keepers_process(host)
}

#[track_caller]
fn keepers_process(host: &LabHost) -> String {
    let inspect = host.sh("docker inspect --format '{{.State.Pid}}' keeper");
    inspect.stdout.trim().to_owned()
}

#[track_caller]
fn engine_started(host: &LabHost) -> String {
    let show = "systemctl show docker.service --property=ActiveEnterTimestampMonotonic";
    host.sh(show).stdout
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
        ("label", "write labels"),
        ("Log-Driver", "write log-driver"),
        ("insecure-registry", "write insecure-registries"),
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
    assert_eq!(account(&host)["LoggingDriver"], "local");
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
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_36_a_byte_order_mark_and_a_key_that_is_there_twice_are_refused() {
    let host = LabHost::up("noble");
    refuses_file(&host, "\u{feff}{\"debug\": true}\n").says("line 1, column 1");
    refuses_file(&host, "{\n  \"debug\": true,\n  \"debug\": false\n}\n")
        .says("line 3, column 3")
        .says("debug");
}

/// Settings with which the engine says its configuration is OK, and then does not start.
const DOES_NOT_START: &str = "[daemon]\nstorage-driver = 'btrfs'\n";

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_37_an_engine_that_does_not_come_up_gets_its_old_file_back_and_keeps_its_containers() {
    let host = LabHost::up("noble");
    host.install();
    let process = run_keeper(&host);
    let before = host.read(FILE);
    host.write(SETTINGS, DOES_NOT_START);
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("1 running containers are kept running")
        .says("btrfs")
        .says("the host was put back as it was");
    assert_eq!(host.read(FILE), before);
    host.sh("systemctl is-active docker.service");
    assert_eq!(account(&host)["Driver"], "overlay2");
    assert_eq!(keepers_process(&host), process, "live-restore kept it");
    host.dockstrap(["verify", "engine", "run"]).exits(0);
    host.sh(&format!("rm {SETTINGS}"));
    host.dockstrap(["plan", "--check"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_37_without_live_restore_containers_run_again_afterwards() {
    let host = LabHost::up("noble");
    host.dockstrap(["install", "--yes", "--no-verify", "--preset", "none"])
        .exits(0);
    assert!(!host.has(FILE));
    let process = run_keeper(&host);
    host.write(SETTINGS, &format!("preset = 'none'\n{DOES_NOT_START}"));
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("1 running containers are restarted with it")
        .says("btrfs");
    assert!(!host.has(FILE));
    host.sh("docker ps").says("keeper");
    assert_ne!(keepers_process(&host), process);

    // And so they do when it works.
    let process = keepers_process(&host);
    host.write(SETTINGS, "preset = 'none'\n[daemon]\nicc = false\n");
    host.dockstrap(["install", "--yes", "--no-verify"])
        .exits(0)
        .says("1 running containers are restarted with it");
    host.sh("docker ps").says("keeper");
    assert_ne!(keepers_process(&host), process);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_37_a_reload_that_the_engine_refuses_is_taken_back_with_its_reason() {
    let host = LabHost::up("noble");
    host.install();
    let process = run_keeper(&host);
    let before = host.read(FILE);
    host.write(
        SETTINGS,
        "[daemon]\ndebug = true\nauthorization-plugins = ['nobody']\n",
    );
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("the engine did not take up its configuration")
        .says("Unable to locate plugin: nobody")
        .says("the host was put back as it was");
    assert_eq!(host.read(FILE), before);
    assert_eq!(account(&host)["Debug"], false);
    assert_eq!(keepers_process(&host), process);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_37_an_engine_that_does_not_come_up_at_its_first_start_goes_again() {
    let host = LabHost::up("noble");
    host.write(SETTINGS, DOES_NOT_START);
    let before = host.tree();
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("btrfs")
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_45_flags_of_a_drop_in_are_the_ones_that_count() {
    let host = LabHost::up("noble");
    host.write(
        "/etc/systemd/system/docker.service.d/own.conf",
        "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd:// \
         --containerd=/run/containerd/containerd.sock --log-driver=journald --mtu=1400\n",
    );
    host.install();
    let merged = host.read(FILE);
    assert!(
        !merged.contains("log-driver") && !merged.contains("log-opts"),
        "{merged}"
    );
    assert_eq!(account(&host)["LoggingDriver"], "journald");
    host.write(SETTINGS, "[daemon]\nmtu = 1300\n");
    refuses(&host, 2).says("the unit passes --mtu=1400");

    // Where it comes from the unit's environment as well.
    host.write("/etc/default/docker", "DOCKER_OPTS=--mtu=1401\n");
    host.sh("sed -i -e 's/ --mtu=1400/ $DOCKER_OPTS/' \
             -e '1a EnvironmentFile=-/etc/default/docker' \
             /etc/systemd/system/docker.service.d/own.conf
         systemctl daemon-reload");
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
fn pools_keep_out_of_the_way_of_routes_and_stay_where_they_are() {
    let host = LabHost::up("noble");
    host.sh(
        "ip link add lan0 type bridge; ip link set lan0 up; ip address add 172.21.0.5/16 dev lan0",
    );
    host.install();
    let merged = host.read(FILE);
    assert!(merged.contains("\"172.24.0.0/14\""), "{merged}");
    host.sh("ip -brief address show docker0")
        .says("172.24.0.1/24");
    host.sh("docker network create one; ip route")
        .says("172.24.1.0/24");
    host.dockstrap(["plan", "--check"]).exits(0);

    // Somebody's network comes later: nothing is moved, but it is said.
    host.sh(
        "ip link add vpn0 type bridge; ip link set vpn0 up; ip address add 172.25.0.5/16 dev vpn0",
    );
    host.dockstrap(["plan", "--check"])
        .exits(0)
        .says("172.24.0.0/14 overlaps 172.25.0.0/16 behind vpn0");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_change_is_reloaded_where_that_is_enough_and_restarted_where_it_is_not() {
    let host = LabHost::up("noble");
    host.install();
    let started = engine_started(&host);
    host.write(
        SETTINGS,
        "[daemon]\nmax-concurrent-downloads = 7\nlabels = ['site=lab']\n",
    );
    host.dockstrap(["plan"])
        .exits(0)
        .says("reload docker.service");
    host.dockstrap(["install", "--yes", "--no-verify"]).exits(0);
    assert_eq!(engine_started(&host), started, "only reloaded");
    assert_eq!(account(&host)["Labels"][0], "site=lab");
    host.sh("journalctl --unit=docker --output=cat")
        .says("\\\"max-concurrent-downloads\\\":7");
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("Nothing to do");

    host.dockstrap(["install", "--yes", "--no-verify", "--preset", "hardened"])
        .exits(0)
        .says("CIS 2.14")
        .says("restart docker.service");
    assert_ne!(engine_started(&host), started, "restarted");
    let options = account(&host)["SecurityOptions"].to_string();
    assert!(options.contains("no-new-privileges"), "{options}");
    host.dockstrap(["verify"]).exits(0);
    host.uninstall();
    assert!(!host.has(FILE));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_plan_shows_the_change_as_a_diff_with_its_reasons() {
    let host = LabHost::up("noble");
    host.write(FILE, "{\n  \"icc\": true,\n  \"mtu\": 1400\n}\n");
    host.dockstrap(["plan", "--preset", "hardened"])
        .exits(0)
        .says("-  \"icc\": true,")
        .says("+  \"icc\": false,")
        .says("+  \"mtu\": 1400,")
        .says("icc: CIS 2.2");
    let plan = host
        .dockstrap(["plan", "--json", "--preset", "hardened"])
        .exits(0)
        .json();
    let steps = plan["steps"].as_array().expect("steps");
    let step = steps
        .iter()
        .find(|step| step["id"] == "daemon-json")
        .expect("a step");
    let changes = step["changes"].as_array().expect("changes");
    let icc = changes
        .iter()
        .find(|change| change["key"] == "icc")
        .expect("icc");
    assert_eq!((&icc["old"], &icc["new"]), (&true.into(), &false.into()));
    assert!(
        icc["why"]
            .as_str()
            .is_some_and(|why| why.contains("CIS 2.2"))
    );
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_was_changed_since_is_told_by_status_and_put_back_by_install() {
    let host = LabHost::up("noble");
    host.dockstrap(["status"])
        .exits(0)
        .says("has set up nothing");
    host.write(FILE, "{\n  \"debug\": true,\n  \"mtu\": 1400\n}\n");
    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0);
    host.dockstrap(["status"])
        .exits(0)
        .says("All of it is as dockstrap set it up");
    host.run_as("alice", [PROGRAM, "status"])
        .exits(2)
        .says("sudo dockstrap status");

    let installed = host.read(FILE);
    host.sh(&format!(
        "sed -i -e 's/\"20m\"/\"50m\"/' -e 's/1400/1300/' -e '/live-restore/d' {FILE}
         gpasswd --delete alice docker; systemctl disable docker.service"
    ));
    let untouched = host.tree();
    host.dockstrap(["status"])
        .exits(3)
        .says("log-opts was set to {\"max-size\":\"20m\"}, and is")
        .says("live-restore was set to true, and is gone")
        .says("alice is no longer a member of group docker")
        .says("docker.service is not enabled")
        .never_says("mtu");
    let status = host.dockstrap(["status", "--json"]).exits(3).json();
    let steps = status["steps"].as_array().expect("steps");
    let file = steps
        .iter()
        .find(|step| step["id"] == "daemon-json")
        .expect("a step");
    let keys: Vec<&str> = file["drift"]
        .as_array()
        .expect("drift")
        .iter()
        .filter_map(|drift| drift["key"].as_str())
        .collect();
    assert_eq!(keys, ["log-opts", "live-restore"]);
    untouched.is_untouched_in(&host.tree());

    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0)
        .says("dockstrap set it, and it was changed since");
    host.dockstrap(["status"]).exits(0);
    let back = host.read(FILE);
    assert!(
        back.contains("\"mtu\": 1300"),
        "not ours, and so left: {back}"
    );
    let ours = |text: &str| text.replace("1400", "1300");
    assert!(back.contains("\"max-size\": \"20m\""), "{back}");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&back).expect("JSON"),
        serde_json::from_str::<serde_json::Value>(&ours(&installed)).expect("JSON")
    );
    host.sh(&format!("sed -i 's/1300/1400/' {FILE}"));
    host.uninstall();
    assert!(host.read(FILE).contains("\"debug\": true"));
}
