//! The group whose members may talk to the engine, which is the same as being root.

use anyhow::Result;

use super::{Finding, Step};
use crate::change::{Tx, Undo};
use crate::error::Failure;
use crate::facts::Facts;
use crate::host::Host;
use crate::host::command::Command;
use crate::settings::Settings;

/// The group's name; the engine's socket unit gives the socket to it.
pub const GROUP: &str = "docker";

pub struct DockerGroup {
    users: Vec<String>,
}

impl DockerGroup {
    /// The users that the settings name, or else the one behind `sudo`.
    pub fn new(facts: &Facts, settings: &Settings) -> DockerGroup {
        let users = match &settings.users {
            Some(users) => users.clone(),
            None => facts.invoking_user.iter().cloned().collect(),
        };
        DockerGroup { users }
    }

    /// Those of the users who are not members yet.
    ///
    /// # Errors
    /// [`Failure::Usage`] when one of them does not exist.
    fn missing(&self, host: &Host, members: &[String]) -> Result<Vec<&str>> {
        let missing = self.users.iter().filter(|user| !members.contains(user));
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        for user in &missing {
            let known = host.query(&Command::new("getent").args(["passwd", user]))?;
            if known.code != 0 {
                return Err(Failure::Usage(format!(
                    "there is no user `{user}` to add to group {GROUP}; nothing was changed. \
                     Create it first (adduser {user}), or name another with --user"
                ))
                .into());
            }
        }
        Ok(missing)
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
        let members = members(host)?;
        let missing = self.missing(host, members.as_deref().unwrap_or_default())?;
        let add = |user: &&str| format!("add {user}, who then has root's rights on this host");
        let details: Vec<String> = missing.iter().map(add).collect();
        Ok(match members {
            None => Finding::pending(format!("create group {GROUP}"), details),
            Some(_) if !missing.is_empty() => {
                Finding::pending(format!("add members to group {GROUP}"), details)
            }
            Some(members) if members.is_empty() => {
                Finding::satisfied(format!("group {GROUP} has no members"))
            }
            Some(members) => Finding::satisfied(format!("members: {}", members.join(", "))),
        })
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let members = members(tx.host())?;
        if members.is_none() {
            let undo = Undo::RemoveGroup {
                group: GROUP.to_owned(),
            };
            let create = Command::new("groupadd").args(["--system", GROUP]);
            tx.run(&format!("create group {GROUP}"), undo, &create)?;
        }
        for user in self.missing(tx.host(), &members.unwrap_or_default())? {
            let undo = Undo::RemoveMember {
                group: GROUP.to_owned(),
                user: user.to_owned(),
            };
            let add = Command::new("gpasswd").args(["--add", user, GROUP]);
            tx.run(&format!("add {user} to group {GROUP}"), undo, &add)?;
        }
        Ok(())
    }
}

/// The group's members, or `None` where there is no such group. Asked through `getent`, so that
/// groups from a directory service count as well.
fn members(host: &Host) -> Result<Option<Vec<String>>> {
    let entry = host.query(&Command::new("getent").args(["group", GROUP]))?;
    if entry.code != 0 {
        return Ok(None);
    }
    let members = entry.stdout.trim().rsplit(':').next().unwrap_or_default();
    let members = members.split(',').filter(|member| !member.is_empty());
    Ok(Some(members.map(str::to_owned).collect()))
}
