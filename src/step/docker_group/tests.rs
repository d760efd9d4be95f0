use super::*;
use crate::change::trial;
use crate::error::exit_code;
use crate::host::stub::StubHost;
use crate::settings::Layer;

/// A host with the users alice and bob, whose account programs keep to `/etc/group`.
fn host(groups: &str) -> StubHost {
    StubHost::new()
        .file("/etc/passwd", "alice:x:1000:\nbob:x:1001:\n")
        .file("/etc/group", groups)
        .program(
            "getent",
            "[ $# = 1 ] && exec cat $ROOT/etc/$1; grep \"^$2:\" $ROOT/etc/$1 || exit 2",
        )
        .program("groupadd", "echo \"$2:x:990:\" >>$ROOT/etc/group")
        .program("groupdel", "sed -i \"/^$1:/d\" $ROOT/etc/group")
        .program(
            "gpasswd",
            "case $1 in
                --add) edit=\"s/^$3:.*[^:]$/&,$2/; s/^$3:.*:$/&$2/\" ;;
                --delete) edit=\"/^$3:/ s/\\b$2\\b//; s/,$//; s/:,/:/\" ;;
            esac
            sed -i \"$edit\" $ROOT/etc/group",
        )
}

fn group(users: &[&str]) -> DockerGroup {
    DockerGroup {
        users: users.iter().map(|it| UserName::new(it).unwrap()).collect(),
        left_out: None,
        removed: Vec::new(),
    }
}

fn inspect(stub: &StubHost, users: &[&str]) -> Inspection {
    group(users).inspect(stub.host()).unwrap()
}

fn apply(stub: &StubHost, users: &[&str]) {
    trial::run(stub.host(), |tx| group(users).apply(tx)).unwrap();
}

#[test]
fn absent_it_is_created_and_the_cost_of_membership_told() {
    let stub = host("");
    let finding = inspect(&stub, &["alice"]);
    assert_eq!(finding.summary, "create group docker");
    assert!(finding.details[0].contains("root's rights"));
    apply(&stub, &["alice"]);
    assert_eq!(inspect(&stub, &["alice"]).summary, "members: alice");
    assert_eq!(stub.read("/etc/group"), "docker:x:990:alice\n");
}

