//! Where the host's own configuration of apt says something.

use std::fmt;

use anyhow::Result;

use super::parts::Parts;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;
use crate::shell;

const FILE: &str = "/etc/apt/apt.conf";
const PARTS: Parts = Parts {
    folder: "/etc/apt/apt.conf.d",
    endings: &[None, Some("conf")],
};

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    pub file: String,
    pub line: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, line {}", self.file, self.line)
    }
}

/// Where this text stands in the configuration, comments aside; the last place, which counts.
pub(super) fn find(host: &Host, text: &str) -> Result<Option<Location>> {
    let mut found = None;
    for file in PARTS.files(host)?.chain([FILE.to_owned()]) {
        let content = host.read_text(&file)?.unwrap_or_default();
        let is_comment = |line: &str| ["//", "#"].iter().any(|it| line.trim().starts_with(it));
        let mut lines = content.lines().enumerate();
        let line = lines.find(|(_, line)| !is_comment(line) && line.contains(text));
        if let Some((number, _)) = line {
            found = Some(Location {
                file,
                line: number + 1,
            });
        }
    }
    Ok(found)
}

/// What the configuration says, as `(NAME, VALUE)`, of all that has a name beginning like this.
pub(super) fn values(host: &Host, begin: &str) -> Result<Vec<(String, String)>> {
    let dumped = host.query(&Query::of(Reader::AptConfig).args(["dump", begin]))?;
    let lines = dumped.success()?.stdout;
    let lines = lines.lines().filter_map(|line| {
        let (name, value) = line.split_once(" \"")?;
        Some((name.to_owned(), value.strip_suffix("\";")?.to_owned()))
    });
    Ok(lines.filter(|(_, value)| !value.is_empty()).collect())
}

/// The command that puts a file out of apt's sight and keeps it. apt passes over such names in all
/// of its folders.
pub(super) fn put_aside(file: &str) -> String {
    let aside = format!("{file}.disabled");
    format!("sudo mv {}", shell::joined([file, &aside]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn the_last_file_that_apt_reads_is_the_one_that_counts() {
        let stub = StubHost::new()
            .file(
                "/etc/apt/apt.conf.d/10a",
                "APT {\n  Default-Release \"x\";\n};\n",
            )
            .file(
                "/etc/apt/apt.conf.d/20b.conf",
                "// \"x\"\nAPT::Default-Release \"x\";\n",
            )
            .file(
                "/etc/apt/apt.conf.d/30c.disabled",
                "APT::Default-Release \"x\";\n",
            );
        let place = find(stub.host(), "\"x\"").unwrap().unwrap();
        assert_eq!(place.to_string(), "/etc/apt/apt.conf.d/20b.conf, line 2");
        assert_eq!(find(stub.host(), "y").unwrap(), None);
    }

    #[test]
    fn values_are_read_with_their_names() {
        let stub = StubHost::new().program(
            "apt-config",
            "echo 'Acquire \"\";'; echo 'Acquire::http::Proxy \"http://proxy:3128\";'",
        );
        let values = values(stub.host(), "Acquire").unwrap();
        let expected = (
            "Acquire::http::Proxy".to_owned(),
            "http://proxy:3128".to_owned(),
        );
        assert_eq!(values, [expected]);
    }

    #[test]
    fn a_file_is_put_aside_by_a_command_that_a_shell_takes() {
        assert_eq!(
            put_aside("/etc/apt/a b"),
            "sudo mv '/etc/apt/a b' '/etc/apt/a b.disabled'"
        );
    }
}
