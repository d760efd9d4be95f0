//! What apt complains of, read from its own words: which file, hook or package it means.

use std::path::Path;

use super::lock::LISTS;
use super::source_file::{FOLDER, SOURCES_LIST};
use crate::host::command::Output;

/// What is wrong with the host, as far as apt's words are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AptError {
    /// A file of its configuration that it cannot read.
    Configuration {
        file: String,
        line: usize,
        fault: String,
    },
    /// A file of preferences that it cannot read. It does not name the file for every fault.
    Preferences { file: Option<String>, fault: String },
    /// A release that no source has is to be preferred.
    DefaultRelease(String),
    /// A file of sources that it cannot read, or one that contradicts another: then it names no file.
    Source { file: Option<String>, fault: String },
    /// A file of indexes, or of dpkg's, that it cannot read.
    Records(String),
    /// A package of the host lacks what it depends on.
    UnmetDependencies,
    /// A package would have to be installed again, and is nowhere to be had.
    NoArchive(String),
    /// A command that the configuration names was run, and failed.
    Hook(Hook),
}

/// A command that apt runs before or after its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hook {
    /// Such as `DPkg::Pre-Invoke`.
    pub option: String,
    pub command: String,
}

impl AptError {
    /// The first complaint that is known. `view` is the folder of a private view, whose files stand
    /// for the host's.
    pub(super) fn of(output: &Output, view: Option<&Path>) -> Option<AptError> {
        if output.code == 0 {
            return None;
        }
        let errors: Vec<String> = errors(&output.stderr)
            .map(|error| as_on_host(error, view))
            .collect();
        // A fault in the configuration makes others follow.
        let find = |read: fn(&str) -> Option<AptError>| errors.iter().find_map(|error| read(error));
        find(configuration)
            .or_else(|| find(source))
            .or_else(|| find(records))
            .or_else(|| find(preferences))
            .or_else(|| find(state))
            .or_else(|| find(hook))
    }
}

/// What apt or dpkg says after this is not wrong with the host.
pub(super) fn errors(stderr: &str) -> impl Iterator<Item = &str> {
    stderr.lines().filter_map(|line| line.strip_prefix("E: "))
}

/// With the names that the host has for the files of a view.
fn as_on_host(error: &str, view: Option<&Path>) -> String {
    let Some(view) = view.map(Path::display) else {
        return error.to_owned();
    };
    error
        .replace(&format!("{view}/sources.list"), SOURCES_LIST)
        .replace(&format!("{view}/sources"), FOLDER)
        .replace(&format!("{view}/lists"), LISTS)
}

/// `Syntax error FILE:LINE: FAULT`.
fn configuration(error: &str) -> Option<AptError> {
    let (place, fault) = error.strip_prefix("Syntax error ")?.split_once(": ")?;
    let (file, line) = place.rsplit_once(':')?;
    Some(AptError::Configuration {
        file: file.to_owned(),
        line: line.parse().ok()?,
        fault: fault.to_owned(),
    })
}

fn source(error: &str) -> Option<AptError> {
    let begins = ["Malformed ", "Type '", "Conflicting values set for option "];
    if !begins.iter().any(|it| error.starts_with(it)) {
        return None;
    }
    let mut words = error.split(' ');
    let file = words.find(|word| word.starts_with(SOURCES_LIST));
    Some(AptError::Source {
        file: file.map(str::to_owned),
        fault: error.to_owned(),
    })
}

fn records(error: &str) -> Option<AptError> {
    let file = [
        "Problem with MergeList ",
        "Unable to parse package file ",
        "Could not open file ",
    ];
    let named = file.iter().find_map(|it| error.strip_prefix(it))?;
    let file = named.split(' ').next()?;
    file.starts_with("/var/lib/")
        .then(|| AptError::Records(file.to_owned()))
}

fn preferences(error: &str) -> Option<AptError> {
    if let Some(value) = error.strip_prefix("The value '")
        && let Some((value, _)) = value.split_once("' is invalid for APT::Default-Release")
    {
        return Some(AptError::DefaultRelease(value.to_owned()));
    }
    let file = if let Some(rest) = error.strip_prefix("Invalid record in the preferences file ") {
        rest.split(", ").next()
    } else if let Some(rest) = error.strip_prefix("Unable to parse package file ") {
        rest.split(' ').next()
    } else if let Some((file, _)) = error.split_once(": Value ") {
        Some(file)
    } else if let Some((file, _)) = error.split_once(": The special 'Pin-Priority") {
        Some(file)
    } else {
        let of_none = ["Did not understand pin type", "No priority (or zero)"];
        of_none.iter().find(|it| error.starts_with(*it))?;
        None
    };
    Some(AptError::Preferences {
        file: file.map(str::to_owned),
        fault: error.to_owned(),
    })
}

