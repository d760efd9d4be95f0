//! Other package managers, and other runs of dockstrap, at work at the same time.

use crate::host::LabHost;
use crate::interruption::{install_up_to_apt, wait_until};
use crate::running::Running;

/// The locks that apt and dpkg take.
const LOCKS: [&str; 4] = [
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
];

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_25_a_lock_of_apts_held_for_too_long_ends_an_install_and_its_holder_is_named() {
    let host = LabHost::up("noble");
    for lock in LOCKS {
        let holder = host.holder("aptitude", lock);
        let pid = &holder.pid;
        host.unchanged_by(6, ["install", "--yes", "--lock-wait", "1"])
            .says(&format!(
                "waiting for aptitude (pid {pid}) to release {lock}"
            ))
            .says(&format!(
                "aptitude (pid {pid}) has held {lock} for 1 seconds"
            ))
            .says("--lock-wait");
        holder.release();
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_25_a_lock_that_is_released_in_time_is_waited_for() {
    let host = LabHost::up("noble");
    for lock in LOCKS {
        let holder = host.holder("aptitude", lock);
        let mut install = host.start_dockstrap(["install", "--yes", "--no-verify"]);
        let waiting = format!(
            "waiting for aptitude (pid {}) to release {lock}",
            holder.pid
        );
        install.has_come_to(&waiting);
        holder.release();
        install.end().exits(0);
        host.sh("docker info");

        let holder = host.holder("aptitude", lock);
        let pid = &holder.pid;
        host.unchanged_by(6, ["uninstall", "--yes", "--lock-wait", "1"])
            .says(&format!("aptitude (pid {pid})"));
        holder.release();
        host.uninstall().never_says("cut short");
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_66_of_two_installs_at_once_one_does_the_work_and_both_succeed() {
    let host = LabHost::up("noble");
    let first = host.start_dockstrap(["install", "--yes"]);
    let second = host.start_dockstrap(["install", "--yes"]);
    let said = [first.end().exits(0).all(), second.end().exits(0).all()];
    let times = |words: &str| said.iter().filter(|text| text.contains(words)).count();
    assert_eq!(times("works on this host"), 1, "{said:#?}");
    assert_eq!(times("Nothing to do"), 1, "{said:#?}");
    assert_eq!(times("waiting for another dockstrap"), 1, "{said:#?}");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_67_unattended_upgrades_that_start_in_the_middle_are_waited_for() {
    let host = LabHost::up("noble");
    // The plan is made, and the question stands.
    let asking = host
        .on_a_terminal("NO_COLOR=1", ["install", "--no-verify"])
        .shows("Set this up?");
    let upgrades = host.holder("unattended-upgr", "/var/lib/dpkg/lock-frontend");
    let waiting = format!("waiting for unattended-upgr (pid {})", upgrades.pid);
    let installing = asking.types("y").shows(&waiting);
    upgrades.release();
    installing.end().exits(0).says("is set up");
    host.sh("docker info");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_67_packages_that_changed_while_a_lock_was_waited_for_end_an_install() {
    let host = LabHost::up("noble");
    host.sh("apt-get update; cd /srv; apt-get download pigz");
    let before = host.tree();
    let mut install = install_amid_download(&host);
    let upgrades = host.holder("unattended-upgr", LOCKS[0]);
    host.sh("tc qdisc delete dev lo root");
    install.has_come_to(&format!(
        "waiting for unattended-upgr (pid {})",
        upgrades.pid
    ));
    // As the holder itself would, which has the lock.
    host.sh("DPKG_FRONTEND_LOCKED=1 dpkg --install /srv/pigz_*.deb");
    upgrades.release();
    install
        .end()
        .exits(1)
        .says("changed since the plan was made")
        .says("the host was put back as it was");
    assert!(!host.has("/usr/bin/dockerd"), "it was installed");
    host.sh("dpkg --purge pigz");
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_67_unattended_upgrades_that_start_amid_the_download_are_waited_for() {
    let host = LabHost::up("noble");
    let mut install = install_amid_download(&host);
    let upgrades = host.holder("unattended-upgr", "/var/lib/dpkg/lock-frontend");
    host.sh("tc qdisc delete dev lo root");
    install.has_come_to(&format!(
        "waiting for unattended-upgr (pid {})",
        upgrades.pid
    ));
    upgrades.release();
    install.end().exits(0);
    host.sh("docker info");
}

/// An install that fetches packages over a slow line.
fn install_amid_download(host: &LabHost) -> Running {
    host.sh("tc qdisc add dev lo root tbf rate 160mbit burst 256kb limit 4mb");
    let install = host.start_dockstrap(["install", "--yes", "--no-verify"]);
    wait_until("a download", || {
        let archives = host.lab_path("root").join("var/cache/apt/archives");
        let files = std::fs::read_dir(archives).expect("listing").flatten();
        let partial = |name: std::ffi::OsString| name.to_string_lossy().starts_with(".dockstrap-");
        files.map(|file| file.file_name()).any(partial)
    });
    install
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_69_an_uninstall_during_an_install_gives_up_and_names_it() {
    let host = LabHost::up("noble");
    let install = install_up_to_apt(&host);
    let pid = host.run(["pgrep", "--exact", "dockstrap"]).stdout;
    let another = format!("another dockstrap (pid {})", pid.trim());
    for command in ["uninstall", "install"] {
        host.dockstrap([command, "--yes", "--lock-wait", "0"])
            .exits(6)
            .says(&another)
            .says("nothing was changed");
    }
    install.end().exits(0).says("works on this host");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_66_what_a_killed_install_has_started_is_waited_for() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let install = install_up_to_apt(&host);
    let kill = "pkill -KILL --exact dockstrap; pgrep --exact apt-get";
    let pid = host.sh(kill).stdout;
    install.end();
    let apt = format!(
        "the package manager of a dockstrap that was killed, apt-get (pid {})",
        pid.trim()
    );
    host.dockstrap(["install", "--yes", "--lock-wait", "0"])
        .exits(6)
        .says(&apt)
        .says("nothing was changed");
    host.install().says(&format!("waiting for {apt}"));
    host.sh("docker info");
    host.uninstall();
    before.is_restored_in(&host.tree());
}
