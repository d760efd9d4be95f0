//! A repository of another day: from the future, from long ago, or from before what this host has
//! seen of it already.

use crate::host::LabHost;
use crate::outcome::Outcome;
use crate::signing::{DOCKER, Repository, dated, in_days, read, stanzas};

const MEMORY: &str = "/var/lib/dockstrap/freshness.json";

#[track_caller]
fn goes_back(host: &LabHost) -> Outcome {
    let outcome = host.unchanged_by(5, ["install", "--yes"]);
    outcome.says_all(&[
        "goes back in time",
        "nothing was changed",
        "--allow-downgrade",
    ])
}

on_each_release! {
    fn a_repository_that_goes_back_in_time_is_refused_unless_that_is_meant(host) {
        let repository = Repository::of(host);
        let index = read(&repository.index());
        host.install();
        let newest = engine(host);
        host.sh("apt-get remove --yes docker-ce");

        repository.publish(&index, &in_days(-30));
        goes_back(host).says("its index is of");
        repository.publish(&without_engine(&index, &newest), &in_days(0));
        goes_back(host).says("it offers engine");

        host.dockstrap(["install", "--yes", "--no-verify", "--allow-downgrade"])
            .exits(0);
        let older = engine(host);
        assert_ne!(older, newest);
        host.install().says("Nothing to do");
    }
}

/// A date that was seen holds for every mirror of the repository, and after an uninstall as well.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_date_that_was_seen_outlives_an_uninstall_and_holds_for_every_mirror() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    let index = read(&repository.index());
    let before = host.tree();
    host.install();
    host.uninstall()
        .says(&format!("kept: {MEMORY} (newest index date seen"));
    before.is_restored_in(&host.tree());
    host.sh("ls -A /var/lib/dockstrap").is("freshness.json\n");
    host.sh(&format!("stat --format='%a %U:%G' {MEMORY}"))
        .is("600 root:root\n");
    repository.publish(&index, &in_days(-30));
    goes_back(&host).says("its index is of");
    let server = host.lab_path("www").join("download.docker.com");
    std::fs::create_dir(server.join("mirror")).expect("making a mirror");
    std::os::unix::fs::symlink("../linux", server.join("mirror/linux")).expect("linking");
    let mirror = "https://download.docker.com/mirror";
    host.unchanged_by(5, ["install", "--yes", "--mirror", mirror])
        .says(&format!("{mirror}/linux/ubuntu/dists/noble goes back"));

    // What cannot be understood is not taken for nothing.
    let memory = host.read(MEMORY);
    for damaged in ["", "{", &memory.replace("\"schema\": 1", "\"schema\": 9")] {
        host.write(MEMORY, damaged);
        host.unchanged_by(4, ["install", "--yes"])
            .says(&format!("rm {MEMORY}"));
    }
    host.write(MEMORY, &memory);

    // As an older dockstrap has kept it.
    repository.publish(&index, &in_days(0));
    host.install();
    let older = "{\"line\":\"seen\",\"suite\":\"https://download.docker.com/linux/ubuntu/dists/noble\",\
                 \"date\":\"2026-01-01T00:00:00Z\",\"engine\":\"5:99\"}";
    host.sh(&format!(
        "rm {MEMORY}; echo '{older}' >>/var/lib/dockstrap/journal"
    ));
    host.uninstall().says("kept: ");
    goes_back(&host).says("but 5:99 was seen");

    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .says("Nothing to do")
        .says(&format!("removed: {MEMORY}"));
    assert!(!host.has("/var/lib/dockstrap"));
    host.install();
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .never_says(MEMORY);
    assert!(!host.has("/var/lib/dockstrap"));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_11_an_index_from_the_future_names_the_clock() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    repository.sign(&dated(&repository.release(), &in_days(2)), DOCKER);
    host.unchanged_by(5, ["install", "--yes"]).says_all(&[
        "InRelease",
        "this host's clock says",
        "timedatectl set-ntp true",
    ]);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_12_an_old_index_is_warned_of_and_taken() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    repository.sign(&dated(&repository.release(), &in_days(-100)), DOCKER);
    let before = host.tree();
    host.dockstrap(["plan"])
        .exits(0)
        .says("100 days old")
        .says("install 7 packages");
    host.dockstrap(["plan", "--max-index-age", "101"])
        .exits(0)
        .never_says("days old");
    for arguments in [
        ["plan", "--stale", "refuse"],
        ["plan", "--preset", "hardened"],
    ] {
        host.dockstrap(arguments).exits(5).says_all(&[
            "100 days old",
            "more than 90 days are refused",
            "nothing was changed",
            "dockstrap install --stale warn",
        ]);
    }
    let hardened = ["plan", "--preset", "hardened", "--stale", "warn"];
    host.dockstrap(hardened).exits(0).says("100 days old");
    before.is_untouched_in(&host.tree());
}

/// The engine is not what is missing, and yet the repository is not one to take anything from.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_repository_with_an_older_engine_is_refused_whatever_is_missing() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    let index = read(&repository.index());
    host.install();
    let newest = engine(&host);
    host.sh("apt-get remove --yes docker-compose-plugin");
    repository.publish(&without_engine(&index, &newest), &in_days(0));
    goes_back(&host).says("it offers engine");
    host.dockstrap(["install", "--yes", "--no-verify", "--allow-downgrade"])
        .exits(0);
    host.sh("docker compose version");
    assert_eq!(engine(&host), newest, "what is installed stays");
}

/// The version of the engine on the host.
fn engine(host: &LabHost) -> String {
    let query = "dpkg-query --show --showformat='${Version}' docker-ce";
    host.sh(query).stdout
}

/// An index that has only older engines than this one.
fn without_engine(index: &str, version: &str) -> String {
    let line = format!("\nVersion: {version}\n");
    stanzas(index, |stanza| !stanza.contains(&line))
}
