//! The group whose members may talk to the engine, which is the same as being root.

use anyhow::Result;

use super::{Inspection, Step};
use crate::change::{Ownership, Tx};
use crate::daemon_config::Preset;
use crate::docker::GROUP;
use crate::error::Failure;
use crate::facts::Facts;
use crate::host::command::Command;
use crate::host::gids::{LOGIN_DEFS, NoGid};
use crate::host::{Group, Host, UserName};
use crate::report::Yours;
use crate::settings::Settings;
use crate::shell::quoted;
use crate::undo::Undo;

/// The files that the account tools write.
const ACCOUNTS: &[&str] = &["/etc/group", "/etc/gshadow"];

pub(crate) struct DockerGroup {
    users: Vec<UserName>,
    /// Who would be a member with another preset.
    left_out: Option<UserName>,
    /// Who was taken out of the group since, and is not named.
    removed: Vec<Yours>,
}

impl DockerGroup {
    /// The users that the settings name, or else the one behind `sudo`; with the hardened preset
    /// nobody who is not named.
    pub(crate) fn new(facts: &Facts, settings: &Settings, owned: &Ownership) -> DockerGroup {
        let caller = facts.invoking_user.clone();
        let is_removed =
            |user: &UserName| owned.named(&crate::undo::member(user.as_str())).is_some();
        let (mut users, left_out) = match (&settings.users, settings.preset) {
            (Some(users), _) => (users.clone(), None),
            (None, Preset::Hardened) => (Vec::new(), caller.filter(|user| !is_removed(user))),
            (None, _) => (
                caller
                    .into_iter()
                    .filter(|user| !is_removed(user))
                    .collect(),
                None,
            ),
        };
        for user in owned.restored_members() {
            if !users.contains(&user) {
                users.push(user);
            }
        }
        let is_named = |it: &&Yours| {
            let user = crate::undo::user_of(&it.name);
            users.iter().any(|named| Some(named.as_str()) == user)
        };
        let removed = owned
            .members()
            .filter(|it| !is_named(it))
            .cloned()
            .collect();
        DockerGroup {
            users,
            left_out,
            removed,
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
                         Create it first (adduser {}), or name another with --user",
                        quoted(user.as_str())
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

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let there = host.group(GROUP)?;
        let group = there.clone().unwrap_or_default();
        if group.is_roots() {
            return Err(group_of_root());
        }
        let missing = self.missing(host, &group)?;
        if there.is_none() {
            refuse_uncreatable(host)?;
        }
        if !missing.is_empty() {
            refuse_unaddable(host, there.is_some(), &missing)?;
        }
        let add = |user: &&str| format!("add {user}, who then has root's rights on this host");
        let remark = self.remark(&group);
        let has = |user: String| format!("{user} has root's rights already");
        let details: Vec<String> = missing
            .iter()
            .map(add)
            .chain(remark.clone())
            .chain(group.hidden().into_iter().map(has))
            .collect();
        let everyone = group.everyone();
        let finding = if there.is_none() {
            Inspection::pending(format!("create group {GROUP}"), details)
        } else if !missing.is_empty() {
            Inspection::pending(format!("add members to group {GROUP}"), details)
        } else if everyone.is_empty() {
            Inspection::satisfied(format!("group {GROUP} has no members"))
        } else {
            Inspection::satisfied(format!("members: {}", everyone.join(", ")))
        };
        let finding = if finding.satisfied {
            Inspection {
                details: remark.into_iter().collect(),
                ..finding
            }
        } else {
            finding
        };
        Ok(finding.keeping(self.removed.clone()))
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
fn group_of_root() -> anyhow::Error {
    Failure::Blocked(format!(
        "group {GROUP} has the GID 0, which is group root's: all of that group would have root's \
         rights; nothing was changed. Remove it, and the install makes one with a GID of its own: \
         sudo groupdel --force {GROUP}"
    ))
    .into()
}

/// Refuses a host on which the account tools could not create the group.
///
/// # Errors
/// [`Failure::Blocked`], with the command that helps.
fn refuse_uncreatable(host: &Host) -> Result<()> {
    host.refuse_stale_account_locks()?;
    let Some(NoGid { min, max, free }) = host.lack_of_system_gids()? else {
        return Ok(());
    };
    Err(Failure::Blocked(format!(
        "{LOGIN_DEFS}: no number is free for group {GROUP} from SYS_GID_MIN ({min}) to SYS_GID_MAX \
         ({max}; one below GID_MIN where it is not set); nothing was changed. Widen that range, or \
         create the group with a number outside of it and run this again: sudo groupadd --gid {free} \
         {GROUP}"
    ))
    .into())
}

/// Refuses to add these users where the account tools could not.
///
/// # Errors
/// [`Failure::Blocked`], with the command that helps.
fn refuse_unaddable(host: &Host, is_there: bool, users: &[&str]) -> Result<()> {
    host.refuse_stale_account_locks()?;
    if !is_there || host.has_local_group(GROUP)? {
        return Ok(());
    }
    let names = users.join(", ");
    Err(Failure::Blocked(format!(
        "group {GROUP} comes from a directory service and not from /etc/group, so {names} cannot be \
         added to it on this host; nothing was changed. Add {names} in the directory, or set up the \
         engine without adding anyone (users = [] in the settings file): sudo dockstrap install \
         --user ''"
    ))
    .into())
}

#[cfg(test)]
mod tests;
