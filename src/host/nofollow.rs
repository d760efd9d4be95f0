//! Files and folders reached through no link, and changed by their handles: what others put in the
//! way between a look and an act then changes nothing.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{
    AtFlags, CWD, Dir, Mode, OFlags, fchmod, fsync, mkdirat, openat, statat, unlinkat,
};
use rustix::io::Errno;

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Without a wait for whoever writes to a pipe.
const ANYTHING: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Opens the folder at an absolute path. A link on the way is an error.
pub(crate) fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let mut folder = openat(CWD, "/", FOLDER, Mode::empty())?;
    for part in path.components() {
        match part {
            Component::RootDir => {}
            Component::Normal(name) => folder = openat(&folder, name, FOLDER, Mode::empty())?,
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(folder)
}

/// Gives what is at a path this mode. Links are followed as they stand now, and none that is put
/// there meanwhile.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    let path = path.canonicalize()?;
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let there = openat(open_folder(parent)?, name, ANYTHING, Mode::empty())?;
    Ok(fchmod(there, Mode::from_raw_mode(mode))?)
}

/// Makes a folder with this mode, whatever the umask; the one above it may be a link.
pub(crate) fn create_folder(path: &Path, mode: u32) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mode = Mode::from_raw_mode(mode);
    let parent = File::open(parent)?;
    mkdirat(&parent, name, mode)?;
    fchmod(openat(&parent, name, FOLDER, Mode::empty())?, mode)?;
    Ok(fsync(&parent)?)
}

/// Removes what has this name in a folder, and all that is in it. Of a link, the link goes.
pub(crate) fn remove(folder: &OwnedFd, name: &CStr) -> io::Result<()> {
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // What unlink(2) says of a folder, by Linux and by others.
        Err(Errno::ISDIR | Errno::PERM) if is_folder(folder, name) => {}
        Err(error) => return Err(error.into()),
    }
    clear(&openat(folder, name, FOLDER, Mode::empty())?, None)?;
    match unlinkat(folder, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Removes all that is in a folder but for what has this name.
pub(crate) fn clear(folder: &OwnedFd, but: Option<&CStr>) -> io::Result<()> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") && Some(name) != but {
            remove(folder, name)?;
        }
    }
    Ok(())
}

fn is_folder(folder: &OwnedFd, name: &CStr) -> bool {
    let there = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    there.is_ok_and(|it| rustix::fs::FileType::from_raw_mode(it.st_mode).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_folder_gets_its_mode_whatever_the_umask() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("made");
        create_folder(&path, 0o777).unwrap();
        assert_eq!(mode(&path), 0o777);
        let error = create_folder(&path, 0o700).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(mode(&path), 0o777, "it was there before");
    }

    #[test]
    fn a_folder_is_not_made_through_a_link_that_is_in_its_place() {
        let base = tempfile::tempdir().unwrap();
        let theirs = base.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        fs::set_permissions(&theirs, fs::Permissions::from_mode(0o750)).unwrap();
        let path = base.path().join("made");
        symlink(&theirs, &path).unwrap();
        assert!(create_folder(&path, 0o777).is_err());
        assert_eq!(mode(&theirs), 0o750);
    }

    #[test]
    fn no_folder_is_reached_through_a_link() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir_all(base.path().join("a/b")).unwrap();
        symlink(base.path().join("a"), base.path().join("link")).unwrap();
        open_folder(&base.path().join("a/b")).unwrap();
        for path in ["link", "link/b", "a/../a/b"] {
            assert!(open_folder(&base.path().join(path)).is_err(), "{path}");
        }
        assert!(open_folder(Path::new("a")).is_err());
    }

    #[test]
    fn what_a_link_leads_to_stays_when_the_link_goes() {
        let base = tempfile::tempdir().unwrap();
        let theirs = base.path().join("theirs");
        fs::create_dir_all(theirs.join("deep")).unwrap();
        fs::write(theirs.join("deep/file"), "").unwrap();
        let ours = base.path().join("ours");
        fs::create_dir_all(ours.join("a/b/c")).unwrap();
        fs::write(ours.join("a/b/file"), "").unwrap();
        symlink(&theirs, ours.join("a/link")).unwrap();
        symlink(&theirs, base.path().join("link")).unwrap();
        let folder = open_folder(base.path()).unwrap();
        remove(&folder, c"ours").unwrap();
        remove(&folder, c"link").unwrap();
        remove(&folder, c"gone already").unwrap();
        assert!(!ours.exists() && !base.path().join("link").is_symlink());
        assert!(theirs.join("deep/file").exists());
    }
}
