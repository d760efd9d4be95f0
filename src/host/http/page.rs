//! What a server says in words where it gives no file: a page for people, as one line of text.

use std::io::Read;
use std::time::{Duration, Instant};

use reqwest::blocking::Response;

/// How much of a page is read, how long that may take, and how much of it is shown.
const LIMIT: usize = 16 * 1024;
const DEADLINE: Duration = Duration::from_secs(5);
const LONGEST: usize = 300;

/// What is not meant to be read, from one tag to another.
const HIDDEN: &[(&str, &str)] = &[
    ("<!--", "-->"),
    ("<head", "</head>"),
    ("<script", "</script>"),
    ("<style", "</style>"),
];

const ENTITIES: &[(&str, &str)] = &[
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&#39;", "'"),
    ("&amp;", "&"),
];

/// The words of a page; nothing where there are none.
pub(super) fn words(mut response: Response) -> Option<String> {
    let mut page = Vec::new();
    let mut chunk = [0; 4096];
    let begun = Instant::now();
    while page.len() < LIMIT && begun.elapsed() < DEADLINE {
        match response.read(&mut chunk) {
            Ok(0) | Err(_) => break, // what has come by then will do
            Ok(read) => page.extend_from_slice(&chunk[..read]),
        }
    }
    shown(&String::from_utf8_lossy(&page))
}

fn shown(page: &str) -> Option<String> {
    let text = without_tags(page);
    let text = ENTITIES
        .iter()
        .fold(text, |text, (entity, meant)| text.replace(entity, meant));
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let mut line = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        let room = LONGEST.saturating_sub(line.chars().count());
        if word.chars().count() > room {
            line.extend(word.chars().take(room));
            line.push('…');
            break;
        }
        line.push_str(word);
    }
    (!line.is_empty()).then_some(line)
}

/// The text between the tags.
fn without_tags(page: &str) -> String {
    // Of the same length, so that places in it are places in the page.
    let lower = page.to_ascii_lowercase();
    let mut text = String::new();
    let mut at = 0;
    while let Some(tag) = lower[at..].find('<').map(|tag| at + tag) {
        text.push_str(&page[at..tag]);
        text.push(' ');
        let end = match HIDDEN
            .iter()
            .find(|(begin, _)| begins(&lower[tag..], begin))
        {
            Some((_, end)) => *end,
            None => ">",
        };
        let Some(length) = lower[tag..].find(end) else {
            return text; // it is cut off
        };
        at = tag + length + end.len();
    }
    text + &page[at..]
}

/// Whether this is the tag, and not one whose name is longer.
fn begins(text: &str, tag: &str) -> bool {
    text.strip_prefix(tag)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_one_line_without_tags_scripts_and_control_characters() {
        let page = "<!DOCTYPE html><HTML><HEAD><TITLE>ERROR</TITLE><style>b{}</style></HEAD>\
                    <body><header>403</header>\n<script>if (a<b) x()</script><!-- no > -->\
                    <H2>Not&nbsp;here.</H2><p>Blocked in your\x1b[31m&amp;\x07 country.</body>";
        assert_eq!(
            shown(page).as_deref(),
            Some("403 Not here. Blocked in your [31m& country.")
        );
        assert_eq!(shown("<html><head><title>x</title>"), None);
        assert_eq!(shown(" Access denied \n").as_deref(), Some("Access denied"));
    }

    #[test]
    fn an_endless_page_is_cut_off() {
        let line = shown(&"blocked ".repeat(1000)).unwrap();
        assert!(
            line.starts_with("blocked blocked ") && line.ends_with('…'),
            "{line}"
        );
        assert_eq!(line.chars().count(), LONGEST + 1);
        let line = shown(&"x".repeat(5000)).unwrap();
        assert_eq!(line.chars().count(), LONGEST + 1);
    }
}
