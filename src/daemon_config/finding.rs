//! What is found in a file: how bad it is, where it stands, its cause and cure.
//!
//! The ground of all the rooms: it must not import from any of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The daemon starts, though perhaps not as meant.
    Warning,
    /// The daemon will not start, or fails at the first use.
    Error,
}

/// One finding, at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub severity: Severity,
    /// The key, with the path below it: `log-opts.max-size`, `registry-mirrors.0`; empty for
    /// the file as a whole.
    pub key: String,
    pub position: Position,
    /// Cause and cure.
    pub message: String,
}

/// A place in the text; both numbers start at 1, and the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Finding {
    /// One line for a text that nobody wrote: `mtu: must be a whole number; write 1400`.
    pub(crate) fn without_position(&self) -> String {
        match self.key.as_str() {
            "" => self.message.clone(),
            key => format!("{key}: {}", self.message),
        }
    }
}

/// One line: `error: line 3, column 5: mtu: must be a whole number; write 1400`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            severity, position, ..
        } = self;
        write!(f, "{severity}: {position}: {}", self.without_position())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

impl Position {
    pub(crate) fn of_byte(text: &str, offset: usize) -> Position {
        let before = String::from_utf8_lossy(&text.as_bytes()[..offset.min(text.len())]);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
