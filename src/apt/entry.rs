//! What one source says: a line of a `.list` file or a stanza of a `.sources` file.
//!
//! Read as apt does (tried with apt 2.6, 3.0 and 3.3), but leniently: a source that apt would
//! call malformed is still known as Docker's, since it is to be replaced, not used.

use std::collections::BTreeMap;

use deb822_fast::Deb822;

use super::source::{COMPONENT, Source};
use crate::trust::Fingerprint;

/// Where mirrors keep Docker's files, be it as a host or as a folder of theirs.
const DOCKERS: &[&str] = &["download.docker.com", "docker-ce"];

/// The distributions that Docker publishes for with apt. Debian's repository on an Ubuntu host is
/// a common mistake, and as much in the way as another one.
const DISTRIBUTIONS: &[&str] = &["ubuntu", "debian", "raspbian"];

/// Where Docker's packages were years ago. Nothing is there any more, so that apt fails at it.
///
/// Source: <https://www.docker.com/blog/changes-dockerproject-org-apt-yum-repositories/>.
const RETIRED: &[&str] = &["apt.dockerproject.org", "get.docker.com", "get.docker.io"];

/// Options that take away what apt checks, or that name other files than the usual ones.
const LOOSENING: &[&str] = &[
    "trusted",
    "allow-insecure",
    "allow-weak",
    "allow-downgrade-to-insecure",
    "check-valid-until",
    "check-date",
    "inrelease-path",
    "snapshot",
    "targets",
];

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub enabled: bool,
    types: Vec<String>,
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    /// By the names that `.sources` files have for them, in lower case.
    options: BTreeMap<String, Vec<String>>,
}

/// Why a source cannot bring what fits a host, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It is for another system, or no longer there.
    System(String),
    /// It is for another release. Somebody may have chosen that.
    Suite(String),
}

impl Entry {
    /// Reads `deb [OPTION=VALUE …] URI SUITE COMPONENT…`; `None` for a line that is no source.
    pub(crate) fn of_line(line: &str) -> Option<Entry> {
        let line = uncommented(line).trim();
        let (kind, rest) = line.split_once(char::is_whitespace)?;
        if !matches!(kind, "deb" | "deb-src") {
            return None;
        }
        let rest = rest.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest
            .split_whitespace()
            .map(|word| word.trim_matches('"').to_owned());
        let options = options.split_whitespace().filter_map(|option| {
            let (name, value) = option.split_once('=')?;
            let values = value.trim_matches('"').split(',').map(str::to_owned);
            Some((long_name(name).to_owned(), values.collect()))
        });
        Some(Entry {
            enabled: true,
            types: vec![kind.to_owned()],
            uris: vec![words.next()?],
            suites: words.next().into_iter().collect(),
            components: words.collect(),
            options: options.collect(),
        })
    }

    /// Reads a stanza; `None` for a text that is none.
    pub(crate) fn of_stanza(text: &str) -> Option<Entry> {
        // To apt, neither a comment nor a line of white space ends a field or a stanza.
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let stanzas: Deb822 = lines.join("\n").parse().ok()?;
        let mut fields = BTreeMap::new();
        for (name, value) in stanzas.iter().next()?.iter() {
            // Of a field that is there twice, apt takes the last.
            let words: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
            fields.insert(name.to_ascii_lowercase(), words);
        }
        let mut take = |name: &str| fields.remove(name).unwrap_or_default();
        let off = ["no", "false", "without", "off", "disable", "0"];
        let enabled = take("enabled");
        let disabled = |word: &String| off.contains(&word.to_ascii_lowercase().as_str());
        Some(Entry {
            enabled: !enabled.first().is_some_and(disabled),
            types: take("types"),
            uris: take("uris"),
            suites: take("suites"),
            components: take("components"),
            options: fields,
        })
    }

    /// Whether apt uses it and it names Docker's repository, at whatever address.
    pub(crate) fn names_docker(&self, source: &Source) -> bool {
        self.enabled && self.uris.iter().any(|uri| is_dockers(uri, source))
    }

    /// Whether apt uses it and it names the repository at this address, without a password.
    pub(super) fn names(&self, address: &str) -> bool {
        let plain = |uri: &str| without_password(uri).trim_end_matches('/').to_owned();
        self.enabled && self.uris.iter().any(|uri| plain(uri) == plain(address))
    }

    /// Whether it names other repositories beside Docker's.
    pub(crate) fn names_others(&self, source: &Source) -> bool {
        self.uris.iter().any(|uri| !is_dockers(uri, source))
    }

    /// The keyring it trusts, when it does all that `source` would do and no more.
    ///
    /// # Errors
    /// Otherwise why it does not, for people.
    pub(crate) fn serves(&self, source: &Source, pin: &Fingerprint) -> Result<&str, String> {
        if self.types.iter().any(|kind| kind == "deb-src") {
            return Err("it asks for source packages, which Docker does not publish".to_owned());
        }
        let same = |uri: &String| uri.trim_end_matches('/') == source.uri;
        if !self.uris.iter().all(same) {
            let shown: Vec<String> = self.uris.iter().map(|uri| without_password(uri)).collect();
            return Err(format!("it names another address, {}", shown.join(" ")));
        }
        match self.suites.as_slice() {
            [] => return Err("it names no suite".to_owned()),
            [suite] if *suite == source.suite => {}
            suites => return Err(format!("it names another suite, {}", suites.join(" "))),
        }
        if !self.components.iter().any(|name| name == COMPONENT) {
            return Err(format!("it leaves out the component {COMPONENT}"));
        }
        if let Some(architectures) = self.for_others(&source.architecture) {
            return Err(format!("it is for other architectures, {architectures}"));
        }
        if let Some(option) = LOOSENING
            .iter()
            .find(|option| self.options.contains_key(**option))
        {
            return Err(format!("it changes what apt checks ({option})"));
        }
        self.keyring(pin)
    }

