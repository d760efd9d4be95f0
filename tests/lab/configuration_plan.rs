//! What a plan says of the engine's configuration.

use crate::host::LabHost;

const FILE: &str = "/etc/docker/daemon.json";

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
