//! Runs and verifications that came to their end, and those that did not.

use super::*;

#[test]
fn a_run_without_its_end_was_cut_short() {
    let stub = StubHost::new();
    let host = stub.host();
    let mut journal = Journal::read(host).unwrap();
    journal.open(host).unwrap();
    let cut_short = || {
        Journal::read(host)
            .unwrap()
            .cut_short()
            .map(|run| run.purpose)
    };
    assert_eq!(cut_short(), None);
    journal.run(Purpose::Install.into()).unwrap();
    journal.begin("a", "first", undo()).unwrap();
    assert_eq!(cut_short(), Some(Purpose::Install));
    journal.ended().unwrap();
    assert_eq!(cut_short(), None);
    journal.run(Purpose::Uninstall.into()).unwrap();
    assert_eq!(cut_short(), Some(Purpose::Uninstall));
    // What ends in between makes up for nothing but itself.
    journal.run(Purpose::Verify.into()).unwrap();
    journal.ended().unwrap();
    assert_eq!(cut_short(), Some(Purpose::Uninstall));
    journal.run(Purpose::Uninstall.into()).unwrap();
    journal.ended().unwrap();
    assert_eq!(cut_short(), None);
}

#[test]
fn an_install_that_took_back_what_it_did_is_not_the_last_one() {
    let stub = StubHost::new();
    let host = stub.host();
    let mut journal = Journal::read(host).unwrap();
    journal.open(host).unwrap();
    let installed = || Journal::read(host).unwrap().installed().cloned();
    let first = Run::from(Purpose::Install);
    journal.run(first.clone()).unwrap();
    journal.begin("a", "first", undo()).unwrap();
    journal.ended().unwrap();
    let second = Run::from(Purpose::Install);
    journal.run(second.clone()).unwrap();
    assert_eq!(installed(), Some(second));
    journal.ended_as_it_began().unwrap();
    assert_eq!(installed(), Some(first.clone()));
    // An uninstall that left something behind says nothing of it.
    journal.run(Purpose::Uninstall.into()).unwrap();
    journal.ended_as_it_began().unwrap();
    assert_eq!(installed(), Some(first));
}

/// What a verification of these stages came to.
fn verified(passed: &[&str], failed: &[&str], skipped: &[&str]) -> VerificationRecord {
    let owned = |stages: &[&str]| stages.iter().map(ToString::to_string).collect();
    VerificationRecord {
        at: Timestamp::now(),
        passed: owned(passed),
        failed: owned(failed),
        skipped: owned(skipped),
    }
}

#[test]
fn a_verification_that_began_and_did_not_end_verified_nothing() {
    let stub = StubHost::new();
    let host = stub.host();
    let read = || Journal::read(host).unwrap();
    read().note_proving(host).unwrap();
    read()
        .note_verified(host, verified(&["engine"], &[], &[]))
        .unwrap();
    assert!(!stub.has(JOURNAL), "on a host that was not set up");
    let mut journal = read();
    journal.open(host).unwrap();
    journal.run(Purpose::Install.into()).unwrap();
    journal.begin("a", "first", undo()).unwrap();
    journal.ended().unwrap();
    assert!(!read().is_verified("engine"), "none was begun");
    read().note_proving(host).unwrap();
    assert!(!read().is_verified("engine"));
    read()
        .note_verified(host, verified(&["engine"], &[], &["group"]))
        .unwrap();
    assert!(read().is_verified("engine") && read().is_verified("group"));
    assert!(!read().is_verified("run"), "it was not run");
    read()
        .note_verified(host, verified(&["hub"], &["group"], &[]))
        .unwrap();
    assert!(read().is_verified("engine") && !read().is_verified("group"));
    read().note_proving(host).unwrap();
    assert!(!read().is_verified("engine"));
}

#[test]
fn a_change_of_the_engine_is_to_be_verified_anew_and_no_other_is() {
    let stub = StubHost::new();
    let host = stub.host();
    let read = || Journal::read(host).unwrap();
    let unit = |unit: &str| Undo::RestoreUnit {
        unit: unit.to_owned(),
        enabled: false,
        active: false,
    };
    for (undo, is_of_the_engine) in [
        (undo(), false),
        (unit("dockstrap-firstboot.service"), false),
        (unit("docker.service"), true),
        (Undo::nothing(), true),
        (
            Undo::PurgePackages {
                packages: vec!["docker-ce".to_owned()],
                network: None,
            },
            true,
        ),
    ] {
        let mut journal = read();
        journal.open(host).unwrap();
        journal.run(Purpose::Install.into()).unwrap();
        journal
            .note_verified(host, verified(&["engine"], &[], &[]))
            .unwrap();
        let mut journal = read();
        journal.open(host).unwrap();
        let act = journal.begin("a", "change", undo.clone()).unwrap();
        assert_eq!(read().is_verified("engine"), !is_of_the_engine, "{undo:?}");
        read()
            .note_verified(host, verified(&["engine"], &[], &[]))
            .unwrap();
        journal.reverted(act).unwrap();
        assert_eq!(read().is_verified("engine"), !is_of_the_engine, "{undo:?}");
    }
}
