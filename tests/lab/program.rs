//! The program itself: one file that needs nothing else.

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
