//! An engine that works is to work tomorrow: what a host will trip over is a step of the plan, or a
//! warning in it.

use crate::host::LabHost;

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_folder_of_keys_that_keeps_apt_out_is_opened_and_closed_again() {
    let host = LabHost::up("noble");
    host.sh("mkdir -p /etc/apt/keyrings; chmod 0700 /etc/apt/keyrings");
    let before = host.tree();
    host.dockstrap(["plan"])
        .exits(0)
        .says("open /etc/apt/keyrings to apt's own user (mode 0700 becomes 0701)");
    host.install();
    host.sh("apt-get update").never_says("W:").never_says("E:");
    host.sh("runuser --user _apt -- cat /etc/apt/keyrings/docker.asc");
    host.uninstall();
    before.is_restored_in(&host.tree());

    // Where apt alone cannot get there, the install says so, and passes.
    let conf = "/etc/apt/apt.conf.d/95proxy";
    host.write(conf, "Acquire::https::Proxy \"http://127.0.0.9:3128\";\n");
    let warned = host.dockstrap(["install", "--yes"]).exits(0);
    warned
        .says("apt cannot fetch Docker's index")
        .says(": sudo apt-get update")
        .says("127.0.0.9");
    host.sh(&format!("rm {conf}"));
    host.uninstall();
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .never_says("apt cannot fetch");

    // Closed later, it is opened by the next install.
    host.install();
    host.sh("chmod 0750 /etc/apt/keyrings");
    host.dockstrap(["plan", "--check"])
        .exits(3)
        .says("let apt read /etc/apt/keyrings/docker.asc");
    host.install();
    host.sh("apt-get update").never_says("W:").never_says("E:");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_host_without_free_addresses_is_told_which_keys_to_set() {
    let host = LabHost::up("jammy");
    host.dockstrap(["plan"])
        .exits(0)
        .says("docker swarm init")
        .never_says("no private range is free");
    let settings = "/etc/dockstrap/config.toml";
    let routes = |ranges: &str| {
        host.sh(&format!(
            "for range in {ranges}; do ip route add $range dev lan0; done"
        ));
    };
    host.sh("ip link add lan0 type veth peer name lan1; ip link set lan0 up");
    routes("10.0.0.0/8 172.16.0.0/12 192.168.0.0/17 192.168.128.0/18 192.168.192.0/19");
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("no private range is free on this host (172.16.0.0/12 behind lan0, ")
        .says(&format!("under [daemon] in {settings}"));
    host.uninstall();

    // With nothing left the engine does not start.
    routes("192.168.224.0/19");
    host.unchanged_by(4, ["install", "--yes"])
        .says("so the engine would not start")
        .says(settings)
        .says("ip route show table all");
    host.write(settings, "[daemon]\nbip = '10.200.0.1/24'\n");
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("share addresses (DS301)");
    host.uninstall();
    host.write(
        settings,
        "[daemon]\nbip = '198.18.0.1/24'\n\
         default-address-pools = [{ base = '198.19.0.0/16', size = 24 }]\n",
    );
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .never_says("no private range is free")
        .never_says("DS301");
}
