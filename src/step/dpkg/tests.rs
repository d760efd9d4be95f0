use super::*;
use crate::change::trial;
use crate::error::exit_code;
use crate::facts;
use crate::host::stub::StubHost;

const OTHERS: &str = "echo dpkg 1 amd64 installed ok
    test -e $ROOT/done || echo pigz 2 amd64 half-configured ok";

fn plan(stub: &StubHost, repair: bool) -> Result<Option<Dpkg>> {
    let facts = facts::gather(stub.host()).unwrap();
    Dpkg::plan(stub.host(), &facts, repair)
}

fn refused(stub: &StubHost, repair: bool) -> String {
    let error = plan(stub, repair).err().expect("a refusal");
    assert_eq!(exit_code(&error), 4);
    error.to_string()
}

fn installed_before(stub: &StubHost, packages: &[&str]) {
    let packages = packages.iter().map(|it| (*it).to_owned()).collect();
    let undo = Undo::PurgePackages {
        packages,
        network: None,
    };
    trial::run(stub.host(), |tx| tx.note("install", undo)).unwrap();
}

#[test]
fn where_dpkg_has_finished_there_is_nothing_to_do() {
    let stub = StubHost::noble().file("/var/lib/dpkg/updates/tmp.i", "");
    assert!(plan(&stub, false).unwrap().is_none());
}

#[test]
fn fault_18_what_is_of_others_is_finished_only_when_asked_for() {
    let stub = StubHost::noble().file("/var/lib/dpkg/updates/0003", "Package: pigz\n");
    let text = refused(&stub, false);
    assert!(
        text.contains("pigz") && text.contains("install --repair"),
        "{text}"
    );
    assert!(text.ends_with("dpkg --configure -a"), "{text}");
    assert!(plan(&stub, true).unwrap().is_some());
}

#[test]
fn the_triggers_of_others_that_a_run_of_ours_was_cut_short_at_are_run_without_asking() {
    // dpkg runs what is pending by itself; what it was in the middle of, it does not.
    let pending = "echo dpkg 1 amd64 installed ok; echo man-db 2 amd64 triggers-pending ok";
    let stub = StubHost::noble().program("dpkg-query", pending).file(
        "/var/lib/dpkg/updates/0000",
        "Package: man-db\nStatus: install ok triggers-pending\n\n",
    );
    assert!(plan(&stub, false).unwrap().is_some(), "notes are merged");
    let stub = StubHost::noble().program("dpkg-query", pending);
    assert!(plan(&stub, false).unwrap().is_none());
    let stub = stub.program(
        "dpkg-query",
        "echo dpkg 1 amd64 installed ok; echo man-db 2 amd64 half-configured ok 2
         echo docker-ce-cli 5 amd64 triggers-awaited ok",
    );
    assert!(refused(&stub, false).contains("man-db"));
    installed_before(&stub, &["docker-ce-cli"]);
    let details = |stub: &StubHost| {
        let step = plan(stub, false).unwrap().unwrap();
        step.inspect(stub.host()).unwrap().details
    };
    let step = plan(&stub, false).unwrap().unwrap();
    let finding = step.inspect(stub.host()).unwrap();
    assert!(finding.satisfied, "apt does it along with the rest");
    let all = ENGINE_PACKAGES
        .iter()
        .map(|name| format!("echo {name} 5 amd64 triggers-awaited ok; "));
    let stub = stub.program(
        "dpkg-query",
        &format!(
            "{} echo dpkg 1 amd64 installed ok; echo man-db 2 amd64 half-configured ok 2",
            all.collect::<String>()
        ),
    );
    let details = details(&stub);
    assert_eq!(details[0], "configure man-db");
    assert!(details[1].starts_with("run what containerd.io, docker-buildx-plugin"));
}

#[test]
fn fault_20_a_package_without_what_it_depends_on_is_named_with_both_whatever_is_asked_for() {
    let said = "case $* in
            *--fix-broken*) echo 'Remv pigz [2]' ;;
            *check*) echo ' pigz : Depends: libnothere-1 but it is not installable'; exit 100 ;;
        esac";
    let stub = StubHost::noble()
        .file("/var/lib/apt/lists/x_Packages", "")
        .folder("/var/lib/apt/lists/partial")
        .program("dpkg-query", OTHERS)
        .program("apt-get", said);
    for repair in [false, true] {
        let text = refused(&stub, repair);
        assert!(text.contains("pigz needs libnothere-1"), "{text}");
        assert!(
            text.ends_with("remove pigz: sudo apt-get --fix-broken install"),
            "{text}"
        );
    }
}

#[test]
fn fault_20_a_package_of_others_that_is_not_configured_is_said_to_be_theirs() {
    let stub = StubHost::noble().program("dpkg-query", OTHERS);
    let text = refused(&stub, false);
    assert!(
        text.contains("pigz") && text.contains("not dockstrap's"),
        "{text}"
    );
}

#[test]
fn what_was_asked_for_is_done_and_stays() {
    let stub = StubHost::noble()
        .program("dpkg-query", OTHERS)
        .program("dpkg", "touch $ROOT/done");
    let step = plan(&stub, true).unwrap().unwrap();
    let finding = step.inspect(stub.host()).unwrap();
    assert_eq!(finding.details, ["configure pigz"]);
    trial::run(stub.host(), |tx| step.apply(tx)).unwrap();
    assert!(
        stub.calls()
            .iter()
            .any(|call| call.contains("--configure pigz"))
    );
    assert!(step.inspect(stub.host()).unwrap().satisfied);
    let kept = trial::revert(stub.host()).unwrap();
    assert!(kept[0].contains("pigz"), "{kept:?}");
}

#[test]
fn fault_19_a_package_of_others_that_is_there_in_part_is_named_and_with_consent_left_to_apt() {
    let status = "echo dpkg 1 amd64 installed ok; echo pigz 2 amd64 half-installed reinstreq
        echo less 1 amd64 unpacked reinstreq";
    let stub = StubHost::noble().program("dpkg-query", status);
    let text = refused(&stub, false);
    assert!(text.contains("dockstrap install --repair"), "{text}");
    assert!(text.ends_with("--reinstall less pigz"), "{text}");
    let step = plan(&stub, true).unwrap().unwrap();
    assert_eq!(step.reinstalled().others, ["less", "pigz"]);
    assert_eq!(step.reinstalled().ours, [""; 0]);
    assert!(step.inspect(stub.host()).unwrap().satisfied);
}

#[test]
fn fault_19_what_a_run_of_ours_left_is_brought_to_an_end_without_asking() {
    let status = "echo dpkg 1 amd64 installed ok; echo pigz 2 amd64 unpacked ok
        echo docker-ce 5 amd64 half-installed reinstreq";
    let stub = StubHost::noble()
        .program("dpkg-query", status)
        .file("/var/lib/dpkg/updates/0003", "Package: docker-ce\n");
    installed_before(&stub, &["docker-ce", "pigz"]);
    let step = plan(&stub, false).unwrap().unwrap();
    // The rest is done by the run of apt that is still to come.
    let finding = step.inspect(stub.host()).unwrap();
    assert_eq!(
        finding.details,
        ["merge the notes of a run that was cut short"]
    );
}
