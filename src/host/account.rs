//! Users and groups, asked through `getent`, so that those of a directory service count as well.
//!
//! Never through the C library: in a static binary its look-ups load the host's modules and crash.

mod name;

use anyhow::Result;

use super::Host;
use super::command::Query;
use super::query::Reader;

pub(crate) use name::{NoName, UserName};

/// A group, and who has its rights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// `None` where the entry has none that is a number.
    pub id: Option<u32>,
    /// The members that its entry names.
    pub members: Vec<String>,
    /// Users whose primary group it is.
    pub primary: Vec<String>,
    /// Other groups with the same number, each with the members that its entry names.
    pub twins: Vec<(String, Vec<String>)>,
}

impl Group {
    /// Whether it is root's own group under another name.
    pub(crate) fn is_roots(&self) -> bool {
        self.id == Some(0)
    }

    /// Everyone with the rights of the group who is not named in its own entry, each with why.
    pub(crate) fn hidden(&self) -> Vec<String> {
        let mut hidden = Vec::new();
        for user in self.primary.iter().filter(|it| !self.members.contains(it)) {
            hidden.push(format!("{user} (primary group)"));
        }
        for (twin, members) in &self.twins {
            for user in members.iter().filter(|it| !self.members.contains(it)) {
                hidden.push(format!("{user} (group {twin}, which has the same GID)"));
            }
        }
        hidden
    }

    /// Whether a user has the rights of the group.
    pub(crate) fn has(&self, user: &str) -> bool {
        self.users().any(|it| it == user)
    }

    /// The names of those who have the rights of the group; one may be there twice.
    pub(crate) fn users(&self) -> impl Iterator<Item = &String> {
        let twins = self.twins.iter().flat_map(|(_, members)| members);
        self.members.iter().chain(&self.primary).chain(twins)
    }

    /// Everyone with the rights of the group, for people.
    pub(crate) fn everyone(&self) -> Vec<String> {
        self.members.iter().cloned().chain(self.hidden()).collect()
    }
}

/// What `getent(1)` exits with when the database was read and has no such entry.
const NO_SUCH_KEY: i32 = 2;

impl Host {
    /// The members of a group, or `None` where there is no such group.
    pub(crate) fn group_members(&self, group: &str) -> Result<Option<Vec<String>>> {
        let entry = self.entry("group", group)?;
        Ok(entry.map(|entry| members(&entry)))
    }

    /// The number of a group, or `None` where there is no such group.
    pub(crate) fn group_number(&self, group: &str) -> Result<Option<u32>> {
        let entry = self.entry("group", group)?;
        Ok(entry.and_then(|entry| entry.split(':').nth(2)?.parse().ok()))
    }

    /// A group and all who have its rights; `None` where there is no such group. A directory
    /// service that does not list its users adds none.
    pub(crate) fn group(&self, name: &str) -> Result<Option<Group>> {
        let Some(entry) = self.entry("group", name)? else {
            return Ok(None);
        };
        let id = entry.split(':').nth(2).unwrap_or_default().to_owned();
        let has_id = |line: &&str, field: usize| {
            !id.is_empty() && line.split(':').nth(field) == Some(id.as_str())
        };
        let users = self.entries("passwd")?;
        let groups = self.entries("group")?;
        let users = users.lines().filter(|line| has_id(line, 3));
        let groups = groups.lines().filter(|line| has_id(line, 2));
        let twins = groups.filter(|line| first_field(line) != name);
        Ok(Some(Group {
            members: members(&entry),
            primary: users.map(first_field).collect(),
            twins: twins
                .map(|line| (first_field(line), members(line)))
                .collect(),
            id: id.parse().ok(),
        }))
    }

    /// Whether the host's own file has a group of this name: only that one can be changed here. One of
    /// a directory service is known to the host, too.
    pub(crate) fn has_local_group(&self, name: &str) -> Result<bool> {
        let text = self.read_text("/etc/group")?.unwrap_or_default();
        Ok(text
            .lines()
            .any(|line| line.split(':').next() == Some(name)))
    }

    /// The name by which the host knows a user, which is another where a directory service is asked
    /// by a short one; `None` where there is no such user.
    pub(crate) fn user(&self, user: &UserName) -> Result<Option<String>> {
        let entry = self.entry("passwd", user.as_str())?;
        Ok(entry.as_deref().map(first_field))
    }

    /// The name of the user with this number; `None` where there is no such user.
    pub(crate) fn user_by_id(&self, id: u32) -> Result<Option<String>> {
        let entry = self.entry("passwd", &id.to_string())?;
        Ok(entry.as_deref().map(first_field))
    }

    /// Whether there is a user of exactly this name.
    pub(crate) fn has_user(&self, user: &UserName) -> Result<bool> {
        Ok(self.user(user)?.is_some_and(|known| known == user.as_str()))
    }

    /// The line of one of the databases, where there is such an entry.
    pub(crate) fn entry(&self, database: &str, key: &str) -> Result<Option<String>> {
        if key.starts_with('-') {
            return Ok(None); // getent would take it for an option
        }
        let entry = self.query(&Query::of(Reader::Getent).args([database, key]))?;
        match entry.code {
            NO_SUCH_KEY => Ok(None),
            _ => Ok(Some(entry.success()?.stdout.trim().to_owned())),
        }
    }

    pub(super) fn entries(&self, database: &str) -> Result<String> {
        let entries = self.query(&Query::of(Reader::Getent).arg(database))?;
        Ok(entries.stdout)
    }
}

/// The name that an entry is for.
fn first_field(entry: &str) -> String {
    entry.split(':').next().unwrap_or_default().to_owned()
}

/// The members that an entry of a group names.
fn members(entry: &str) -> Vec<String> {
    let members = entry
        .trim()
        .split(':')
        .nth(3)
        .unwrap_or_default()
        .split(',')
        .filter(|member| !member.is_empty());
    members.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
