//! The border to the terminal: what others wrote is shown, and does nothing.
//!
//! Names of containers and files, log lines, answers of registries and what other programs say may
//! hold escape sequences, characters that cannot be seen, and more than anybody can read.

use std::fmt::{self, Display, Write};

use console::Style;

use crate::redact::redact;

/// How many characters of a line are shown.
const WIDTH: usize = 4096;

/// How many lines of a message are shown.
const LINES: usize = 100;

/// What a terminal shows nothing of, although it is a letter or a mark to Unicode.
///
/// Source: `Default_Ignorable_Code_Point` in <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>.
const UNSEEN: &[std::ops::RangeInclusive<char>] = &[
    '\u{34f}'..='\u{34f}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{e0000}'..='\u{e0fff}',
];

/// A text for people: what is put into it comes without control characters, and only its own
/// styles are put around that.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn plain(text: impl Display) -> Text {
        Text::default().and(text)
    }

    pub(super) fn styled(style: Style, text: impl Display) -> Text {
        Text::default().and_styled(style, text)
    }

    /// One whose styles somebody else has put around what is harmless.
    pub(super) fn rendered(text: &str) -> Text {
        Text(text.to_owned())
    }

    /// With this behind it.
    pub(super) fn and(mut self, text: impl Display) -> Text {
        self.0 += &plain(text);
        self
    }

    pub(super) fn and_styled(mut self, style: Style, text: impl Display) -> Text {
        // Writing to a text cannot fail.
        let _ = write!(self.0, "{}", style.apply_to(plain(text)));
        self
    }

    /// With no more lines than anybody reads.
    pub(super) fn shortened(self) -> Text {
        let lines: Vec<&str> = self.0.lines().collect();
        match lines.len().checked_sub(LINES) {
            None | Some(0) => self,
            Some(more) => Text(format!(
                "{}\n… {more} more lines",
                lines[..LINES].join("\n")
            )),
        }
    }
}

impl Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The text without passwords and without what a terminal would obey, its lines not longer than
/// anybody reads.
pub(super) fn plain(text: impl Display) -> String {
    let text = visible(&text.to_string());
    let shown = redact(&text);
    let mut lines = shown.split('\n').map(shorten);
    let first = lines.next().unwrap_or_default();
    lines.fold(first, |shown, line| shown + "\n" + &line)
}

fn shorten(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        None => line.to_owned(),
        Some((end, _)) => {
            let more = line[end..].chars().count();
            format!("{}… ({more} more characters)", &line[..end])
        }
    }
}

/// The text with what cannot be seen written out: `\x1b`, `\u{202e}`.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        // Writing to a text cannot fail.
        let _ = match c {
            _ if is_visible(c) => write!(shown, "{c}"),
            '\0'..='\u{ff}' => write!(shown, "\\x{:02x}", u32::from(c)),
            _ => write!(shown, "{}", c.escape_unicode()),
        };
    }
    shown
}

/// JSON with what cannot be seen escaped, as JSON can have it; control characters below U+0020 are
/// so already. Outside of its strings there is only ASCII.
pub(super) fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_visible(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// Whether a terminal shows the character and nothing else happens; the end of a line is.
fn is_visible(c: char) -> bool {
    match c {
        '\n' | '\t' | ' '..='~' => true,
        '\u{2028}' | '\u{2029}' => false,
        _ if c.is_control() => false,
        _ if c.is_whitespace() => true,
        _ if UNSEEN.iter().any(|range| range.contains(&c)) => false,
        // The standard library knows what can be printed. Behind a letter, a mark can.
        _ => {
            let (mut buffer, mut text) = ([0; 4], String::from("a"));
            text.push_str(c.encode_utf8(&mut buffer));
            text.escape_debug().nth(1) == Some(c)
        }
    }
}

#[cfg(test)]
mod tests;
