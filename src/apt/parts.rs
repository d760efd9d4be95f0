//! The folders of which apt reads every file with a fitting name.

use anyhow::Result;

use crate::host::Host;

/// Such a folder, and the endings of the names that count; `None` is a name without one.
pub(super) struct Parts {
    pub folder: &'static str,
    pub endings: &'static [Option<&'static str>],
}

impl Parts {
    /// The files with such names, in the order in which apt reads them.
    pub(super) fn files(&self, host: &Host) -> Result<impl Iterator<Item = String>> {
        let names = host.list(self.folder)?.into_iter();
        let read = names.filter(|name| self.reads(name));
        Ok(read.map(|name| format!("{}/{name}", self.folder)))
    }

    /// apt passes over names with other characters or endings: apt.conf(5), apt_preferences(5) and
    /// sources.list(5) say so alike.
    pub(super) fn reads(&self, name: &str) -> bool {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        !name.starts_with('.') && name.chars().all(is_plain) && self.endings.contains(&ending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_other_characters_or_endings_are_passed_over() {
        let parts = Parts {
            folder: "/etc/apt/apt.conf.d",
            endings: &[None, Some("conf")],
        };
        for read in ["99mine", "50-a_b", "a.b.conf"] {
            assert!(parts.reads(read), "{read}");
        }
        for passed in [
            "99mine.disabled",
            ".hidden",
            "a~",
            "a b",
            "a.conf.",
            ".conf",
        ] {
            assert!(!parts.reads(passed), "{passed}");
        }
    }
}
