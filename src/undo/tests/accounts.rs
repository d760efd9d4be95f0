use super::super::{Reverted, Undo};
use super::{kept, undo};
use crate::host::stub::StubHost;

#[test]
fn what_is_gone_already_is_no_error_but_any_other_failure_is() {
    let group = Undo::RemoveGroup {
        group: "docker".to_owned(),
    };
    let member = Undo::RemoveMember {
        group: "docker".to_owned(),
        user: "alice".to_owned(),
    };
    let stub = StubHost::new()
        .program("groupdel", "exit 6")
        .program("gpasswd", "exit 3");
    assert_eq!(undo(&stub, &group).unwrap(), Reverted::Done);
    assert_eq!(undo(&stub, &member).unwrap(), Reverted::Done);
    assert_eq!(
        stub.calls(),
        [
            "getent group docker",
            "groupdel docker",
            "gpasswd --delete alice docker"
        ]
    );
    let stub = stub
        .program("groupdel", "exit 10")
        .program("gpasswd", "exit 1");
    assert!(undo(&stub, &group).is_err());
    assert!(undo(&stub, &member).is_err());
}

#[test]
fn what_a_killed_account_tool_has_left_of_a_group_is_removed_by_such_a_tool() {
    let group = Undo::RemoveGroup {
        group: "docker".to_owned(),
    };
    for (path, text) in [
        ("/etc/gshadow", "users:*::\ndocker:!::\n"),
        ("/etc/group.lock", "99999999"),
    ] {
        let stub = StubHost::new()
            .file(path, text)
            .program("groupadd", "touch $ROOT/created")
            .program("groupdel", "test -e $ROOT/created || exit 6");
        assert_eq!(undo(&stub, &group).unwrap(), Reverted::Done, "{path}");
        let calls = stub.calls();
        let again = ["groupadd --system docker", "groupdel docker"];
        assert_eq!(&calls[calls.len() - 2..], again, "{path}");
    }
}

#[test]
fn a_group_that_became_somebodys_primary_one_is_kept() {
    let stub = StubHost::new().program("groupdel", "exit 8");
    let group = Undo::RemoveGroup {
        group: "docker".to_owned(),
    };
    assert_eq!(kept(&stub, &group), "docker is the primary group of a user");
}

#[test]
fn a_group_that_others_joined_is_kept() {
    let stub = StubHost::new().program("getent", "echo docker:x:999:carol");
    let group = Undo::RemoveGroup {
        group: "docker".to_owned(),
    };
    assert_eq!(kept(&stub, &group), "others are members by now: carol");
}

#[test]
fn behind_a_lock_that_nobody_holds_what_was_never_done_counts_as_undone() {
    let group = Undo::RemoveGroup {
        group: "docker".to_owned(),
    };
    let member = Undo::RemoveMember {
        group: "docker".to_owned(),
        user: "alice".to_owned(),
    };
    let stub = StubHost::new().file("/etc/group.lock", "");
    assert_eq!(undo(&stub, &group).unwrap(), Reverted::Done);
    assert_eq!(undo(&stub, &member).unwrap(), Reverted::Done);
    let calls = stub.calls();
    assert!(
        calls.iter().all(|call| call.starts_with("getent")),
        "{calls:?}"
    );
    // What was done cannot be undone until the lock is gone.
    for (members, act) in [("alice", &member), ("", &group)] {
        let stub = stub_with_group(members).file("/etc/group.lock", "");
        let error = undo(&stub, act).unwrap_err();
        assert!(
            error.to_string().ends_with("sudo rm /etc/group.lock"),
            "{error}"
        );
    }
}

fn stub_with_group(members: &str) -> StubHost {
    StubHost::new().program("getent", &format!("echo docker:x:999:{members}"))
}
