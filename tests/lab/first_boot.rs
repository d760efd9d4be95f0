//! The unit that proves the engine when an image boots for the first time.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::host::LabHost;
use crate::outcome::Outcome;

const UNIT: &str = "dockstrap-firstboot.service";
const PACKAGED: &str = "/usr/lib/systemd/system/dockstrap-firstboot.service";

/// What the unit is like, and its last lines.
fn status(host: &LabHost) -> Outcome {
    host.run(["systemctl", "status", "--no-pager", "--full", UNIT])
}

/// Waits until the unit's status shows this.
#[track_caller]
fn wait_for(host: &LabHost, text: &str) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !status(host).all().contains(text) && Instant::now() < deadline {
        sleep(Duration::from_millis(300));
    }
    status(host).says(text)
}

fn settings(host: &LabHost, more: &str) {
    let text = format!("key-fingerprint = \"{}\"\n{more}", host.fingerprint());
    host.write("/etc/dockstrap/config.toml", &text);
}

on_each_unbooted! {
    /// The engine is placed in the image, starts as it boots, and is proven then.
    fn a_first_boot_proves_what_the_image_was_given_and_leaves_no_trace(host) {
        settings(host, "no-start = true\nfirst-boot = true\nusers = [\"alice\"]\n");
        host.sh("dockstrap install --yes")
            .says("enable dockstrap-firstboot.service")
            .says("was not started");
        host.boot();
        wait_for(host, "Docker Engine works on this host")
            .says("Active: active")
            .says("Nothing to set up");
        host.run(["systemctl", "is-enabled", UNIT]).never_says("enabled");
        host.sh("docker info; dockstrap status").says("All of it is as");
        host.sh("dockstrap status --json").says("\"failed\": []");
        host.sh("test -z \"$(find /etc/systemd -name 'dockstrap*')\"");
        host.uninstall();
        host.sh("! ls -d /etc/docker /etc/apt/sources.list.d/docker.sources");
        host.sh("ls -A /var/lib/dockstrap").is("freshness.json\n");
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_first_boot_without_servers_tries_again_and_is_in_nobodys_way() {
    let host = LabHost::up_without_systemd("noble");
    // As the package brings it, in an image that dockstrap has not been run in.
    let unit = include_str!("../../packaging/systemd/dockstrap-firstboot.service");
    host.write(PACKAGED, &unit.replace("/usr/bin", "/usr/local/bin"));
    settings(&host, "no-start = true\n");
    host.sh(&format!("systemctl enable {UNIT}"));
    host.servers("stop");
    host.boot();
    let tried = wait_for(&host, "the next is in");
    tried.says("Active: active (running)").says("try 1 failed");
    // The boot is over all the same.
    host.run(["systemctl", "is-system-running"])
        .exits(0)
        .says("running");
    host.sh("systemctl is-active multi-user.target");
    let jobs = host.sh("systemctl list-jobs --no-legend").stdout;
    assert_eq!(jobs, "");
    host.sh("systemd-analyze").says("Startup finished");

    host.servers("start");
    wait_for(&host, "Docker Engine works on this host");
    host.sh(&format!(
        "docker info; ! systemctl is-enabled {UNIT}; test -e {PACKAGED}"
    ));
    host.sh("journalctl --unit dockstrap-firstboot --output cat")
        .says("try 1 failed")
        .says("works on this host");
    // Started once more, it has nothing to do.
    host.sh(&format!("systemctl restart {UNIT}"));
    wait_for(&host, "Nothing to do");
    host.sh("dockstrap status");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_first_boot_that_tries_still_is_ended_by_an_uninstall_and_by_a_shutdown() {
    let host = LabHost::up("noble");
    settings(&host, "first-boot = true\n");
    host.sh("dockstrap install --no-start --yes");
    host.servers("stop");
    // It cannot be proven: the program that starts containers fails.
    host.write("/usr/local/sbin/runc", "#!/bin/sh\nexit 1\n");
    host.sh(&format!(
        "chmod 755 /usr/local/sbin/runc; systemctl start {UNIT}"
    ));
    wait_for(&host, "the next is in").says("the verification failed");
    host.run(["systemctl", "is-enabled", UNIT]).exits(0);
    // Stopped, be it while it waits for another run, it ends soon and has not failed.
    host.sh(&format!(
        "systemctl stop {UNIT}; test \"$(systemctl is-active {UNIT})\" = inactive
         flock --no-fork /run/dockstrap.lock sleep 99 >/dev/null 2>&1 & holder=$!
         systemctl start {UNIT}; sleep 1; timeout 20 systemctl stop {UNIT}; kill $holder
         test \"$(systemctl is-active {UNIT})\" = inactive; systemctl start {UNIT}"
    ));
    wait_for(&host, "the next is in");
    host.sh("dockstrap uninstall --yes");
    host.run(["systemctl", "is-active", UNIT]).exits(4);
    host.sh("! dpkg-query --show docker-ce");

    settings(&host, "first-boot = true\nno-such-key = 1\n");
    host.sh(&format!(
        "sed s,/usr/bin/,/usr/local/bin/, >{PACKAGED} <<'.'\n{}.\nsystemctl daemon-reload
         ! systemctl start --wait {UNIT}",
        include_str!("../../packaging/systemd/dockstrap-firstboot.service")
    ));
    status(&host).says("Active: failed").says("no-such-key");
    // Mended by hand, nothing is left that failed.
    host.servers("start");
    settings(&host, "");
    host.sh(&format!("rm /usr/local/sbin/runc; systemctl enable {UNIT}"));
    host.install();
    host.run(["systemctl", "is-failed", UNIT]).says("inactive");
}
