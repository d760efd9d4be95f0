//! What `scripts/install.sh` of a release refuses, with the host left as it is.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::host::LAB;
use crate::releases::{Releases, VERSION, on_both_kinds};
use crate::terminal::Terminal;

/// For runs that must not go on when they succeed.
const ONLY: &str = "--download-only --to /run/placed";

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_is_not_the_signed_release_is_refused_and_nothing_is_changed() {
    let releases = Releases::on("noble", "--cloud");
    let before = releases.host.tree();
    let refuses = |code: i32, arguments: &str, words: &str| {
        releases.run("root", arguments).exits(code).says(words);
    };
    let program = releases.program();
    let genuine = fs::read(&program).unwrap();
    let mut tampered = genuine.clone();
    tampered[4096] ^= 1;
    for bytes in [&tampered, &genuine[..genuine.len() / 2]] {
        fs::write(&program, bytes).unwrap();
        refuses(5, "--yes", "is not the signed one");
    }
    fs::write(&program, genuine).unwrap();

    // Another release, signed all right, in the place of the one that was asked for.
    symlink(
        format!("v{VERSION}"),
        releases.folder.join("download/v99.0"),
    )
    .unwrap();
    refuses(5, "--version 99.0 --yes", "has another release than 99.0");
    refuses(1, "--version 98.0 --yes", "cannot fetch");
    for empty in [
        "--version",
        "--version=",
        "--version ''",
        "--to=",
        "--base-url --yes",
    ] {
        refuses(2, empty, "needs a value");
    }
    refuses(2, "--to here", "absolute folder");
    refuses(
        1,
        "--base-url http://download.docker.com",
        "over https only",
    );
    before.is_restored_in(&releases.host.tree());
}

