//! The processes that run, and what has started them.

use anyhow::Result;

use super::Host;

impl Host {
    /// The numbers of all processes.
    pub(super) fn pids(&self) -> Result<Vec<i32>> {
        let names = self.list("/proc")?.into_iter();
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// The process that has started this one; see `proc_pid_stat(5)`.
    pub(super) fn parent_of(&self, pid: i32) -> Option<i32> {
        let text = self.read_text(format!("/proc/{pid}/stat")).ok()??;
        // The name, in parentheses, may have any letter in it.
        let (_, rest) = text.rsplit_once(')')?;
        rest.split_whitespace().nth(1)?.parse().ok()
    }
}
