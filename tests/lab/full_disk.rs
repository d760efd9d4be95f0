//! Disks that are full: whatever cannot be written, old files stay whole, and the host is as it was.

use std::collections::BTreeSet;

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

/// Puts a small disk over a folder and what is in it: with room for so many more kB.
fn put_on_small_disk(host: &LabHost, folder: &str, kilobytes: u32) {
    host.sh(&format!(
        "mkdir -p /mnt/small; mount -t tmpfs -o size=1g none /mnt/small
         mkdir /mnt/small/upper /mnt/small/work; head -c 4k /dev/zero >/mnt/small/filler
         mount -t overlay -o lowerdir={folder},upperdir=/mnt/small/upper,workdir=/mnt/small/work \
             none {folder}"
    ));
    leave_room(host, kilobytes);
}

/// Leaves so much room on the small disk. What is there already does not count.
fn leave_room(host: &LabHost, kilobytes: u32) {
    host.sh(&format!(
        "used=$(df --output=used /mnt/small | tail -n 1)
         mount -o remount,size=$((used + {kilobytes}))k /mnt/small"
    ));
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
        host.sh(&format!(
            "mount -t tmpfs -o mode=700,size=$(({kilobytes} + 4))k none /var/lib/dockstrap
             head -c 4k /dev/zero >/var/lib/dockstrap/filler"
        ));
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
    put_on_small_disk(&host, "/etc", 0);
    let before = listing(&host, "/etc");
    let mut failures = 0;
    // At first not even the key fits, then one file more after the other.
    for kilobytes in (0..).step_by(12) {
        leave_room(&host, kilobytes);
        let install = ["install", "--yes", "--no-verify", "--user", "alice"];
        let outcome = host.dockstrap(install);
        if outcome.has_succeeded() {
            break;
        }
        failures += 1;
        outcome.exits(1).says("put back as it was");
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
    host.sh("mount -t tmpfs -o size=160m none /var/cache/apt/archives");
    let before = host.tree();
    let install = host.start_dockstrap(["install", "--yes"]);
    wait_until("a download", || {
        let listed = host.sh("ls -A /var/cache/apt/archives").stdout;
        listed.contains(".dockstrap-")
    });
    host.run([
        "fallocate",
        "--length=100m",
        "/var/cache/apt/archives/filler",
    ]);
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
fn fault_49_where_dpkg_cannot_write_the_host_is_mended_once_there_is_room() {
    let host = LabHost::up("noble");
    put_on_small_disk(&host, "/var/lib/dpkg", 200);
    let before = listing(&host, "/var/lib/dpkg");
    host.dockstrap(["install", "--yes"]).exits(1).says(FULL);
    leave_room(&host, 100_000);
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("works on this host");
    host.uninstall();
    are_same(&before, &listing(&host, "/var/lib/dpkg"), "in the end");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_where_the_packages_do_not_fit_it_is_said_before_or_taken_back() {
    let host = LabHost::up("noble");
    put_on_small_disk(&host, "/usr", 100_000);
    let before = (listing(&host, "/usr"), host.tree());
    host.dockstrap(["install", "--yes"])
        .exits(4)
        .says("/usr")
        .says("nothing was changed");
    are_same(&before.0, &listing(&host, "/usr"), "too little room");
    before.1.is_untouched_in(&host.tree());
    leave_room(&host, 1_000_000);
    host.install();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_49_an_engine_without_room_for_its_data_is_refused() {
    let host = LabHost::up("noble");
    host.sh("mount -t tmpfs -o size=1m none /var/lib/docker");
    host.unchanged_by(4, ["install", "--yes"])
        .says("/var/lib/docker");
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
    let before = host.tree();
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("/etc/apt")
        .says("Read-only file system")
        .says("the host was put back as it was");
    before.is_untouched_in(&host.tree());
    host.sh("umount /etc");
    host.install();
}
