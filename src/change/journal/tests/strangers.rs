//! Journals that others can change, or have written.

use super::*;

/// The head of a journal, and one act with this undo.
fn with_undo(undo: &str) -> String {
    let (whole, _) = written(&[]);
    let act = r#"{"line":"act","act":1,"at":"2026-11-24T03:58:48Z","step":"a","text":"b","undo":"#;
    format!("{whole}{act}{undo}}}\n")
}

#[test]
fn an_act_that_dockstrap_never_writes_is_refused_and_nothing_of_the_journal_is_done() {
    let asked_for = r#"{"line":"asked-for","act":1,"packages":["--simulate"]}"#;
    let (whole, _) = written(&[]);
    for text in [
        with_undo(r#"{"kind":"remove-archives","paths":["/etc/shadow"]}"#),
        with_undo(r#"{"kind":"restore-file","path":"/etc/shadow","backup":"/tmp/shadow"}"#),
        with_undo(r#"{"kind":"remove-group","group":"sudo"}"#),
        format!("{whole}{asked_for}\n"),
    ] {
        let stub = StubHost::new()
            .file(JOURNAL, text)
            .file("/etc/shadow", "theirs");
        let before = stub.snapshot();
        let error = Journal::read(stub.host()).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        let message = error.to_string();
        assert!(message.contains("journal, line 2: "), "{message}");
        assert!(
            message.ends_with("sudo sed -n 2p /var/lib/dockstrap/journal"),
            "{message}"
        );
        assert_eq!(stub.snapshot(), before);
    }
}

#[test]
fn nothing_is_written_that_could_not_be_read_again() {
    let stub = StubHost::new();
    let mut journal = Journal::read(stub.host()).unwrap();
    journal.open(stub.host()).unwrap();
    let before = stub.read(JOURNAL);
    let list = Undo::RemoveList {
        path: "/etc/shadow".into(),
    };
    assert!(journal.begin("a", "b", list).is_err());
    assert_eq!(stub.read(JOURNAL), before);
}

#[test]
fn a_journal_that_others_can_change_is_not_believed() {
    let (whole, _) = written(&["first".to_owned()]);
    let stub = || StubHost::new().file(JOURNAL, &whole);
    let refused = |stub: &StubHost, why: &str| {
        let before = stub.snapshot();
        let error = Journal::read(stub.host()).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        let text = error.to_string();
        assert!(
            text.contains(why) && text.contains("nothing was changed"),
            "{text}"
        );
        assert_eq!(stub.snapshot(), before);
    };
    for (path, mode) in [
        (JOURNAL, 0o622),
        (JOURNAL, 0o660),
        (FOLDER, 0o777),
        (FOLDER, 0o770),
        ("/var/lib", 0o777),
    ] {
        let stub = stub();
        stub.set_mode(path, mode);
        refused(&stub, "other users can write to");
    }
    for path in [FOLDER, JOURNAL] {
        let stub = stub();
        let there = stub.host().path(path);
        let elsewhere = stub.host().path("/var/elsewhere");
        std::fs::rename(&there, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &there).unwrap();
        refused(&stub, "is a link");
    }
    stub().set_mode(JOURNAL, 0o600);
    Journal::read(stub().host()).unwrap();
    if nix::unistd::geteuid().is_root() {
        for path in [FOLDER, JOURNAL] {
            let stub = stub();
            std::os::unix::fs::chown(stub.host().path(path), Some(4242), None).unwrap();
            refused(&stub, "belongs to user 4242");
        }
    }
}
