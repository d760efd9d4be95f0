//! `dockstrap plan`: what it says, and that it changes nothing.

use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;

/// Plans as an unprivileged user.
fn plan_as_alice(host: &LabHost) -> Outcome {
    let fingerprint = format!("DOCKSTRAP_KEY_FINGERPRINT={}", host.fingerprint());
    host.run_as("alice", ["env", &fingerprint, PROGRAM, "plan"])
}

#[track_caller]
fn names_the_transaction(outcome: &Outcome) {
    for words in [
        "install 7 packages",
        "docker-ce",
        "containerd.io",
        "pigz",
        "Nothing was changed",
    ] {
        outcome.clone().exits(0).says(words);
    }
}

on_each_release! {
    /// In whatever way it is asked for, and by whom.
    fn a_plan_changes_nothing(host) {
        let before = host.tree();
        names_the_transaction(&host.dockstrap(["plan"]));
        names_the_transaction(&plan_as_alice(host));
        host.dockstrap(["plan", "--check"]).exits(3);

        let plan = host.dockstrap(["plan", "--json"]).exits(0).json();
        let steps = plan["steps"].as_array().expect("steps");
        let ids: Vec<&str> = steps.iter().filter_map(|step| step["id"].as_str()).collect();
        for id in ["apt-key", "apt-source", "daemon-json", "docker-group", "packages", "service"] {
            assert!(ids.contains(&id), "{id} is none of {ids:?}");
        }
        let packages = steps.iter().find(|step| step["id"] == "packages").expect("packages");
        let installs = packages["transaction"]["installs"].as_array().expect("installs");
        assert_eq!(installs.len(), 7, "{packages:#}");
        before.is_untouched_in(&host.tree());
        assert_eq!(left_behind(host), "", "in folders for temporary files");
    }

    /// Ubuntu's indexes as images often have them: none at all, or from long ago.
    fn a_plan_fetches_what_it_misses_into_a_view_of_its_own(host) {
        host.sh("rm -rf /var/lib/apt/lists/*");
        let before = host.tree();
        names_the_transaction(&host.dockstrap(["plan"]));
        names_the_transaction(&plan_as_alice(host));
        before.is_untouched_in(&host.tree());

        host.sh("apt-get update; touch --date='last week' /var/lib/apt/lists/partial /var/lib/apt/lists/*");
        let before = host.tree();
        names_the_transaction(&host.dockstrap(["plan"]));
        names_the_transaction(&plan_as_alice(host));
        before.is_untouched_in(&host.tree());
        assert_eq!(left_behind(host), "", "in folders for temporary files");
    }

    /// Plain or compressed, as apt was told to keep them.
    fn a_plan_leaves_alone_what_apt_has_of_dockers_repository(host) {
        host.install();
        host.sh("apt-get remove --yes docker-compose-plugin");
        for kept in ["Acquire::GzipIndexes=false", "Acquire::GzipIndexes=true"] {
            host.sh(&format!("rm -r /var/lib/apt/lists; apt-get update -o {kept}"));
            let (before, apts) = (host.tree(), all_of_apt(host));
            for plan in [host.dockstrap(["plan"]), plan_as_alice(host)] {
                plan.exits(0).says("install 1 package").says("docker-compose-plugin");
            }
            before.is_untouched_in(&host.tree());
            assert_eq!(all_of_apt(host), apts);
        }
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_host_with_old_or_no_indexes_gets_its_engine() {
    for prepare in [
        // As an image that was swept: apt makes the folders anew.
        "rm -rf /var/lib/apt/lists /var/cache/apt",
        "touch --date='last week' /var/lib/apt/lists/partial /var/lib/apt/lists/*",
    ] {
        let host = LabHost::up("noble");
        host.sh(prepare);
        host.install().says("is set up");
        host.uninstall();
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn on_an_installed_host_the_plan_is_empty_until_something_is_missing() {
    let host = LabHost::up("noble");
    host.install();
    let before = host.tree();
    let requests = host.requests();
    host.dockstrap(["plan", "--check"])
        .exits(0)
        .says("Nothing to do");
    plan_as_alice(&host).exits(0).says("Nothing to do");
    before.is_untouched_in(&host.tree());
    assert_eq!(host.requests(), requests, "no network is needed for that");

    host.dockstrap(["plan", "--check", "--user", "alice"])
        .exits(3)
        .says("alice");
    host.sh("gpasswd --add alice docker");
    plan_as_alice(&host).exits(0).says("Nothing to do");
    host.sh("systemctl disable docker.service");
    host.dockstrap(["plan", "--check"])
        .exits(0)
        .says("kept: yours: docker.service (disabled)");
    host.dockstrap(["plan", "--check", "--restore"])
        .exits(3)
        .says("enable");
    host.dockstrap(["install", "--yes", "--no-verify", "--restore"])
        .exits(0);
    host.sh("systemctl is-enabled docker.service");
    host.dockstrap(["plan", "--check"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_57_a_derivative_is_set_up_as_the_ubuntu_it_stands_on() {
    let host = LabHost::up("noble");
    host.write(
        "/etc/os-release",
        "NAME=\"Linux Mint\"\nVERSION=\"22 (Wilma)\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n\
         PRETTY_NAME=\"Linux Mint 22\"\nVERSION_ID=\"22\"\nVERSION_CODENAME=wilma\n\
         UBUNTU_CODENAME=noble\n",
    );
    let before = host.tree();
    host.unchanged_by(0, ["plan"])
        .says("Linux Mint 22: Ubuntu 24.04 (noble)")
        .says("install 7 packages");
    host.install();
    host.sh("grep '^Suites: noble$' /etc/apt/sources.list.d/docker.sources; docker info");
    host.uninstall();
    before.is_restored_in(&host.tree());
}

/// Every file and folder of apt's with its size and the times of its last change, of whatever kind.
fn all_of_apt(host: &LabHost) -> String {
    let find = "find /etc/apt /var/lib/apt /var/cache/apt -printf '%p %s %T@ %C@\\n' | sort";
    host.sh(find).stdout
}

/// What a run left in the folders for temporary files.
fn left_behind(host: &LabHost) -> String {
    host.sh("find /tmp /var/tmp -name '*dockstrap*'").stdout
}
