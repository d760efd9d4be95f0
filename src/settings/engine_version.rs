//! The version of the engine that somebody asks for.

use std::fmt;

use crate::daemon_config::EngineRelease;
use crate::error::Failure;

/// The first engine that Docker has for a release of Ubuntu that is supported here.
const OLDEST: EngineRelease = EngineRelease(20, 10);

/// A version of the engine, as far as it is given: `29`, `29.5`, `29.5.3`, or the package's own such
/// as `5:29.5.3-1~ubuntu.24.04~noble`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineVersion(String);

impl EngineVersion {
    /// # Errors
    /// [`Failure::Usage`] for what can be no version.
    pub(crate) fn parse(text: &str) -> Result<EngineVersion, Failure> {
        let is_of_version = |c: char| c.is_ascii_alphanumeric() || ".+-~:".contains(c);
        let begins_right = text.starts_with(|first: char| first.is_ascii_digit());
        if begins_right && text.chars().all(is_of_version) {
            Ok(EngineVersion(text.to_owned()))
        } else {
            Err(Failure::Usage(format!(
                "engine-version `{text}` is no version; give one like 29, 29.5 or 29.5.3"
            )))
        }
    }

    /// Whether a package of this version is what is asked for.
    pub(crate) fn includes(&self, version: &str) -> bool {
        let upstream = upstream(version);
        let rest = upstream.strip_prefix(&self.0);
        version == self.0 || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The engine as far as it is told: the newest of a whole line of engines, such as 29. `None` for
    /// one that there never was for these releases.
    pub(crate) fn engine(&self) -> Option<EngineRelease> {
        let upstream = upstream(&self.0);
        let engine = EngineRelease::of(upstream)
            .or_else(|| EngineRelease::of(&format!("{upstream}.{}", u8::MAX)));
        engine.filter(|engine| *engine >= OLDEST)
    }
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A package's version without Debian's epoch and revision: the engine's own.
fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.rsplit_once('-').map_or(version, |(first, _)| first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_told_as_far_as_its_version_is() {
        let engine = |text: &str| EngineVersion::parse(text).unwrap().engine();
        assert_eq!(engine("29"), Some(EngineRelease(29, u8::MAX)));
        assert_eq!(engine("29.5"), Some(EngineRelease(29, 5)));
        assert_eq!(engine("1"), None);
        assert_eq!(
            engine("5:29.5.3-1~ubuntu.24.04~noble"),
            Some(EngineRelease(29, 5))
        );
    }

    #[test]
    fn as_much_of_a_version_as_is_given_must_be_there() {
        let package = "5:29.5.3-1~ubuntu.24.04~noble";
        for (asked_for, includes) in [
            ("29", true),
            ("29.5", true),
            ("29.5.3", true),
            (package, true),
            ("2", false),
            ("29.5.30", false),
            ("29.50", false),
            ("28", false),
            ("5:29.5.3", false),
        ] {
            let version = EngineVersion::parse(asked_for).unwrap();
            assert_eq!(version.includes(package), includes, "{asked_for}");
        }
        let early = "5:30.0.0~rc.1-1~ubuntu.24.04~noble";
        assert!(EngineVersion::parse("30.0.0~rc.1").unwrap().includes(early));
        assert!(!EngineVersion::parse("30.0.0").unwrap().includes(early));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "latest", "v29", "29 ; reboot", "-29"] {
            let error = EngineVersion::parse(text).unwrap_err().to_string();
            assert!(error.contains("29.5.3"), "{error}");
        }
    }
}