#[test]
fn the_hardened_preset_adds_only_users_that_are_named() {
    let stub = StubHost::noble();
    let facts = Facts {
        invoking_user: UserName::new("alice").ok(),
        ..crate::facts::gather(stub.host()).unwrap()
    };
    let step = |preset: Option<Preset>, users: Option<&[&str]>| {
        let users = users.map(|users| users.iter().map(ToString::to_string).collect());
        let layer = Layer {
            preset,
            users,
            ..Layer::default()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        DockerGroup::new(
            &facts,
            &Settings::resolve(layer, Some(file.path())).unwrap(),
            &Ownership::default(),
        )
    };
    let hardened = Some(Preset::Hardened);
    assert_eq!(step(None, None).users, group(&["alice"]).users);
    assert_eq!(step(hardened, Some(&["bob"])).users, group(&["bob"]).users);
    assert!(step(hardened, Some(&["bob"])).left_out.is_none());
    let nobody = step(hardened, None);
    assert!(nobody.users.is_empty());
    for groups in ["", "docker:x:990:bob\n"] {
        let details = nobody.inspect(host(groups).host()).unwrap().details;
        assert!(
            details.concat().starts_with("alice is not added: "),
            "{details:?}"
        );
    }
    let member = nobody.inspect(host("docker:x:990:alice\n").host()).unwrap();
    assert_eq!(member, Inspection::satisfied("members: alice"));
}

#[test]
fn who_was_taken_out_since_is_added_again_only_when_named() {
    let facts = Facts {
        invoking_user: UserName::new("alice").ok(),
        ..crate::facts::gather(StubHost::noble().host()).unwrap()
    };
    let stub = host("docker:x:990:bob\n");
    let owned = Ownership::of_names(&["user:alice"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let step = |users: Option<&str>| {
        let users = users.map(|user| vec![user.to_owned()]);
        let layer = Layer {
            users,
            ..Layer::default()
        };
        let settings = Settings::resolve(layer, Some(file.path())).unwrap();
        DockerGroup::new(&facts, &settings, &owned)
    };
    let finding = step(None).inspect(stub.host()).unwrap();
    assert!(finding.satisfied, "{finding:?}");
    assert_eq!(finding.details, ["kept: yours: user:alice (changed)"]);
    let finding = step(Some("alice")).inspect(stub.host()).unwrap();
    assert!(!finding.satisfied && finding.kept.is_empty());
}

#[test]
fn satisfied_with_the_members_asked_for_or_none() {
    assert!(inspect(&host("docker:x:990:alice,bob\n"), &["bob"]).satisfied);
    let empty = inspect(&host("docker:x:990:\n"), &[]);
    assert_eq!(empty, Inspection::satisfied("group docker has no members"));
    assert!(!inspect(&host(""), &[]).satisfied);
}

#[test]
fn missing_members_are_added_and_those_before_us_stay() {
    let stub = host("docker:x:990:alice\n");
    let before = stub.snapshot();
    let finding = inspect(&stub, &["alice", "bob"]);
    assert_eq!(finding.summary, "add members to group docker");
    assert_eq!(finding.details.len(), 1);
    apply(&stub, &["alice", "bob"]);
    assert_eq!(stub.read("/etc/group"), "docker:x:990:alice,bob\n");
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn applied_twice_each_is_added_once() {
    let stub = host("");
    apply(&stub, &["alice"]);
    stub.calls();
    apply(&stub, &["alice"]);
    let changes = |call: &String| !call.starts_with("getent");
    assert_eq!(stub.calls().into_iter().filter(changes).count(), 0);
    assert_eq!(trial::acts(stub.host()).len(), 2);
}

#[test]
fn reverted_members_go_first_and_then_the_group() {
    let stub = host("users:x:100:\n");
    let before = stub.snapshot();
    apply(&stub, &["alice", "bob"]);
    stub.calls();
    trial::revert(stub.host()).unwrap();
    assert_eq!(
        stub.calls(),
        [
            "getent group docker",
            "gpasswd --delete bob docker",
            "getent group docker",
            "gpasswd --delete alice docker",
            "getent group docker",
            "getent group docker",
            "groupdel docker"
        ]
    );
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn a_group_that_somebody_made_anew_is_kept_with_its_members() {
    let stub = host("");
    apply(&stub, &["alice"]);
    stub.write("/etc/group", "docker:x:991:alice\n");
    let kept = trial::revert(stub.host()).unwrap();
    let reason = "docker is another group by now, with GID 991 and not 990";
    assert_eq!(
        kept,
        [
            format!("add alice to group docker: {reason}"),
            format!("create group docker: {reason}")
        ]
    );
    assert_eq!(stub.read("/etc/group"), "docker:x:991:alice\n");
}

#[test]
fn who_has_the_groups_rights_without_being_named_in_it_is_told() {
    let stub = host("docker:x:990:alice\nbuild:x:990:bob\n");
    stub.write(
        "/etc/passwd",
        "alice:x:1000:1000:\nbob:x:1001:1001:\ncarl:x:1002:990:\n",
    );
    let hidden = "carl (primary group), bob (group build, which has the same GID)";
    let finding = inspect(&stub, &["carl", "bob"]);
    assert!(finding.satisfied);
    assert_eq!(finding.summary, format!("members: alice, {hidden}"));
    stub.write("/etc/group", "docker:x:990:\n");
    let finding = inspect(&stub, &["alice"]);
    assert_eq!(
        finding.details,
        [
            "add alice, who then has root's rights on this host",
            "carl (primary group) has root's rights already"
        ]
    );
}

#[test]
fn a_group_that_is_roots_own_is_refused() {
    let stub = host("root:x:0:\ndocker:x:0:\n");
    let error = group(&["alice"]).inspect(stub.host()).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(
        error.to_string().ends_with("sudo groupdel --force docker"),
        "{error}"
    );
}

#[test]
fn a_group_of_a_directory_gets_no_members_here() {
    let stub = host("users:x:100:\n").program(
        "getent",
        "case $1 in passwd) grep \"^$2:\" $ROOT/etc/passwd ;; group) echo docker:x:7000:dora ;; esac",
    );
    let error = group(&["alice"]).inspect(stub.host()).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    let text = error.to_string();
    assert!(text.contains("so alice cannot be added"), "{text}");
    assert!(text.ends_with("sudo dockstrap install --user ''"), "{text}");
    assert_eq!(inspect(&stub, &["dora"]).summary, "members: dora");
    assert_eq!(inspect(&stub, &[]).summary, "members: dora");
}

#[test]
fn a_lock_that_nobody_holds_and_a_range_that_is_full_are_refused_before_the_group_is_made() {
    let stub = host("").file("/etc/group.lock", "");
    let error = group(&[]).inspect(stub.host()).unwrap_err();
    assert!(
        error.to_string().ends_with("sudo rm /etc/group.lock"),
        "{error}"
    );
    let there = host("docker:x:990:alice\n").file("/etc/group.lock", "");
    assert!(inspect(&there, &["alice"]).satisfied);
    let error = group(&["bob"]).inspect(there.host()).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    let full = host("a:x:900:\n").file("/etc/login.defs", "SYS_GID_MIN 900\nSYS_GID_MAX 900\n");
    let error = group(&[]).inspect(full.host()).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    let text = error.to_string();
    assert!(
        text.contains("SYS_GID_MIN (900) to SYS_GID_MAX (900"),
        "{text}"
    );
    assert!(text.ends_with("sudo groupadd --gid 1000 docker"), "{text}");
}

#[test]
fn a_user_whom_the_host_knows_by_another_name_is_refused() {
    let stub = host("docker:x:990:\n").program(
        "getent",
        "case $1 in passwd) echo alice@example:x:7:7: ;; group) cat $ROOT/etc/group ;; esac",
    );
    let error = group(&["alice"]).inspect(stub.host()).unwrap_err();
    assert_eq!(exit_code(&error), 2);
    assert!(error.to_string().contains("as `alice@example`"), "{error}");
}

#[test]
fn a_user_that_does_not_exist_is_refused_before_anything_is_done() {
    let stub = host("");
    assert!(group(&["alice"]).inspect(stub.host()).is_ok());
    let error = group(&["carol"]).inspect(stub.host()).unwrap_err();
    assert_eq!(exit_code(&error), 2);
    assert!(error.to_string().contains("adduser carol"), "{error}");
}
