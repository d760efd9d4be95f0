//! `scripts/install.sh` as it comes with a release: the whole way.

use std::process::Command;

use crate::host::LAB;
use crate::releases::{Releases, SCRIPT, VERSION, on_both_kinds};
use crate::terminal::Terminal;

const HELLO: [&str; 4] = ["docker", "run", "--rm", "hello-world"];
/// A password with all that a shell would take for its own.
const PASSWORD: &str = r#"s3cret' "$HOME" `id` \"#;

/// The line that sets the password, in the shell.
fn password() -> String {
    let quoted = PASSWORD.replace('\'', r"'\''");
    format!("export DOCKSTRAP_REGISTRY_PASSWORD='{quoted}'")
}

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

/// doas keeps no variables, so settings are handed to it otherwise: where nobody reads them.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn so_it_does_by_wget_gpgv_and_doas_with_a_password_that_nobody_sees() {
    let releases = Releases::on("jammy", "--wget");
    let host = &releases.host;
    host.write("/srv/settings", &password());
    let watch = "while sleep 0.05; do cat /proc/[0-9]*/cmdline | tr '\\0' ' '; done 2>/dev/null";
    host.sh(&format!(
        "setsid sh -c \"{watch}\" >/run/seen 2>&1 </dev/null &"
    ));
    releases
        .run_with("alice", ". /srv/settings", "sh", "--yes")
        .exits(0)
        .says_all(&["is in /usr/local/bin", "works on this host"])
        .never_says("s3cret");
    host.run_as("alice", HELLO).exits(0);
    host.run(["cat", "/run/seen"])
        .exits(0)
        .says_all(&["doas sh -c", "/usr/local/bin/dockstrap install --yes"])
        .never_says("s3cret");
    host.sh("journalctl --output=cat")
        .says("alice ran command sh")
        .never_says("s3cret");
    host.sh("ls -A /tmp").never_says("tmp.");
}

on_both_kinds! {
    /// With whatever a shell would make of their values.
    fn settings_come_through_and_without_a_terminal_yes_must_be_said(releases) {
        let preset = password().replace("REGISTRY_PASSWORD", "PRESET");
        releases
            .run_with("alice", &preset, "bash", "--yes")
            .exits(2)
            .says(PASSWORD);
        // A line of a value that looks like a variable is none.
        let odd = "export MOTD='hello\nDOCKSTRAP_PRESET=s3cret'";
        releases
            .run_with("alice", odd, "sh", "")
            .exits(2)
            .says("there is no terminal to ask on; nothing was changed. Pass --yes");
        let host = &releases.host;
        host.sh("ls -A /tmp").never_says("tmp.");
        assert!(!host.has("/var/lib/dockstrap"));
    }

    fn questions_go_to_the_terminal(releases) {
        let host = &releases.host;
        // runuser with a command would take the terminal away.
        let line = releases.line("sh", "");
        let mut command = Command::new(LAB);
        command.args(["run", "--tty", host.name(), "runuser", "-u", "alice", "--"]);
        command.args(["env", "HOME=/home/alice", "sh", "-c", &line]);
        Terminal::open(command)
            .shows("Set this up?")
            .shows("\u{1b}[?25l") // from then on keys are read one by one
            .types("n")
            .end()
            .exits(130)
            .says("cancelled; nothing was changed");
        host.sh("ls -A /tmp").never_says("tmp.");
        assert!(!host.has("/var/lib/dockstrap"));
    }
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

    // What lies above a script of a release is not taken for its checkout.
    host.sh(&format!(
        "mkdir -p /run/of-bob/scripts && cd /run/of-bob && cp {SCRIPT} scripts/install.sh
        printf '[package]\\nname = \"dockstrap\"\\n' >Cargo.toml
        printf '#!/bin/sh\\ntouch /run/of-bob/built\\n' >scripts/build && chmod 755 scripts/build
        sh scripts/install.sh --download-only --to /run/of-bob"
    ));
    assert!(host.has("/run/of-bob/dockstrap") && !host.has("/run/of-bob/built"));
}