    /// Whether apt verifies all that comes from it, by this keyring alone.
    pub(crate) fn is_verified_by(&self, keyring: &str) -> bool {
        let signed_by = self.options.get("signed-by").map_or(&[][..], Vec::as_slice);
        let loosens = |option: &&str| self.options.contains_key(*option);
        signed_by == [keyring] && !LOOSENING.iter().any(loosens)
    }

    /// Why it cannot bring what fits this host, wherever it fetches from.
    pub(crate) fn misfit(&self, source: &Source) -> Option<Misfit> {
        for uri in &self.uris {
            let segments = segments(uri);
            if RETIRED.contains(&segments[0].as_str()) {
                let gone = format!("{} is no longer there", without_password(uri));
                return Some(Misfit::System(gone));
            }
            if let Some(other) = segments.last().filter(|last| *last != "ubuntu") {
                let reason = format!("it is for {other}, not for Ubuntu");
                return Some(Misfit::System(reason));
            }
        }
        let is_other = |suite: &&String| **suite != source.suite;
        let other = self.suites.iter().find(is_other)?;
        let reason = format!("it is for {other}, not for {}", source.suite);
        Some(Misfit::Suite(reason))
    }

    /// The architectures it is limited to, when that leaves `architecture` out.
    fn for_others(&self, architecture: &str) -> Option<String> {
        let has = |values: &Vec<String>| values.iter().any(|value| value == architecture);
        let only = self.options.get("architectures");
        let not = self.options.get("architectures-remove");
        match (only, not) {
            (Some(only), _) if !has(only) => Some(only.join(" ")),
            (_, Some(not)) if has(not) => Some(format!("all but {}", not.join(" "))),
            _ => None,
        }
    }

    /// The files of keys that it names.
    pub(crate) fn keyrings(&self) -> impl Iterator<Item = &String> {
        let words = self.options.get("signed-by").into_iter().flatten();
        words.filter(|word| word.starts_with('/'))
    }

    fn keyring(&self, pin: &Fingerprint) -> Result<&str, String> {
        let words = self.options.get("signed-by").map_or(&[][..], Vec::as_slice);
        let is_pin = |word: &String| word.parse().is_ok_and(|key: Fingerprint| key == *pin);
        match words {
            [] => Err("it names no keyring, so any key that apt knows may sign for it".to_owned()),
            [path] if path.starts_with('/') => Ok(path),
            [path, key] if path.starts_with('/') && is_pin(key) => Ok(path),
            [begin, ..] if begin.starts_with("-----BEGIN") => {
                Err("it carries its key within itself".to_owned())
            }
            other => Err(format!("it trusts another key, {}", other.join(" "))),
        }
    }
}

/// The line without its comment. What is in brackets is no comment to apt.
fn uncommented(line: &str) -> &str {
    let mut in_brackets = false;
    for (at, character) in line.char_indices() {
        match character {
            '[' => in_brackets = line[at..].contains(']'),
            ']' => in_brackets = false,
            '#' if !in_brackets => return &line[..at],
            _ => {}
        }
    }
    line
}

/// What an option of a line is called in a stanza.
fn long_name(name: &str) -> &str {
    match name {
        "arch" => "architectures",
        "arch-" => "architectures-remove",
        "target" => "targets",
        name => name,
    }
}

fn is_dockers(uri: &str, source: &Source) -> bool {
    let segments = segments(uri);
    if RETIRED.contains(&segments[0].as_str()) {
        return true;
    }
    let [folders @ .., linux, distribution] = segments.as_slice() else {
        return false;
    };
    let of_docker = |folder: &String| DOCKERS.contains(&folder.as_str());
    let configured = self::segments(&source.uri);
    // Other tools write the name of a derivative there, such as linuxmint, for which there is none.
    linux == "linux"
        && (folders.iter().any(of_docker)
            || DISTRIBUTIONS.contains(&distribution.as_str())
                && matches!(&configured[..], [mirror @ .., _, _] if mirror == folders))
}

/// The host and the folders of an address. How it is fetched, by whom and at which port does not
/// matter, nor do slashes too many, which caches put into addresses.
fn segments(uri: &str) -> Vec<String> {
    let address = uri.split_once("://").map_or(uri, |(_, address)| address);
    let mut segments = address.split('/').filter(|segment| !segment.is_empty());
    let host = segments
        .next()
        .unwrap_or_default()
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    std::iter::once(host)
        .chain(segments.map(str::to_owned))
        .collect()
}

/// An address as it may be shown.
pub(crate) fn without_password(uri: &str) -> String {
    let Some((scheme, address)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let end = address.find('/').unwrap_or(address.len());
    let host = address[..end].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}", &address[host..])
}

#[cfg(test)]
mod tests;
