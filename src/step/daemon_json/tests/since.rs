//! What somebody changed since an install.

use super::*;

/// The step of a run that comes after the others on this host, and restores this.
fn again(stub: &StubHost, restore: Restore) -> DaemonJson {
    let journal = Journal::read(stub.host()).unwrap();
    let now = file::read(stub.host()).unwrap();
    DaemonJson {
        ours: journal.configuration(&now),
        settled: journal.settled_configuration(&now),
        restore,
        ..step()
    }
}

/// A host that was set up, and on which somebody then edited the file.
fn edited(before: &str, edit: impl FnOnce(String) -> String) -> StubHost {
    let stub = host().file(PATH, before);
    trial::complete(stub.host(), |tx| step().apply(tx)).unwrap();
    stub.write(PATH, edit(stub.read(PATH)));
    stub
}

fn kept(finding: &Inspection) -> Vec<String> {
    let names = finding.kept.iter().map(|it| it.name.clone());
    names.collect()
}

#[test]
fn j11_what_somebody_changed_since_is_theirs_and_said_so() {
    let stub = edited("{\n  \"mtu\": 1400\n}\n", |text| {
        let text = text.replace("\"live-restore\": true", "\"live-restore\": false");
        text.replace("\"max-size\": \"20m\",", "")
            .replace("1400", "9000")
    });
    let before = stub.snapshot();
    let finding = again(&stub, Restore::Nothing).inspect(stub.host()).unwrap();
    assert!(finding.satisfied, "{finding:?}");
    assert_eq!(kept(&finding), ["log-opts.max-size", "live-restore"]);
    assert_eq!(
        finding.details,
        [
            "kept: yours: log-opts.max-size (removed)",
            "kept: yours: live-restore (false)"
        ]
    );
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn j1_a_file_that_somebody_wrote_anew_is_left_as_it_is() {
    let theirs = r#"{"log-driver":"json-file","log-opts":{"max-size":"10m"}}"#;
    let stub = edited("{}", |_| theirs.to_owned());
    let finding = again(&stub, Restore::Nothing).inspect(stub.host()).unwrap();
    assert!(finding.satisfied, "{finding:?}");
    let names = ["log-driver", "log-opts.max-size", "log-opts.max-file"];
    assert_eq!(kept(&finding)[..3], names);
    // Nor does anything come back once it is gone.
    std::fs::remove_file(stub.host().path(PATH)).unwrap();
    let finding = again(&stub, Restore::Nothing).inspect(stub.host()).unwrap();
    assert!(finding.satisfied);
    assert!(
        finding
            .details
            .contains(&"kept: yours: log-driver (removed)".to_owned())
    );
}

#[test]
fn what_was_changed_since_is_restored_by_name_or_as_a_whole() {
    let edit = |text: String| {
        let text = text.replace("\"live-restore\": true", "\"live-restore\": false");
        text.replace("\"20m\"", "\"50m\"").replace("1400", "9000")
    };
    let restored = |restore: Restore| {
        let stub = edited("{\n  \"mtu\": 1400\n}\n", edit);
        let step = again(&stub, restore);
        let finding = step.inspect(stub.host()).unwrap();
        assert!(
            finding
                .changes
                .iter()
                .all(|it| it.why == "--restore puts it back")
        );
        trial::complete(stub.host(), |tx| step.apply(tx)).unwrap();
        assert!(step.inspect(stub.host()).unwrap().satisfied);
        let next = again(&stub, Restore::Nothing).inspect(stub.host()).unwrap();
        assert!(next.satisfied, "{next:?}");
        (stub, kept(&next))
    };
    let named = |name: &str| Restore::Named(vec![name.to_owned()]);
    let (stub, kept) = restored(named("log-opts.max-size"));
    assert_eq!(kept, ["live-restore"]);
    assert!(stub.read(PATH).contains("\"20m\""));
    let (stub, kept) = restored(named("live-restore"));
    assert_eq!(kept, ["log-opts.max-size"]);
    assert!(stub.read(PATH).contains("\"live-restore\": true"));
    let (stub, kept) = restored(Restore::All);
    assert_eq!(kept, [""; 0]);
    assert!(stub.read(PATH).contains("9000"), "that was never ours");
    assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
    assert_eq!(stub.read(PATH), "{\n  \"mtu\": 9000\n}\n");
}

#[test]
fn what_the_settings_say_is_set_again() {
    let stub = host();
    let wanted = json!({"mtu": 1400});
    trial::complete(stub.host(), |tx| wanting(wanted.clone()).apply(tx)).unwrap();
    stub.write(PATH, stub.read(PATH).replace("1400", "9000"));
    let step = DaemonJson {
        settings: wanted.as_object().cloned().unwrap_or_default().into(),
        ..again(&stub, Restore::Nothing)
    };
    let finding = step.inspect(stub.host()).unwrap();
    let changed: Vec<&str> = finding.changes.iter().map(|it| it.key.as_str()).collect();
    assert_eq!((changed, kept(&finding)), (vec!["mtu"], Vec::new()));
    let without = again(&stub, Restore::Nothing).inspect(stub.host()).unwrap();
    assert!(without.satisfied);
    assert_eq!(kept(&without), ["mtu"]);
}

/// Makes what is at `PATH` a link to a file of that content elsewhere.
fn put_behind_a_link(stub: &StubHost) -> std::path::PathBuf {
    let (path, behind) = (stub.host().path(PATH), stub.host().path("/srv/daemon.json"));
    std::fs::create_dir_all(behind.parent().unwrap()).unwrap();
    std::fs::rename(&path, &behind).unwrap();
    std::os::unix::fs::symlink(&behind, path).unwrap();
    behind
}

#[test]
fn j10_a_file_that_somebody_put_behind_a_link_since_loses_our_keys_and_keeps_the_link() {
    let install = || {
        let stub = host();
        trial::complete(stub.host(), |tx| step().apply(tx)).unwrap();
        let behind = put_behind_a_link(&stub);
        (stub, behind)
    };
    let (stub, behind) = install();
    let kept = trial::revert(stub.host()).unwrap();
    let reason = "it is a link by now; what it leads to stays, without a key";
    assert_eq!(kept[0], format!("write {PATH}: {reason}"));
    assert_eq!(std::fs::read_to_string(&behind).unwrap(), "{}\n");
    assert_eq!(std::fs::read_link(stub.host().path(PATH)).unwrap(), behind);
    // What it leads to may be gone.
    let (stub, behind) = install();
    std::fs::remove_file(&behind).unwrap();
    trial::revert(stub.host()).unwrap();
    assert_eq!(std::fs::read_link(stub.host().path(PATH)).unwrap(), behind);
}

/// What a run was about to write when it was killed is nobody's choice.
#[test]
fn what_a_run_that_was_cut_short_did_not_come_to_is_still_to_be_done() {
    let stub = host();
    trial::run(stub.host(), |tx| step().apply(tx)).unwrap();
    std::fs::remove_file(stub.host().path(PATH)).unwrap();
    let finding = again(&stub, Restore::Nothing).inspect(stub.host()).unwrap();
    assert_eq!(finding.summary, format!("write {PATH}"));
    assert_eq!(kept(&finding), [""; 0]);
}
