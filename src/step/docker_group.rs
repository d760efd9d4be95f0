//! The group whose members may talk to the engine, which is the same as being root.

use anyhow::Result;

use super::{Finding, Step};
use crate::change::{Tx, Undo};
use crate::daemon_json::Preset;
use crate::error::Failure;
use crate::facts::Facts;
use crate::host::command::Command;
use crate::host::engine::GROUP;
use crate::host::{Group, Host, UserName};
use crate::settings::Settings;

/// The files that the account tools write.
const ACCOUNTS: &[&str] = &["/etc/group", "/etc/gshadow"];

pub struct DockerGroup {
    users: Vec<UserName>,
    /// Who would be a member with another preset.
    left_out: Option<UserName>,
}

impl DockerGroup {
    /// The users that the settings name, or else the one behind `sudo`; with the hardened preset
    /// nobody who is not named.
    pub fn new(facts: &Facts, settings: &Settings) -> DockerGroup {
        let caller = facts.invoking_user.clone();
        match (&settings.users, settings.preset) {
            (Some(users), _) => DockerGroup {
                users: users.clone(),
                left_out: None,
            },
            (None, Preset::Hardened) => DockerGroup {
                users: Vec::new(),
                left_out: caller,
            },
            (None, _) => DockerGroup {
                users: caller.into_iter().collect(),
                left_out: None,
            },
        }
    }

    /// Why the user behind `sudo` does not become a member.
    fn remark(&self, group: &Group) -> Option<String> {
        let user = self.left_out.as_ref();
        let user = user.filter(|user| !group.has(user.as_str()))?;
        Some(format!(
            "{user} is not added: members have root's rights on this host, and the hardened preset \
             adds only users that --user names"
        ))
    }

    /// Those of the users who are not members yet.
    ///
    /// # Errors
    /// [`Failure::Usage`] when one of them does not exist.
    fn missing(&self, host: &Host, group: &Group) -> Result<Vec<&str>> {
        let is_missing = |user: &&UserName| !group.has(user.as_str());
        let missing: Vec<&UserName> = self.users.iter().filter(is_missing).collect();
        for user in &missing {
            let refuse = |why: String| Err(Failure::Usage(why).into());
            match host.user(user)? {
                Some(known) if known == user.as_str() => {}
                Some(known) => {
                    return refuse(format!(
                        "this host knows the user `{user}` as `{known}`; nothing was changed. \
                         Name that one with --user"
                    ));
                }
                None => {
                    return refuse(format!(
                        "there is no user `{user}` to add to group {GROUP}; nothing was changed. \
                         Create it first (adduser {user}), or name another with --user"
                    ));
                }
            }
        }
        Ok(missing.into_iter().map(UserName::as_str).collect())
    }
}

impl Step for DockerGroup {
    fn id(&self) -> &'static str {
        "docker-group"
    }

    fn title(&self) -> &'static str {
        "docker group"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let there = host.group(GROUP)?;
        let group = there.clone().unwrap_or_default();
        if group.is_roots() {
            return Err(refuse_roots());
        }
        let missing = self.missing(host, &group)?;
        let add = |user: &&str| format!("add {user}, who then has root's rights on this host");
        let remark = self.remark(&group);
        let has = |user: String| format!("{user} has root's rights already");
        let details = missing.iter().map(add).chain(remark.clone());
        let details: Vec<String> = details.chain(group.hidden().into_iter().map(has)).collect();
        let everyone = group.everyone();
        let finding = if there.is_none() {
            Finding::pending(format!("create group {GROUP}"), details)
        } else if !missing.is_empty() {
            Finding::pending(format!("add members to group {GROUP}"), details)
        } else if everyone.is_empty() {
            Finding::satisfied(format!("group {GROUP} has no members"))
        } else {
            Finding::satisfied(format!("members: {}", everyone.join(", ")))
        };
        Ok(match finding.satisfied {
            true => Finding {
                details: remark.into_iter().collect(),
                ..finding
            },
            false => finding,
        })
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let there = tx.host().group(GROUP)?;
        if there.is_none() {
            tx.create_group(GROUP)?;
        }
        for user in self.missing(tx.host(), &there.unwrap_or_default())? {
            let undo = Undo::RemoveMember {
                group: GROUP.to_owned(),
                user: user.to_owned(),
            };
            let add = Command::new("gpasswd").args(["--add", user, GROUP]);
            tx.run_for_accounts(&format!("add {user} to group {GROUP}"), undo, &add)?;
        }
        Ok(())
    }

    fn writes(&self, _host: &Host) -> Result<Vec<String>> {
        Ok(ACCOUNTS.iter().map(ToString::to_string).collect())
    }
}

/// The engine's socket would be open to everyone in root's own group.
fn refuse_roots() -> anyhow::Error {
    Failure::Blocked(format!(
        "group {GROUP} has the GID 0, which is group root's: all of that group would have root's \
         rights; nothing was changed. Remove it, and the install makes one with a GID of its own: \
         sudo groupdel --force {GROUP}"
    ))
    .into()
}

#[cfg(test)]
mod tests {
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
        }
    }

    fn inspect(stub: &StubHost, users: &[&str]) -> Finding {
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
        assert_eq!(member, Finding::satisfied("members: alice"));
    }

    #[test]
    fn satisfied_with_the_members_asked_for_or_none() {
        assert!(inspect(&host("docker:x:990:alice,bob\n"), &["bob"]).satisfied);
        let empty = inspect(&host("docker:x:990:\n"), &[]);
        assert_eq!(empty, Finding::satisfied("group docker has no members"));
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
}
