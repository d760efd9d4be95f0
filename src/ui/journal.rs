//! Lines for systemd's journal: each with its priority before it, as `sd-daemon(3)` has it.

use std::os::fd::AsFd;

use rustix::fs::fstat;

/// How much a line matters, by the priorities of syslog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    Error = 3,
    Warning = 4,
    Info = 6,
}

/// Whether what is written there goes to the journal: systemd names the device and the inode of its
/// stream in `JOURNAL_STREAM`, which is inherited also by those whose output goes elsewhere.
pub(crate) fn is_behind(file: impl AsFd) -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    fstat(file).is_ok_and(|there| names(&stream, there.st_dev, there.st_ino))
}

/// Each line with its priority.
pub(crate) fn prefixed(priority: Priority, text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| format!("<{}>{line}", priority as u8));
    lines.collect::<Vec<_>>().join("\n")
}

fn names(stream: &str, device: u64, inode: u64) -> bool {
    stream == format!("{device}:{inode}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_its_priority() {
        let text = prefixed(Priority::Warning, "the index is old\nby 91 days");
        assert_eq!(text, "<4>the index is old\n<4>by 91 days");
        assert_eq!(prefixed(Priority::Error, "no"), "<3>no");
        assert_eq!(prefixed(Priority::Info, ""), "");
    }

    #[test]
    fn only_the_stream_that_is_named_is_the_journal() {
        assert!(names("8:12345", 8, 12345));
        for other in ["8:1234", "9:12345", "8", "", "8:12345:1"] {
            assert!(!names(other, 8, 12345), "{other}");
        }
    }
}