fn state(error: &str) -> Option<AptError> {
    if error.starts_with("Unmet dependencies.") {
        return Some(AptError::UnmetDependencies);
    }
    let package = error
        .strip_prefix("The package ")?
        .strip_suffix(" needs to be reinstalled, but I can't find an archive for it.")?;
    Some(AptError::NoArchive(package.to_owned()))
}

/// `Problem executing scripts OPTION 'COMMAND'`, or of one that is given packages `Failure running
/// script COMMAND`.
fn hook(error: &str) -> Option<AptError> {
    let (option, command) = match error.strip_prefix("Problem executing scripts ") {
        Some(rest) => rest.split_once(' ')?,
        None => (
            "DPkg::Pre-Install-Pkgs",
            error.strip_prefix("Failure running script ")?,
        ),
    };
    Some(AptError::Hook(Hook {
        option: option.to_owned(),
        command: command.trim_matches('\'').to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(stderr: &str) -> Option<AptError> {
        let output = Output::failed("", stderr);
        AptError::of(&output, Some(Path::new("/tmp/view")))
    }

    /// The words are those of apt 2.6, 3.0 and 3.3.
    #[test]
    fn what_apt_says_names_the_file() {
        let owned = str::to_owned;
        for (said, expected) in [
            (
                "E: Syntax error /etc/apt/apt.conf.d/99x:3: Extra junk at end of file\n",
                AptError::Configuration {
                    file: owned("/etc/apt/apt.conf.d/99x"),
                    line: 3,
                    fault: owned("Extra junk at end of file"),
                },
            ),
            (
                "E: Malformed entry 3 in list file /tmp/view/sources/other.list (Suite)\n\
                 E: The list of sources could not be read.\n",
                AptError::Source {
                    file: Some(owned("/etc/apt/sources.list.d/other.list")),
                    fault: owned(
                        "Malformed entry 3 in list file /etc/apt/sources.list.d/other.list (Suite)",
                    ),
                },
            ),
            (
                "E: Encountered a section with no Package: header\n\
                 E: Problem with MergeList /tmp/view/lists/x_Packages\n\
                 E: The package lists or status file could not be parsed or opened.\n",
                AptError::Records(owned("/var/lib/apt/lists/x_Packages")),
            ),
            (
                "E: Could not open file /var/lib/dpkg/status - open (2: No such file or directory)\n",
                AptError::Records(owned("/var/lib/dpkg/status")),
            ),
            (
                "E: Invalid record in the preferences file /etc/apt/preferences.d/x, no Package header\n",
                AptError::Preferences {
                    file: Some(owned("/etc/apt/preferences.d/x")),
                    fault: owned(
                        "Invalid record in the preferences file /etc/apt/preferences.d/x, no Package \
                         header",
                    ),
                },
            ),
            (
                "E: Did not understand pin type relase\n",
                AptError::Preferences {
                    file: None,
                    fault: owned("Did not understand pin type relase"),
                },
            ),
            (
                "E: The value 'nobel' is invalid for APT::Default-Release as such a release is not \
                 available in the sources\n",
                AptError::DefaultRelease(owned("nobel")),
            ),
            (
                "E: Unmet dependencies. Try 'apt --fix-broken install' with no packages (or specify \
                 a solution).\n",
                AptError::UnmetDependencies,
            ),
            (
                "E: The package lost needs to be reinstalled, but I can't find an archive for it.\n",
                AptError::NoArchive(owned("lost")),
            ),
            (
                "E: Problem executing scripts DPkg::Pre-Invoke 'check it'\n\
                 E: Sub-process returned an error code\n",
                AptError::Hook(Hook {
                    option: owned("DPkg::Pre-Invoke"),
                    command: owned("check it"),
                }),
            ),
            (
                "E: Sub-process /usr/sbin/apt-listbugs apt returned an error code (10)\n\
                 E: Failure running script /usr/sbin/apt-listbugs apt\n",
                AptError::Hook(Hook {
                    option: owned("DPkg::Pre-Install-Pkgs"),
                    command: owned("/usr/sbin/apt-listbugs apt"),
                }),
            ),
        ] {
            assert_eq!(of(said), Some(expected), "{said}");
        }
        assert_eq!(of("E: Unable to locate package x\n"), None);
    }
}
