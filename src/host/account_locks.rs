//! The locks of the account tools: who holds them, and what is left of them that nobody holds.

use std::time::Duration;

use anyhow::Result;

use super::Host;
use super::lock::retry;
use crate::error::Failure;
use crate::report::Listener;

/// Taken by the account tools as a record lock, see `lckpwdf(3)`.
const ACCOUNTS_LOCK: &str = "/etc/.pwd.lock";

/// Made by them beside the files of groups while they work on these; they hold the number of the
/// process.
const ACCOUNT_FILES: &[&str] = &["/etc/group.lock", "/etc/gshadow.lock"];

impl Host {
    /// Waits until no process holds a lock of the account tools, which wait for 15 seconds only and
    /// do not say for whom.
    ///
    /// # Errors
    /// As [`retry`]; [`Failure::Blocked`] when a lock is there that nobody holds and that the tools
    /// do not take over.
    pub(crate) fn wait_for_accounts(&self, wait: Duration, listener: Listener<'_>) -> Result<()> {
        retry(wait, listener, || {
            if let Some(holder) = self.lock_holder(ACCOUNTS_LOCK)? {
                return Ok(Err((ACCOUNTS_LOCK, holder)));
            }
            for lock in ACCOUNT_FILES {
                let pid = self
                    .read_text(lock)?
                    .unwrap_or_default()
                    .trim_matches(['\0', '\n', ' '])
                    .parse();
                if let Ok(Some(holder)) = pid.map(|pid| self.process(pid)) {
                    return Ok(Err((*lock, holder)));
                }
            }
            self.refuse_stale_account_locks().map(Ok)
        })
    }

    /// Refuses a host with a lock of the account tools that none of them ever takes over.
    ///
    /// # Errors
    /// [`Failure::Blocked`], with the file and the command that removes it.
    pub(crate) fn refuse_stale_account_locks(&self) -> Result<()> {
        let stale = self.stale_account_locks()?;
        let (what, them) = match stale.as_slice() {
            [] => return Ok(()),
            [_] => ("is a lock that no process holds, and it keeps", "it"),
            _ => ("are locks that no process holds, and they keep", "them"),
        };
        Err(Failure::Blocked(format!(
            "{} {what} every group from being changed. Remove {them} and run this again: sudo rm {}",
            stale.join(" and "),
            stale.join(" "),
        ))
        .into())
    }

    /// Locks that nobody holds, and that do not say in the tools' own way who held them: only a lock
    /// that names a process which is no more is taken over. See `do_lock_file` in shadow's
    /// `lib/commonio.c`.
    fn stale_account_locks(&self) -> Result<Vec<&'static str>> {
        let mut stale = Vec::new();
        for lock in ACCOUNT_FILES {
            let text = match self.read_text(lock) {
                // Only root can tell.
                Err(error) if super::is_forbidden(&error) => continue,
                text => text?,
            };
            let Some(text) = text else {
                continue;
            };
            let is_held = |pid: i32| self.process(pid).is_some();
            let loose = text.trim_matches(['\0', '\n', ' ']).parse();
            if !is_takeable(&text) && !loose.is_ok_and(is_held) {
                stale.push(*lock);
            }
        }
        Ok(stale)
    }

    /// Whether there is a lock of which [`Host::refuse_stale_account_locks`] speaks.
    pub(crate) fn has_stale_account_locks(&self) -> Result<bool> {
        Ok(!self.stale_account_locks()?.is_empty())
    }

    /// Whether a tool that was killed has left locks that the next one takes over.
    pub(crate) fn has_takeable_account_locks(&self) -> Result<bool> {
        for lock in ACCOUNT_FILES {
            if self.read_text(lock)?.is_some_and(|text| is_takeable(&text)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a lock names a process as the tools write it.
fn is_takeable(text: &str) -> bool {
    let pid = text.strip_suffix('\0').unwrap_or(text);
    !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{exit_code, next_command};
    use crate::host::stub::StubHost;

    fn wait(stub: &StubHost) -> Result<()> {
        stub.host().wait_for_accounts(Duration::ZERO, &|_| {})
    }

    #[test]
    fn a_lock_that_nobody_holds_is_named_unless_the_tools_take_it_over() {
        wait(&StubHost::new()).unwrap();
        for taken_over in ["77", "77\0"] {
            let stub = StubHost::new().file("/etc/group.lock", taken_over);
            wait(&stub).unwrap();
            assert!(stub.host().has_takeable_account_locks().unwrap());
        }
        for stale in ["", "77\n", "x", "\0"] {
            let stub = StubHost::new().file("/etc/gshadow.lock", stale);
            let error = wait(&stub).unwrap_err();
            assert_eq!(exit_code(&error), 4, "{stale:?}");
            let next = next_command(&error, Some("install"));
            assert_eq!(next, "sudo rm /etc/gshadow.lock");
            assert!(!stub.host().has_takeable_account_locks().unwrap());
        }
        let both = StubHost::new()
            .file("/etc/group.lock", "")
            .file("/etc/gshadow.lock", "");
        let error = wait(&both).unwrap_err().to_string();
        assert!(
            error.ends_with("sudo rm /etc/group.lock /etc/gshadow.lock"),
            "{error}"
        );
    }

    #[test]
    fn a_lock_of_a_process_that_runs_is_waited_for() {
        for text in ["77", "77\n"] {
            let stub = StubHost::new()
                .file("/etc/group.lock", text)
                .file("/proc/77/comm", "vigr\n");
            let error = wait(&stub).unwrap_err();
            assert_eq!(exit_code(&error), 6, "{text:?}");
            stub.host().refuse_stale_account_locks().unwrap();
        }
    }
}
