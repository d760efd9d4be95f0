//! Stages of a verification that fail by what they prove themselves, on a host whose engine answers.

use crate::host::LabHost;
use crate::verify::{fails, restart_engine};

/// Gives containers a root file system that they cannot write to.
const READ_ONLY: &str = r#"#!/bin/sh
previous=
for word; do
    [ "$previous" = --bundle ] && bundle=$word
    previous=$word
done
[ -z "$bundle" ] || sed -i 's/"root":{/"root":{"readonly":true,/' "$bundle/config.json"
exec /usr/bin/runc "$@"
"#;

/// Builds without a cache, whatever it is asked.
const FORGETFUL: &str = r#"#!/bin/bash
words=()
for word; do
    words+=("$word")
    [[ $word != build ]] || words+=(--no-cache)
done
exec /usr/bin/docker "${words[@]}"
"#;

#[test]
fn every_stage_has_a_case_in_which_it_fails() {
    let tests = [
        include_str!("verify.rs"),
        include_str!("verify_causes.rs"),
        include_str!("verify_registry.rs"),
    ];
    for stage in dockstrap::reference::STAGES {
        let case = format!("fails(&host, \"{}\")", stage.id);
        let is_there = tests.iter().any(|test| test.contains(&case));
        assert!(is_there, "stage {} has no case: {case}", stage.id);
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn layers_caches_services_restarts_and_members_that_are_broken_are_named() {
    let host = LabHost::up("noble");
    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0);

    host.write("/usr/local/sbin/runc", READ_ONLY);
    host.sh("chmod 0755 /usr/local/sbin/runc");
    fails(&host, "container").says("a container cannot write into its own layer");
    host.sh("rm /usr/local/sbin/runc");
    host.dockstrap(["verify", "container"]).exits(0);

    host.write("/usr/local/bin/docker", FORGETFUL);
    host.sh("chmod 0755 /usr/local/bin/docker");
    fails(&host, "build").says("the second build of the same did not come from the cache");
    host.sh("rm /usr/local/bin/docker");
    host.dockstrap(["verify", "build"]).exits(0);

    let rule = "DOCKER-USER -p tcp --dport 8080 -i br-+ -o br-+ -j DROP";
    host.sh(&format!("iptables -I {rule}"));
    fails(&host, "network").says("a container does not reach another by its name");
    fails(&host, "compose").says("one service does not reach the other");
    host.sh(&format!("iptables -D {rule}"));
    host.dockstrap(["verify", "network", "compose"]).exits(0);

    let unit = "/etc/systemd/system/docker.service.d/broken.conf";
    let remove = "ExecStartPost=/bin/sh -c 'docker ps -aq | xargs -r docker rm -f'";
    host.write(unit, &format!("[Service]\n{remove}\n"));
    host.sh("systemctl daemon-reload");
    fails(&host, "restart").says("the return of a container after the engine was restarted took");
    host.sh(&format!("rm {unit}; systemctl daemon-reload"));
    restart_engine(&host);

    // A name without a user, and a command that a stranger cannot even start.
    host.sh("sed -i '/^docker:/s/$/,ghost/' /etc/group");
    host.dockstrap(["verify", "group"])
        .exits(0)
        .says("alice may use the engine after a new login; nobody may not; 1 further")
        .never_says("ghost");
    host.sh("chmod 0750 /usr/bin/docker");
    fails(&host, "group").says("it cannot be tried whether nobody may use the engine");
    host.sh("chmod 0755 /usr/bin/docker");

    // What cannot be written down is proven all the same.
    let folder = "/var/lib/dockstrap";
    host.sh(&format!(
        "mount --bind {folder} {folder}; mount -o remount,bind,ro {folder}"
    ));
    let proof = host
        .dockstrap(["verify", "run", "--json", "--junit", "/run/verify.xml"])
        .exits(0)
        .says("status will not know of this verification");
    assert_eq!(proof.json()["stages"][0]["outcome"], "passed");
    host.sh("grep '</testsuite>' /run/verify.xml");
    host.dockstrap(["verify", "run", "--skip", "run"])
        .exits(0)
        .says("Nothing was verified")
        .never_says("The engine works");
}
