//! The files that apt reads sources from, and what is left of one without some of its sources.
//!
//! Works on bytes: what is not taken out stays as it is, whatever it holds.

use std::path::Path;

use anyhow::Result;

use super::entry::Entry;
use super::parts::Parts;
use super::setting::Location;
use super::source::Source;
use crate::host::Host;

/// The folder of the host's sources.
pub const FOLDER: &str = "/etc/apt/sources.list.d";
const PARTS: Parts = Parts {
    folder: FOLDER,
    endings: &[Some("list"), Some("sources")],
};
pub const SOURCES_LIST: &str = "/etc/apt/sources.list";

/// One file of sources.
#[derive(Debug, Clone)]
pub struct SourceFile {
    pub path: String,
    /// All of the file, in order: its sources and what stands between them.
    parts: Vec<Block>,
}

/// A line or a stanza.
#[derive(Debug, Clone)]
pub struct Block {
    /// Counted from 1.
    pub line: usize,
    bytes: Vec<u8>,
    pub entry: Option<Entry>,
}

impl SourceFile {
    /// Reads a file; its name says in which of apt's two forms it is.
    pub fn parse(path: &str, bytes: &[u8]) -> SourceFile {
        let stanzas = path.ends_with(".sources");
        let mut parts: Vec<Block> = Vec::new();
        let mut in_stanza = false;
        for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            // Only an empty line ends a stanza: to apt, one of white space is part of a field.
            let empty = matches!(line, b"\n" | b"\r\n");
            match parts.last_mut() {
                Some(stanza) if stanzas && in_stanza && !empty => {
                    stanza.bytes.extend_from_slice(line);
                }
                _ => parts.push(Block {
                    line: number + 1,
                    bytes: line.to_vec(),
                    entry: None,
                }),
            }
            in_stanza = !empty;
        }
        for part in &mut parts {
            let text = String::from_utf8_lossy(&part.bytes);
            part.entry = if stanzas {
                Entry::of_stanza(&text)
            } else {
                Entry::of_line(&text)
            };
        }
        SourceFile {
            path: path.to_owned(),
            parts,
        }
    }

    /// The sources in it that name Docker's repository.
    pub fn dockers(&self, source: &Source) -> impl Iterator<Item = (&Block, &Entry)> {
        self.parts.iter().filter_map(|part| {
            let entry = part.entry.as_ref()?;
            entry.names_docker(source).then_some((part, entry))
        })
    }

    /// The lines at which sources in it begin that name this address.
    pub(super) fn naming(&self, address: &str) -> impl Iterator<Item = usize> {
        let parts = self.parts.iter();
        let naming = parts.filter(move |part| {
            let entry = part.entry.as_ref();
            entry.is_some_and(|entry| entry.names(address))
        });
        naming.map(|part| part.line)
    }

    /// Whether Docker's repository is named in it.
    pub fn names_docker(&self, source: &Source) -> bool {
        self.dockers(source).next().is_some()
    }

    /// The files of keys that its sources for Docker's repository name.
    pub fn keyrings(&self, source: &Source) -> impl Iterator<Item = &String> {
        self.dockers(source).flat_map(|(_, entry)| entry.keyrings())
    }

    /// What is left without the parts that begin at these lines, byte for byte; `None` when
    /// nothing but comments would be left of a file that is there for its sources only.
    pub fn without(&self, lines: &[usize]) -> Option<Vec<u8>> {
        let left: Vec<&Block> = self
            .parts
            .iter()
            .filter(|part| !lines.contains(&part.line))
            .collect();
        let matters = left.iter().any(|part| !part.is_comment());
        if !matters && self.path != SOURCES_LIST {
            return None;
        }
        Some(left.iter().flat_map(|part| part.bytes.clone()).collect())
    }

    /// What is left without any source for Docker's repository.
    pub fn without_docker(&self, source: &Source) -> Option<Vec<u8>> {
        let lines: Vec<usize> = self.dockers(source).map(|(part, _)| part.line).collect();
        self.without(&lines)
    }
}

impl Block {
    fn is_comment(&self) -> bool {
        let mut lines = self.bytes.split(|byte| *byte == b'\n');
        lines.all(|line| {
            let line = line.trim_ascii();
            line.is_empty() || line.starts_with(b"#")
        })
    }
}