on_both_kinds! {
    fn only_signatures_of_the_pinned_key_are_taken(releases) {
        let signature = releases.signature();
        let revoked = releases.keys.new_subkey();
        let by_revoked = releases.sign(&["--local-user", &format!("{revoked}!")]);
        releases.keys.revoke_subkey(2);
        let other = releases.keys.new_key("other <other@lab.invalid>");
        let by_other = releases.sign(&["--local-user", &other]);
        let armored = fs::read(&signature).unwrap();
        // The certificate of another key beside it does not make that one good.
        releases.pin(&[&releases.keys.fingerprint, &other]);

        let by_primary = releases.sign(&["--local-user", &format!("{}!", &releases.keys.fingerprint)]);
        let binary = releases.sign(&[]);
        assert_ne!(binary[0], b'-', "binary");
        for good in [&armored, &binary, &by_primary] {
            fs::write(&signature, good).unwrap();
            releases.run("root", ONLY).exits(0).says("is in /run/placed");
            releases.host.sh("rm -r /run/placed");
        }
        let sums = releases.release().join("SHA256SUMS");
        let listed = fs::read(&sums).unwrap();
        let whole = releases.sign(&["--clearsign"]);
        let bad: [(&str, &[u8]); 5] = [
            ("by another key", &by_other),
            ("by a revoked subkey", &by_revoked),
            ("of another list", &armored),
            ("not detached", &whole),
            ("empty", b""),
        ];
        for (what, bytes) in bad {
            let more: &[u8] = match what {
                "of another list" | "not detached" => b"\n",
                _ => b"",
            };
            fs::write(&sums, [&listed, more].concat()).unwrap();
            fs::write(&signature, bytes).unwrap();
            let outcome = releases.run("root", ONLY);
            assert!(!releases.host.has("/run/placed"), "{what}: {outcome:?}");
            outcome.exits(5).says("is not signed by the key").says(&releases.keys.fingerprint);
        }
        fs::remove_file(&signature).unwrap();
        releases.run("root", ONLY).exits(1).says("cannot fetch");
        releases.host.sh("ls -A /tmp").never_says("tmp.");
    }

    fn no_way_leads_off_https_or_shows_a_password_and_ctrl_c_leaves_nothing(releases) {
        let host = &releases.host;
        releases.add_locations(
            "location /moved/ { rewrite ^/moved/(.*) http://$host/releases/$1 permanent; }
            location /other/ { rewrite ^/other/(.*) https://$host/releases/$1 permanent; }
            location /slow/ { limit_rate 20k; alias /lab/www/download.docker.com/releases/; }",
        );
        let base = |way: &str| format!("--base-url https://download.docker.com/{way} {ONLY}");
        releases.run("root", &base("other/")).exits(0);
        host.sh("rm -r /run/placed");
        releases.run("root", &base("moved")).exits(1).says("nothing was changed");
        releases
            .run("root", "--base-url https://alice:s3cret@download.docker.com/nowhere")
            .exits(1)
            .says("cannot fetch https://download.docker.com/nowhere")
            .says("404")
            .never_says("s3cret");
        releases
            .run_with("root", "export HTTPS_PROXY=http://127.0.0.9:9", "sh", ONLY)
            .exits(1)
            .says("cannot fetch");

        let mut command = Command::new(LAB);
        command.args(["run", "--tty", host.name(), "sh", "-c", &releases.line("sh", &base("slow"))]);
        Terminal::open(command)
            .shows("fetching dockstrap")
            .types("\u{3}")
            .end()
            .exits(130);
        host.sh("ls -A /tmp").never_says("tmp.");
        assert!(!host.has("/run/placed"));
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn folders_that_take_no_program_are_left_alone() {
    let releases = &Releases::on("jammy", "--wget");
    let host = &releases.host;
    host.sh(
        "mkdir /opt/written /opt/noexec /opt/dockstrap /opt/dockstrap/dockstrap
        mount --bind /opt/written /opt/written && mount -o remount,bind,ro /opt/written
        mount -t tmpfs -o noexec tmpfs /opt/noexec
        echo old >/opt/noexec/dockstrap",
    );
    let before = host.tree();
    for (to, words) in [
        ("/proc/dockstrap", "cannot write to /proc/dockstrap"),
        ("/opt/written", "cannot write to /opt/written"),
        ("/opt/written/below", "Choose another folder: --to FOLDER"),
        ("/opt/dockstrap", "cannot write to /opt/dockstrap"),
        ("/opt/noexec", "mounted noexec?"),
        ("/opt/noexec/some/folder", "mounted noexec?"),
        ("/etc/passwd/x", "cannot write to"),
    ] {
        releases
            .run("alice", &format!("--yes --to {to}"))
            .exits(1)
            .says_all(&[words, "nothing was changed"]);
    }
    before.is_restored_in(&host.tree());
    host.sh("ls -A /opt/noexec")
        .exits(0)
        .never_says("new")
        .never_says("some");
    assert_eq!(host.read("/opt/noexec/dockstrap"), "old\n");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_missing_tool_is_named_with_what_brings_it() {
    let releases = &Releases::on("noble", "--cloud");
    let host = &releases.host;
    let missing = [
        (
            "sha256sum",
            "sha256sum is missing",
            "apt-get install coreutils",
        ),
        (
            "gpgv sqv",
            "neither gpgv nor sqv is installed",
            "apt-get install gpgv",
        ),
        (
            "curl wget",
            "neither curl nor wget is installed",
            "apt-get install curl",
        ),
        (
            "sudo doas",
            "there is neither sudo nor doas",
            "must run as root",
        ),
    ];
    let away =
        "for it in $TOOLS; do ! [ -e /usr/bin/$it ] || mv /usr/bin/$it /usr/bin/away-$it; done";
    let back = "for it in /usr/bin/away-*; do mv $it /usr/bin/${it#/usr/bin/away-}; done";
    // curl of a snap, which cannot write where the script wants it to.
    host.sh("mkdir -p /snap/bin && ln -s /bin/false /snap/bin/curl");
    for (tools, words, cure) in missing {
        host.sh(&format!("TOOLS='{tools}'; {away}"));
        let path = "PATH=$PATH:/snap/bin";
        let code = if tools.contains("sudo") { 4 } else { 1 };
        releases
            .run_with("alice", path, "sh", "--yes")
            .exits(code)
            .says_all(&[words, cure, "nothing was changed"]);
        host.sh(back);
    }
    host.sh("rm -r /snap");
}
