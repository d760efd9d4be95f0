//! A verification does without the host's defaults, and says what these lack.

use crate::host::LabHost;
use crate::verify::restart_engine;

const FILE: &str = "/etc/docker/daemon.json";

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_log_collector_that_is_not_up_yet_is_a_warning_and_no_failed_install() {
    let host = LabHost::up("noble");
    host.write(FILE, "{\"log-driver\": \"fluentd\"}\n");
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("the log collector at 127.0.0.1:24224 does not answer")
        .says("works on this host");
    host.dockstrap(["verify"])
        .exits(0)
        .says("the log collector at 127.0.0.1:24224 does not answer")
        .says("given to fluentd");
    host.dockstrap(["doctor"])
        .exits(0)
        .says("! DS904 no log collector answers at 127.0.0.1:24224");
    // It is as it says.
    let run = host.run(["docker", "run", "--rm", "hello-world"]);
    assert!(!run.has_succeeded());
    host.sh("docker run --rm --log-driver local hello-world");
    for (driver, options) in [
        ("syslog", "\"syslog-address\": \"tcp://127.0.0.1:99\""),
        ("gelf", "\"gelf-address\": \"tcp://127.0.0.1:99\""),
        (
            "splunk",
            "\"splunk-url\": \"https://127.0.0.1:99\", \"splunk-token\": \"x\"",
        ),
    ] {
        let text = format!("{{\"log-driver\": \"{driver}\", \"log-opts\": {{{options}}}}}\n");
        host.write(FILE, &text);
        restart_engine(&host);
        host.dockstrap(["verify", "run", "compose", "build"])
            .exits(0)
            .says(&format!("the default log driver ({driver})"));
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_broken_default_runtime_and_used_up_addresses_are_warnings() {
    let host = LabHost::up("noble");
    host.install();
    host.write("/usr/local/bin/broken", "#!/bin/sh\nexit 1\n");
    host.sh("chmod 0755 /usr/local/bin/broken");
    host.write(
        FILE,
        "{\"runtimes\": {\"broken\": {\"path\": \"/usr/local/bin/broken\"}},
          \"default-runtime\": \"broken\", \"init\": true, \"log-driver\": \"local\"}\n",
    );
    restart_engine(&host);
    host.dockstrap(["verify", "run", "container", "network", "compose", "build"])
        .exits(0)
        .says("containers do not start with the host's defaults (runtime broken");
    host.write(
        FILE,
        "{\"default-address-pools\": [{\"base\": \"10.99.0.0/29\", \"size\": 29}]}\n",
    );
    host.sh(
        "systemctl stop docker.socket docker.service; ip link delete docker0
             rm /var/lib/docker/network/files/local-kv.db",
    );
    restart_engine(&host);
    host.dockstrap(["verify", "network", "compose"])
        .exits(0)
        .says("networks cannot be created with the engine's own address pools");
    host.sh("docker network ls --quiet | wc -l").is("3\n");
}
