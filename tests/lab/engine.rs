//! The engine that was set up, as its users meet it, and its end.

use crate::host::LabHost;
use crate::interruption::wait_until;

/// A container that runs until it is stopped, and its process.
fn run_keeper(host: &LabHost) -> String {
    host.sh(
        "docker run --detach --interactive --tty --restart unless-stopped --stop-timeout 1 \
             --name keeper hello-world /cat",
    );
    keepers_process(host)
}

fn keepers_process(host: &LabHost) -> String {
    host.sh("docker inspect --format '{{.State.Pid}}' keeper")
        .stdout
        .trim()
        .to_owned()
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_engine_is_set_up_as_promised_and_apt_goes_on_with_it() {
    let host = LabHost::up("noble");
    host.install();
    let engine = host.account();
    assert_eq!(engine["LoggingDriver"], "local");
    assert_eq!(engine["LiveRestoreEnabled"], true);

    // The host's own apt, with no help.
    host.sh("apt-get update").never_says("W:").never_says("E:");
    host.sh("DEBIAN_FRONTEND=noninteractive apt-get install --yes --reinstall docker-ce-cli");
    let manual = host.sh("apt-mark showmanual").stdout;
    let manual: Vec<&str> = manual.lines().collect();
    assert!(manual.contains(&"docker-ce"), "asked for: {manual:?}");
    assert!(!manual.contains(&"pigz"), "only depended upon: {manual:?}");

    let process = run_keeper(&host);
    host.sh("systemctl restart docker.service");
    host.sh("docker ps").says("keeper");
    assert_eq!(keepers_process(&host), process, "the container lived on");
    host.dockstrap(["verify"]).exits(0);
    assert_eq!(
        host.sh("docker ps --all --quiet | wc --lines")
            .stdout
            .trim(),
        "1",
        "a verification leaves no container of its own"
    );
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_verification_says_what_does_not_work() {
    let host = LabHost::up("noble");
    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0);
    let proof = host.dockstrap(["verify", "--json"]).exits(0).json();
    let stages = proof["stages"].as_array().expect("stages");
    assert!(
        stages.iter().all(|stage| stage["outcome"] == "passed"),
        "{proof:#}"
    );

    // Without a registry the engine still works, unless just that is asked for.
    host.servers("stop");
    host.dockstrap(["verify", "--all", "--skip", "restart"])
        .exits(0)
        .says("hub: the engine works, but the registry is unreachable");
    host.dockstrap(["verify", "hub"])
        .exits(7)
        .says("failed: hub");

    host.sh("systemctl stop docker.socket docker.service");
    host.dockstrap(["verify"]).exits(7).says("engine");
    host.dockstrap(["plan", "--check"]).exits(3).says("start");
    host.dockstrap(["install", "--yes"]).exits(0);
    host.sh("systemctl is-active docker.service");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_engine_that_cannot_prove_itself_is_installed_but_reported() {
    let host = LabHost::up("noble");
    // The program that starts containers is there, but fails.
    host.write("/usr/local/sbin/runc", "#!/bin/sh\nexit 1\n");
    host.sh("chmod 0755 /usr/local/sbin/runc");
    host.dockstrap(["install", "--yes"])
        .exits(7)
        .says("the verification failed: run")
        .says("runc did not terminate successfully");
    host.sh("docker info");
    host.sh("rm /usr/local/sbin/runc");
    host.dockstrap(["verify"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_uninstall_stops_and_names_running_containers_and_purges_data_when_told_to() {
    let host = LabHost::up("noble");
    let before = host.tree();
    host.install();
    let process = run_keeper(&host);
    // One that needs longer than usual, and one that asks for more than it is given.
    host.sh(
        "docker run --detach --interactive --stop-timeout 11 --name patient hello-world /cat
         docker run --detach --interactive --stop-timeout 6000 --stop-signal KILL --name slow \
             hello-world /cat",
    );
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .says_all(&[
            "Running containers are stopped: slow, patient, keeper",
            "waiting up to 11 s for containers to stop",
            "ask for more time to stop than 300 s are killed after that: slow",
        ]);
    host.run(["test", "-e", &format!("/proc/{process}")])
        .exits(1);
    let left = host.sh("ls -A /var/lib/docker /var/lib/containerd").stdout;
    assert_eq!(left, "/var/lib/containerd:\n\n/var/lib/docker:\n");
    before.is_restored_in(&host.tree());
}

/// With live-restore, which it is set up with, they outlive an engine that is stopped or dies.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_uninstall_ends_containers_that_run_on_without_the_engine() {
    let host = LabHost::up("noble");
    let before = host.tree();
    host.install();
    let process = run_keeper(&host);
    let stop = "systemctl stop docker.socket docker.service";
    host.sh(stop);
    host.sh(&format!("test -e /proc/{process}"));
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .says("which is started to stop them, if it can be: keeper")
        .says("the host is as it was");
    host.sh(&format!(
        "test ! -e /proc/{process}; ! pgrep --exact containerd-shim"
    ));
    before.is_restored_in(&host.tree());

    // Of an engine that cannot start they are left, by name, with what ends them.
    host.mount_disk(2048, "/srv/data");
    host.write(
        "/etc/dockstrap/config.toml",
        "[daemon]\ndata-root = '/srv/data/docker'\n",
    );
    host.install();
    run_keeper(&host);
    host.sh(stop);
    host.sh("DEBIAN_FRONTEND=noninteractive apt-get remove --yes docker-ce");
    let uninstall = ["uninstall", "--yes", "--purge-data"];
    let outcome = host.dockstrap(uninstall).exits(0).says_all(&[
        "kept: the container keeper (no engine could stop it); to end it: ",
        "the container keeper stays and keeps its data in /srv/data/docker",
        "the container keeper stays and keeps its data in /var/lib/containerd",
    ]);
    assert!(host.has("/srv/data/docker/containers") && !host.has("/usr/bin/docker"));
    let end = outcome
        .stderr
        .split_once("to end it: ")
        .expect("what helps")
        .1
        .lines()
        .next();
    host.sh("pgrep --exact containerd-shim");
    host.sh(end.expect("a command"));
    wait_until("its end", || {
        !host
            .run(["pgrep", "--exact", "containerd-shim"])
            .has_succeeded()
    });
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_stopped_engine_is_not_started_to_be_asked_and_is_not_stopped_again_unasked() {
    let host = LabHost::up("noble");
    host.install();
    let is_active = ["systemctl", "is-active", "docker.service"];
    let stopped = "systemctl stop docker.service; systemctl is-active docker.socket";
    host.sh(stopped);
    host.dockstrap(["plan"])
        .exits(0)
        .says("start docker.service");
    host.on_a_terminal("NO_COLOR=1", ["uninstall"])
        .shows("Take this back?")
        .types("n")
        .end()
        .exits(130);
    host.run(is_active).exits(3).says("inactive");

    // Taken over as it is, it was stopped before.
    host.sh("rm -r /var/lib/dockstrap");
    host.install();
    let process = run_keeper(&host);
    host.on_a_terminal("NO_COLOR=1", ["uninstall"])
        .shows("Running containers are stopped: keeper")
        .shows("Take this back?")
        .types("n")
        .end()
        .exits(130);
    host.sh(&format!("test -e /proc/{process}"));
    host.uninstall()
        .says("Running containers are stopped: keeper");
    host.run(is_active).exits(3);
    host.run(["test", "-e", &format!("/proc/{process}")])
        .exits(1);
    host.sh("dpkg-query --show docker-ce");
}
