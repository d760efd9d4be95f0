//! The environment of the programs that we run: nothing of the caller's gets into it.
//!
//! A variable of whoever calls us could make a program of root's run something else (`LD_PRELOAD`,
//! `APT_CONFIG`, a `.dpkg.cfg` in `HOME`), or carry a password to a program that has no use for it.

use std::ffi::{OsStr, OsString};
use std::sync::OnceLock;

use nix::sys::stat::{Mode, umask};
use nix::unistd::geteuid;

/// Where programs are looked up, whatever `PATH` says.
pub(super) const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where programs run. The caller's folder may be gone, and compose fails in one that is.
pub(super) const FOLDER: &str = "/";

/// The home of a user who needs none; it is not there.
const NO_HOME: &str = "/nonexistent";

/// The umask of whoever called us.
static CALLERS: OnceLock<Mode> = OnceLock::new();

/// All variables of a program that is looked up in `search_path`; `own` are those that it is given
/// by name.
pub(super) fn of_child(search_path: &OsStr, own: &[(String, String)]) -> Vec<(OsString, OsString)> {
    let home = if geteuid().is_root() {
        "/root"
    } else {
        NO_HOME
    };
    let base = [
        ("PATH", search_path),
        ("LC_ALL", OsStr::new("C.UTF-8")),
        ("HOME", OsStr::new(home)),
        // Scripts of packages call tput, which fails without one.
        ("TERM", OsStr::new("dumb")),
    ];
    let base = base.map(|(name, value)| (name.into(), value.to_owned()));
    let own = own.iter().map(|(name, value)| (name.into(), value.into()));
    base.into_iter().chain(own).collect()
}

/// Gives this process, and so every program that it runs, the usual umask. Under the caller's, apt
/// and the account tools could write files that everyone can change, or that nobody can read.
pub(crate) fn fix_umask() {
    let callers = umask(Mode::from_bits_truncate(0o022));
    let _ = CALLERS.set(callers); // the first one is the caller's
}

/// The mode of a new file that the caller asked for by name, under the caller's own umask.
pub(crate) fn mode_of_output() -> u32 {
    let callers = CALLERS.get().map_or(0o022, Mode::bits);
    0o666 & !callers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command::Command;

    #[test]
    fn a_child_has_what_it_is_given_and_nothing_else() {
        let show = Command::new("env").env("http_proxy", "http://proxy");
        let output = show.run(OsStr::new(SEARCH_PATH)).unwrap();
        let mut names: Vec<&str> = output
            .stdout
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0))
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "LC_ALL", "PATH", "TERM", "http_proxy"]);
    }

    #[test]
    fn a_child_runs_in_the_root_folder() {
        let output = Command::new("pwd").run(OsStr::new(SEARCH_PATH)).unwrap();
        assert_eq!(output.stdout, "/\n");
    }

    #[test]
    fn what_a_command_names_stands_over_the_rest() {
        let show = Command::new("env")
            .env("HOME", "/srv")
            .env("HOME", "/srv/2");
        let output = show.run(OsStr::new(SEARCH_PATH)).unwrap();
        assert!(output.stdout.contains("HOME=/srv/2\n"), "{}", output.stdout);
        assert_eq!(output.stdout.matches("HOME=").count(), 1);
    }
}
