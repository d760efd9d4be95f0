//! Fetching Docker's package files into apt's archive folder, several at a time.
//!
//! Only files of Docker's repository are fetched here: theirs is the index that we verified. The
//! others are few and small, and apt fetches them while it installs, by the host's own mirrors,
//! methods and proxies; it checks what it fetches. What lies in its folder already it does not
//! check, so a file that is not what it must be is taken out of there, whosever it is.
//!
//! Until all are whole they stay in partial files. Those stand in the archive folder itself,
//! since only root may write there: `partial` belongs to the user as whom apt downloads, who could
//! exchange a file behind its check. `apt-get clean` and `autoclean` know them as leftovers.

#![expect(
    clippy::disallowed_methods,
    reason = "apt's archive folder is filled with the right of a transaction"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::archive::{Archive, Archives, printed};
use super::lock::ARCHIVES;
use super::space;
use super::transfer::{CONNECTIONS, Transfer};
use crate::error::Failure;
use crate::host::Host;
use crate::host::authority::Authority;
use crate::host::command::Command;
use crate::host::http::Http;
use crate::report::{Event, Listener};

/// What the names of partial files begin with.
const PARTIAL: &str = ".dockstrap-";

/// How often progress is told.
const PULSE: Duration = Duration::from_millis(100);

/// Brings the files of Docker's packages into apt's archive folder and takes out of it whatever
/// is not what it must be. The caller holds apt's lock on the folder.
///
/// # Errors
/// [`Failure::Trust`] for a file that is not the one in the index; [`Failure::Blocked`] when the
/// disk lacks room; [`Failure::Cancelled`] when `cancelled` is set meanwhile. Partial files stay,
/// so that the next run goes on with them.
pub(crate) fn fetch(
    host: &Authority<'_>,
    http: &Http,
    archives: &Archives,
    listener: Listener<'_>,
    cancelled: &AtomicBool,
) -> Result<()> {
    discard(host, &archives.others)?;
    let mut files = Vec::new();
    for archive in &archives.docker {
        if !archive.is_there(host)? {
            files.push(Partial::of(host, archive));
        }
    }
    space::require(host, &[(ARCHIVES, files.iter().map(missing).sum())])?;
    // The longest first, so that none is left to run alone at the end.
    files.sort_by_key(|file| std::cmp::Reverse(file.archive.entry.size));
    let work = Arc::new(Work {
        http: http.clone(),
        files,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    });
    let outcome = fetch_all(&work, listener, cancelled);
    work.stop.store(true, Ordering::Relaxed);
    outcome?;
    for file in &work.files {
        file.publish(host)?;
    }
    if !work.files.is_empty() {
        // A power cut must not leave dpkg's work to files that are there in part.
        let folder = fs::File::open(host.path(ARCHIVES)).and_then(|folder| folder.sync_all());
        folder.with_context(|| format!("flushing {ARCHIVES}"))?;
    }
    remove_partials(host)
}

/// Takes out of apt's folder what a command of apt's would take for package files by their sizes, and
/// that are others. The caller has waited for apt's locks.
pub(crate) fn discard_for(host: &Authority<'_>, command: &Command) -> Result<()> {
    // What is in its folder, it would not print.
    let print = command
        .clone()
        .arg("-oDir::Cache::archives=/run/dockstrap-none/");
    let text = host.query(&print.printing_uris())?.success()?.stdout;
    discard(host, &printed(&text))
}

