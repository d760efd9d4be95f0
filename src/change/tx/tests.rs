use super::*;
use crate::change::{Purpose, trial};
use crate::daemon_config;
use crate::daemon_config::Change;
use crate::error::exit_code;
use crate::host::stub::StubHost;
use crate::undo::{FOLDER, JOURNAL};

const KEY: &str = "/etc/apt/keyrings/docker.asc";

fn remove_group() -> Undo {
    Undo::RemoveGroup {
        group: "docker".to_owned(),
    }
}

fn groupadd() -> Command {
    Command::new("groupadd").arg("docker")
}

#[test]
fn an_act_stands_in_the_journal_while_it_is_done() {
    let stub = StubHost::new().program(
        "groupadd",
        "cp $ROOT/var/lib/dockstrap/journal $ROOT/var/lib/seen",
    );
    trial::run(stub.host(), |tx| {
        tx.enter("docker-group");
        tx.run("create group docker", remove_group(), &groupadd())
    })
    .unwrap();
    let seen = stub.read("/var/lib/seen");
    assert_eq!(
        seen.lines().count(),
        3,
        "the schema, the run and the act: {seen}"
    );
    for part in [
        "\"line\":\"act\"",
        "\"step\":\"docker-group\"",
        "create group docker",
        "remove-group",
    ] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
    assert!(stub.read(JOURNAL).starts_with(&seen));
    assert!(
        stub.read(JOURNAL)
            .ends_with("{\"line\":\"done\",\"act\":1}\n")
    );
}

#[test]
fn a_failed_act_is_begun_but_not_done_and_is_taken_back() {
    let stub = StubHost::new()
        .program("groupadd", "echo no room >&2; exit 10")
        .program("groupdel", "");
    let error = trial::run(stub.host(), |tx| {
        tx.run("create group docker", remove_group(), &groupadd())
    })
    .unwrap_err();
    assert!(error.to_string().contains("no room"), "{error}");
    assert!(!stub.read(JOURNAL).contains("done"));
    assert_eq!(trial::acts(stub.host()), ["create group docker"]);
    stub.calls();
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.calls(), ["getent group docker", "groupdel docker"]);
}

#[test]
fn a_file_that_is_right_already_is_left_and_not_journaled() {
    let stub = StubHost::new().file(KEY, "key");
    let before = stub.host().metadata(KEY).unwrap().unwrap();
    trial::run(stub.host(), |tx| tx.write_file(KEY, b"key", 0o644)).unwrap();
    let after = stub.host().metadata(KEY).unwrap().unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(trial::acts(stub.host()), [""; 0]);
}

