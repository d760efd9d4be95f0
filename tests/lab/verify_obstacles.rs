//! Verifications that cannot be tried, and the command that is to be run next.

use serde_json::Value;

use crate::host::LabHost;
use crate::outcome::Outcome;

const NOT_INSTALLED: &str = "Docker Engine is not installed. Run: sudo dockstrap install";

/// The command that a message names at its end.
fn next(outcome: &Outcome) -> String {
    let said = outcome.stderr.trim_end();
    let (_, next) = said.rsplit_once("un: ").expect("a command to run next");
    next.to_owned()
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_bare_host_and_a_user_without_access_exit_with_4_and_the_command_that_helps() {
    let image = LabHost::up_without_systemd("noble");
    image.dockstrap(["verify"]).exits(4).says(NOT_INSTALLED);

    let host = LabHost::up("jammy");
    let before = host.tree();
    host.dockstrap(["verify", "run"])
        .exits(4)
        .says("✗ run: Docker Engine is not installed")
        .says(NOT_INSTALLED);
    host.run_as("bob", ["dockstrap", "verify"])
        .exits(4)
        .says(NOT_INSTALLED);
    before.is_untouched_in(&host.tree());
    let proof = host
        .dockstrap(["verify", "--json", "--junit", "/run/verify.xml"])
        .exits(4)
        .json();
    assert_eq!(proof["stages"][0]["outcome"], "failed", "{proof:#}");
    assert_eq!(proof["stages"][1]["outcome"], "skipped", "{proof:#}");
    let xml = host.read("/run/verify.xml");
    assert!(xml.contains("failures=\"1\" skipped=\"10\""), "{xml}");
    let lines = host
        .dockstrap(["verify", "--output", "json"])
        .exits(4)
        .stdout;
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last["exit_code"], 4, "{last:#}");
    assert_eq!(last["error"]["next"], "sudo dockstrap install", "{last:#}");

    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0);
    let refused = host
        .run_as("bob", ["dockstrap", "verify", "--skip", "restart", "run"])
        .exits(4)
        .says("✗ run: bob cannot use the engine: not a member of group docker");
    assert_eq!(next(&refused), "sudo dockstrap verify --skip restart run");
    host.sh("ln -s /etc/passwd /tmp/out.xml; chown --no-dereference bob /tmp/out.xml");
    let before = host.read("/etc/passwd");
    host.dockstrap(["verify", "run", "--junit", "/tmp/out.xml"])
        .exits(2)
        .says("junit /tmp/out.xml cannot be written: it is a link of another user");
    assert_eq!(host.read("/etc/passwd"), before);
    // As in a session that began before.
    let old = "setpriv --reuid alice --regid alice --clear-groups dockstrap verify run";
    host.run(["sh", "-c", old])
        .exits(4)
        .says("alice cannot use the engine: a member of group docker only since this login")
        .says("Run: newgrp docker");
    host.run_as("alice", ["dockstrap", "verify", "run"])
        .exits(0);
    // That is wrong with the host, not with the user.
    host.sh("chgrp root /run/docker.sock");
    host.run_as("alice", ["dockstrap", "verify", "run"])
        .exits(7)
        .says("systemctl restart docker.socket docker.service");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn after_a_failure_the_command_to_run_next_repeats_what_was_asked_for() {
    let host = LabHost::up("noble");
    host.install();
    host.sh("systemctl stop docker.socket docker.service");
    let hub = host.dockstrap(["verify", "hub"]).exits(7);
    assert_eq!(next(&hub), "sudo dockstrap verify hub");
    let odd = host
        .dockstrap(["verify", "engine", "--junit", "/run/it's \"$(id)\".xml"])
        .exits(7);
    let odd = next(&odd);
    let secret = host
        .run([
            "sh",
            "-c",
            "DOCKSTRAP_REGISTRY_PASSWORD=s3cret dockstrap verify engine \
         --registry registry.example:5000 --registry-user alice",
        ])
        .exits(7)
        .never_says("s3cret");
    assert_eq!(
        next(&secret),
        "sudo --preserve-env=DOCKSTRAP_REGISTRY_PASSWORD dockstrap verify engine \
         --registry registry.example:5000 --registry-user alice"
    );
    host.sh("systemctl start docker.service");
    host.sh(&next(&hub));
    host.sh(&odd);
    assert!(host.has("/run/it's \"$(id)\".xml"));
    host.sh(&format!(
        "export DOCKSTRAP_REGISTRY_PASSWORD=s3cret; {}",
        next(&secret)
    ));
}