/// The host's files of sources, those that apt reads.
pub fn source_files(host: &Host) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for path in std::iter::once(SOURCES_LIST.to_owned()).chain(PARTS.files(host)?) {
        // apt passes over folders and the like, and reads what a link leads to.
        let there = std::fs::metadata(host.path(&path));
        if there.is_ok_and(|there| !there.is_file()) {
            continue;
        }
        if let Some(bytes) = host.read(&path)? {
            files.push(SourceFile::parse(&path, &bytes));
        }
    }
    Ok(files)
}

/// Whether apt can read this text of our file, and verifies what comes from it with our keyring
/// alone, however else somebody has edited it.
pub fn is_sound(text: &[u8]) -> bool {
    let parts = SourceFile::parse(Source::PATH, text).parts;
    parts.iter().all(|part| match &part.entry {
        Some(entry) => !entry.enabled || entry.is_verified_by(Source::KEYRING),
        None => part.is_comment(),
    })
}

/// Where the host's sources name this address.
pub(super) fn named(host: &Host, address: &str) -> Result<Vec<Location>> {
    let files = source_files(host)?;
    let places = files.iter().flat_map(|file| {
        file.naming(address).map(|line| Location {
            file: file.path.clone(),
            line,
        })
    });
    Ok(places.collect())
}

