//! Paths that somebody else wrote: in a bundle, an index, a settings file, a process's arguments.
//!
//! Joined to a folder as text, such a path leads wherever its author likes: `join` drops the folder
//! before an absolute path, and `..` climbs out. So each is parsed once, where it comes in, into a
//! type that cannot lead out of the folder under which it is used.

use std::borrow::Borrow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bytes in a path and in one part of it. Linux allows 4096 and 255; a path is used below a folder.
const LIMIT: usize = 1024;
const PART_LIMIT: usize = 255;

/// How much of a refused path is shown.
const SHOWN: usize = 80;

/// One or more plain names with single slashes between them, in printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelativePath(String);

/// A [`RelativePath`] of one part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(RelativePath);

/// Why a text is neither.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{path}` is not a path inside its folder: {reason}")]
pub struct NotInside {
    path: String,
    reason: &'static str,
}

impl RelativePath {
    pub fn parse(text: &str) -> Result<RelativePath, NotInside> {
        match fault_of(text) {
            None => Ok(RelativePath(text.to_owned())),
            Some(reason) => Err(NotInside::new(text, reason)),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names that it consists of.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The same path as seen from `folder`, when it lies below that.
    pub fn below(&self, folder: &RelativePath) -> Option<RelativePath> {
        let rest = self.0.strip_prefix(&folder.0)?.strip_prefix('/')?;
        Some(RelativePath(rest.to_owned()))
    }

    /// The path of `inner` as seen from the folder in which this one lies.
    pub fn join(&self, inner: &RelativePath) -> RelativePath {
        RelativePath(format!("{self}/{inner}"))
    }
}

impl FileName {
    pub fn parse(text: &str) -> Result<FileName, NotInside> {
        let path = RelativePath::parse(text)?;
        if path.parts().count() > 1 {
            return Err(NotInside::new(text, "a file name has no slash"));
        }
        Ok(FileName(path))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn into_path(self) -> RelativePath {
        self.0
    }
}

/// What is wrong with a path, if anything is.
fn fault_of(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > LIMIT {
        return Some("it is too long");
    }
    if text.starts_with('/') {
        return Some("it is absolute");
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if !text.bytes().all(is_plain) {
        return Some("it has a character that no file name should have");
    }
    text.split('/').find_map(|part| match part {
        "" => Some("a part of it is empty"),
        "." | ".." => Some("`.` and `..` are not allowed"),
        part if part.len() > PART_LIMIT => Some("a part of it is too long"),
        _ => None,
    })
}

impl NotInside {
    fn new(text: &str, reason: &'static str) -> NotInside {
        let mut path: String = text.chars().take(SHOWN).collect();
        if path.len() < text.len() {
            path.push('…');
        }
        NotInside {
            path: path.escape_debug().to_string(),
            reason,
        }
    }
}

impl TryFrom<String> for RelativePath {
    type Error = NotInside;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        RelativePath::parse(&text)
    }
}

impl From<RelativePath> for String {
    fn from(path: RelativePath) -> String {
        path.0
    }
}

impl TryFrom<String> for FileName {
    type Error = NotInside;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        FileName::parse(&text)
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> String {
        name.0.0
    }
}

impl FromStr for RelativePath {
    type Err = NotInside;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        RelativePath::parse(text)
    }
}

/// It is compared as its text is.
impl Borrow<str> for RelativePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for RelativePath {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A single name may be joined to a folder. A path of several parts may not: any of its folders may
/// be a link.
impl AsRef<Path> for FileName {
    fn as_ref(&self) -> &Path {
        Path::new(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use std::path::Component;

    fn parse(text: &str) -> Result<RelativePath, NotInside> {
        RelativePath::parse(text)
    }

    #[test]
    fn plain_names_with_single_slashes_are_a_path() {
        for text in [
            "a",
            "dists/noble/InRelease",
            "pool/main/libc6_2.39-0ubuntu8~1%3a+x_amd64.deb",
            "...",
            "a/..b/.c",
            "a/".repeat(500).trim_end_matches('/'),
        ] {
            assert_eq!(parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_could_lead_elsewhere_or_shows_otherwise_than_it_is_is_refused() {
        for text in [
            "",
            "/",
            "/etc/passwd",
            "//etc/passwd",
            "a//etc/passwd",
            "a/",
            "./a",
            "a/./b",
            "..",
            "../a",
            "a/../../b",
            "a/..",
            "a\\..\\b",
            "a\0b",
            "a\nb",
            "a b",
            "a\u{7f}",
            "a\u{202e}b",
            "a\u{2215}b",
            &"a".repeat(256),
            &"a/".repeat(600),
        ] {
            assert!(parse(text).is_err(), "{text:?}");
            assert!(FileName::parse(text).is_err(), "{text:?}");
        }
        assert!(FileName::parse("a/b").is_err());
        assert_eq!(
            FileName::parse("a_1%3a.deb").unwrap().as_str(),
            "a_1%3a.deb"
        );
    }

    #[test]
    fn a_refusal_is_one_short_line_that_controls_no_terminal() {
        let error = parse(&format!("\u{1b}[2J\n{}", "x".repeat(5000))).unwrap_err();
        let text = error.to_string();
        assert!(
            text.len() < 200 && !text.contains(['\u{1b}', '\n']),
            "{text:?}"
        );
    }

    #[test]
    fn a_path_is_below_a_folder_by_whole_parts() {
        let path = parse("archive/0/pool/a.deb").unwrap();
        let below = |folder: &str| path.below(&parse(folder).unwrap());
        assert_eq!(below("archive/0").unwrap().as_str(), "pool/a.deb");
        assert_eq!(below("archive"), Some(parse("0/pool/a.deb").unwrap()));
        for other in ["archive/00", "arch", "archive/0/pool/a.deb", "docker"] {
            assert_eq!(below(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_read_from_json_is_judged_as_well() {
        let read = |text: &str| serde_json::from_str::<RelativePath>(text);
        assert_eq!(read("\"a/b\"").unwrap().as_str(), "a/b");
        assert!(read("\"a//b\"").is_err() && read("\"/a\"").is_err());
    }

    proptest! {
        #[test]
        fn no_path_leads_out_of_its_folder(text in any::<String>(), odd in "[a./\\\\\0-]{0,12}") {
            for text in [text, odd] {
                let Ok(path) = parse(&text) else { continue };
                prop_assert_eq!(path.as_str(), &text);
                let joined = Path::new("/folder").join(path.as_str());
                prop_assert!(joined.starts_with("/folder") && joined != Path::new("/folder"));
                let mut inside = joined.components().skip(2);
                prop_assert!(inside.all(|part| matches!(part, Component::Normal(_))));
                prop_assert_eq!(joined.components().count() - 2, path.parts().count());
            }
        }
    }
}
