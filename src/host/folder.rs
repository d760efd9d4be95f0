//! A folder of ours that is filled with files whose names somebody else chose.
//!
//! Each part of a path is opened from the handle of the folder before it, and no link is followed:
//! the kernel, not a comparison of texts, keeps a file inside. `openat2` would do the same in one
//! call, but some sandboxes refuse it, and then there would have to be two ways.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, fchmod, mkdirat, openat};
use rustix::io::Errno;

use crate::relative_path::RelativePath;

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const NEW_FILE: OFlags = OFlags::RDWR
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

impl Folder {
    /// Opens the folder at `path`, which is our own.
    pub(crate) fn open(path: &Path) -> io::Result<Folder> {
        Ok(Folder(openat(CWD, path, FOLDER, Mode::empty())?))
    }

    /// Makes a file that is not there yet, with the folders above it. Everybody may read them,
    /// whatever the umask is; folders that were there stay as they are.
    pub(crate) fn create(&self, path: &RelativePath) -> io::Result<File> {
        let parts: Vec<&str> = path.parts().collect();
        let [folders @ .., name] = parts.as_slice() else {
            return Err(io::ErrorKind::InvalidInput.into()); // a path has parts
        };
        let folder = self.enter(folders)?;
        let file = openat(&folder.0, *name, NEW_FILE, Mode::from_raw_mode(0o600))?;
        fchmod(&file, Mode::from_raw_mode(0o644))?;
        Ok(file.into())
    }

    /// Opens a folder below this one, and makes it where it is not there yet.
    pub(crate) fn below(&self, path: &RelativePath) -> io::Result<Folder> {
        self.enter(&path.parts().collect::<Vec<_>>())
    }

    fn enter(&self, folders: &[&str]) -> io::Result<Folder> {
        let mut at = self.0.try_clone()?;
        for folder in folders {
            at = enter(&at, folder)?;
        }
        Ok(Folder(at))
    }
}

/// Opens a folder in another one, and makes it where it is not there yet.
fn enter(at: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    let is_new = match mkdirat(at, name, Mode::from_raw_mode(0o700)) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(error) => return Err(error.into()),
    };
    let folder = openat(at, name, FOLDER, Mode::empty())?;
    if is_new {
        fchmod(&folder, Mode::from_raw_mode(0o755))?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn path(text: &str) -> RelativePath {
        RelativePath::parse(text).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn files_are_made_with_their_folders_for_all_to_read_and_only_once() {
        let root = tempfile::tempdir().unwrap();
        let before = mode(root.path());
        let folder = Folder::open(root.path()).unwrap();
        folder
            .create(&path("a/b/c"))
            .unwrap()
            .write_all(b"x")
            .unwrap();
        folder.create(&path("a/d")).unwrap();
        assert_eq!(fs::read(root.path().join("a/b/c")).unwrap(), b"x");
        assert_eq!(mode(&root.path().join("a/b/c")), 0o644);
        assert_eq!(mode(&root.path().join("a/b")), 0o755);
        assert_eq!(mode(root.path()), before);
        let again = folder.create(&path("a/b/c")).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert!(folder.create(&path("a/b/c/d")).is_err(), "below a file");
    }

    #[test]
    fn a_link_is_never_followed_and_a_folder_that_was_there_keeps_its_mode() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        symlink(outside.path(), root.path().join("link")).unwrap();
        symlink(outside.path().join("new"), root.path().join("file")).unwrap();
        for hostile in ["link/a", "link/a/b", "file", "link"] {
            assert!(folder.create(&path(hostile)).is_err(), "{hostile}");
        }
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        assert!(Folder::open(&root.path().join("link")).is_err());
        fs::create_dir(root.path().join("own")).unwrap();
        let own = fs::Permissions::from_mode(0o700);
        fs::set_permissions(root.path().join("own"), own).unwrap();
        folder.create(&path("own/a")).unwrap();
        assert_eq!(mode(&root.path().join("own")), 0o700);
    }
}
