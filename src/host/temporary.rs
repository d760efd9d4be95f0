//! What a run keeps in the folder for temporary files, named so that what a killed one has left is
//! found.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where folders of the run are made and removed"
)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use tempfile::{NamedTempFile, TempDir};

use super::exposure;
use super::mark::Mark;
use crate::error::Failure;

/// Not only the program's name: `dockstrap-2026-11-26.tar` may be somebody's.
const PREFIX: &str = "dockstrap-run-";

/// How the names of what a verification makes there begin.
const OF_VERIFICATIONS: &str = "dockstrap-verify-";

/// How the names of what this process makes there begin.
pub(crate) fn prefix() -> String {
    format!("{PREFIX}{}-", Mark::own())
}

/// The folder for temporary files where `TMPDIR` names none.
const USUAL: &str = "/tmp";

/// The folder for temporary files.
///
/// # Errors
/// [`Failure::Usage`] when other users could exchange what is put into the one that `TMPDIR` names;
/// [`Failure::Blocked`] when that is so of `/tmp`.
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    let named = std::env::var_os("TMPDIR").filter(|named| !named.is_empty());
    match named {
        None => checked(Path::new(USUAL)).map_err(|(why, _)| {
            let cure = format!("Run: sudo chown root:root {USUAL} && sudo chmod 1777 {USUAL}");
            Failure::Blocked(format!("{USUAL} {why}. {cure}"))
        }),
        Some(named) => checked(Path::new(&named)).map_err(|(why, cure)| {
            let named = Path::new(&named).display();
            Failure::Usage(format!("TMPDIR={named}: {why}. {cure}"))
        }),
    }
}

/// A folder of our own in it, whose name begins like this. It goes when it is dropped.
pub(crate) fn make_folder(prefix: &str) -> anyhow::Result<TempDir> {
    let made = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(folder()?);
    Ok(made?)
}

/// A file of our own in it, whose name ends like this. It goes when it is dropped.
pub(crate) fn make_file(suffix: &str) -> anyhow::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    let made = builder
        .prefix(&prefix())
        .suffix(suffix)
        .tempfile_in(folder()?);
    Ok(made?)
}

/// The folder as children find it, or why it is not safe and what to do.
fn checked(folder: &Path) -> Result<PathBuf, (String, String)> {
    let unset = || format!("Use {USUAL}: unset TMPDIR");
    let unusable = |error: std::io::Error| (format!("cannot be used: {error}"), unset());
    let path = std::path::absolute(folder).map_err(unusable)?;
    let exposure = exposure::of_folder(&path, &[0, geteuid().as_raw()]).map_err(unusable)?;
    match exposure {
        None => Ok(path),
        Some(exposure) => Err((exposure.to_string(), unset())),
    }
}

/// Removes what processes of this user that are no more have left.
///
/// # Errors
/// As [`folder`].
pub(crate) fn sweep() -> Result<(), Failure> {
    let folder = folder()?;
    for prefix in [PREFIX, OF_VERIFICATIONS] {
        sweep_in(&folder, prefix);
    }
    Ok(())
}

/// The same for other names, behind which a mark follows.
pub(crate) fn sweep_in(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mark = name.strip_prefix(prefix).and_then(Mark::parse);
        if !mark.is_some_and(|mark| mark.is_left_behind()) {
            continue;
        }
        let Ok(there) = entry.metadata() else {
            continue;
        };
        if there.uid() != geteuid().as_raw() {
            continue; // anybody may give such a name to what is theirs
        }
        // What cannot be removed does no harm; the next run tries again.
        let _ = if there.is_dir() {
            fs::remove_dir_all(entry.path())
        } else {
            fs::remove_file(entry.path())
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::mark;

    #[test]
    fn what_dead_processes_left_goes_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (gone, own) = (mark::gone(), Mark::own());
        let of_gone = |end: &str| at(&format!("dockstrap-run-{gone}-{end}"));
        let staying = [
            "dockstrap-2026-11-26.tar".to_owned(),
            format!("dockstrap-run-{own}-a"),
            "dockstrap-run-7-a".to_owned(),
            format!("dockstrap-verify-{gone}-1"),
            format!("other-{gone}-a"),
        ];
        fs::create_dir(of_gone("a")).unwrap();
        for name in &staying {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(of_gone("a").join("lists"), "").unwrap();
        fs::write(of_gone("b.json"), "").unwrap();
        std::os::unix::fs::symlink(at(&staying[4]), of_gone("link")).unwrap();
        sweep_in(folder.path(), PREFIX);
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .map(|it| it.file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut staying = staying;
        staying.sort();
        assert_eq!(left, staying);
        assert!(prefix().starts_with(PREFIX) && prefix().ends_with('-'));
        sweep_in(folder.path(), OF_VERIFICATIONS);
        assert!(!at(&format!("dockstrap-verify-{gone}-1")).exists());
        assert!(at(&format!("dockstrap-run-{own}-a")).exists());
    }

    #[test]
    fn what_another_user_has_named_so_stays() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join(format!("{PREFIX}{}-a", mark::gone()));
        fs::create_dir(&theirs).unwrap();
        if std::os::unix::fs::chown(&theirs, Some(65_534), None).is_ok() {
            sweep_in(folder.path(), PREFIX);
            assert!(theirs.exists());
        }
    }

    #[test]
    fn a_folder_in_which_others_could_exchange_files_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for (above, itself, is_safe) in [
            (0o700, 0o700, true),
            (0o755, 0o1777, true),
            (0o1777, 0o700, true),
            (0o755, 0o777, false),
            (0o775, 0o700, false),
        ] {
            set(folder.path(), above);
            set(&inner, itself);
            let answer = checked(&inner);
            assert_eq!(answer.is_ok(), is_safe, "{above:o} {itself:o}: {answer:?}");
        }
        let (why, cure) = checked(&inner).unwrap_err();
        assert!(why.contains("other users can write to"), "{why}");
        assert_eq!(cure, "Use /tmp: unset TMPDIR");
        assert!(checked(&folder.path().join("none")).is_err());
    }
}
