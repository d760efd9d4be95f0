//! A journal that says nothing to rely on: it is refused, whatever is asked for.

use crate::host::LabHost;

const JOURNAL: &str = "/var/lib/dockstrap/journal";

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_51_a_journal_that_cannot_be_understood_is_refused_and_told_what_to_do() {
    let host = LabHost::up("noble");
    host.install();
    let whole = host.read(JOURNAL);
    let zeroed = format!("truncate --size=0 {JOURNAL}; truncate --size=4096 {JOURNAL}");
    let newer = format!("sed -i '1s/\"schema\":1/\"schema\":99/' {JOURNAL}");
    let foreign = format!("echo 'somebody was here' >{JOURNAL}");
    let torn = format!("sed -i '3s/.$//' {JOURNAL}");
    let unended = format!("printf 'somebody was here' >{JOURNAL}");
    let emptied = format!(": >{JOURNAL}; : >/var/lib/dockstrap/2-docker.list");
    for (spoil, why) in [
        (zeroed, "a power cut zeroed it"),
        (newer, "a newer dockstrap wrote it"),
        (foreign, "it is no journal of dockstrap's"),
        (torn, "line 3: it is damaged"),
        (unended, "it is no journal of dockstrap's"),
        (emptied, "2-docker.list beside it is a copy that it made"),
    ] {
        host.sh(&spoil);
        for arguments in [["install", "--yes"], ["uninstall", "--yes"]] {
            host.unchanged_by(4, arguments)
                .says(JOURNAL)
                .says(why)
                .says("nothing was changed");
        }
        host.unchanged_by(4, ["status"]).says(why);
        host.write(JOURNAL, &whole);
    }

    // A last line without its end is what a crash leaves: it counted for nothing.
    host.sh(&format!(
        "printf '{{\"line\":\"act\",\"act\":99' >>{JOURNAL}
         rm /var/lib/dockstrap/2-docker.list; truncate --size=+64 {JOURNAL}"
    ));
    host.install().says("Nothing to do");
    host.uninstall();
    assert!(!host.has("/usr/bin/dockerd"));
}
