//! How far `scripts/install.sh` of a release goes: not back behind what is installed, and not on
//! with a server that never ends, nor in folders that others can change.

use std::fs;

use crate::releases::{Releases, SCRIPT, VERSION, on_both_kinds};

/// For runs that must not go on when they succeed.
const ONLY: &str = "--download-only --to /run/placed";

/// Puts a program that says it is this version of dockstrap in the host.
fn install(releases: &Releases, path: &str, version: &str) {
    releases
        .host
        .write(path, &format!("#!/bin/sh\necho dockstrap {version}\n"));
    releases.host.sh(&format!("chmod 0755 {path}"));
}

on_both_kinds! {
    /// An old signature never expires, so it must not be taken for the latest release.
    fn an_older_release_than_is_installed_is_refused(releases) {
        let host = &releases.host;
        for path in ["/usr/local/bin/dockstrap", "/usr/bin/dockstrap", "/run/placed/dockstrap"] {
            host.sh("mkdir -p /run/placed");
            install(releases, path, "99.0");
            let before = host.tree();
            for version in [String::new(), format!("--version {VERSION}")] {
                releases
                    .run("root", &format!("{ONLY} {version}"))
                    .exits(5)
                    .says(&format!("is dockstrap {VERSION}, which is older than 99.0 in {path}"))
                    .says_all(&["nothing was changed", "--allow-older"]);
            }
            before.is_untouched_in(&host.tree());
            releases.run("root", &format!("{ONLY} --allow-older")).exits(0);
            host.sh(&format!("rm -rf {path} /run/placed"));
        }
        // What comes before this release, is it, or is no dockstrap, is not in the way.
        for version in [format!("{VERSION}-rc.1"), VERSION.to_owned(), "0.0.9".to_owned()] {
            install(releases, "/usr/local/bin/dockstrap", &version);
            releases.run("root", ONLY).exits(0);
        }
        install(releases, "/usr/local/bin/dockstrap", "9.9 of something else\necho");
        host.sh("sed -i 's/dockstrap/anything/' /usr/local/bin/dockstrap");
        releases.run("root", ONLY).exits(0);
        host.sh("rm -r /usr/local/bin/dockstrap /run/placed");

        // A program that is another version than the signed list says.
        releases.publish_as("0.0.2", &fs::read(releases.program()).unwrap());
        releases
            .run("root", ONLY)
            .exits(5)
            .says("the program is not the signed dockstrap 0.0.2; nothing was changed");
        assert!(!host.has("/run/placed"));
        // And a true one.
        releases.publish_as("0.0.2", b"#!/bin/sh\necho dockstrap 0.0.2\n");
        releases.run("root", ONLY).exits(0).says("dockstrap 0.0.2 is in /run/placed");
        releases.run("root", &format!("{ONLY} --version {VERSION}")).exits(0);
        releases.run("root", ONLY).exits(5).says("older than");
        host.sh("rm -r /run/placed");
        // An old release that is served as the latest is at least named as old.
        host.sh(&format!("sed -i 's/^old_after=.*/old_after=-2/' {SCRIPT}"));
        releases.run("root", ONLY).exits(0).says("make sure that there is no newer one");
    }

    fn a_server_that_never_ends_is_left_and_folders_of_others_are_not_used(releases) {
        let host = &releases.host;
        releases.add_locations(
            "location /drips/ { limit_rate 8; alias /lab/www/download.docker.com/releases/; }
            location /unmeasured/ { ssi on; ssi_types *; alias /lab/www/download.docker.com/releases/; }",
        );
        let before = host.tree();
        let base = |way: &str| format!("--base-url https://download.docker.com/{way} {ONLY}");
        host.sh(&format!("sed 's/^list_size=.*/list_size=64 list_time=2/' {SCRIPT} >/srv/quick.sh"));
        host.sh(&format!("sh /srv/quick.sh {} 2>&1 || echo code $?", base("drips")))
            .says("SHA256SUMS took longer than 2 seconds; nothing was changed")
            .says("code 1");

        // Others can read every command line.
        host.write(
            "/srv/settings",
            "export DOCKSTRAP_BASE_URL=https://alice:s3cret@download.docker.com/drips\n",
        );
        host.sh(
            "(. /srv/settings; sh /srv/quick.sh --download-only --to /run/placed) >/run/said 2>&1 &
            sleep 1; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >/run/seen; wait",
        );
        host.run(["cat", "/run/seen", "/run/said"])
            .exits(0)
            .says_all(&["timeout --foreground", "took longer than 2 seconds"])
            .never_says("s3cret");

        let sums = releases.release().join("SHA256SUMS");
        let listed = fs::read(&sums).unwrap();
        fs::write(&sums, [&listed[..], &vec![b'\n'; 200 << 10]].concat()).unwrap();
        for way in ["releases", "unmeasured"] {
            releases
                .run("root", &base(way))
                .exits(1)
                .says("SHA256SUMS is bigger than 64 KiB")
                .never_says("core dumped");
        }
        fs::write(&sums, listed).unwrap();

        host.sh(
            "mkdir -m 0777 /run/anyone; mkdir -m 0755 /run/anyone/below; ln -s /run/anyone /run/link
            mkdir -m 0755 /run/bob; chown bob /run/bob",
        );
        for folder in ["/run/anyone", "/run/anyone/below", "/run/link/below/more", "/run/bob"] {
            releases
                .run("alice", &format!("--download-only --to {folder}"))
                .exits(4)
                .says_all(&["can be changed by other users; nothing was changed", "--to FOLDER"]);
            let set = format!("mkdir -p {folder}; export TMPDIR={folder}");
            releases
                .run_with("root", &set, "sh", ONLY)
                .exits(4)
                .says_all(&["can be changed by other users; nothing was changed", "TMPDIR"]);
        }
        releases
            .run_with("root", "export TMPDIR=/run/none", "sh", ONLY)
            .exits(4)
            .says("the temporary folder /run/none is missing");
        // Programs of the caller's are not those that root runs.
        host.sh("mkdir /run/bin; printf '#!/bin/sh\\ntouch /run/ran\\n' >/run/bin/mktemp; chmod 755 /run/bin/mktemp");
        releases.run_with("root", "export PATH=/run/bin:$PATH", "sh", ONLY).exits(0);
        assert!(!host.has("/run/ran"));
        host.sh("ls -A /tmp").never_says("tmp.");
        host.sh("rm -r /run/placed /srv/quick.sh /srv/settings");
        before.is_untouched_in(&host.tree());
    }
}
