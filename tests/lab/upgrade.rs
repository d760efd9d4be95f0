//! dockstrap itself goes to a newer version and back: what an older one set up is the newer one's,
//! and what a newer one set up is left alone by an older.

use std::fs;

use crate::host::LabHost;
use crate::packed::{package, repacked_with};
use crate::tree::Tree;

const CONFIG: &str = "/etc/dockstrap/config.toml";
const JOURNAL: &str = "/var/lib/dockstrap/journal";
const UNIT: &str = "dockstrap-firstboot.service";

/// The only schema of a journal up to now is the first, so that of the older version differs in the
/// version that wrote it.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_newer_package_keeps_what_the_older_one_was_given_and_takes_over_its_journal() {
    let host = LabHost::up("noble");
    host.sh(&format!("rm {}", crate::host::PROGRAM));
    let before = host.tree();
    let work = tempfile::tempdir().unwrap();
    let with_note = |note: &'static str| {
        move |content: &std::path::Path| {
            let config = content.join(CONFIG.trim_start_matches('/'));
            let text = fs::read_to_string(&config).unwrap();
            fs::write(&config, format!("{text}# {note}\n")).unwrap();
        }
    };
    let older = repacked_with(
        &package(),
        "0.0.1-1",
        work.path(),
        with_note("of an older one"),
    );
    let newer = repacked_with(&package(), "99-1", work.path(), with_note("of a newer one"));
    let put = |package: &std::path::Path| host.put(package, "/root/dockstrap.deb");
    let apt = "apt-get install --yes -o Dpkg::Options::=--force-confold /root/dockstrap.deb";

    put(&older);
    host.sh(apt);
    host.sh(&format!(
        "DOCKSTRAP_KEY_FINGERPRINT={} dockstrap install --yes --no-verify
         sed -i 's/\"dockstrap\":\"[0-9.]*\"/\"dockstrap\":\"0.0.1\"/' {JOURNAL}",
        host.fingerprint()
    ));
    let journal = host.read(JOURNAL);
    assert!(journal.contains("\"dockstrap\":\"0.0.1\""), "{journal}");

    // Not edited, the settings file is the newer package's; edited, it is the user's.
    put(&package());
    host.sh(apt);
    assert!(!host.read(CONFIG).contains("of an older one"));
    host.run(["systemctl", "is-enabled", UNIT]).says("disabled");
    host.sh(&format!(
        "echo 'lock-wait = 7 # mine' >>{CONFIG}; systemctl enable {UNIT}"
    ));
    let edited = host.read(CONFIG);
    put(&newer);
    host.sh(apt);
    assert_eq!(host.read(CONFIG), edited);
    host.run(["systemctl", "is-enabled", UNIT])
        .exits(0)
        .says("enabled");
    assert_eq!(host.read(JOURNAL), journal);
    host.run(["dockstrap", "settings", "check", CONFIG])
        .exits(0);

    the_newer_one_goes_on_and_undoes_all(&host, &before);
}

fn the_newer_one_goes_on_and_undoes_all(host: &LabHost, before: &Tree) {
    host.run(["dockstrap", "status"])
        .exits(0)
        .says("All of it is as");
    host.sh(&format!(
        "DOCKSTRAP_KEY_FINGERPRINT={} dockstrap install --yes --no-verify",
        host.fingerprint()
    ))
    .says("Nothing to do");
    host.run(["dockstrap", "uninstall", "--yes"]).exits(0);
    host.sh(&format!(
        "systemctl disable {UNIT}; dpkg --purge dockstrap; rm /root/dockstrap.deb"
    ));
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_a_newer_dockstrap_has_set_up_is_left_alone_and_told_how_to_go_on() {
    let host = LabHost::up("noble");
    host.install();
    // The newer one went on with the journal of this one.
    host.sh(&format!(
        "echo '{{\"line\":\"journal\",\"schema\":99,\"dockstrap\":\"99.0\"}}
         {{\"line\":\"new\"}}' >>{JOURNAL}"
    ));
    let refuses = |arguments: &[&str]| {
        let before = host.tree();
        let fingerprint = format!("DOCKSTRAP_KEY_FINGERPRINT={}", host.fingerprint());
        let words = [&["env", &fingerprint, "dockstrap"], arguments].concat();
        host.run_all(&words).exits(4).says_all(&[
            "a newer dockstrap wrote it (99.0, schema 99",
            "nothing was changed",
            "install.sh --version 99.0 --download-only",
            "sudo apt-get install dockstrap",
        ]);
        before.is_untouched_in(&host.tree());
    };
    refuses(&["install", "--yes"]);
    refuses(&["plan"]);
    refuses(&["status"]);
    refuses(&["uninstall", "--yes"]);
    refuses(&["doctor", "--fix"]);
    refuses(&["first-boot"]);
}
