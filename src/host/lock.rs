//! Locks: our own, so that one run works at a time, and the record locks of apt and dpkg.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::Host;
use crate::error::Failure;
use crate::report::{Event, Listener};

/// The process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
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
    /// [`Failure::Locked`] when another run keeps it for longer than `wait`.
    pub fn lock_run(&self, wait: Duration, listener: Listener<'_>) -> Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(self.path(RUN_LOCK))
            .with_context(|| format!("opening {RUN_LOCK}"))?;
        let begun = Instant::now();
        let mut told = false;
        while file.try_lock().is_err() {
            let holder = self.read_text(RUN_LOCK)?.unwrap_or_default();
            if begun.elapsed() >= wait {
                return Err(Failure::Locked(format!(
                    "another dockstrap (pid {holder}) has been at work for {} seconds; \
                     nothing was changed. Run this again when it is done",
                    wait.as_secs()
                ))
                .into());
            }
            if !told {
                let text = format!("waiting for another dockstrap (pid {holder})");
                listener(Event::Waiting { text });
                told = true;
            }
            sleep(PAUSE);
        }
        file.set_len(0)
            .and_then(|()| (&file).write_all(std::process::id().to_string().as_bytes()))
            .with_context(|| format!("writing {RUN_LOCK}"))?;
        Ok(file)
    }

    /// Who holds a record lock on the file at `path`, if anyone does.
    pub fn lock_holder(&self, path: impl AsRef<Path>) -> Result<Option<Holder>> {
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
        let program = self.read_text(format!("/proc/{}/comm", lock.l_pid))?;
        let program = program.map(|name| name.trim().to_owned());
        Ok(Some(Holder {
            pid: lock.l_pid,
            program: program.unwrap_or_else(|| "a process".to_owned()),
        }))
    }
}

/// Takes the record lock on an open file, as apt and dpkg do; `false` when another holds it.
/// The lock goes when the file is closed.
pub fn try_record_lock(file: &File) -> Result<bool> {
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
