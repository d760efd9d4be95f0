//! The way back for groups and their members.

use anyhow::Result;

use super::{Revert, Reverted};
use crate::host::UserName;
use crate::host::command::Command;

impl Revert<'_> {
    /// Why a group of this name is not the one that was made, if it is another.
    fn another_group(&self, group: &str) -> Result<Option<String>> {
        let Some(ours) = self.gids.get(group) else {
            return Ok(None);
        };
        let now = self.host.group_number(group)?;
        Ok(now
            .filter(|now| now != ours)
            .map(|now| format!("{group} is another group by now, with GID {now} and not {ours}")))
    }

    pub(super) fn remove_group(&self, group: &str) -> Result<Reverted> {
        if let Some(reason) = self.another_group(group)? {
            return Ok(Reverted::Kept(reason));
        }
        let members = self.host.group_members(group)?;
        if members.is_none() && self.host.has_stale_account_locks()? && !self.is_in_shadow(group)? {
            return Ok(Reverted::Done); // it was never made, which is why the install failed
        }
        match members.unwrap_or_default().as_slice() {
            [] => {}
            members => {
                let members = members.join(", ");
                return Ok(Reverted::Kept(format!(
                    "others are members by now: {members}"
                )));
            }
        }
        self.host.wait_for_accounts(self.lock_wait, self.listener)?;
        let output = self.output(&Command::new("groupdel").arg(group))?;
        match output.code {
            6 => self.clean_up_group(group).map(|()| Reverted::Done), // there is no such group
            8 => Ok(Reverted::Kept(format!(
                "{group} is the primary group of a user"
            ))),
            _ => output.success().map(|_| Reverted::Done),
        }
    }

    /// Clears up after an account tool that was killed amid its work on a group. The tools take over
    /// the locks of one another, and write their files anew; `groupdel` looks no further than that
    /// the group is not there.
    fn clean_up_group(&self, group: &str) -> Result<()> {
        if self.is_in_shadow(group)? || self.host.has_takeable_account_locks()? {
            let create = Command::new("groupadd").args(["--system", group]);
            self.output(&create)?.success()?;
            self.output(&Command::new("groupdel").arg(group))?
                .success()?;
        }
        Ok(())
    }

    fn is_in_shadow(&self, group: &str) -> Result<bool> {
        let shadow = self.host.read_text("/etc/gshadow")?.unwrap_or_default();
        let of_group = format!("{group}:");
        Ok(shadow.lines().any(|line| line.starts_with(&of_group)))
    }

    pub(super) fn remove_member(&self, group: &str, user: &str) -> Result<Reverted> {
        if let Some(reason) = self.another_group(group)? {
            return Ok(Reverted::Kept(reason));
        }
        if self.host.has_stale_account_locks()? {
            let members = self.host.group_members(group)?.unwrap_or_default();
            if !members.iter().any(|member| member == user) {
                return Ok(Reverted::Done); // the user was never added
            }
        }
        let delete = Command::new("gpasswd").args(["--delete", user, group]);
        self.host.wait_for_accounts(self.lock_wait, self.listener)?;
        let output = self.output(&delete)?;
        match output.code {
            // The user is no member, or there is no such group.
            3 => self.release_locks_on(group, user).map(|()| Reverted::Done),
            _ => output.success().map(|_| Reverted::Done),
        }
    }

    /// Clears up after an account tool that was killed before it made a user a member of a group
    /// that is there: the locks that it left go with the next tool that writes.
    fn release_locks_on(&self, group: &str, user: &str) -> Result<()> {
        let is_there = || -> Result<bool> {
            let user = UserName::new(user)?;
            Ok(self.host.group_members(group)?.is_some() && self.host.has_user(&user)?)
        };
        if self.host.has_takeable_account_locks()? && is_there()? {
            for verb in ["--add", "--delete"] {
                let change = Command::new("gpasswd").args([verb, user, group]);
                self.output(&change)?.success()?;
            }
        }
        Ok(())
    }
}
