//! The program itself: one file that needs nothing else.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::host::{LabHost, PROGRAM};

on_each_release! {
    /// No library, no interpreter, no locale, no folder is needed to say what it can do.
    fn the_program_is_static_and_runs_in_an_empty_root(host) {
        let linked = host.run(["ldd", PROGRAM]).all();
        let is_static = linked.contains("not a dynamic executable") || linked.contains("statically linked");
        assert!(is_static, "{linked}");
        host.sh(&format!("mkdir /tmp/empty; cp {PROGRAM} /tmp/empty/dockstrap"));
        host.run(["chroot", "/tmp/empty", "/dockstrap", "--version"])
            .exits(0)
            .says(concat!("dockstrap ", env!("CARGO_PKG_VERSION")));
        host.run(["chroot", "/tmp/empty", "/dockstrap", "plan", "--help"])
            .exits(0)
            .says("--check");
        host.run([PROGRAM, "--version"]).exits(0);
        host.run([PROGRAM, "plan", "--help"]).exits(0);
    }
}

/// Other work on the machine only ever adds to a time, so the shortest of some is the one that counts.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_program_is_small_and_starts_at_once() {
    let program = std::env::var_os("DOCKSTRAP_BIN")
        .map(PathBuf::from)
        .expect("DOCKSTRAP_BIN");
    let megabytes = program.metadata().unwrap().len() / 1_000_000;
    // The quick profile for working on lab tests is larger.
    let most = if program.parent().unwrap().ends_with("release") {
        10
    } else {
        20
    };
    assert!(megabytes < most, "{} has {megabytes} MB", program.display());

    let start = || {
        let begin = Instant::now();
        let output = Command::new(&program).arg("--version").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        begin.elapsed()
    };
    let shortest = (0..20).map(|_| start()).min().unwrap();
    assert!(
        shortest < Duration::from_millis(10),
        "it starts in {shortest:?}"
    );
}