#[test]
fn a_file_that_was_there_comes_back_with_its_mode() {
    let stub = StubHost::new().file(KEY, "old");
    stub.set_mode(KEY, 0o600);
    let before = stub.snapshot();
    trial::run(stub.host(), |tx| tx.write_file(KEY, b"new", 0o644)).unwrap();
    assert_eq!((stub.read(KEY).as_str(), stub.mode(KEY)), ("new", 0o644));
    assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn a_mode_that_differs_is_set_and_comes_back() {
    let stub = StubHost::new().file(KEY, "key");
    stub.set_mode(KEY, 0o600);
    let before = stub.snapshot();
    trial::run(stub.host(), |tx| tx.write_file(KEY, b"key", 0o644)).unwrap();
    assert_eq!(stub.mode(KEY), 0o644);
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn a_file_edited_since_is_kept_and_reported() {
    for was_there in [false, true] {
        let stub = StubHost::new();
        if was_there {
            stub.write(KEY, "old");
        }
        trial::run(stub.host(), |tx| tx.write_file(KEY, b"new", 0o644)).unwrap();
        stub.write(KEY, "edited");
        let kept = trial::revert(stub.host()).unwrap();
        assert!(kept[0].starts_with(&format!("write {KEY}: it was edited since")));
        assert_eq!(stub.read(KEY), "edited");
        if was_there {
            let beside = format!("{KEY}.before-dockstrap");
            assert!(kept[0].ends_with(&beside), "{}", kept[0]);
            assert_eq!(stub.read(&beside), "old");
        }
    }
}

#[test]
fn folders_of_ours_go_when_they_are_empty_and_stay_otherwise() {
    let stub = StubHost::new();
    let before = stub.snapshot();
    let write = |tx: &mut Tx<'_>| tx.write_file(KEY, b"key", 0o644);
    trial::run(stub.host(), write).unwrap();
    assert_eq!(stub.mode("/etc/apt/keyrings"), 0o755);
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.snapshot(), before);

    trial::run(stub.host(), write).unwrap();
    stub.write("/etc/apt/keyrings/other.asc", "another's");
    assert_eq!(
        trial::revert(stub.host()).unwrap(),
        [
            "create the folder /etc/apt/keyrings: other files are in it",
            "create the folder /etc/apt: other files are in it"
        ]
    );
    assert!(!stub.has(KEY));
}

#[test]
fn the_journal_goes_when_nothing_is_left_in_it() {
    let stub = StubHost::new();
    trial::run(stub.host(), |tx| tx.write_file("/etc/a", b"a", 0o644)).unwrap();
    assert_eq!(stub.mode(FOLDER), 0o700);
    assert_eq!(stub.mode(JOURNAL), 0o600);
    trial::revert(stub.host()).unwrap();
    assert!(!stub.has(FOLDER));
}

#[test]
fn only_what_came_after_is_taken_back() {
    let stub = StubHost::new();
    trial::run(stub.host(), |tx| tx.write_file("/etc/a", b"a", 0o644)).unwrap();
    let mut tx = trial::begin(stub.host(), &|_| {});
    let before = tx.journal().last();
    tx.write_file("/etc/b", b"b", 0o644).unwrap();
    tx.revert(before, Extent::default()).unwrap();
    assert!(stub.has("/etc/a") && !stub.has("/etc/b"));
    assert_eq!(trial::acts(stub.host()), ["write /etc/a"]);
}

#[test]
fn a_revert_that_fails_in_the_middle_goes_on_from_there() {
    let stub = StubHost::new()
        .program("groupadd", "")
        .program("groupdel", "exit 10");
    trial::run(stub.host(), |tx| {
        tx.write_file("/etc/a", b"a", 0o644)?;
        tx.run("create group docker", remove_group(), &groupadd())?;
        tx.write_file("/etc/b", b"b", 0o644)
    })
    .unwrap();
    let error = trial::revert(stub.host()).unwrap_err();
    assert_eq!(error.to_string(), "undoing: create group docker");
    assert_eq!(trial::acts(stub.host()), ["create group docker"]);
    let stub = stub.program("groupdel", "");
    trial::revert(stub.host()).unwrap();
    assert!(!stub.has("/etc/a") && !stub.has(FOLDER));
}

#[test]
fn what_others_were_about_to_write_when_they_were_killed_with_a_run_goes() {
    for left in [
        "/var/lib/apt/extended_states.IZ1gEP",
        "/var/lib/dpkg/status-new",
        "/etc/gshadow+",
    ] {
        let stub = StubHost::new().file(left, "");
        let remove = || trial::run(stub.host(), |tx| tx.remove_stale_files()).unwrap();
        remove();
        assert!(stub.has(left), "no run of ours has changed anything");
        trial::run(stub.host(), |tx| tx.write_file(KEY, b"key", 0o644)).unwrap();
        stub.write(left, "");
        for _ in ["once", "twice"] {
            remove();
            assert!(!stub.has(left));
        }
    }
}

#[test]
fn a_cancelled_run_begins_no_further_act() {
    let stub = StubHost::new().program("groupadd", "");
    let cancelled = Arc::new(AtomicBool::new(false));
    let journal = Journal::read(stub.host()).unwrap();
    let wait = Duration::ZERO;
    let mut tx = Tx::begin(
        stub.host(),
        journal,
        Purpose::Install,
        wait,
        &|_| {},
        cancelled.clone(),
    )
    .unwrap();
    tx.write_file("/etc/a", b"a", 0o644).unwrap();
    cancelled.store(true, Ordering::Relaxed);
    for refused in [
        tx.write_file("/etc/b", b"b", 0o644),
        tx.run("create a group", remove_group(), &groupadd())
            .map(drop),
        tx.run_covered(&groupadd()).map(drop),
        tx.note("something", remove_group()),
    ] {
        assert_eq!(exit_code(&refused.unwrap_err()), 130);
    }
    assert_eq!(stub.calls(), [""; 0]);
    assert!(!stub.has("/etc/b"));
    // What was done can be taken back all the same.
    tx.revert(0, Extent::default()).unwrap();
    assert!(!stub.has("/etc/a"));
}

#[test]
fn a_link_is_not_written_over() {
    let stub = StubHost::new().folder("/etc/apt/keyrings");
    std::os::unix::fs::symlink("/srv/key", stub.host().path(KEY)).unwrap();
    let error = trial::run(stub.host(), |tx| tx.write_file(KEY, b"new", 0o644)).unwrap_err();
    assert!(
        error.to_string().contains("is a link to another file"),
        "{error}"
    );
}

#[test]
fn a_run_that_fails_gives_daemon_json_back_as_it_was_with_its_password() {
    let path = daemon_config::PATH;
    let text = |password: &str| format!("{{ \"proxies\": \"http://me:{password}@proxy\" }}\n");
    let stub = StubHost::new().file(path, text("old"));
    let change = |before: Option<&str>, after: &str| Change {
        key: "proxies".to_owned(),
        before: before.map(Into::into),
        after: Some(after.into()),
    };
    let listener = |_| {};
    let mut tx = trial::begin(stub.host(), &listener);
    // The way back in the journal leads to what was there before the first run.
    tx.write_daemon_json(text("new"), &[change(None, "http://me:new@proxy")])
        .unwrap();
    assert_eq!(stub.read(path), text("new"));
    tx.revert(0, Extent::default()).unwrap();
    assert_eq!(stub.read(path), text("old"));

    // Unless somebody else has written it since.
    let mut tx = trial::begin(stub.host(), &listener);
    tx.write_daemon_json(text("new"), &[change(None, "http://me:new@proxy")])
        .unwrap();
    stub.write(path, text("theirs"));
    tx.revert(0, Extent::default()).unwrap();
    assert_eq!(stub.read(path), text("theirs"));
}

#[test]
fn an_account_tool_that_has_no_room_is_tried_again_when_files_of_ours_are_gone() {
    let stub = StubHost::new()
        .program("groupadd", "")
        .program("groupdel", "test ! -e $ROOT/etc/apt/keyrings/docker.asc");
    trial::run(stub.host(), |tx| {
        tx.write_file(KEY, b"key", 0o644)?;
        tx.run("create group docker", remove_group(), &groupadd())
    })
    .unwrap();
    assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
    let deletions = stub.calls();
    let deletions = deletions.iter().filter(|call| call.starts_with("groupdel"));
    assert_eq!(deletions.count(), 2);

    // One that fails for another reason does not keep the rest from being taken back.
    let stub = stub.program("groupdel", "exit 10");
    trial::run(stub.host(), |tx| {
        tx.write_file(KEY, b"key", 0o644)?;
        tx.run("create group docker", remove_group(), &groupadd())
    })
    .unwrap();
    assert!(trial::revert(stub.host()).is_err());
    assert!(!stub.has(KEY));
    assert_eq!(trial::acts(stub.host()), ["create group docker"]);
}

#[test]
fn a_damaged_copy_is_put_beside_and_never_in_the_place_of_what_it_was_made_of() {
    let path = "/etc/apt/sources.list.d/theirs.list";
    for change in [
        |tx: &mut Tx<'_>, path: &str| tx.write_file(path, b"ours", 0o644),
        |tx: &mut Tx<'_>, path: &str| tx.move_aside(path),
    ] {
        let stub = StubHost::new().file(path, "theirs");
        trial::complete(stub.host(), |tx| change(tx, path)).unwrap();
        let is_there = stub.has(path);
        let copy = stub.host().list(crate::undo::FOLDER).unwrap();
        let copy = copy.iter().find(|name| name.ends_with("theirs.list"));
        let copy = format!("{}/{}", crate::undo::FOLDER, copy.unwrap());
        stub.write(&copy, "the");
        let kept = trial::revert(stub.host()).unwrap();
        assert!(kept[0].contains("is damaged"), "{kept:?}");
        assert_eq!(stub.has(path), is_there);
        assert_eq!(stub.read(&format!("{path}.before-dockstrap")), "the");
    }
}

#[test]
fn a_program_of_any_size_is_moved_aside_and_comes_back() {
    let (path, program) = ("/usr/local/bin/dockerd", "x".repeat(70 << 20));
    let stub = StubHost::new().file(path, &program);
    trial::complete(stub.host(), |tx| tx.move_aside(path)).unwrap();
    assert!(!stub.has(path));
    assert_eq!(trial::revert(stub.host()).unwrap(), Vec::<String>::new());
    assert!(stub.read(path) == program);
}
