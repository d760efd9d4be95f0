//! The journal's file and the folder that it stands in: what a crash may have left of them, and their
//! end.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::line::{Newer, SCHEMA};
use crate::apt::FRESHNESS;
use crate::error::Failure;
use crate::host::Host;
use crate::host::files;
use crate::undo::Forged;
use crate::undo::{FOLDER, JOURNAL};

/// How every journal begins, up to the number of its schema.
const HEAD: &str = "{\"line\":\"journal\",\"schema\":";

/// Refuses what no crash leaves of a journal that was just begun: the beginning of another text, or
/// none at all while there are copies of files that only acts can have put there.
pub(super) fn refuse_unless_begun(host: &Host, torn: &str) -> Result<()> {
    let head = format!("{HEAD}{SCHEMA},");
    if !torn.starts_with(&head) && !head.starts_with(torn) {
        bail!("it is no journal of dockstrap's");
    }
    let is_copy = |name: &String| {
        name.split_once('-')
            .is_some_and(|(act, _)| act.parse::<u64>().is_ok())
    };
    match host.list(FOLDER)?.into_iter().find(is_copy) {
        Some(copy) => bail!("it was emptied, though {copy} beside it is a copy that it made"),
        None => Ok(()),
    }
}

/// The text of the journal, which root does what it says: so only root may have written it.
///
/// # Errors
/// [`Failure::Blocked`] where others can change it, or a link leads to it.
pub(super) fn read(host: &Host) -> Result<Option<String>> {
    refuse_untrusted(host)?;
    host.read_text(JOURNAL)
}

fn refuse_untrusted(host: &Host) -> Result<()> {
    for path in [FOLDER, JOURNAL] {
        let Some(there) = host.metadata(path)? else {
            return Ok(());
        };
        if there.is_symlink() {
            return Err(Failure::Blocked(format!(
                "{path} is a link, and dockstrap believes no journal behind one; nothing was \
                 changed. Put what it leads to in its place; this is: readlink -f {path}"
            ))
            .into());
        }
    }
    let checking = || format!("checking who can change {JOURNAL}");
    let Some(exposure) = host.exposure(Path::new(JOURNAL)).with_context(checking)? else {
        return Ok(());
    };
    Err(Failure::Blocked(format!(
        "the journal {JOURNAL}: {exposure}, and an uninstall does what the journal says; nothing was \
         changed. Make sure that nobody has changed it, and then run: {}",
        exposure.cure()
    ))
    .into())
}

pub(super) fn unreadable(number: usize, error: &anyhow::Error) -> Failure {
    if let Some(forged) = error.downcast_ref::<Forged>() {
        let number = number + 1;
        return Failure::Blocked(format!(
            "the journal {JOURNAL}, line {number}: {forged}; nothing was changed. Somebody else wrote \
             that: find out who, and see the line with: sudo sed -n {number}p {JOURNAL}"
        ));
    }
    let cure = match error.downcast_ref::<Newer>() {
        Some(Newer { writer, .. }) => format!(
            "That one, or one that is newer still, goes on from it. Get it back: with a release's \
             install.sh, `sh install.sh --version {} --download-only`; from the package's \
             repository: sudo apt-get install dockstrap",
            writer.as_deref().unwrap_or("VERSION")
        ),
        None => "Use the dockstrap that wrote it, or move the file away to let this one start \
                 anew (what was done so far can then not be reverted)"
            .to_owned(),
    };
    Failure::Blocked(format!(
        "the journal {JOURNAL} cannot be used, line {}: {error:#}; nothing was changed. {cure}",
        number + 1
    ))
}

/// Cuts off what a crash left of a last line; returns how many bytes are left.
pub(super) fn trim_torn_line(host: &Host, file: &File) -> Result<usize> {
    let bytes = host.read(JOURNAL)?.unwrap_or_default();
    let whole = bytes.iter().rposition(|byte| *byte == b'\n');
    let length = whole.map_or(0, |end| end + 1);
    if length < bytes.len() {
        file.set_len(length as u64)
            .context("repairing the journal")?;
    }
    Ok(length)
}

/// Removes the journal and its folder once nothing of what it tells is left. What it has kept goes
/// first: a folder with that and no journal is one whose journal somebody has moved away. How new a
/// repository was outlives it.
pub(crate) fn remove(host: &Host) -> Result<()> {
    for name in host.list(FOLDER)? {
        let path = Path::new(FOLDER).join(&name);
        let is_folder = host.path(&path).is_dir(); // lost+found, of a disk of its own
        let outlives = [JOURNAL, FRESHNESS].map(Path::new).contains(&&*path);
        if !outlives && !is_folder {
            files::remove(&host.path(path))?;
        }
    }
    files::remove(&host.path(JOURNAL))?;
    remove_empty_folder(host)
}

/// Removes what is remembered of how new repositories were; returns whether there was anything.
pub(crate) fn remove_freshness(host: &Host) -> Result<bool> {
    let was_there = host.exists(FRESHNESS)?;
    files::remove(&host.path(FRESHNESS))?;
    remove_empty_folder(host)?;
    Ok(was_there)
}

/// Removes the folder of the journal when nothing is in it, which is what a run leaves that was
/// killed as it made or removed the journal.
pub(crate) fn remove_empty_folder(host: &Host) -> Result<()> {
    use std::io::ErrorKind::{DirectoryNotEmpty, NotFound, ResourceBusy};
    if files::is_gone(&host.path(FOLDER)) {
        return Ok(());
    }
    match std::fs::remove_dir(host.path(FOLDER)) {
        // A disk of its own that is mounted there stays, and is empty.
        Err(error) if ![DirectoryNotEmpty, NotFound, ResourceBusy].contains(&error.kind()) => {
            Err(error).with_context(|| format!("removing {FOLDER}"))
        }
        _ => Ok(()),
    }
}
