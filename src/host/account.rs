//! Users and groups, asked through `getent`, so that those of a directory service count as well.
//!
//! Never through the C library: in a static binary its look-ups load the host's modules and crash.

use anyhow::Result;

use super::Host;
use super::command::Command;

impl Host {
    /// The members of a group, or `None` where there is no such group.
    pub fn group_members(&self, group: &str) -> Result<Option<Vec<String>>> {
        let entry = self.query(&Command::new("getent").args(["group", group]))?;
        if entry.code != 0 {
            return Ok(None);
        }
        let members = entry.stdout.trim().rsplit(':').next().unwrap_or_default();
        let members = members.split(',').filter(|member| !member.is_empty());
        Ok(Some(members.map(str::to_owned).collect()))
    }

    /// The number of a group, or `None` where there is no such group.
    pub(crate) fn group_number(&self, group: &str) -> Result<Option<u32>> {
        let entry = self.query(&Command::new("getent").args(["group", group]))?;
        let number = entry.stdout.split(':').nth(2);
        Ok(number.and_then(|number| number.parse().ok()))
    }

    /// Whether there is a user of this name.
    pub fn has_user(&self, user: &str) -> Result<bool> {
        let entry = self.query(&Command::new("getent").args(["passwd", user]))?;
        Ok(entry.code == 0)
    }
}
