//! The locks of apt and dpkg: waited for, with their holder named.
//!
//! apt itself waits only for dpkg's two locks, and only when told to; a held lists or archives
//! lock makes it fail at once.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::host::Host;
use crate::host::lock::{Holder, refuse_if, retry, try_record_lock};
use crate::host::signal::is_stopped;
use crate::report::Listener;

/// Where apt keeps the indexes it has fetched.
pub(crate) const LISTS: &str = "/var/lib/apt/lists";

/// Where apt keeps package files.
pub(crate) const ARCHIVES: &str = "/var/cache/apt/archives";

const LISTS_LOCK: &str = "/var/lib/apt/lists/lock";
const ARCHIVES_LOCK: &str = "/var/cache/apt/archives/lock";
const LOCKS: &[&str] = &[
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    LISTS_LOCK,
    ARCHIVES_LOCK,
];

/// Waits until no process holds one of apt's four locks.
///
/// # Errors
/// [`Failure::Locked`], with the holder named, when one is held for longer than `wait`.
pub(crate) fn wait_for_locks(host: &Host, wait: Duration, listener: Listener<'_>) -> Result<()> {
    wait_unless(|| false, host, wait, listener)
}

/// The same before anything was changed, so that a signal can end it.
///
/// # Errors
/// [`Failure::Cancelled`] when one does.
pub(crate) fn wait_to_begin(host: &Host, wait: Duration, listener: Listener<'_>) -> Result<()> {
    wait_unless(is_stopped, host, wait, listener)
}

fn wait_unless(
    is_stopped: impl Fn() -> bool,
    host: &Host,
    wait: Duration,
    listener: Listener<'_>,
) -> Result<()> {
    retry(wait, listener, || {
        refuse_if(is_stopped())?;
        for lock in LOCKS {
            if let Some(holder) = host.lock_holder(lock)? {
                return Ok(Err((*lock, holder)));
            }
        }
        Ok(Ok(()))
    })
}

/// Takes the lock on apt's lists, waiting for it; it goes when the file is closed.
///
/// # Errors
/// As [`wait_for_locks`].
pub(crate) fn lock_lists(host: &Host, wait: Duration, listener: Listener<'_>) -> Result<File> {
    take(host, LISTS_LOCK, wait, listener)
}

/// Takes the lock on apt's package files, waiting for it; it goes when the file is closed.
///
/// # Errors
/// As [`wait_for_locks`].
pub(crate) fn lock_archives(host: &Host, wait: Duration, listener: Listener<'_>) -> Result<File> {
    take(host, ARCHIVES_LOCK, wait, listener)
}

fn take(host: &Host, lock: &'static str, wait: Duration, listener: Listener<'_>) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o640) // as apt makes it
        .open(host.path(lock))
        .with_context(|| format!("opening {lock}"))?;
    retry(wait, listener, || {
        if try_record_lock(&file)? {
            return Ok(Ok(()));
        }
        let unknown = || Holder {
            pid: 0,
            program: "another process".to_owned(),
        };
        let holder = host.lock_holder(lock)?;
        Ok(Err((lock, holder.unwrap_or_else(unknown))))
    })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    /// A process that holds a record lock on the file, as apt does.
    fn hold(path: &Path) -> Child {
        let script = "import fcntl,sys,time; f=open(sys.argv[1],'w'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)";
        let mut child = Command::new("python3")
            .args(["-c", script])
            .arg(path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0; 5];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        child
    }

    #[test]
    fn a_held_lock_is_waited_for_and_its_holder_named() {
        let stub = StubHost::new().folder("/var/lib/dpkg");
        let host = stub.host();
        let mut holder = hold(&host.path("/var/lib/dpkg/lock-frontend"));
        let error = wait_for_locks(host, Duration::from_millis(300), &|_| {}).unwrap_err();
        let stopped = wait_unless(|| true, host, Duration::from_secs(60), &|_| {}).unwrap_err();
        assert_eq!(exit_code(&stopped), 130);
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_eq!(exit_code(&error), 6);
        assert!(
            error.to_string().contains(&format!("pid {}", holder.id())),
            "{error}"
        );
        wait_for_locks(host, Duration::ZERO, &|_| {}).unwrap();
    }
}
