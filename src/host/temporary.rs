//! What a run keeps in the folder for temporary files, named so that what a killed one has left is
//! found.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::mark::Mark;

/// Not only the program's name: `dockstrap-2026-11-26.tar` may be somebody's.
const PREFIX: &str = "dockstrap-run-";

/// How the names of what this process makes there begin.
pub fn prefix() -> String {
    format!("{PREFIX}{}-", Mark::own())
}

/// Removes what processes of this user that are no more have left.
pub fn sweep() {
    sweep_in(&std::env::temp_dir(), PREFIX);
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
        if there.uid() != nix::unistd::geteuid().as_raw() {
            continue; // anybody may give such a name to what is theirs
        }
        // What cannot be removed does no harm; the next run tries again.
        let _ = match there.is_dir() {
            true => fs::remove_dir_all(entry.path()),
            false => fs::remove_file(entry.path()),
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
        let left = fs::read_dir(folder.path()).unwrap().flatten();
        let mut left: Vec<_> = left
            .map(|it| it.file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut staying = staying;
        staying.sort();
        assert_eq!(left, staying);
        assert!(prefix().starts_with(PREFIX) && prefix().ends_with('-'));
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
}
