//! Locks: our own, so that one run works at a time, and the record locks of apt and dpkg.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;

use super::Host;
use super::signal::is_stopped;
use crate::error::Failure;
use crate::report::{Event, Listener};

/// The process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub pid: i32,
    /// Its name as the kernel gives it, such as `apt-get`.
    pub program: String,
}

/// Taken by every run that changes the host, so that one works at a time.
const RUN_LOCK: &str = "/run/dockstrap.lock";

const PAUSE: Duration = Duration::from_millis(200);

impl Host {
    /// Waits for the right to change the host; it lasts until the file is closed.
    ///
    /// # Errors
    /// [`Failure::Locked`] when another run keeps it for longer than `wait`, and
    /// [`Failure::Cancelled`] when a signal asks to stop meanwhile.
    pub(crate) fn lock_run(&self, wait: Duration, listener: Listener<'_>) -> Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600) // whoever may open it may lock it
            .open(self.path(RUN_LOCK))
            .with_context(|| format!("opening {RUN_LOCK}"))?;
        let begun = Instant::now();
        let mut told = false;
        while file.try_lock().is_err() {
            refuse_if(is_stopped())?;
            let holder = self.read_text(RUN_LOCK)?.unwrap_or_default();
            let holder = if holder.parse().is_ok_and(|pid| self.process(pid).is_some()) {
                format!("another dockstrap (pid {holder})")
            } else {
                self.left_behind()
            };
            if begun.elapsed() >= wait {
                return Err(Failure::Locked(format!(
                    "{holder} has been at work for {} seconds; nothing was changed. Run this \
                     again when it is done",
                    wait.as_secs()
                ))
                .into());
            }
            if !told {
                let text = format!("waiting for {holder}");
                listener(Event::Waiting { text });
                told = true;
            }
            sleep(PAUSE);
        }
        file.set_len(0)
            .and_then(|()| (&file).write_all(std::process::id().to_string().as_bytes()))
            .with_context(|| format!("writing {RUN_LOCK}"))?;
        // What we start keeps the lock as well: a package manager that outlives us must come to
        // its end before another run looks at the host.
        fcntl(file.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()))
            .with_context(|| format!("sharing {RUN_LOCK}"))?;
        Ok(file)
    }

    /// Names what a dockstrap that was killed has started and that still has its lock: the one that
    /// has started the others.
    fn left_behind(&self) -> String {
        let has_lock = |pid: &i32| {
            let folder = format!("/proc/{pid}/fd");
            let mut files = self
                .list(&folder)
                .unwrap_or_default()
                .into_iter()
                .map(|name| std::fs::read_link(self.path(&folder).join(name)));
            files.any(|file| file.is_ok_and(|file| file == self.path(RUN_LOCK)))
        };
        let pids = self.pids().unwrap_or_default().into_iter();
        let holders: Vec<i32> = pids.filter(has_lock).collect();
        let first = holders.iter().find(|pid| {
            let parent = self.parent_of(**pid);
            parent.is_none_or(|parent| !holders.contains(&parent))
        });
        let named = first
            .and_then(|pid| self.process(*pid))
            .map(|Holder { pid, program }| format!(", {program} (pid {pid})"));
        format!(
            "the package manager of a dockstrap that was killed{}",
            named.unwrap_or_default()
        )
    }

    /// The process of this number, if there is one.
    pub(crate) fn process(&self, pid: i32) -> Option<Holder> {
        let name = self.read_text(format!("/proc/{pid}/comm")).ok()??;
        Some(Holder {
            pid,
            program: name.trim().to_owned(),
        })
    }

    /// Who holds a record lock on the file at `path`, if anyone does.
    pub(crate) fn lock_holder(&self, path: impl AsRef<Path>) -> Result<Option<Holder>> {
        let path = path.as_ref();
        let Ok(file) = File::open(self.path(path)) else {
            return Ok(None);
        };
        // A read lock is asked about, since that needs no right to write; apt's are write locks,
        // so they show all the same.
        let mut lock = whole_file(libc::F_RDLCK);
        fcntl(file.as_fd(), FcntlArg::F_GETLK(&mut lock))
            .with_context(|| format!("asking who locks {}", path.display()))?;
        if i32::from(lock.l_type) == libc::F_UNLCK {
            return Ok(None);
        }
        let unnamed = || Holder {
            pid: lock.l_pid,
            program: "a process".to_owned(),
        };
        Ok(Some(self.process(lock.l_pid).unwrap_or_else(unnamed)))
    }
}

