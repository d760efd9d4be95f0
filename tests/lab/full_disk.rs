//! Disks that are full: whatever cannot be written, old files stay whole, and the host is as it was.

use std::collections::BTreeSet;

use crate::cures::take_cure;
use crate::host::LabHost;
use crate::interruption::wait_until;

const FULL: &str = "No space left on device";

/// What is in a folder on a file system of the host's own, which the tree does not show, but for
/// the backups that dpkg and the account tools make for themselves.
fn listing(host: &LabHost, folder: &str) -> String {
    host.sh(&format!(
        "cd {folder}
         find . -name '*-' -o -name '*-old' -o -name '*lock*' -o -type f -exec sha256sum {{}} + | sort
         find . -name '*-' -o -name '*-old' -o -name '*lock*' -o -printf '%M %u %g %p %l\\n' | sort"
    ))
    .stdout
}

/// Fails unless the two listings are the same.
#[track_caller]
fn are_same(before: &str, after: &str, when: &str) {
    let lines = |text: &str| {
        text.lines()
            .map(str::to_owned)
            .collect::<BTreeSet<String>>()
    };
    let (before, after) = (lines(before), lines(after));
    let differing: Vec<&String> = before.symmetric_difference(&after).collect();
    assert!(differing.is_empty(), "{when}: {differing:#?}");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_where_the_journal_cannot_grow_what_was_done_is_taken_back() {
    let host = LabHost::up("noble");
    host.sh("mkdir -m 700 /var/lib/dockstrap");
    let before = host.tree();
    // Room for the journal, but not for all of it.
    for (kilobytes, state) in [
        (0, "nothing was changed"),
        (4, "the host was put back as it was"),
    ] {
        host.mount_disk(4, "/var/lib/dockstrap");
        host.fill_disk("/var/lib/dockstrap", kilobytes);
        host.dockstrap(["install", "--yes"])
            .exits(1)
            .says("writing the journal")
            .says(FULL)
            .says(state);
        host.sh("umount /var/lib/dockstrap");
        before.is_restored_in(&host.tree());
    }
    host.sh("rmdir /var/lib/dockstrap");
    let before = host.tree();
    host.install();
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_where_etc_is_full_its_files_stay_whole() {
    let host = LabHost::up("noble");
    let disk = host.put_on_small_disk("/etc", 0);
    let before = listing(&host, "/etc");
    let mut failures = 0;
    // At first not even the key fits, then one file more after the other.
    for kilobytes in (0..).step_by(7) {
        disk.leave_room(kilobytes);
        let install = ["install", "--yes", "--no-verify", "--user", "alice"];
        let outcome = host.dockstrap(install);
        if outcome.has_succeeded() {
            break;
        }
        failures += 1;
        outcome
            .exits(1)
            .says("failed; the host was put back as it was");
        let when = format!("with room for {kilobytes} kB");
        are_same(&before, &listing(&host, "/etc"), &when);
    }
    assert!(failures >= 3, "it failed {failures} times only");
    host.uninstall();
    are_same(&before, &listing(&host, "/etc"), "in the end");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_a_disk_that_fills_amid_the_download_takes_no_package_with_it() {
    let host = LabHost::up("noble");
    host.sh("tc qdisc add dev lo root tbf rate 160mbit burst 256kb limit 4mb");
    host.mount_disk(160, "/var/cache/apt/archives");
    let before = host.tree();
    let install = host.start_dockstrap(["install", "--yes"]);
    wait_until("a download", || {
        let listed = host.sh("ls -A /var/cache/apt/archives").stdout;
        listed.contains(".dockstrap-")
    });
    host.fill_disk("/var/cache/apt/archives", 0);
    install
        .end()
        .exits(1)
        .says(FULL)
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
    host.sh("tc qdisc delete dev lo root; rm /var/cache/apt/archives/filler");
    host.install();
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_where_apts_lists_are_full_its_files_stay_whole() {
    let host = LabHost::up("noble");
    let disk = host.put_on_small_disk("/var/lib/apt/lists", 1);
    let before = (listing(&host, "/var/lib/apt/lists"), host.tree());
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("/var/lib/apt/lists")
        .says(FULL)
        .says("the host was put back as it was");
    are_same(&before.0, &listing(&host, "/var/lib/apt/lists"), "full");
    before.1.is_restored_in(&host.tree());
    disk.leave_room(10_000);
    host.install();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_where_dpkg_cannot_write_the_host_is_mended_once_there_is_room() {
    let host = LabHost::up("noble");
    let disk = host.put_on_small_disk("/var/lib/dpkg", 200);
    let before = listing(&host, "/var/lib/dpkg");
    host.dockstrap(["install", "--yes"]).exits(1).says(FULL);
    disk.leave_room(100_000);
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("works on this host");

    // And so it is with the way back.
    disk.leave_room(0);
    host.dockstrap(["uninstall", "--yes"]).exits(1).says(FULL);
    disk.leave_room(100_000);
    host.uninstall();
    are_same(&before, &listing(&host, "/var/lib/dpkg"), "in the end");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_an_uninstall_needs_no_room_for_its_journal() {
    let host = LabHost::up("noble");
    host.mount_disk(4, "/var/lib/dockstrap");
    let before = host.tree();
    host.install();
    host.fill_disk("/var/lib/dockstrap", 0);
    host.uninstall();
    let left = host.run(["ls", "/var/lib/dockstrap"]).exits(0).stdout;
    assert_eq!(left, "freshness.json\nlost+found\n");
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_where_the_packages_do_not_fit_it_is_said_before_or_taken_back() {
    let host = LabHost::up("noble");
    let disk = host.put_on_small_disk("/usr", 100_000);
    let before = (listing(&host, "/usr"), host.tree());
    host.dockstrap(["install", "--yes"])
        .exits(4)
        .says("/usr")
        .says("nothing was changed");
    are_same(&before.0, &listing(&host, "/usr"), "too little room");
    before.1.is_untouched_in(&host.tree());

    // There is room when it is asked for, and none any more when it is needed.
    disk.leave_room(1_000_000);
    let install = host.start_dockstrap(["install", "--yes"]);
    disk.fill_amid_unpacking();
    install
        .end()
        .exits(1)
        .says(FULL)
        .says("the host was put back as it was");
    are_same(&before.0, &listing(&host, "/usr"), "filled");
    disk.leave_room(1_000_000);
    host.install();
    // dpkg has kept in mind which packages it could not unpack, until they were installed.
    host.uninstall();
    are_same(&before.0, &listing(&host, "/usr"), "in the end");
    before.1.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_an_engine_without_room_for_its_data_is_refused() {
    let host = LabHost::up("noble");
    host.mount_disk(2048, "/var/lib/docker");
    host.fill_disk("/var/lib/docker", 50_000);
    host.unchanged_by(4, ["install", "--yes"])
        .says("/var/lib/docker has 5")
        .says("nothing was changed");

    // There is room when it is asked for, and none any more when the engine starts.
    host.fill_disk("/var/lib/docker", 500_000);
    let before = host.tree();
    let install = host.start_dockstrap(["install", "--yes"]);
    host.fill_disk_amid_unpacking("/var/lib/docker");
    install
        .end()
        .exits(1)
        .says("the engine did not start")
        .says("no space left on device")
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());
    host.sh("umount /var/lib/docker; mount -t tmpfs -o size=16k none /tmp");
    host.unchanged_by(1, ["install", "--yes"])
        .says(FULL)
        .says("/tmp");
    host.sh("umount /tmp");
    host.install();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_53_a_read_only_etc_is_named_and_nothing_is_changed() {
    let host = LabHost::up("noble");
    host.sh("mount --bind /etc /etc; mount -o remount,bind,ro /etc");
    let refused = host
        .unchanged_by(4, ["install", "--yes", "--no-verify", "--output", "json"])
        .says("/etc is mounted read-only, so /etc/docker/daemon.json cannot be written")
        .says("nothing was changed");
    take_cure(&host, &refused);
    host.install();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_read_only_usr_that_apt_itself_remounts_is_in_nobodys_way() {
    let host = LabHost::up("noble");
    host.sh("mount --bind /usr /usr; mount -o remount,bind,ro /usr");
    host.unchanged_by(4, ["install", "--yes", "--no-verify"])
        .says("/usr is mounted read-only, so /usr/bin/docker cannot be written");
    host.write(
        "/etc/apt/apt.conf.d/10usr",
        "DPkg {\n  Pre-Invoke { \"mount -o remount,bind,rw /usr\"; };\n  \
         Post-Invoke { \"mount -o remount,bind,ro /usr\"; };\n};\n",
    );
    host.install();
    host.sh("docker info; ! touch /usr/written");
    host.uninstall();
}
