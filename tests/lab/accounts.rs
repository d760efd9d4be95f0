//! Users, and the group docker: who is added, who was there before, and who may not be.

use crate::host::LabHost;
use crate::obstacles::cure_of;

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_38_a_user_that_does_not_exist_is_refused_and_one_of_a_directory_is_taken() {
    let host = LabHost::up("noble");
    host.unchanged_by(2, ["install", "--yes", "--user", "carol"])
        .says("there is no user `carol`")
        .says("adduser carol");

    // A user whom no local file knows, as one of LDAP: here from systemd's own directory.
    host.write(
        "/etc/userdb/dora.user",
        r#"{"userName":"dora","uid":60100,"gid":60100,"disposition":"regular","homeDirectory":"/"}"#,
    );
    host.write(
        "/etc/userdb/dora.group",
        r#"{"groupName":"dora","gid":60100,"disposition":"regular"}"#,
    );
    host.sh("getent passwd dora; ! grep dora /etc/passwd");
    let before = host.tree();
    host.dockstrap(["install", "--yes", "--no-verify", "--user", "dora"])
        .exits(0);
    let group = host.sh("getent group docker").stdout;
    assert!(group.trim().ends_with(":dora"), "{group}");
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_39_a_group_that_is_there_is_taken_whatever_its_number() {
    let host = LabHost::up("noble");
    host.sh("groupadd --gid 4242 docker");
    let before = host.tree();
    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0);
    assert_eq!(
        host.sh("getent group docker").stdout,
        "docker:x:4242:alice\n"
    );
    assert_eq!(
        host.sh("stat --format=%g /run/docker.sock").stdout,
        "4242\n"
    );
    host.run_as("alice", ["docker", "ps"]).exits(0);
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_40_root_and_a_name_that_is_an_option_are_refused() {
    let host = LabHost::up("noble");
    host.unchanged_by(2, ["install", "--yes", "--user", "root"])
        .says("root needs no membership");
    for name in ["--user=--help", "--user=-sfiles", "--user=a b"] {
        host.unchanged_by(2, ["install", "--yes", name]);
    }
    // To getent they are users.
    for number in ["0", "1000"] {
        host.unchanged_by(2, ["install", "--yes", "--user", number])
            .says(&format!("`{number}` is a number"));
    }
    for name in ["--help", "0", "1000", "-sfiles"] {
        let caller = format!("SUDO_USER={name}");
        let key = format!("DOCKSTRAP_KEY_FINGERPRINT={}", host.fingerprint());
        host.run(["env", &caller, &key, "dockstrap", "plan"])
            .exits(0)
            .never_says(&format!("add {name}"));
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn whoever_has_the_groups_rights_is_named_wherever_they_come_from() {
    let host = LabHost::up("noble");
    host.sh(
        "groupadd --gid 4242 docker; groupadd --non-unique --gid 4242 build
         gpasswd --add bob build; useradd --gid 4242 carl",
    );
    let hidden = "carl (primary group), bob (group build, which has the same GID)";
    host.dockstrap(["plan"]).exits(0).says(hidden);
    host.dockstrap(["install", "--yes", "--user", "alice"])
        .exits(0)
        .says("carl (primary group) has root's rights already");
    host.dockstrap(["doctor"]).says(hidden);
    host.dockstrap(["status"]).says("carl (primary group)");
    // Both may use the engine, and both are tried.
    host.dockstrap(["verify", "group"])
        .exits(0)
        .says("alice, bob, carl");
    host.uninstall();

    host.sh("userdel carl; groupdel build; groupmod --non-unique --gid 0 docker");
    host.unchanged_by(4, ["install", "--yes"])
        .says("group docker has the GID 0")
        .says("sudo groupdel --force docker");
    host.dockstrap(["doctor"]).exits(3).says("DS717");
    host.sh("groupdel --force docker");
    host.install();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_41_the_lock_of_the_account_tools_is_waited_for_and_its_holder_named() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let holder = host.holder("vipw", "/etc/.pwd.lock");
    let named = format!("vipw (pid {})", holder.pid);
    host.dockstrap(["install", "--yes", "--no-verify", "--lock-wait", "1"])
        .exits(6)
        .says(&format!("{named} has held /etc/.pwd.lock for 1 seconds"))
        .says("the host was put back as it was");
    before.is_restored_in(&host.tree());

    // For longer than the account tools themselves would wait.
    let install = host.start_dockstrap(["install", "--yes", "--no-verify"]);
    std::thread::sleep(std::time::Duration::from_secs(18));
    holder.release();
    install
        .end()
        .exits(0)
        .says(&format!("waiting for {named} to release /etc/.pwd.lock"));
    host.sh("docker info");

    // The other way of locking them: a file with the number of the process.
    host.sh("sleep 600 >/dev/null 2>&1 & echo -n $! >/etc/gshadow.lock");
    let pid = host.read("/etc/gshadow.lock");
    host.dockstrap(["uninstall", "--yes", "--lock-wait", "1"])
        .exits(6)
        .says(&format!("sleep (pid {pid}) has held /etc/gshadow.lock"));
    let mut uninstall = host.start_dockstrap(["uninstall", "--yes"]);
    let waiting = format!("waiting for sleep (pid {pid}) to release /etc/gshadow.lock");
    uninstall.has_come_to(&waiting);
    // One that was left behind by a process that is no more counts for nothing.
    host.sh(&format!("kill {pid}"));
    uninstall.end().exits(0);
    before.is_restored_in(&host.tree());

    // And so it is with an install.
    host.sh("sleep 600 >/dev/null 2>&1 & echo -n $! >/etc/gshadow.lock");
    let pid = host.read("/etc/gshadow.lock");
    let mut install = host.start_dockstrap(["install", "--yes", "--no-verify"]);
    let waiting = format!("waiting for sleep (pid {pid}) to release /etc/gshadow.lock");
    install.has_come_to(&waiting);
    host.sh(&format!("rm /etc/gshadow.lock; kill {pid}"));
    install.end().exits(0);
    host.sh("docker info");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_42_a_member_of_the_group_from_before_stays_one() {
    let host = LabHost::up("noble");
    host.sh("groupadd --system docker; gpasswd --add alice docker");
    let before = host.tree();
    host.dockstrap(["install", "--yes", "--user", "alice", "--user", "bob"])
        .exits(0);
    host.run_as("bob", ["docker", "ps"]).exits(0);
    host.uninstall();
    assert!(host.read("/etc/group").contains(":alice\n"));
    before.is_restored_in(&host.tree());
}

/// Kills an account tool as it gives the so many-th of its files an owner, which it does with the
/// backup and then the new version of `group`, and with those of `gshadow`.
fn kill_at_file(number: usize) -> [String; 6] {
    [
        "strace",
        "--follow-forks",
        "--quiet=all",
        "--output=/dev/null",
        "--trace=fchown",
        &format!("--inject=fchown:signal=KILL:when={number}"),
    ]
    .map(str::to_owned)
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_50_what_a_killed_account_tool_has_left_goes_on_the_way_back() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let install = ["install", "--yes", "--no-verify"];
    host.dockstrap_under(&kill_at_file(2), install)
        .exits(1)
        .says("`groupadd --system docker` exited with 137");
    host.uninstall(); // the way back of the install met the same fate
    before.is_restored_in(&host.tree());

    host.dockstrap(install).exits(0);
    host.dockstrap_under(&kill_at_file(4), ["uninstall", "--yes"])
        .exits(1)
        .says("undoing: create group docker")
        .says("exited with 137"); // also when it was tried again
    host.uninstall();
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_50_what_a_tool_that_was_killed_has_left_of_a_group_from_before_goes_as_well() {
    let host = LabHost::up("noble");
    host.sh("groupadd --system docker; gpasswd --add bob docker");
    let before = host.tree();
    let install = ["install", "--yes", "--no-verify", "--user", "alice"];
    for number in [2, 4] {
        host.dockstrap_under(&kill_at_file(number), install)
            .exits(1)
            .says("`gpasswd --add alice docker` exited with 137");
        host.uninstall();
        before.is_restored_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_group_of_a_directory_gets_no_members_and_nobody_can_be_asked_for() {
    let host = LabHost::up("noble");
    host.write(
        "/etc/userdb/docker.group",
        r#"{"groupName":"docker","gid":60200,"disposition":"regular"}"#,
    );
    host.sh("getent group docker; ! grep docker /etc/group");
    let key = host.fingerprint();
    host.write(
        "/etc/dockstrap/config.toml",
        &format!("key-fingerprint = '{key}'\n"),
    );
    let refused = host.unchanged_by(4, ["install", "--yes", "--user", "alice"]);
    refused
        .says("group docker comes from a directory service")
        .says("alice cannot be added")
        .says("sudo dockstrap install --user ''");
    let plan = |words: &str| host.sh(&format!("env {words} dockstrap plan"));
    plan("SUDO_USER=alice DOCKSTRAP_USERS=").never_says("alice");
    host.sh("sudo dockstrap install --user '' --yes");
    host.uninstall();
    host.sh("rm /etc/userdb/docker.group");
    plan("'DOCKSTRAP_USERS=alice, bob'")
        .says("add alice, who")
        .says("add bob, who");
    plan("SUDO_USER=alice DOCKSTRAP_USERS=").never_says("alice");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn locks_that_nobody_holds_and_a_range_that_is_used_up_are_named_before_anything_is_done() {
    let host = LabHost::up("noble");
    host.sh(": >/etc/group.lock");
    let cure = cure_of(&host, &["/etc/group.lock is a lock that no process holds"]);
    assert_eq!(cure, "sudo rm /etc/group.lock");
    host.sh(&cure);
    let before = host.tree();
    host.dockstrap(["install", "--yes", "--no-verify", "--user", "alice"])
        .exits(0);
    // A process that is no more, in a way that the account tools do not take over.
    host.sh("echo 99999999 >/etc/gshadow.lock");
    host.unchanged_by(4, ["uninstall", "--yes"])
        .says("/etc/gshadow.lock is a lock that no process holds")
        .says("sudo rm /etc/gshadow.lock");
    host.sh("rm /etc/gshadow.lock");
    host.uninstall();
    before.is_restored_in(&host.tree());

    host.sh(
        "printf 'SYS_GID_MIN 998\nSYS_GID_MAX 998\n' >>/etc/login.defs
             getent group 998 || groupadd --gid 998 taken",
    );
    let cure = cure_of(
        &host,
        &["/etc/login.defs", "SYS_GID_MIN (998)", "SYS_GID_MAX (998"],
    );
    assert!(cure.starts_with("sudo groupadd --gid "), "{cure}");
    host.sh(&cure);
    host.install();
    host.sh("getent group docker");
}
