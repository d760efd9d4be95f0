//! The only table of Ubuntu releases.
//!
//! A release is supported when Docker builds packages for it and its standard support has not
//! ended. Sources: <https://ubuntu.com/about/release-cycle> and Docker's own build matrix.

use jiff::civil::Date;
use jiff::civil::date;
use serde::Serialize;

/// One Ubuntu release on which dockstrap sets up Docker.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Release {
    /// The name Docker's suites go by, such as `noble`.
    pub codename: &'static str,
    /// The version, such as `24.04`.
    pub version: &'static str,
    /// The last day of Ubuntu's standard support.
    #[serde(serialize_with = "as_text")]
    pub support_ends: Date,
}

/// Every supported release, oldest first.
pub(crate) const SUPPORTED: &[Release] = &[
    Release {
        codename: "jammy",
        version: "22.04",
        support_ends: date(2027, 4, 30),
    },
    Release {
        codename: "noble",
        version: "24.04",
        support_ends: date(2029, 4, 30),
    },
    Release {
        codename: "resolute",
        version: "26.04",
        support_ends: date(2031, 4, 30),
    },
];

/// The major release of the engine that Docker maintains: the one before ends when the next comes.
///
/// Source: <https://github.com/moby/moby/blob/master/project/BRANCHES-AND-TAGS.md>.
pub(crate) const ENGINE_MAJOR: u32 = 29;

/// Why a release is not among the supported ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    /// Docker no longer builds for it. What was built stays on the server, without updates.
    Ended,
    /// Docker did not build for it when this table was written.
    Unbuilt,
}

/// Releases beside the supported ones, oldest first, for telling what a server has.
pub(crate) const OTHERS: &[(&str, &str, Lack)] = &[
    ("trusty", "14.04", Lack::Ended),
    ("xenial", "16.04", Lack::Ended),
    ("bionic", "18.04", Lack::Ended),
    ("focal", "20.04", Lack::Ended),
    ("groovy", "20.10", Lack::Ended),
    ("hirsute", "21.04", Lack::Ended),
    ("impish", "21.10", Lack::Ended),
    ("kinetic", "22.10", Lack::Ended),
    ("lunar", "23.04", Lack::Ended),
    ("mantic", "23.10", Lack::Ended),
    ("oracular", "24.10", Lack::Ended),
    ("plucky", "25.04", Lack::Ended),
    ("questing", "25.10", Lack::Ended),
    ("stonking", "26.10", Lack::Unbuilt),
];

/// Whether Docker no longer builds for the release with that codename.
pub(crate) fn has_ended(codename: &str) -> bool {
    let ended = |(name, _, lack): &(&str, &str, Lack)| *name == codename && *lack == Lack::Ended;
    OTHERS.iter().any(ended)
}

/// The codenames of all known releases, newest first.
pub(crate) fn codenames() -> Vec<&'static str> {
    let supported = SUPPORTED
        .iter()
        .map(|known| (known.version, known.codename));
    let others = OTHERS
        .iter()
        .map(|(codename, version, _)| (*version, *codename));
    let mut known: Vec<(&str, &str)> = supported.chain(others).collect();
    known.sort_unstable(); // versions are four digits and a dot
    known
        .into_iter()
        .rev()
        .map(|(_, codename)| codename)
        .collect()
}

/// The Debian architectures for which Docker publishes packages and dockstrap is built.
pub(crate) const ARCHITECTURES: &[&str] = &["amd64", "arm64"];

impl Release {
    /// The supported release with that codename.
    pub(crate) fn by_codename(codename: &str) -> Option<&'static Release> {
        SUPPORTED
            .iter()
            .find(|release| release.codename == codename)
    }

    /// Whether standard support had ended by `today`.
    pub(crate) fn has_ended(&self, today: Date) -> bool {
        today > self.support_ends
    }
}

/// The supported releases in one line, for messages: `22.04 (jammy), …`.
pub(crate) fn supported() -> String {
    let names: Vec<String> = SUPPORTED
        .iter()
        .map(|release| format!("{} ({})", release.version, release.codename))
        .collect();
    names.join(", ")
}

fn as_text<S: serde::Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_found_by_its_codename_only() {
        assert_eq!(Release::by_codename("noble").unwrap().version, "24.04");
        assert_eq!(Release::by_codename("24.04"), None);
        assert_eq!(Release::by_codename("trixie"), None);
    }

    #[test]
    fn every_release_is_known_once_and_the_newest_comes_first() {
        let codenames = codenames();
        assert_eq!(codenames[..3], ["stonking", "resolute", "questing"]);
        assert_eq!(codenames.len(), SUPPORTED.len() + OTHERS.len());
        let once: std::collections::BTreeSet<_> = codenames.iter().collect();
        assert_eq!(once.len(), codenames.len());
    }

    #[test]
    fn an_old_release_has_ended_and_a_new_one_has_not() {
        assert!(has_ended("focal"));
        assert!(!has_ended("noble"));
        assert!(!has_ended("stonking"));
        assert!(!has_ended("unheard"));
    }

    #[test]
    fn support_lasts_through_its_last_day() {
        let jammy = Release::by_codename("jammy").unwrap();
        assert!(!jammy.has_ended(date(2027, 4, 30)));
        assert!(jammy.has_ended(date(2027, 5, 1)));
    }
}