/// Tries until it is told no more that a lock is held, and by whom.
///
/// # Errors
/// [`Failure::Locked`], with the holder named, when that takes longer than `wait`.
pub(crate) fn retry<T>(
    wait: Duration,
    listener: Listener<'_>,
    mut attempt: impl FnMut() -> Result<std::result::Result<T, (&'static str, Holder)>>,
) -> Result<T> {
    let begun = Instant::now();
    let mut told = None;
    loop {
        let (lock, holder) = match attempt()? {
            Ok(value) => return Ok(value),
            Err(held) => held,
        };
        let Holder { pid, program } = &holder;
        if begun.elapsed() >= wait {
            return Err(Failure::Locked(format!(
                "{program} (pid {pid}) has held {lock} for {} seconds; nothing more was changed. \
                 Wait until it is done and run this again, or give it longer with --lock-wait",
                wait.as_secs()
            ))
            .into());
        }
        if told.as_ref() != Some(&holder) {
            listener(Event::Waiting {
                text: format!("waiting for {program} (pid {pid}) to release {lock}"),
            });
            told = Some(holder);
        }
        sleep(PAUSE);
    }
}

/// Ends a wait, before anything was changed, that a signal asks to end.
///
/// # Errors
/// [`Failure::Cancelled`] if it does.
pub(crate) fn refuse_if(is_stopped: bool) -> Result<(), Failure> {
    if is_stopped {
        Err(Failure::Cancelled(
            "cancelled; nothing was changed".to_owned(),
        ))
    } else {
        Ok(())
    }
}

/// Takes the record lock on an open file, as apt and dpkg do; `false` when another holds it.
/// The lock goes when the file is closed.
pub(crate) fn try_record_lock(file: &File) -> Result<bool> {
    match fcntl(file.as_fd(), FcntlArg::F_SETLK(&whole_file(libc::F_WRLCK))) {
        Ok(_) => Ok(true),
        Err(Errno::EACCES | Errno::EAGAIN) => Ok(false),
        Err(error) => Err(error).context("locking a file"),
    }
}

fn whole_file(kind: libc::c_int) -> libc::flock {
    libc::flock {
        // Both constants are small; the struct's field is narrower than their type.
        l_type: i16::try_from(kind).unwrap_or_default(),
        l_whence: 0,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;
    use std::os::unix::fs::symlink;

    #[test]
    fn of_what_a_killed_run_has_left_the_one_that_started_the_others_is_named() {
        let stub = StubHost::new();
        let process = |pid: i32, name: &str, parent: i32, file: &str| {
            stub.write(&format!("/proc/{pid}/comm"), format!("{name}\n"));
            let stat = format!("{pid} ({name} :)) S {parent} 1 1");
            stub.write(&format!("/proc/{pid}/stat"), stat);
            let files = stub.host().path(format!("/proc/{pid}/fd"));
            std::fs::create_dir(&files).unwrap();
            symlink(stub.host().path(file), files.join("4")).unwrap();
        };
        let nameless = "the package manager of a dockstrap that was killed";
        assert_eq!(stub.host().left_behind(), nameless);
        process(5, "sh", 9, RUN_LOCK);
        process(9, "apt-get", 1, RUN_LOCK);
        process(2, "other", 1, "/run/other.lock");
        let named = format!("{nameless}, apt-get (pid 9)");
        assert_eq!(stub.host().left_behind(), named);
    }
}