/// Takes out of apt's folder what is not what it must be.
fn discard(host: &Authority<'_>, archives: &[Archive]) -> Result<()> {
    for archive in archives {
        if host.exists(archive.path())? && !archive.is_there(host)? {
            let path = host.path(archive.path());
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

/// What the threads share that fetch.
struct Work {
    http: Http,
    files: Vec<Partial>,
    /// The first file that none has begun yet.
    next: AtomicUsize,
    /// Set when no more is to be fetched.
    stop: AtomicBool,
}

impl Work {
    /// Fetches one file after the other, until there is none left or one fails.
    fn run(&self, outcomes: &Sender<Result<()>>) {
        while let Some(file) = self.files.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let transfer = Transfer {
                http: &self.http,
                archive: &file.archive,
                partial: &file.path,
                here: &file.here,
                stop: &self.stop,
            };
            if self.stop.load(Ordering::Relaxed) || outcomes.send(transfer.run()).is_err() {
                break;
            }
        }
    }
}

/// A file on its way.
struct Partial {
    archive: Archive,
    path: PathBuf,
    /// How many of its bytes are here.
    here: AtomicU64,
}

impl Partial {
    fn of(host: &Host, archive: &Archive) -> Partial {
        let path = host
            .path(ARCHIVES)
            .join(format!("{PARTIAL}{}", archive.name));
        let here = fs::metadata(&path).map_or(0, |there| there.len());
        Partial {
            archive: archive.clone(),
            path,
            here: here.into(),
        }
    }

    /// Puts the whole file, which is on the disk by now, where apt looks for it.
    fn publish(&self, host: &Authority<'_>) -> Result<()> {
        let target = host.path(self.archive.path());
        fs::set_permissions(&self.path, Permissions::from_mode(0o644))
            .and_then(|()| fs::rename(&self.path, &target))
            .with_context(|| format!("writing {}", target.display()))
    }
}

/// Fetches all files, or returns with the first failure. Threads that wait for a server then are
/// not waited for: they do nothing more than to end with the process.
fn fetch_all(work: &Arc<Work>, listener: Listener<'_>, cancelled: &AtomicBool) -> Result<()> {
    let (sender, outcomes) = channel();
    for _ in 0..CONNECTIONS.min(work.files.len()) {
        let (work, sender) = (Arc::clone(work), sender.clone());
        std::thread::spawn(move || work.run(&sender));
    }
    drop(sender);
    let mut missing = work.files.len();
    while missing > 0 {
        match outcomes.recv_timeout(PULSE) {
            Ok(outcome) => {
                outcome?;
                missing -= 1;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("the download ended before its end"),
        }
        listener(progress(&work.files));
        if cancelled.load(Ordering::Relaxed) {
            return Err(Failure::Cancelled("cancelled".to_owned()).into());
        }
    }
    Ok(())
}

fn progress(files: &[Partial]) -> Event {
    let here = |file: &Partial| file.here.load(Ordering::Relaxed);
    let here: u64 = files.iter().map(here).sum();
    let all: u64 = files.iter().map(|file| file.archive.entry.size).sum();
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let packages = match files.len() {
        1 => "1 package".to_owned(),
        several => format!("{several} packages"),
    };
    Event::Progress {
        percent: 100.0 * here as f64 / all as f64,
        text: format!(
            "fetching {packages}, {:.0} of {:.0} MB",
            megabytes(here),
            megabytes(all)
        ),
    }
}

/// How many bytes of Docker's packages are still to be fetched.
pub(crate) fn still_to_fetch(host: &Host, archives: &Archives) -> Result<u64> {
    let mut bytes = 0;
    for archive in &archives.docker {
        if !archive.seems_there(host)? {
            bytes += missing(&Partial::of(host, archive));
        }
    }
    Ok(bytes)
}

fn missing(file: &Partial) -> u64 {
    let here = file.here.load(Ordering::Relaxed);
    file.archive.entry.size.saturating_sub(here)
}

/// Removes partial files: of versions that are wanted no more, or of runs that will not be taken
/// up again.
pub(crate) fn remove_partials(host: &Authority<'_>) -> Result<()> {
    for name in host.list(ARCHIVES)? {
        if name.starts_with(PARTIAL) {
            let path = host.path(Path::new(ARCHIVES).join(name));
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apt::apt_get;
    use crate::host::stub::StubHost;
    use crate::trust::sha256_hex;

    #[test]
    fn what_apt_would_take_by_its_size_alone_goes_when_it_is_another() {
        let line = |name: &str| {
            let sum = sha256_hex(b"right");
            format!("echo \"'http://archive.example/{name}' {name} 5 SHA256:{sum}\"; ")
        };
        let [good, bad] = ["good_1_all.deb", "bad_1_all.deb"];
        let stub = StubHost::new()
            .program(
                "apt-get",
                &(line(good) + &line(bad) + &line("absent_1_all.deb")),
            )
            .file(&format!("{ARCHIVES}/{good}"), "right")
            .file(&format!("{ARCHIVES}/{bad}"), "wrong");
        let install = apt_get().args(["install", "docker.io"]);
        discard_for(&stub.authority(), &install).unwrap();
        assert_eq!(stub.host().list(ARCHIVES).unwrap(), [good]);
        let call = stub.calls().remove(0);
        assert!(call.contains("--print-uris"), "{call}");
        let failing = stub.program("apt-get", "exit 100");
        assert!(discard_for(&failing.authority(), &install).is_err());
    }
}
