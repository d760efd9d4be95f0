//! A running engine takes up its configuration, or gets the old one back.

use crate::cut::Cut;
use crate::host::LabHost;

const FILE: &str = "/etc/docker/daemon.json";
const SETTINGS: &str = "/etc/dockstrap/config.toml";

/// Settings with which the engine says its configuration is OK, and then does not start,
/// for a server of the lab has the port.
const DOES_NOT_START: &str = "[daemon]\nmetrics-addr = '127.0.0.1:443'\n";

/// What the engine says of it.
const REASON: &str = "address already in use";

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
fn fault_37_an_engine_that_does_not_come_up_gets_its_old_file_back_and_keeps_its_containers() {
    let host = LabHost::up("noble");
    host.install();
    let process = run_keeper(&host);
    // One that works comes first: the way back must not take its restart for the failed one's.
    host.write(SETTINGS, "[daemon]\nlog-driver = 'journald'\n");
    host.dockstrap(["install", "--yes", "--no-verify"]).exits(0);
    assert_eq!(host.account()["LoggingDriver"], "journald");
    let before = host.read(FILE);
    assert!(
        !before.contains("log-opts"),
        "they were for another driver: {before}"
    );
    host.write(SETTINGS, DOES_NOT_START);
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("1 running containers are kept running")
        .says(REASON)
        .says("the host was put back as it was");
    assert_eq!(host.read(FILE), before);
    host.sh("systemctl is-active docker.service");
    assert_eq!(host.account()["Driver"], "overlay2");
    assert_eq!(keepers_process(&host), process, "live-restore kept it");
    host.dockstrap(["verify", "engine", "run"]).exits(0);

    // A run is killed when the file is written, and the engine not yet restarted with it.
    let done_with_the_file = 5; // the run, the restart of the engine and the file, both done
    host.cut_short(Cut::AfterLine(done_with_the_file), ["install", "--yes"]);
    assert!(host.read(FILE).contains("127.0.0.1:443"));
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says(REASON)
        .says("except for its change of daemon.json");
    assert_eq!(host.read(FILE), before);
    host.sh("systemctl is-active docker.service");
    assert_eq!(keepers_process(&host), process);
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
        .says(REASON);
    assert!(!host.has(FILE));
    host.sh("docker ps").says("keeper");
    assert_ne!(keepers_process(&host), process);

    // And so they do when it works, but for those that are removed once they end.
    let process = keepers_process(&host);
    host.sh("docker run --rm --detach --interactive --tty --name passing hello-world /cat");
    host.write(SETTINGS, "preset = 'none'\n[daemon]\nicc = false\n");
    host.dockstrap(["install", "--yes", "--no-verify"])
        .exits(0)
        .says("2 running containers are restarted with it")
        .says("that were to be removed once they end");
    host.sh("docker ps").says("keeper").never_says("passing");
    assert_ne!(keepers_process(&host), process);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_37_a_reload_that_the_engine_refuses_is_taken_back_with_its_reason() {
    let host = LabHost::up("noble");
    host.install();
    let process = run_keeper(&host);
    let before = host.read(FILE);
    // Where it is to be asked, nobody listens.
    host.write("/etc/docker/plugins/nobody.spec", "tcp://127.0.0.1:1\n");
    host.write(
        SETTINGS,
        "[daemon]\ndebug = true\nauthorization-plugins = ['nobody']\n",
    );
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("the engine did not take up its configuration")
        .says("Unable to connect to plugin: 127.0.0.1:1")
        .says("the host was put back as it was");
    assert_eq!(host.read(FILE), before);
    assert_eq!(host.account()["Debug"], false);
    assert_eq!(keepers_process(&host), process);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_engine_whose_old_file_fails_as_well_runs_again_with_the_last_one_it_ran_with() {
    let host = LabHost::up("noble");
    host.install();
    let ran = host.read(FILE);
    // Somebody edits the file, and the engine does not read it: nobody notices.
    let edited = ran.replacen('{', "{\n  \"metrics-addr\": \"127.0.0.1:443\",", 1);
    host.write(FILE, &edited);
    host.write(SETTINGS, "[daemon]\nicc = false\n");
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says(REASON)
        .says("does not start with the daemon.json from before this run either")
        .says(&format!("{FILE}.before-dockstrap"));
    host.sh("systemctl is-active docker.service");
    assert_eq!(host.read(FILE), ran);
    assert_eq!(host.read(&format!("{FILE}.before-dockstrap")), edited);

    // Without a copy it is said as well, and what to do.
    host.sh("rm /var/lib/dockstrap/daemon.json");
    host.write(FILE, &edited);
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("does not start with the daemon.json from before this run either")
        .says("systemctl restart docker");
    assert_eq!(host.read(FILE), edited);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_37_an_engine_that_does_not_come_up_at_its_first_start_goes_again() {
    let host = LabHost::up("noble");
    host.write(SETTINGS, DOES_NOT_START);
    let before = host.tree();
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says(REASON)
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn data_is_not_moved_away_from_under_containers_that_run() {
    let host = LabHost::up("noble");
    host.mount_disk(2048, "/srv/data");
    host.install();
    let process = run_keeper(&host);
    host.write(SETTINGS, "[daemon]\ndata-root = '/srv/data/docker'\n");
    host.unchanged_by(4, ["install", "--yes"])
        .says("and containers run: keeper.")
        .says("docker stop keeper");
    assert_eq!(keepers_process(&host), process);
    host.sh("docker stop --time 1 keeper");
    host.dockstrap(["install", "--yes", "--no-verify"]).exits(0);
    assert_eq!(host.account()["DockerRootDir"], "/srv/data/docker");
    host.uninstall();
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
    assert_eq!(host.account()["Labels"][0], "site=lab");
    host.sh("journalctl --unit=docker --output=cat")
        .says("\\\"max-concurrent-downloads\\\":7");
    host.install().says("Nothing to do");

    host.dockstrap(["install", "--yes", "--no-verify", "--preset", "hardened"])
        .exits(0)
        .says("CIS 2.14")
        .says("restart docker.service");
    assert_ne!(engine_started(&host), started, "restarted");
    let options = host.account()["SecurityOptions"].to_string();
    assert!(options.contains("no-new-privileges"), "{options}");
    host.dockstrap(["verify"]).exits(0);

    // All that the engine's account tells of is found in it, in the engine's own form.
    host.write(
        "/etc/docker/seccomp.json",
        r#"{"defaultAction": "SCMP_ACT_ALLOW"}"#,
    );
    host.write(
        SETTINGS,
        "[daemon]\ninsecure-registries = ['http://registry.lab:5000', '10.0.0.1/8']\n\
         registry-mirrors = ['https://mirror.lab']\nnode-generic-resources = ['GPU=2', 'FPGA=a']\n\
         cdi-spec-dirs = ['/srv/cdi']\nexec-opts = ['native.cgroupdriver=systemd']\n\
         seccomp-profile = '/etc/docker/seccomp.json'\n\
         proxies = { http-proxy = 'http://me:word@proxy.lab:3128', no-proxy = 'lab' }\n",
    );
    host.dockstrap(["install", "--yes", "--no-verify"]).exits(0);
    host.dockstrap(["plan", "--check"]).exits(0);
    host.sh("rm /etc/docker/seccomp.json");
    host.uninstall();
    assert!(!host.has(FILE));
}
