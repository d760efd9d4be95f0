//! Other package managers, and other runs of dockstrap, at work at the same time.

use std::time::{Duration, Instant};

use crate::host::{LabHost, Running};

/// Takes a record lock, as apt and dpkg do, and keeps it for some seconds.
const HOLD: &str = r#"
    use Fcntl;
    my ($path, $seconds) = @ARGV;
    open(my $file, ">>", $path) or die $!;
    my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
    fcntl($file, F_SETLKW, $lock) or die $!;
    open(my $note, ">", "/run/held") or die $!;
    print $note $$;
    close($note);
    sleep($seconds);
"#;

/// Someone in the host who holds a lock; returns with its process id once that is so.
fn hold(host: &LabHost, lock: &str, seconds: &str) -> (Running, String) {
    host.run(["rm", "--force", "/run/held"]).exits(0);
    let mut holder = host.start(["perl", "-e", HOLD, lock, seconds]);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let pid = host.run(["cat", "/run/held"]).stdout;
        if !pid.is_empty() {
            return (holder, pid);
        }
        assert!(
            !holder.has_ended() && Instant::now() < deadline,
            "nobody took {lock}"
        );
    }
}

/// An install that finds this lock held.
fn meets(lock: &str) {
    let host = LabHost::up("noble");
    let before = host.tree();
    let (_holder, pid) = hold(&host, lock, "60");
    host.dockstrap(["install", "--yes", "--lock-wait", "1"])
        .exits(6)
        .says(&format!("waiting for perl (pid {pid}) to release {lock}"))
        .says(&format!("perl (pid {pid}) has held {lock} for 1 seconds"))
        .says("--lock-wait");
    before.is_untouched_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn dpkgs_lock_held_for_too_long_ends_an_install_and_its_holder_is_named() {
    meets("/var/lib/dpkg/lock-frontend");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_lists_lock_held_for_too_long_ends_an_install_and_its_holder_is_named() {
    meets("/var/lib/apt/lists/lock");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_lock_on_package_files_held_for_too_long_ends_an_install_and_its_holder_is_named() {
    meets("/var/cache/apt/archives/lock");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_lock_that_is_released_in_time_is_waited_for() {
    let host = LabHost::up("noble");
    let (_dpkg, pid) = hold(&host, "/var/lib/dpkg/lock-frontend", "6");
    host.install()
        .says(&format!("waiting for perl (pid {pid})"));
    host.sh("docker info");

    let installed = host.tree();
    let (_dpkg, pid) = hold(&host, "/var/lib/dpkg/lock-frontend", "60");
    host.dockstrap(["uninstall", "--yes", "--lock-wait", "1"])
        .exits(6)
        .says(&format!("perl (pid {pid})"));
    installed.is_restored_in(&host.tree());
    host.sh(&format!("docker info; kill {pid}"));
    host.uninstall();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn of_two_installs_at_once_one_does_the_work_and_both_succeed() {
    let host = LabHost::up("noble");
    let first = host.start_dockstrap(["install", "--yes"]);
    let second = host.start_dockstrap(["install", "--yes"]);
    let said = [first.end().exits(0).all(), second.end().exits(0).all()];
    let times = |words: &str| said.iter().filter(|text| text.contains(words)).count();
    assert_eq!(times("works on this host"), 1, "{said:#?}");
    assert_eq!(times("Nothing to do"), 1, "{said:#?}");
    assert_eq!(times("waiting for another dockstrap"), 1, "{said:#?}");
}
