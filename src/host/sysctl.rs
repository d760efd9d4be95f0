//! What the host's files say that a kernel setting should be: see `sysctl.d(5)` and
//! `systemd-sysctl.service(8)`.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Host;

/// Of files that have one name, the one in the first of these folders counts. All are read in the
/// order of their names, whatever their folder.
const FOLDERS: &[&str] = &[
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
];

/// `sysctl --system` reads it last. systemd reads it through a link in the first folder.
const LAST: &str = "/etc/sysctl.conf";

/// A value that a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Configured {
    pub value: String,
    pub file: String,
}

impl Host {
    /// The value that the files ask for. A setting can have several names, such as
    /// `net.ipv4.ip_forward` and `net.ipv4.conf.all.forwarding`.
    pub(crate) fn configured_sysctl(&self, names: &[&str]) -> Result<Option<Configured>> {
        let mut files = BTreeMap::new();
        for folder in FOLDERS {
            for name in self.list(folder)? {
                if name.ends_with(".conf") {
                    files
                        .entry(name.clone())
                        .or_insert_with(|| format!("{folder}/{name}"));
                }
            }
        }
        let names: Vec<String> = names.iter().map(|name| path_of(name)).collect();
        // One that is named counts more than one that a pattern matches.
        let (mut named, mut matched) = (None, None);
        for file in files.into_values().chain([LAST.to_owned()]) {
            // A link to nowhere, or to what nobody may read, asks for nothing.
            let text = self
                .read_text(&file)
                .unwrap_or_default()
                .unwrap_or_default();
            for (key, value) in assignments(&text) {
                let configured = || {
                    let (value, file) = (value.to_owned(), file.clone());
                    Some(Configured { value, file })
                };
                if names.contains(&key) {
                    named = configured();
                } else if names.iter().any(|name| matches(&key, name)) {
                    matched = configured();
                }
            }
        }
        Ok(named.or(matched))
    }
}

/// The assignments of a file, each key as a path below `/proc/sys`.
pub(super) fn assignments(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return None;
        }
        let (key, value) = line.split_once('=')?;
        // The sign says only that it is no error if there is no such setting.
        let key = key.trim();
        let key = key.strip_prefix('-').unwrap_or(key);
        Some((path_of(key.trim()), value.trim()))
    })
}

/// The first separator of a key says which of the two it has; where that is the dot, a slash stands
/// for a dot in a name.
fn path_of(key: &str) -> String {
    match key.find(['.', '/']).map(|at| &key[at..=at]) {
        Some(".") => key
            .chars()
            .map(|letter| match letter {
                '.' => '/',
                '/' => '.',
                letter => letter,
            })
            .collect(),
        _ => key.trim_start_matches("/proc/sys/").to_owned(),
    }
}

/// Whether a pattern matches a path, part by part.
fn matches(pattern: &str, path: &str) -> bool {
    let is_pattern = pattern.contains(['*', '?']);
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    is_pattern
        && loop {
            match (patterns.next(), parts.next()) {
                (None, None) => break true,
                (Some(pattern), Some(part)) if part_matches(pattern, part) => {}
                _ => break false,
            }
        }
}

fn part_matches(pattern: &str, part: &str) -> bool {
    match pattern.chars().next() {
        None => part.is_empty(),
        Some('*') => (0..=part.len())
            .filter(|at| part.is_char_boundary(*at))
            .any(|at| part_matches(&pattern[1..], &part[at..])),
        Some(letter) => part.chars().next().is_some_and(|first| {
            (letter == '?' || letter == first)
                && part_matches(&pattern[letter.len_utf8()..], &part[first.len_utf8()..])
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const NAMES: &[&str] = &["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"];

    fn configured(stub: &StubHost) -> Option<(String, String)> {
        let found = stub.host().configured_sysctl(NAMES).unwrap();
        found.map(|found| (found.value, found.file))
    }

    fn asks(value: &str, file: &str) -> Option<(String, String)> {
        Some((value.to_owned(), file.to_owned()))
    }

    #[test]
    fn the_last_file_by_name_counts_and_the_first_folder_of_a_name() {
        let stub = StubHost::new();
        assert_eq!(configured(&stub), None);
        let low = "/usr/lib/sysctl.d/50-router.conf";
        let stub = stub.file(low, "# net.ipv4.ip_forward = 0\nnet.ipv4.ip_forward = 1\n");
        assert_eq!(configured(&stub), asks("1", low));
        let high = "/etc/sysctl.d/50-router.conf";
        let stub = stub.file(high, "kernel.sysrq = 1\n");
        assert_eq!(configured(&stub), None, "it hides the other of its name");
        let later = "/run/sysctl.d/60-wg.conf";
        let stub = stub.file(later, "-net/ipv4/ip_forward=1");
        assert_eq!(configured(&stub), asks("1", later));
        let stub = stub.file("/etc/sysctl.d/70.txt", "net.ipv4.ip_forward=0\n");
        assert_eq!(configured(&stub), asks("1", later), "no file of settings");
        let stub = stub.file(LAST, "net.ipv4.ip_forward=0\n");
        assert_eq!(configured(&stub), asks("0", LAST));
    }

    #[test]
    fn a_link_to_nothing_hides_a_file() {
        let stub = StubHost::new()
            .file("/usr/lib/sysctl.d/50.conf", "net.ipv4.ip_forward=1\n")
            .folder("/etc/sysctl.d");
        let link = stub.host().path("/etc/sysctl.d/50.conf");
        std::os::unix::fs::symlink("/dev/null", link).unwrap();
        assert_eq!(configured(&stub), None);
    }

    #[test]
    fn another_name_counts_and_a_name_counts_more_than_a_pattern() {
        let file = "/etc/sysctl.d/10.conf";
        for (text, value) in [
            ("net.ipv4.conf.all.forwarding = 1\n", Some("1")),
            ("net.ipv4.ip_*=1\n", Some("1")),
            ("net.ipv4.conf.*.forwarding=1\n", Some("1")),
            ("net.ipv4.ip_forward=0\nnet.ipv4.ip_*=1\n", Some("0")),
            ("net.ipv4.*=1\n", Some("1")),
            ("net.*=1\n", None),
            ("-net.ipv4.ip_forward\n", None),
            ("net.ipv6.conf.all.forwarding=1\n", None),
            (";net.ipv4.ip_forward=1\n", None),
        ] {
            let stub = StubHost::new().file(file, text);
            let found = configured(&stub).map(|(value, _)| value);
            assert_eq!(found.as_deref(), value, "{text}");
        }
    }

    #[test]
    fn a_slash_stands_for_a_dot_where_dots_separate() {
        assert_eq!(path_of("net.ipv4.conf.eth0/7.x"), "net/ipv4/conf/eth0.7/x");
        assert_eq!(path_of("net/ipv4/conf/eth0.7/x"), "net/ipv4/conf/eth0.7/x");
    }
}
