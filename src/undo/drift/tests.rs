use super::*;
use crate::host::stub::StubHost;

fn lost(stub: &StubHost, undo: &Undo) -> String {
    texts(undo.lost(stub.host()).unwrap()).join("\n")
}

fn texts(lost: Vec<Lost>) -> Vec<String> {
    lost.into_iter().map(|lost| lost.text).collect()
}

#[test]
fn a_file_stands_as_long_as_its_content_does() {
    let undo = Undo::RemoveFile {
        path: "/etc/key".into(),
        sha256: crate::trust::sha256_hex(b"ours"),
    };
    let stub = StubHost::new().file("/etc/key", "ours");
    assert_eq!(lost(&stub, &undo), "");
    stub.write("/etc/key", "theirs");
    assert_eq!(lost(&stub, &undo), "/etc/key was edited");
    assert_eq!(lost(&StubHost::new(), &undo), "/etc/key is gone");
    let aside = |path: &str| Undo::RestoreFile {
        path: path.into(),
        sha256: None,
        backup: "/backup".into(),
        backup_sha256: None,
    };
    let list = "/etc/apt/sources.list.d/docker.list";
    assert_eq!(lost(&StubHost::new(), &aside(list)), "");
    let again = format!("{list} is there again");
    assert_eq!(lost(&StubHost::new().file(list, ""), &aside(list)), again);
    // A package has its own file there by now.
    assert_eq!(lost(&stub, &aside("/etc/key")), "");
}

#[test]
fn members_groups_and_modes_stand_as_they_were_made() {
    let stub = StubHost::new().file("/secret", "").program(
        "getent",
        "[ $2 = docker ] && echo docker:x:990:alice || exit 2",
    );
    let member = |user: &str| Undo::RemoveMember {
        group: "docker".to_owned(),
        user: user.to_owned(),
    };
    assert_eq!(lost(&stub, &member("alice")), "");
    assert_eq!(
        lost(&stub, &member("bob")),
        "bob is no longer a member of group docker"
    );
    let group = Undo::RemoveGroup {
        group: "wheel".to_owned(),
    };
    assert_eq!(lost(&stub, &group), "there is no group wheel any more");
    let mode = Undo::RestoreMode {
        path: "/secret".into(),
        mode: 0o644,
        given: None,
        owner: None,
        open: Vec::new(),
    };
    assert_eq!(lost(&stub, &mode), "other users can read /secret again");
    let hidden = Undo::RestoreMode {
        path: "/secret".into(),
        mode: 0o644,
        given: Some(0o600),
        owner: None,
        open: Vec::new(),
    };
    assert_eq!(lost(&stub, &hidden), "other users can read /secret again");
    stub.set_mode("/secret", 0o600);
    assert_eq!(lost(&stub, &mode) + &lost(&stub, &hidden), "");
    let opened = Undo::RestoreMode {
        path: "/secret".into(),
        mode: 0o600,
        given: Some(0o644),
        owner: None,
        open: Vec::new(),
    };
    assert_eq!(lost(&stub, &opened), "/secret has the mode 0600");
    stub.set_mode("/secret", 0o644);
    assert_eq!(lost(&stub, &opened), "");
}

#[test]
fn the_engines_package_stands_for_its_unit() {
    let packages = ["docker-ce", "pigz"].map(str::to_owned).to_vec();
    let purge = Undo::PurgePackages {
        packages,
        network: None,
    };
    let stub = StubHost::new()
        .program(
            "dpkg-query",
            "echo docker-ce installed; echo pigz installed",
        )
        .program(
            "systemctl",
            "echo UnitFileState=enabled; echo ActiveState=failed",
        );
    assert_eq!(lost(&stub, &purge), "");
    let unit = purge.unit().unwrap();
    let lost_of = |starts: bool| texts(unit.lost(stub.host(), starts).unwrap());
    assert_eq!(lost_of(true), ["docker.service is not running"]);
    assert!(lost_of(false).is_empty());
    let stub = stub.program("dpkg-query", "echo docker-ce installed; exit 1");
    assert_eq!(lost(&stub, &purge), "pigz is no longer installed");
}
#[test]
fn a_unit_that_went_with_its_package_is_no_second_loss() {
    let stub = StubHost::new().program("systemctl", "echo LoadState=not-found");
    let unit = ManagedUnit {
        name: UNIT,
        is_enabled: true,
        is_active: false,
        of_package: true,
    };
    let started = ManagedUnit {
        is_active: true,
        is_enabled: false,
        of_package: false,
        ..unit
    };
    assert_eq!(unit.and(started).lost(stub.host(), true).unwrap(), []);
    let of_others = started.lost(stub.host(), true).unwrap();
    assert_eq!(texts(of_others), ["docker.service is gone"]);
    let stub = stub.program("systemctl", "echo ActiveState=failed");
    let lost = unit.and(started).lost(stub.host(), true).unwrap();
    assert_eq!(lost.len(), 2, "{lost:?}");
}

#[test]
fn what_somebody_may_have_chosen_is_told_from_what_is_broken() {
    let stub = StubHost::new()
        .program(
            "dpkg-query",
            "echo buildx config-files; echo compose half-installed",
        )
        .program("getent", "[ $2 = docker ] && echo docker:x:990: || exit 2")
        .program("systemctl", "echo UnitFileState=disabled");
    let packages = ["buildx", "compose", "extras"].map(str::to_owned).to_vec();
    let purge = Undo::PurgePackages {
        packages,
        network: None,
    };
    let member = |group: &str| Undo::RemoveMember {
        group: group.to_owned(),
        user: "alice".to_owned(),
    };
    let unit = ManagedUnit {
        name: UNIT,
        is_enabled: true,
        is_active: false,
        of_package: true,
    };
    let mut lost = purge.lost(stub.host()).unwrap();
    lost.extend(member("docker").lost(stub.host()).unwrap());
    lost.extend(member("wheel").lost(stub.host()).unwrap());
    lost.extend(unit.lost(stub.host(), true).unwrap());
    let yours: Vec<String> = lost
        .iter()
        .filter_map(|lost| lost.yours.as_ref())
        .map(Yours::to_string)
        .collect();
    assert_eq!(lost.len(), 6);
    assert_eq!(
        yours,
        [
            "kept: yours: buildx (removed)",
            "kept: yours: extras (removed)",
            "kept: yours: user:alice (not in group docker)",
            "kept: yours: docker.service (disabled)"
        ]
    );
    let masked = stub.program("systemctl", "echo UnitFileState=masked");
    assert_eq!(unit.lost(masked.host(), true).unwrap()[0].yours, None);
}
