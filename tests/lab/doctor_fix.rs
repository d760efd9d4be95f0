//! What `doctor --fix` does, and an uninstall undoes.

use crate::host::LabHost;

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_68_the_doctor_starts_an_engine_that_was_stopped_and_an_uninstall_takes_that_back() {
    let host = LabHost::up("noble");
    let before = host.tree();
    host.install();
    host.sh("chmod 0600 /etc/apt/keyrings/docker.asc
         systemctl stop docker.socket docker.service; systemctl --quiet disable docker.service docker.socket");
    host.dockstrap(["doctor"])
        .exits(3)
        .says("✗ DS602")
        .says("✗ DS803")
        .says("! DS805");
    host.run_as("bob", ["dockstrap", "doctor", "--fix"])
        .exits(2)
        .says("sudo dockstrap doctor --fix");
    host.dockstrap(["doctor", "--fix"])
        .exits(0)
        .says("fixed DS602")
        .says("fixed DS803")
        .says("fixed DS805");
    host.sh("systemctl is-active docker.service; systemctl is-enabled docker.service");
    host.dockstrap(["verify", "run"]).exits(0);
    let mended = host.tree();
    host.dockstrap(["doctor", "--fix"])
        .exits(0)
        .never_says("fixed");
    mended.is_untouched_in(&host.tree());
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_the_doctor_mends_of_an_engine_that_is_not_dockstraps_goes_back_as_well() {
    let host = LabHost::up("resolute");
    let key = std::fs::read_to_string(host.lab_path("keys").join("docker.asc")).expect("the key");
    host.write("/etc/apt/keyrings/other.asc", &key);
    host.sh(
        "echo 'deb [signed-by=/etc/apt/keyrings/other.asc] https://download.docker.com/linux/ubuntu resolute stable' \
             >/etc/apt/sources.list.d/docker.list
         apt-get --quiet=2 update
         DEBIAN_FRONTEND=noninteractive apt-get --yes install docker-ce docker-ce-cli containerd.io",
    );
    // This engine makes its rules in other chains than that of the other release.
    for harm in [
        "for t in filter nat; do iptables -t $t -F; done",
        "iptables -F FORWARD",
    ] {
        host.sh(harm);
        host.dockstrap(["doctor"]).exits(3).says("DS204");
        host.sh("systemctl restart docker");
        host.dockstrap(["doctor"]).never_says("DS204");
    }
    host.sh(
        "chmod 0600 /etc/apt/keyrings/other.asc; chmod 0700 /etc/apt/keyrings
         systemctl stop docker.socket docker.service containerd.service
         systemctl --quiet disable docker.service docker.socket",
    );
    let states = "for unit in docker.service docker.socket containerd.service; do
        systemctl is-active $unit || true; systemctl is-enabled $unit || true; done";
    let (before, were) = (host.tree(), host.sh(states).stdout);
    host.dockstrap(["doctor", "--fix"])
        .exits(0)
        .says("fixed DS602")
        .says("fixed DS803")
        .says("fixed DS805");
    host.sh("systemctl is-active docker.service containerd.service");
    host.uninstall();
    before.is_restored_in(&host.tree());
    assert_eq!(host.sh(states).stdout, were);
}
