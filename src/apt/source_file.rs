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
pub(crate) const FOLDER: &str = "/etc/apt/sources.list.d";
const PARTS: Parts = Parts {
    folder: FOLDER,
    endings: &[Some("list"), Some("sources")],
};
pub(crate) const SOURCES_LIST: &str = "/etc/apt/sources.list";

/// One file of sources.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub path: String,
    /// All of the file, in order: its sources and what stands between them.
    parts: Vec<Block>,
}

/// A line or a stanza.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Counted from 1.
    pub line: usize,
    bytes: Vec<u8>,
    pub entry: Option<Entry>,
}

impl SourceFile {
    /// Reads a file; its name says in which of apt's two forms it is.
    pub(crate) fn parse(path: &str, bytes: &[u8]) -> SourceFile {
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
    pub(crate) fn dockers(&self, source: &Source) -> impl Iterator<Item = (&Block, &Entry)> {
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
    pub(crate) fn names_docker(&self, source: &Source) -> bool {
        self.dockers(source).next().is_some()
    }

    /// The files of keys that its sources for Docker's repository name.
    pub(crate) fn keyrings(&self, source: &Source) -> impl Iterator<Item = &String> {
        self.dockers(source).flat_map(|(_, entry)| entry.keyrings())
    }

    /// What is left without the parts that begin at these lines, byte for byte; `None` when
    /// nothing but comments would be left of a file that is there for its sources only.
    pub(crate) fn without(&self, lines: &[usize]) -> Option<Vec<u8>> {
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
    pub(crate) fn without_docker(&self, source: &Source) -> Option<Vec<u8>> {
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
pub(crate) fn source_files(host: &Host) -> Result<Vec<SourceFile>> {
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
pub(crate) fn is_sound(text: &[u8]) -> bool {
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
pub(crate) fn is_source_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path == Path::new(SOURCES_LIST)
        || path.parent() == Some(Path::new(FOLDER)) && PARTS.reads(&name)
}

#[cfg(test)]
mod tests;
