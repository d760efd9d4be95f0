//! One package file, from its server into a partial file, until all of it is there.
//!
//! A transfer that breaks goes on where it broke, in this run or in the next; whether the whole
//! is the right file is decided by its hash alone.

#![expect(
    clippy::disallowed_methods,
    reason = "apt's archive folder is filled with the right of a transaction"
)]

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::archive::{Archive, Measured};
use crate::error::Failure;
use crate::host::http::{Caches, FetchError, Fetched, Http, RangeRequest};
use crate::trust::Refusal;

/// How many files are fetched at a time.
pub(super) const CONNECTIONS: usize = 4;

/// How often in a row a transfer may break without headway, and the first pause before it goes
/// on; each further pause is twice as long.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// How many bytes are headway. A few would let a server keep us for ever.
const HEADWAY: u64 = 1 << 20;

/// The transfer of one file.
pub(crate) struct Transfer<'a> {
    pub http: &'a Http,
    pub archive: &'a Archive,
    pub partial: &'a Path,
    /// How many of its bytes are here.
    pub here: &'a AtomicU64,
    /// Set when no more is to be fetched.
    pub stop: &'a AtomicBool,
}

/// How far one try came.
enum Attempt {
    End(Measured),
    Broken(FetchError),
}

impl Transfer<'_> {
    /// Fetches what is missing of the partial file.
    ///
    /// # Errors
    /// [`Failure::Trust`] when it is another file, and still is when it is fetched anew, past the
    /// caches on the way. The partial file is then gone.
    pub(crate) fn run(&self) -> Result<()> {
        if self.attempt(Caches::Used)?.is_ok() {
            return Ok(());
        }
        let refused = self.attempt(Caches::Passed)?;
        refused
            .map_err(Failure::from)
            .with_context(|| format!("{} is not to be trusted", self.archive.uri))
    }

    fn attempt(&self, caches: Caches) -> Result<Result<(), Refusal>> {
        let checked = self.persist(caches)?.check(&self.archive.entry);
        if checked.is_err() {
            std::fs::remove_file(self.partial)
                .with_context(|| format!("removing {}", self.partial.display()))?;
        } else {
            // Here, where other transfers go on meanwhile.
            let file = OpenOptions::new().append(true).open(self.partial);
            file.and_then(|file| file.sync_all())
                .with_context(|| format!("flushing {}", self.partial.display()))?;
        }
        Ok(checked)
    }

    fn persist(&self, caches: Caches) -> Result<Measured> {
        let (mut vain, mut most) = (0, 0);
        loop {
            let error = match self.go_on(caches)? {
                Attempt::End(measured) => return Ok(measured),
                Attempt::Broken(error) => error,
            };
            let here = self.here.load(Ordering::Relaxed);
            vain = if here >= most + HEADWAY { 0 } else { vain + 1 };
            if vain == TRIES {
                let text = format!("downloading {}: it keeps breaking off", self.archive.uri);
                return Err(anyhow!(error).context(text));
            }
            most = most.max(here);
            std::thread::sleep(FIRST_PAUSE * 2u32.pow(vain));
        }
    }

    fn go_on(&self, caches: Caches) -> Result<Attempt> {
        let Archive { uri, entry, .. } = self.archive;
        let mut measured = self.measure()?;
        if measured.size >= entry.size {
            return Ok(Attempt::End(measured));
        }
        self.check_stop()?;
        let range = RangeRequest {
            from: measured.size,
            limit: entry.size * CONNECTIONS as u64, // others share the line
            caches,
        };
        let downloading = || format!("downloading {uri}");
        let Fetched::Found(mut body) = self.http.open(uri, range).with_context(downloading)? else {
            bail!(
                "the server does not have {uri}, though its index names it: a mirror that is \
                 being brought up to date is like that; try again in a few minutes"
            );
        };
        if body.from != measured.size {
            measured = Measured::default();
        }
        let writing = || format!("writing {}", self.partial.display());
        let mut file = self.open_at(measured.size).with_context(writing)?;
        let mut chunk = vec![0; 1 << 16];
        // A file that is longer than it must be is refused all the same, without its end.
        while measured.size <= entry.size {
            self.check_stop()?;
            match body.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => {
                    file.write_all(&chunk[..read]).with_context(writing)?;
                    measured.add(&chunk[..read]);
                    self.here.store(measured.size, Ordering::Relaxed);
                }
                Err(error) if error.is_passing() => return Ok(Attempt::Broken(error)),
                Err(error) => return Err(error).with_context(downloading),
            }
        }
        Ok(Attempt::End(measured))
    }

    fn check_stop(&self) -> Result<()> {
        ensure!(
            !self.stop.load(Ordering::Relaxed),
            "the download was stopped"
        );
        Ok(())
    }

    /// What the partial file holds already.
    fn measure(&self) -> Result<Measured> {
        let mut measured = Measured::default();
        match File::open(self.partial).and_then(|mut file| measured.read(&mut file)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("reading {}", self.partial.display()))
            }
            _ => Ok(measured),
        }
    }

    /// Opens the partial file for what comes behind its first `size` bytes.
    fn open_at(&self, size: u64) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.partial)?;
        file.set_len(size)?;
        self.here.store(size, Ordering::Relaxed);
        Ok(file)
    }
}