/// Whether a file of this path is one that apt reads sources from.
pub fn is_source_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path == Path::new(SOURCES_LIST)
        || path.parent() == Some(Path::new(FOLDER)) && PARTS.reads(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;
    use proptest::prelude::*;

    fn noble() -> Source {
        Source {
            uri: "https://download.docker.com/linux/ubuntu".to_owned(),
            suite: "noble".to_owned(),
            architecture: "amd64".to_owned(),
        }
    }

    fn left(path: &str, text: &str) -> Option<String> {
        let left = SourceFile::parse(path, text.as_bytes()).without_docker(&noble());
        left.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    const LINE: &str = "deb [arch=amd64] https://download.docker.com/linux/ubuntu noble stable\n";
    const OTHER: &str = "deb http://archive.example/ubuntu noble main # mine\n";
    const STANZA: &str = "Types: deb\nURIs: https://download.docker.com/linux/ubuntu\n\
                          Suites: noble\nComponents: stable\n";
    const OTHER_STANZA: &str = "Types: deb\nURIs: http://archive.example/ubuntu\n\
                                Suites: noble\nComponents: main\n";

    #[test]
    fn a_file_with_docker_alone_goes_and_its_comments_with_it() {
        assert_eq!(left("/d/docker.list", LINE), None);
        assert_eq!(
            left("/d/docker.list", &format!("# Docker\n\n{LINE}# end")),
            None
        );
        assert_eq!(
            left("/d/docker.sources", &format!("# Docker\n{STANZA}\n\n")),
            None
        );
    }

    #[test]
    fn the_main_list_is_never_removed() {
        assert_eq!(left(SOURCES_LIST, LINE).as_deref(), Some(""));
    }

    #[test]
    fn what_is_not_dockers_stays_as_it_is() {
        let text = format!("# a\n{OTHER}\t\n{LINE}\n{OTHER}no newline");
        let kept = format!("# a\n{OTHER}\t\n\n{OTHER}no newline");
        assert_eq!(left("/d/mixed.list", &text), Some(kept));
        let text = format!("{OTHER_STANZA}\n# Docker\n{STANZA}\n\n{OTHER_STANZA}");
        let kept = format!("{OTHER_STANZA}\n\n\n{OTHER_STANZA}");
        assert_eq!(left("/d/mixed.sources", &text), Some(kept));
    }

    #[test]
    fn a_disabled_source_is_something_that_stays() {
        let disabled = format!("{STANZA}Enabled: no\n");
        let text = format!("{STANZA}\n{disabled}");
        assert_eq!(
            left("/d/docker.sources", &text),
            Some(format!("\n{disabled}"))
        );
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        let bytes = [b"deb http://x/\xff noble main\n", LINE.as_bytes()].concat();
        let file = SourceFile::parse("/d/x.list", &bytes);
        let left = file.without_docker(&noble()).unwrap();
        assert_eq!(left, b"deb http://x/\xff noble main\n");
    }

    #[test]
    fn what_is_no_file_is_passed_over_and_a_link_followed() {
        let stub = StubHost::new()
            .folder("/etc/apt/sources.list.d/a.list")
            .folder("/etc/apt/sources.list.d/b.sources")
            .file("/srv/docker.list", LINE);
        let folder = stub.host().path(FOLDER);
        let target = stub.host().path("/srv/docker.list");
        std::os::unix::fs::symlink(target, folder.join("c.list")).unwrap();
        let files = source_files(stub.host()).unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["/etc/apt/sources.list.d/c.list"]);
        assert!(files[0].names_docker(&noble()));
    }

    #[test]
    fn names_that_apt_passes_over_are_passed_over() {
        for name in [
            "docker.list.save",
            "a b.list",
            ".x.list",
            "ö.list",
            "list",
            "x.sources~",
        ] {
            assert!(!PARTS.reads(name), "{name}");
        }
        assert!(PARTS.reads("docker-ce_1.0.list"));
    }

    /// Lines of all kinds, good and bad, in any order.
    fn texts() -> impl Strategy<Value = Vec<String>> {
        let line = prop_oneof![
            Just(LINE.to_owned()),
            Just(OTHER.to_owned()),
            Just("\n".to_owned()),
            Just(" \n".to_owned()),
            Just("# note\n".to_owned()),
            Just(STANZA.to_owned()),
            Just(OTHER_STANZA.to_owned()),
            "[ -~\t]{0,30}\r?\n",
            "\\PC{0,20}\n",
        ];
        prop::collection::vec(line, 0..12)
    }

    #[test]
    fn our_file_stays_sound_as_long_as_apt_verifies_all_of_it_with_our_keyring() {
        let ours = noble().text(Source::KEYRING);
        let edited = |from: &str, to: &str| ours.replace(from, to).into_bytes();
        for sound in [
            edited("", ""),
            edited("Components: stable", "Components: stable test"),
            edited("Types: deb", "Enabled: no\nTypes: deb"),
            edited("https://download.docker.com", "https://mirror.example"),
            format!("{ours}# mine\n").into_bytes(),
            Vec::new(),
        ] {
            assert!(is_sound(&sound), "{}", String::from_utf8_lossy(&sound));
        }
        for unsound in [
            edited(Source::KEYRING, "/usr/share/keyrings/other.gpg"),
            edited("Signed-By: ", "# Signed-By: "),
            edited("Types: deb", "Trusted: yes\nTypes: deb"),
            format!("{ours}\nhello\n").into_bytes(),
        ] {
            assert!(!is_sound(&unsound), "{}", String::from_utf8_lossy(&unsound));
        }
    }

    proptest! {
        #[test]
        fn taking_docker_out_and_putting_it_back_is_the_identity(
            lines in texts(),
            list in any::<bool>(),
        ) {
            let path = if list { SOURCES_LIST } else { "/d/x.sources" };
            let text = lines.concat();
            let file = SourceFile::parse(path, text.as_bytes());
            let taken: Vec<usize> = file.dockers(&noble()).map(|(part, _)| part.line).collect();
            let bytes = |part: &Block| part.bytes.clone();
            // Put back: the parts that were left, and those that were taken, by their lines.
            let whole: Vec<u8> = file.parts.iter().flat_map(bytes).collect();
            prop_assert_eq!(&whole, text.as_bytes());
            let stays = |part: &&Block| !taken.contains(&part.line);
            let kept: Vec<u8> = file.parts.iter().filter(stays).flat_map(bytes).collect();
            if let Some(left) = file.without(&taken) {
                prop_assert_eq!(&left, &kept);
            }
            // Nothing of Docker's is left in it, and nothing else is lost.
            let after = SourceFile::parse(path, &kept);
            prop_assert!(!after.names_docker(&noble()));
            let entries = |file: &SourceFile| -> Vec<Entry> {
                let entries = file.parts.iter().filter_map(|part| part.entry.clone());
                entries.filter(|entry| !entry.names_docker(&noble())).collect()
            };
            prop_assert_eq!(entries(&file), entries(&after));
        }
    }
}
