//! `scripts/install.sh` as it comes with a release: the whole way.

use crate::releases::{Releases, VERSION};

const HELLO: [&str; 4] = ["docker", "run", "--rm", "hello-world"];

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn one_command_ends_with_a_proven_engine() {
    let releases = Releases::on("noble", "--cloud");
    releases
        .run("alice", "--yes")
        .exits(0)
        .says_all(&["is in /usr/local/bin", "works on this host"]);
    let host = &releases.host;
    host.run_as("alice", HELLO).exits(0);
    host.dockstrap(["uninstall", "--yes"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn it_goes_wherever_it_is_told_however_odd_the_circumstances() {
    let releases = &Releases::on("jammy", "--wget");
    let host = &releases.host;
    // An odd folder, a program that is running in it, a narrow umask, no home, and a folder for
    // what is fetched from which nothing runs.
    host.sh(
        "mkdir '/opt/a folder' && cp \"$(which sleep)\" '/opt/a folder/dockstrap'
        mkdir -m 1777 /run/noexec && mount -t tmpfs -o noexec,mode=1777 tmpfs /run/noexec
        setsid '/opt/a folder/dockstrap' 60 >/dev/null 2>&1 </dev/null &",
    );
    let odd = "umask 077; unset HOME; export TMPDIR=/run/noexec";
    let arguments = format!("--download-only --version v{VERSION} --to '/opt/a folder/'");
    releases
        .run_with("alice", odd, "busybox sh", &arguments)
        .exits(0)
        .says("/opt/a folder/dockstrap install");
    host.sh(
        "stat --format='%a %U %n' '/opt/a folder/'* && pgrep --full '^/opt/a folder/dockstrap 60'",
    )
    .says("755 root /opt/a folder/dockstrap\n");
    host.run(["/opt/a folder/dockstrap", "--version"])
        .exits(0)
        .says(VERSION);
    host.sh("ls -A '/opt/a folder' /run/noexec")
        .never_says("tmp.")
        .never_says("new");
}
