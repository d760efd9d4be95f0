//! Numbers of groups: which are taken, and which a new system group may have.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Host;

/// What the account tools are configured with.
pub(crate) const LOGIN_DEFS: &str = "/etc/login.defs";

/// The tools' own values; see `login.defs(5)`.
const SYS_GID_MIN: u32 = 101;
const GID_MIN: u32 = 1000;

/// As many as are looked at for a number beyond the range.
const MOST: u32 = 60_000;

/// A range of numbers in which no system group can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoGid {
    pub min: u32,
    pub max: u32,
    /// A number outside of it that no group has.
    pub free: u32,
}

impl Host {
    /// Why `groupadd --system` would find no number; `None` where it finds one.
    pub(crate) fn lack_of_system_gids(&self) -> Result<Option<NoGid>> {
        let text = self.read_text(LOGIN_DEFS)?.unwrap_or_default();
        let value = |name: &str| {
            let mut lines = text.lines().map(str::split_whitespace);
            lines.find_map(|mut words| match words.next() {
                Some(word) if word == name => words.next()?.parse::<u32>().ok(),
                _ => None,
            })
        };
        let above = value("GID_MIN").unwrap_or(GID_MIN);
        let min = value("SYS_GID_MIN").unwrap_or(SYS_GID_MIN);
        let max = value("SYS_GID_MAX").unwrap_or(above.saturating_sub(1));
        let taken = self.gids()?;
        if (min..=max).any(|gid| !taken.contains(&gid)) {
            return Ok(None);
        }
        let beyond = above.max(max.saturating_add(1));
        let free = (beyond..beyond.saturating_add(MOST)).find(|gid| !taken.contains(gid));
        Ok(Some(NoGid {
            min,
            max,
            free: free.unwrap_or(beyond),
        }))
    }

    /// The numbers that groups have, those of a directory that lists its own included.
    fn gids(&self) -> Result<BTreeSet<u32>> {
        let groups = self.entries("group")?;
        let ids = groups
            .lines()
            .filter_map(|line| line.split(':').nth(2)?.parse().ok());
        Ok(ids.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    fn lack(defs: &str, groups: &str) -> Option<NoGid> {
        let stub = StubHost::new()
            .file(LOGIN_DEFS, defs)
            .file("/etc/group", groups)
            .program("getent", "cat $ROOT/etc/$1");
        stub.host().lack_of_system_gids().unwrap()
    }

    #[test]
    fn a_range_without_a_free_number_is_found_with_a_number_beyond_it() {
        let groups = "a:x:900:\nb:x:901:\nc:x:1000:\n";
        let full = "SYS_GID_MIN\t900\nSYS_GID_MAX\t901\n";
        let (min, max, free) = (900, 901, 1001);
        assert_eq!(lack(full, groups), Some(NoGid { min, max, free }));
        assert_eq!(lack("SYS_GID_MIN 900\n#SYS_GID_MAX 901\n", groups), None);
        assert_eq!(
            lack("GID_MIN 902\nSYS_GID_MIN 900\n", groups).unwrap().free,
            902
        );
        assert_eq!(lack("", groups), None);
    }

    #[test]
    fn a_range_that_ends_before_it_begins_has_none() {
        let lack = lack("SYS_GID_MIN 999\nSYS_GID_MAX 100\n", "").unwrap();
        assert_eq!((lack.min, lack.max, lack.free), (999, 100, 1000));
    }
}
