//! What other users of a host, or a file of theirs, can put in root's way.

use crate::host::LabHost;

const JOURNAL: &str = "/var/lib/dockstrap/journal";
const SETTINGS: &str = "/etc/dockstrap/config.toml";

/// An act with this undo, as a line of the journal.
fn act(undo: &str) -> String {
    format!(
        r#"{{"line":"act","act":900,"at":"2026-11-24T03:58:48Z","step":"packages","text":"x","undo":{undo}}}"#
    )
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_journal_that_others_can_change_or_have_written_is_not_obeyed() {
    let host = LabHost::up("noble");
    host.dockstrap(["install", "--yes", "--no-verify", "--no-start"])
        .exits(0);
    let whole = host.read(JOURNAL);
    let before = host.tree();
    let refused = |why: &str| {
        for arguments in [["install", "--yes"], ["uninstall", "--yes"]] {
            host.dockstrap(arguments)
                .exits(4)
                .says(JOURNAL)
                .says(why)
                .says("nothing was changed");
        }
        host.dockstrap(["status"]).exits(4).says(why);
    };
    for (spoil, mend, why) in [
        ("chmod 0666", "chmod 0600", "other users can write to it"),
        ("chown alice", "chown root", "belongs to user"),
    ] {
        host.sh(&format!("{spoil} {JOURNAL}"));
        refused(why);
        host.sh(&format!("{mend} {JOURNAL}"));
    }
    host.sh("chown alice /var/lib/dockstrap");
    refused("/var/lib/dockstrap belongs to user");
    host.sh("chown root /var/lib/dockstrap; chmod 0777 /var/lib/dockstrap");
    refused("other users can write to /var/lib/dockstrap");
    host.sh(&format!(
        "chmod 0700 /var/lib/dockstrap; mv {JOURNAL} /root/journal; ln -s /root/journal {JOURNAL}"
    ));
    refused("is a link");
    host.sh(&format!("rm {JOURNAL}; mv /root/journal {JOURNAL}"));

    host.sh("groupadd empty; echo theirs >/tmp/shadow; echo here >/etc/stays");
    for undo in [
        r#"{"kind":"remove-archives","paths":["/etc/stays"]}"#,
        r#"{"kind":"remove-list","path":"/var/lib/apt/lists/../../../../etc/stays"}"#,
        r#"{"kind":"restore-file","path":"/etc/stays","backup":"/tmp/shadow"}"#,
        r#"{"kind":"restore-mode","path":"/usr/bin/bash","mode":2541}"#,
        r#"{"kind":"remove-group","group":"empty"}"#,
        r#"{"kind":"purge-packages","packages":["-oDPkg::Pre-Invoke::=rm /etc/stays"]}"#,
        r#"{"kind":"restore-unit","unit":"--root=/tmp","enabled":true,"active":true}"#,
    ] {
        host.write(JOURNAL, &format!("{whole}{}\n", act(undo)));
        refused("which dockstrap never writes");
        assert_eq!(host.read("/etc/stays"), "here\n", "{undo}");
        host.sh("getent group empty");
    }
    host.write(JOURNAL, &whole);
    host.sh("groupdel empty; rm /tmp/shadow /etc/stays");
    before.is_restored_in(&host.tree());
    host.uninstall();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn data_is_neither_kept_nor_removed_where_another_user_decides_what_stands_there() {
    let host = LabHost::up("noble");
    let data_root = |path: &str| host.write(SETTINGS, &format!("[daemon]\ndata-root = '{path}'\n"));
    host.sh(
        "install -d -o alice /srv/alice; install -d -m 0777 /srv/open; install -d /srv/data
         install -d -o alice /home/alice/docker; ln -s /home/alice/docker /srv/link",
    );
    for (path, why) in [
        ("/srv/alice", "/srv/alice belongs to user"),
        ("/srv/alice/docker", "/srv/alice belongs to user"),
        ("/srv/open/docker", "other users can write to /srv/open"),
        ("/srv/link", "belongs to user"),
        ("/tmp/docker", "make /tmp/docker first"),
    ] {
        data_root(path);
        host.unchanged_by(4, ["install", "--yes"])
            .says("data-root: ")
            .says(why);
    }
    data_root("/srv/data/docker");
    host.install();
    host.sh("docker volume create data");
    // Root opens the folder above, and alice exchanges what is in it for what she cannot remove.
    host.sh("install -D /etc/hostname /srv/victim/volumes/file
         systemctl stop docker.socket docker; chmod 0777 /srv/data
         runuser --user alice -- sh -c 'mv /srv/data/docker /srv/data/aside
             ln -s /srv/victim /srv/data/docker'");
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .says("sudo chmod go-w /srv/data")
        .says("nothing is removed from /srv/data/docker");
    host.sh("test -s /srv/victim/volumes/file");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn no_address_of_a_proxy_is_configuration_for_apt() {
    let host = LabHost::up("noble");
    let proxy = r#"http://x";dpkg{pre-invoke{"reboot";};};foo"y"#;
    host.unchanged_by(2, ["install", "--yes", "--proxy", proxy])
        .says("neither a name nor an address");
    host.unchanged_by(
        2,
        ["install", "--yes", "--proxy-for", "apt", "--proxy", proxy],
    );
    let by_variable = format!("HTTPS_PROXY='{proxy}' dockstrap plan");
    host.run(["sh", "-c", &by_variable])
        .exits(2)
        .says("HTTPS_PROXY");
    assert!(!host.has("/etc/apt/apt.conf.d/90dockstrap-proxy"));
}
