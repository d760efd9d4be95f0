//! What other programs were about to write when they were killed along with a run of ours.
//!
//! They write a file under another name, and give it the right one when it is whole. One that was
//! killed in between leaves it until the next that writes the same, or for good where the other name
//! is made by chance.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::Timestamp;

use crate::host::Host;

/// Where such files stand, and how their names begin and end.
const KINDS: &[(&str, &str, Ending)] = &[
    // What dpkg knows of packages.
    ("/var/lib/dpkg", "status-new", Ending::Nothing),
    // Which packages came along with others, by apt 2.4 to 3.3.
    ("/var/lib/apt", "extended_states.", Ending::Chance),
    // Groups and their passwords, by shadow up to 4.17 and after it.
    ("/etc", "group+", Ending::Nothing),
    ("/etc", "gshadow+", Ending::Nothing),
    ("/etc", "group.cio", Ending::Chance),
    ("/etc", "gshadow.cio", Ending::Chance),
    // The locks on these, by every shadow.
    ("/etc", "group.", Ending::Process),
    ("/etc", "gshadow.", Ending::Process),
];

#[derive(Clone, Copy)]
enum Ending {
    Nothing,
    /// Six letters and digits, as `mkstemp(3)` makes them.
    Chance,
    /// The number of the process, which is all that is ever in the file.
    Process,
}

/// The files that were left so after this time. Any of them may be of a program that is still at work.
pub(crate) fn since(host: &Host, then: Timestamp) -> Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    for (folder, beginning, ending) in KINDS {
        for name in host.list(folder)? {
            let path = Path::new(folder).join(&name);
            let Some(rest) = name.strip_prefix(beginning) else {
                continue;
            };
            // Gone by now, it was of a program that is at work.
            let there = host.metadata(&path)?.filter(Metadata::is_file);
            let is_newer = |there: &Metadata| there.mtime() >= then.as_second();
            if there.is_some_and(|it| is_newer(&it)) && ending.fits(host, rest, &path)? {
                left.push(path);
            }
        }
    }
    Ok(left)
}

impl Ending {
    /// Whether a name ends so: what somebody has put there by hand, as a copy, is another.
    fn fits(self, host: &Host, rest: &str, path: &Path) -> Result<bool> {
        Ok(match self {
            Ending::Nothing => rest.is_empty(),
            Ending::Chance => {
                let is_word = rest.bytes().all(|it| it.is_ascii_lowercase());
                let is_random = rest.bytes().all(|it| it.is_ascii_alphanumeric());
                rest.len() == 6 && is_random && !is_word
            }
            Ending::Process => {
                let is_number = rest.parse::<u32>().is_ok();
                let text = if is_number {
                    host.read_text(path)?.unwrap_or_default()
                } else {
                    return Ok(false);
                };
                let text = text.trim_matches(['\0', '\n']);
                text.is_empty() || text == rest
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;
    use std::time::Duration;

    #[test]
    fn what_was_about_to_be_written_is_told_from_what_is_older_or_of_somebody() {
        let theirs = [
            ("/etc/group", "root:x:0:\n"),
            ("/etc/group+.old", "root:x:0:\n"),
            ("/etc/group.20261127", "root:x:0:\n"),
            ("/etc/group.lock", "731"),
            ("/etc/gshadow-", "root:*::\n"),
            ("/var/lib/apt/extended_states", ""),
            ("/var/lib/apt/extended_states.backup", ""),
        ];
        let left = [
            ("/etc/group+", "root:x:0:\n"),
            ("/etc/group.396", ""),
            ("/etc/group.cio4fveJZ", ""),
            ("/etc/gshadow+", "root:*::\n"),
            ("/etc/gshadow.732", "732\0"),
            ("/etc/gshadow.cioXHEbiW", "root:*::\n"),
            ("/var/lib/apt/extended_states.IZ1gEP", ""),
            ("/var/lib/dpkg/status-new", ""),
        ];
        let stub = StubHost::new();
        for (path, text) in theirs.iter().chain(&left) {
            stub.write(path, text);
        }
        let host = stub.host();
        let later = Timestamp::now() + Duration::from_secs(60);
        assert!(since(host, later).unwrap().is_empty());
        let mut found = since(host, Timestamp::UNIX_EPOCH).unwrap();
        found.sort();
        assert_eq!(found, left.map(|(path, _)| PathBuf::from(path)));
    }
}
