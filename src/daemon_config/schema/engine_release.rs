//! A release of the engine, by the two numbers that tell what it knows.

use std::fmt;

/// The engine release that introduced a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EngineRelease(pub u8, pub u8);

impl EngineRelease {
    /// One that is newer than all that are known.
    pub const NEWEST: EngineRelease = EngineRelease(u8::MAX, u8::MAX);

    /// The engine of a version such as `29.6.1` or, as packages have it, `5:29.6.1-1~ubuntu`.
    pub fn of(version: &str) -> Option<EngineRelease> {
        let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
        let mut numbers = upstream.split(['.', '-', '~', '+']);
        let mut number = || numbers.next()?.parse().ok();
        Some(EngineRelease(number()?, number()?))
    }
}

/// As the engine writes itself: `17.06` in the years of calendar versions, `1.12` and `28.2` else.
impl fmt::Display for EngineRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EngineRelease(major, minor) = self;
        match major {
            17..=20 => write!(f, "{major}.{minor:02}"),
            _ => write!(f, "{major}.{minor}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_read_from_a_version() {
        assert_eq!(EngineRelease::of("29.6.1"), Some(EngineRelease(29, 6)));
        assert_eq!(
            EngineRelease::of("5:20.10.24~3-0~ubuntu-jammy"),
            Some(EngineRelease(20, 10))
        );
        assert_eq!(EngineRelease::of("latest"), None);
    }

    #[test]
    fn engines_are_ordered_and_written_as_they_write_themselves() {
        assert!(
            EngineRelease(1, 13) < EngineRelease(17, 6)
                && EngineRelease(20, 10) < EngineRelease(23, 0)
        );
        let written = [
            EngineRelease(1, 12),
            EngineRelease(17, 6),
            EngineRelease(28, 2),
        ]
        .map(|e| e.to_string());
        assert_eq!(written, ["1.12", "17.06", "28.2"]);
    }
}
