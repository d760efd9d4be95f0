//! What apt says when a source is of no use: which one it is, and what is wrong with it.

use std::path::Path;

use super::entry::without_password;
use super::source_file::{FOLDER, SOURCES_LIST};
use crate::error::Failure;
use crate::host::command::Output;

/// The failure that apt cannot read the host's sources, and so can do nothing at all. `view` is
/// the folder of the private view, whose files stand for the host's.
pub fn unreadable(output: &Output, view: &Path) -> Failure {
    let view = view.display();
    let text = complaints(output)
        .join("\n")
        .replace(&format!("{view}/sources.list"), SOURCES_LIST)
        .replace(&format!("{view}/sources"), FOLDER);
    Failure::Blocked(format!(
        "apt cannot read this host's sources, so it would install nothing; nothing was changed. \
         Mend the file that apt names, or move it to another folder, and run this again. \
         apt says:\n{text}"
    ))
}

/// Whether apt could not even read the sources.
pub fn is_unreadable(output: &Output) -> bool {
    output.code != 0
        && output
            .stderr
            .contains("The list of sources could not be read")
}

/// The repositories that `apt-get update` could not use, as addresses without passwords.
pub fn broken(output: &Output) -> Vec<String> {
    let failed = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("Err:"));
    let mut found = Vec::new();
    for line in failed.chain(output.stderr.lines().filter(|line| is_complaint(line))) {
        let words = line.split([' ', '\'']);
        let mut addresses = words.filter(|word| word.contains("://"));
        let Some(address) = addresses.next() else {
            continue;
        };
        let repository = address.split("/dists/").next().unwrap_or(address);
        let shown = without_password(repository.trim_end_matches('/'));
        if !found.contains(&shown) {
            found.push(shown);
        }
    }
    found
}

/// The package that apt would have to install again and cannot get, if it says that of one.
pub fn not_to_be_had(stderr: &str) -> Option<&str> {
    let lines = stderr.lines();
    let mut named = lines.filter_map(|line| {
        let rest = line.strip_prefix("E: The package ")?;
        rest.strip_suffix(" needs to be reinstalled, but I can't find an archive for it.")
    });
    named.next()
}

fn complaints(output: &Output) -> Vec<&str> {
    let mut complaints: Vec<&str> = Vec::new();
    for line in output.stderr.lines().filter(|line| is_complaint(line)) {
        if !complaints.contains(&line) {
            complaints.push(line);
        }
    }
    complaints
}

fn is_complaint(line: &str) -> bool {
    line.starts_with("E: ") || line.starts_with("W: ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command::Command;
    use std::ffi::OsStr;

    fn said(stdout: &str, stderr: &str) -> Output {
        let failing = Command::new("false");
        let mut output = failing.run(OsStr::new("/usr/bin:/bin")).unwrap();
        output.stdout = stdout.to_owned();
        output.stderr = stderr.to_owned();
        output
    }

    #[test]
    fn fault_17_broken_sources_are_named_once_and_without_their_password() {
        let update = said(
            "Hit:1 http://archive.ubuntu.com/ubuntu noble InRelease\n\
             Err:2 http://alice:secret@nowhere.example/repo noble InRelease\n  \
             Could not resolve 'nowhere.example'\n",
            "W: GPG error: http://ppa.example/x noble InRelease: NO_PUBKEY 0123\n\
             E: The repository 'http://ppa.example/x noble InRelease' is not signed.\n\
             E: Failed to fetch http://gone.example/deb/dists/noble/main/Packages  404\n",
        );
        assert_eq!(
            broken(&update),
            [
                "http://nowhere.example/repo",
                "http://ppa.example/x",
                "http://gone.example/deb"
            ]
        );
    }

    #[test]
    fn fault_17_a_malformed_source_is_named_as_the_host_knows_it() {
        let output = said(
            "",
            "E: Malformed entry 3 in list file /tmp/dockstrap-x/sources/other.list (Suite)\n\
             E: The list of sources could not be read.\n",
        );
        assert!(is_unreadable(&output));
        let text = unreadable(&output, Path::new("/tmp/dockstrap-x")).to_string();
        assert!(
            text.contains("entry 3 in list file /etc/apt/sources.list.d/other.list (Suite)"),
            "{text}"
        );
    }

    #[test]
    fn fault_19_a_package_of_which_apt_has_no_file_is_named() {
        let says = "Reading state information...\nE: The package lost needs to be reinstalled, \
                    but I can't find an archive for it.\n";
        assert_eq!(not_to_be_had(says), Some("lost"));
        assert_eq!(not_to_be_had("E: Unable to locate package lost\n"), None);
    }
}
