use super::*;
use crate::host::stub::StubHost;

fn host(passwd: &str, group: &str) -> StubHost {
    StubHost::new()
        .file("/etc/passwd", passwd)
        .file("/etc/group", group)
        .program(
            "getent",
            "case $# in
                1) cat $ROOT/etc/$1 ;;
                *) awk -F: -v k=\"$2\" '$1 == k || $3 == k {print; n=1} END {exit n ? 0 : 2}' \
                    $ROOT/etc/$1 ;;
            esac",
        )
}

fn named(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

#[test]
fn members_by_primary_group_and_by_a_shared_number_are_members() {
    let stub = host(
        "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\ncarl:x:1001:990::/:/bin/sh\n\
         dave:x:990:1001::/:/bin/sh\n",
        "docker:x:990:alice\nadm:x:4:eve\nbuild:x:990:alice,bob\n",
    );
    let group = stub.host().group("docker").unwrap().unwrap();
    assert_eq!(group.id, Some(990));
    assert_eq!(group.members, ["alice"]);
    assert_eq!(
        group.hidden(),
        [
            "carl (primary group)",
            "bob (group build, which has the same GID)"
        ]
    );
    assert_eq!(group.everyone().len(), 3);
}

#[test]
fn a_directory_that_lists_nobody_adds_nobody() {
    let stub = StubHost::new().program("getent", "[ $# = 2 ] && echo docker:*:990:alice || exit 2");
    let group = stub.host().group("docker").unwrap().unwrap();
    assert_eq!(group.everyone(), ["alice"]);
    assert!(StubHost::new().host().group("docker").unwrap().is_none());
}

#[test]
fn a_user_is_known_by_exactly_the_name_that_was_asked_for() {
    let stub = host("alice:x:1000:1000::/:/bin/sh\n", "");
    assert!(stub.host().has_user(&named("alice")).unwrap());
    assert!(!stub.host().has_user(&named("bob")).unwrap());
    let directory = StubHost::new().program("getent", "echo alice@example:*:7:7::/:/bin/sh");
    assert!(!directory.host().has_user(&named("alice")).unwrap());
    let known = directory.host().user(&named("alice")).unwrap();
    assert_eq!(known.as_deref(), Some("alice@example"));
}

#[test]
fn no_name_is_given_to_getent_as_an_option() {
    let stub = StubHost::new().program("getent", "echo docker:x:990:alice");
    assert_eq!(stub.host().group_members("-sfiles").unwrap(), None);
    assert!(stub.calls().is_empty());
}

#[test]
fn a_look_up_that_fails_is_no_answer() {
    let stub = StubHost::new();
    assert_eq!(stub.host().group_members("docker").unwrap(), None);
    assert!(!stub.host().has_user(&named("alice")).unwrap());
    let stub = stub.program("getent", "exit 3");
    assert!(stub.host().group_members("docker").is_err());
    assert!(stub.host().has_user(&named("alice")).is_err());
}

#[test]
fn a_group_file_of_many_thousand_members_is_read() {
    let members = "somebody@example.org,".repeat(100_000);
    let stub = StubHost::new().file(
        "/etc/group",
        format!("all:x:900:{members}\ndocker:x:901:\n"),
    );
    assert!(stub.host().has_local_group("docker").unwrap());
}
