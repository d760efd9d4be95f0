//! Files written so that a crash leaves either the old content or the new, never a half.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the door through which the host changes"
)]

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Host, nofollow};
use crate::reading;
use crate::trust::Sha256;

/// Puts `bytes` into the file at `path`. A file that is there keeps its mode and owner unless
/// `mode` says otherwise; a new one gets `mode`, or 0644, whatever the umask.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<()> {
    try_write(path, bytes, mode).with_context(|| format!("writing {}", path.display()))
}

/// Makes the file at `to` the same as the one at `from`: content, mode and owner. One that is so
/// already is left.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let copy = || {
        let (like, content) = (fs::metadata(from)?, || reading::open_or_null(from));
        let same = |there: &Metadata| {
            let looks = |file: &Metadata| (file.mode(), file.uid(), file.gid(), file.len());
            looks(there) == looks(&like)
        };
        if fs::symlink_metadata(to).is_ok_and(|there| same(&there))
            && Sha256::of_stream(reading::open_unlinked(to)?)? == Sha256::of_stream(content()?)?
        {
            return remove_unfinished(to);
        }
        put(to, content()?, like.mode() & 0o7777, Some(&like))
    };
    copy().with_context(|| format!("copying {} to {}", from.display(), to.display()))
}

/// The file to write where `path` may be a link: the one behind it.
pub(crate) fn behind_links(path: PathBuf) -> PathBuf {
    path.canonicalize().unwrap_or(path)
}

fn try_write(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let there = fs::metadata(path).ok();
    let mode = mode
        .or(there.as_ref().map(|there| there.mode() & 0o7777))
        .unwrap_or(0o644);
    put(path, bytes, mode, there.as_ref())
}

fn put(
    path: &Path,
    mut content: impl Read,
    mode: u32,
    owned_like: Option<&Metadata>,
) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    remove_unfinished(path)?;
    let mut file = tempfile::Builder::new()
        .prefix(&unfinished_name(path))
        .rand_bytes(0)
        .tempfile_in(folder)?;
    io::copy(&mut content, file.as_file_mut())?;
    if let Some(there) = owned_like {
        fchown(file.as_file(), Some(there.uid()), Some(there.gid()))?;
    }
    file.as_file()
        .set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder)
}

/// What a file is called until it is whole. The name is always the same, so that one which a killed
/// run has left is found.
fn unfinished_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".dockstrap-new-{name}")
}

/// Removes what a killed run has left of the file at `path`.
pub(crate) fn remove_unfinished(path: &Path) -> io::Result<()> {
    let unfinished = path.with_file_name(unfinished_name(path));
    if is_gone(&unfinished) {
        Ok(())
    } else {
        fs::remove_file(unfinished)
    }
}

/// Removes the file at `path`, and what a killed run has left of it; one that is gone already is
/// no error.
pub(crate) fn remove(path: &Path) -> Result<()> {
    remove_unfinished(path).with_context(|| format!("removing {}", path.display()))?;
    if is_gone(path) {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        // The journal may lie on another disk, and must not be told before it is so.
        _ => sync_folder(path.parent().unwrap_or(Path::new("/")))
            .with_context(|| format!("flushing the folder of {}", path.display())),
    }
}

/// Makes a link at `path`, unless something is there.
pub(crate) fn link(path: &Path, target: &Path) -> Result<()> {
    if !is_gone(path) {
        return Ok(());
    }
    symlink(target, path)
        .and_then(|()| sync_folder(path.parent().unwrap_or(Path::new("/"))))
        .with_context(|| format!("putting back the link {}", path.display()))
}

/// Whether nothing is there. A disk that is mounted read-only refuses to remove even that.
pub(crate) fn is_gone(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Those of a folder and the folders above it that are not there, outermost first.
pub(crate) fn missing(host: &Host, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    for folder in folder.ancestors() {
        if host.exists(folder)? {
            break;
        }
        missing.push(folder.to_owned());
    }
    missing.reverse();
    Ok(missing)
}

/// Makes the folder at `path`, whose parent is there, with this mode whatever the umask.
pub(crate) fn create_folder(path: &Path, mode: u32) -> Result<()> {
    nofollow::create_folder(path, mode)
        .with_context(|| format!("creating the folder {}", path.display()))
}

/// Flushes a folder, so that what was made or renamed in it outlives a power cut.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_gets_its_mode_and_an_old_one_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write(&path, b"one", Some(0o644)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        write(&path, b"two", None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn a_copy_has_the_mode_of_its_original() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        write(&from, b"\xff\0", Some(0o600)).unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"\xff\0");
        assert_eq!(fs::metadata(&to).unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn what_a_killed_run_left_of_a_file_goes_with_it_or_with_the_next_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let unfinished = folder.path().join(".dockstrap-new-key");
        for end in [remove as fn(&Path) -> Result<()>, |path| {
            write(path, b"whole", None)
        }] {
            fs::write(&unfinished, "ha").unwrap();
            end(&path).unwrap();
            assert!(is_gone(&unfinished));
        }
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_failed_write_leaves_no_stray_file() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("folder");
        fs::create_dir(&in_the_way).unwrap();
        assert!(write(&in_the_way, b"text", None).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
