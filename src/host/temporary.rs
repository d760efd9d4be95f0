//! What a run keeps in the folder for temporary files, named so that what a killed one has left is
//! found.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Not only the program's name: `dockstrap-2026-11-26.tar` may be somebody's.
const PREFIX: &str = "dockstrap-run-";

/// How the names of what this process makes there begin.
pub fn prefix() -> String {
    format!("{PREFIX}{}-", std::process::id())
}

/// Removes what processes that are no more have left of this user's.
pub fn sweep() {
    let is_gone = |process: u32| !Path::new("/proc").join(process.to_string()).exists();
    sweep_in(&std::env::temp_dir(), is_gone);
}

fn sweep_in(folder: &Path, is_gone: impl Fn(u32) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let rest = name.strip_prefix(PREFIX).unwrap_or_default();
        let process = rest.split_once('-').and_then(|(id, _)| id.parse().ok());
        if !process.is_some_and(&is_gone) {
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

    #[test]
    fn what_dead_processes_left_goes_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [
            "dockstrap-run-7-a",
            "dockstrap-run-8-a",
            "dockstrap-7-11-26.tar",
            "dockstrap-verify-7-1",
            "other-7-a",
        ] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("dockstrap-run-7-a/lists"), "").unwrap();
        fs::write(at("dockstrap-run-7-b.json"), "").unwrap();
        std::os::unix::fs::symlink(at("other-7-a"), at("dockstrap-run-7-link")).unwrap();
        sweep_in(folder.path(), |process| process == 7);
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
        left.sort_by_key(fs::DirEntry::file_name);
        let left: Vec<_> = left.iter().map(fs::DirEntry::file_name).collect();
        assert_eq!(
            left,
            [
                "dockstrap-7-11-26.tar",
                "dockstrap-run-8-a",
                "dockstrap-verify-7-1",
                "other-7-a"
            ]
        );
        assert!(prefix().starts_with(PREFIX) && prefix().ends_with('-'));
    }
}
