//! The only table of Ubuntu releases.
//!
//! A release is supported when Docker builds packages for it and its standard support has not
//! ended. Sources: <https://ubuntu.com/about/release-cycle> and Docker's own build matrix.

use jiff::civil::Date;
use jiff::civil::date;
use serde::Serialize;

/// One Ubuntu release on which dockstrap sets up Docker.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Release {
    /// The name Docker's suites go by, such as `noble`.
    pub codename: &'static str,
    /// The version, such as `24.04`.
    pub version: &'static str,
    /// The last day of Ubuntu's standard support.
    #[serde(serialize_with = "as_text")]
    pub support_ends: Date,
}

/// Every supported release, oldest first.
pub const SUPPORTED: &[Release] = &[
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

/// The Debian architectures for which Docker publishes packages and dockstrap is built.
pub const ARCHITECTURES: &[&str] = &["amd64", "arm64"];

impl Release {
    /// The supported release with that codename.
    pub fn by_codename(codename: &str) -> Option<&'static Release> {
        SUPPORTED
            .iter()
            .find(|release| release.codename == codename)
    }

    /// Whether standard support had ended by `today`.
    pub fn has_ended(&self, today: Date) -> bool {
        today > self.support_ends
    }
}

/// The supported releases in one line, for messages: `22.04 (jammy), …`.
pub fn supported() -> String {
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
    fn support_lasts_through_its_last_day() {
        let jammy = Release::by_codename("jammy").unwrap();
        assert!(!jammy.has_ended(date(2027, 4, 30)));
        assert!(jammy.has_ended(date(2027, 5, 1)));
    }
}
