//! A verification that is cut short: what it made goes all the same.

use std::time::{Duration, Instant};

use crate::host::LabHost;
use crate::interruption::wait_until;
use crate::verify::objects;

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_verification_that_is_cut_short_leaves_nothing_behind() {
    let host = LabHost::up("noble");
    host.install();
    host.write("/run/verify.xml", "the last");
    for signal in ["INT", "TERM"] {
        let verify = host.start_dockstrap(["verify", "--junit", "/run/verify.xml"]);
        wait_for_containers(&host);
        host.sh(&format!("pkill -{signal} --exact dockstrap"));
        verify.end().exits(130).says(
            "cancelled; the engine is not verified. To verify it, run: sudo dockstrap verify",
        );
        assert_eq!(objects(&host), "", "after {signal}");
        assert_eq!(host.read("/run/verify.xml"), "the last");
        assert_eq!(host.sh("ls -A /run | grep xml").stdout, "verify.xml\n");
    }
    let verify = host.start_dockstrap(["verify"]);
    wait_for_containers(&host);
    host.sh("pkill -KILL --exact dockstrap");
    verify.end();
    assert_ne!(objects(&host), "", "it had no time to clean up");
    host.dockstrap(["verify", "run"]).exits(0);
    host.sh("docker ps --all --quiet; ls /tmp")
        .never_says("dockstrap");

    // It has nothing but images.
    let verify = host.start_dockstrap(["verify", "build"]);
    wait_until("an image", || !images(&host).is_empty());
    host.sh("pkill -KILL --exact dockstrap");
    verify.end();
    wait_until("the end of docker", || {
        !host.run(["pgrep", "docker$|buildx"]).has_succeeded()
    });
    host.sh("docker ps --all --quiet | xargs --no-run-if-empty docker rm --force");
    assert_ne!(images(&host), "", "it had no time to clean up");
    host.dockstrap(["verify", "run"]).exits(0);
    assert_eq!(images(&host), "");

    let terminal = host.on_a_terminal("A=b", ["verify"]).shows("verifying");
    wait_for_containers(&host);
    terminal.types("\u{3}").end().exits(130);
    assert_eq!(objects(&host), "", "after Ctrl-C");
}

fn images(host: &LabHost) -> String {
    host.sh("docker images --all --quiet").stdout
}

fn wait_for_containers(host: &LabHost) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let label = "label=io.github.dockstrap.verify";
    while host
        .sh(&format!("docker ps --all --quiet --filter {label}"))
        .stdout
        .lines()
        .count()
        < 2
    {
        assert!(Instant::now() < deadline, "no container came");
    }
}
