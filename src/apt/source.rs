//! Sources: the one for Docker's repository, and those on the host that name it already.

use anyhow::Result;
use deb822_fast::Deb822;

use crate::host::Host;

/// The folder of the host's sources.
const FOLDER: &str = "/etc/apt/sources.list.d";
const SOURCES_LIST: &str = "/etc/apt/sources.list";

/// Docker's repository, as a deb822 source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub uri: String,
    pub suite: String,
    pub architecture: String,
}

impl Source {
    /// Where dockstrap puts it, and where Docker's documentation does.
    pub const PATH: &'static str = "/etc/apt/sources.list.d/docker.sources";

    /// The suite's address.
    pub fn suite_url(&self) -> String {
        format!("{}/dists/{}", self.uri, self.suite)
    }

    /// The file's content, trusting only what the keyring at `signed_by` has signed.
    pub fn text(&self, signed_by: &str) -> String {
        format!(
            "# Docker's packages; set up by dockstrap, removed by `dockstrap uninstall`.\n\
             Types: deb\n\
             URIs: {}\n\
             Suites: {}\n\
             Components: stable\n\
             Architectures: {}\n\
             Signed-By: {signed_by}\n",
            self.uri, self.suite, self.architecture
        )
    }
}

/// A source on the host that names Docker's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// The file it stands in.
    pub path: String,
    pub uri: String,
    pub suites: Vec<String>,
    /// The keyring it trusts, when it names one.
    pub signed_by: Option<String>,
}

impl Existing {
    /// Whether it names the repository and the suite of `source`.
    pub fn names(&self, source: &Source) -> bool {
        self.uri.trim_end_matches('/') == source.uri && self.suites.contains(&source.suite)
    }

    /// Whether apt may use this one together with, or in place of, `source`: same repository,
    /// same suite, same keyring. Any other keyring for one repository stops all of apt.
    pub fn serves(&self, source: &Source, keyring: &str) -> bool {
        self.names(source) && self.signed_by.as_deref() == Some(keyring)
    }
}

/// The names in [`FOLDER`] that apt reads.
pub fn source_files(host: &Host) -> Result<Vec<String>> {
    let names = host.list(FOLDER)?.into_iter();
    let read_by_apt = |name: &String| name.ends_with(".list") || name.ends_with(".sources");
    Ok(names
        .filter(read_by_apt)
        .map(|name| format!("{FOLDER}/{name}"))
        .collect())
}

/// The sources on the host that name Docker's repository, or the mirror at `uri`.
pub fn existing_sources(host: &Host, uri: &str) -> Result<Vec<Existing>> {
    let mut files = source_files(host)?;
    files.push(SOURCES_LIST.to_owned());
    let mut found = Vec::new();
    for path in files {
        let text = host.read_text(&path)?.unwrap_or_default();
        let sources = match path.ends_with(".sources") {
            true => parse_deb822(&path, &text),
            false => parse_lines(&path, &text),
        };
        found.extend(
            sources
                .into_iter()
                .filter(|source| names_docker(source, uri)),
        );
    }
    Ok(found)
}

fn names_docker(source: &Existing, uri: &str) -> bool {
    let address = source.uri.trim_end_matches('/');
    address == uri || address.ends_with("download.docker.com/linux/ubuntu")
}

fn parse_deb822(path: &str, text: &str) -> Vec<Existing> {
    let stanzas = text
        .parse::<Deb822>()
        .map(|stanzas| stanzas.iter().cloned().collect());
    let stanzas: Vec<deb822_fast::Paragraph> = stanzas.unwrap_or_default();
    let mut found = Vec::new();
    for stanza in stanzas {
        let field = |name: &str| stanza.get(name).unwrap_or_default().trim().to_owned();
        let disabled = matches!(field("Enabled").as_str(), "no" | "false" | "0");
        if disabled {
            continue;
        }
        for uri in field("URIs").split_whitespace() {
            found.push(Existing {
                path: path.to_owned(),
                uri: uri.to_owned(),
                suites: field("Suites")
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect(),
                signed_by: Some(field("Signed-By")).filter(|keyring| !keyring.is_empty()),
            });
        }
    }
    found
}

/// Reads one-line sources: `deb [signed-by=…] URI SUITE COMPONENT…`.
fn parse_lines(path: &str, text: &str) -> Vec<Existing> {
    text.lines()
        .filter_map(|line| parse_line(path, line))
        .collect()
}

fn parse_line(path: &str, line: &str) -> Option<Existing> {
    let line = line.split('#').next()?.trim();
    let (_, line) = line
        .split_once(char::is_whitespace)
        .filter(|(kind, _)| *kind == "deb")?;
    let line = line.trim_start();
    let (options, rest) = match line.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", line),
    };
    let mut words = rest.split_whitespace();
    let signed_by = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix("signed-by="));
    Some(Existing {
        path: path.to_owned(),
        uri: words.next()?.to_owned(),
        suites: vec![words.next()?.to_owned()],
        signed_by: signed_by.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const URI: &str = "https://download.docker.com/linux/ubuntu";
    const KEYRING: &str = "/etc/apt/keyrings/docker.asc";

    fn noble() -> Source {
        Source {
            uri: URI.to_owned(),
            suite: "noble".to_owned(),
            architecture: "amd64".to_owned(),
        }
    }

    fn existing(name: &str, text: &str) -> Vec<Existing> {
        let stub = StubHost::new().file(&format!("{FOLDER}/{name}"), text);
        existing_sources(stub.host(), URI).unwrap()
    }

    #[test]
    fn our_own_source_is_found_again() {
        let found = existing("docker.sources", &noble().text(KEYRING));
        assert_eq!(found.len(), 1);
        assert!(found[0].serves(&noble(), KEYRING));
        assert!(!found[0].serves(&noble(), "/usr/share/keyrings/docker.gpg"));
    }

    #[test]
    fn a_one_line_source_is_found_with_its_keyring() {
        let line = "# old\ndeb [arch=amd64 signed-by=/k.gpg] https://download.docker.com/linux/ubuntu noble stable\n";
        let found = existing("docker.list", line);
        assert_eq!(found[0].signed_by.as_deref(), Some("/k.gpg"));
        assert_eq!(found[0].path, "/etc/apt/sources.list.d/docker.list");
        assert!(found[0].serves(&noble(), "/k.gpg"));
    }

    #[test]
    fn a_one_line_source_may_have_tabs_between_its_words() {
        let line =
            "deb\t[ signed-by=/k.gpg ]\thttps://download.docker.com/linux/ubuntu\tnoble\tstable\n";
        assert!(existing("docker.list", line)[0].serves(&noble(), "/k.gpg"));
        assert_eq!(existing("docker.list", &line.replace("deb", "deb-src")), []);
    }

    #[test]
    fn sources_of_others_and_files_apt_ignores_are_passed_over() {
        let other = "deb http://archive.ubuntu.com/ubuntu noble main\n";
        assert_eq!(existing("ubuntu.list", other), []);
        assert_eq!(existing("docker.sources.bak", &noble().text(KEYRING)), []);
        let disabled = format!("{}Enabled: no\n", noble().text(KEYRING));
        assert_eq!(existing("docker.sources", &disabled), []);
    }
}
