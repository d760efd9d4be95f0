//! Strict JSON: which text is refused before anything is read out of it, and why.
//!
//! Owns the causes and cures of a refusal. It must not know any key of the file.

use jsonc_parser::ast::{NullKeyword, Value as Node};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{ParseOptions, parse_to_ast};
use serde_json::{Map, Value};

use super::encoding::Encoding;
use crate::daemon_config::finding::Position;

/// A text that is taken for a configuration.
#[derive(Debug)]
pub(super) struct ParsedText {
    pub encoding: Encoding,
    pub text: String,
    pub root: Map<String, Value>,
}

/// Text that is not taken for a configuration, with the place, the cause and the cure. Where the
/// engine would take it, the cause says what it makes of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {cause}; {cure}")]
pub(crate) struct SyntaxError {
    pub position: Position,
    pub cause: String,
    pub cure: String,
}

/// The text and the object it holds; blank text holds an empty one, as for dockerd.
pub(super) fn read(bytes: &[u8]) -> Result<ParsedText, SyntaxError> {
    let (encoding, rest) = Encoding::of(bytes);
    let decoded = encoding.decode(rest);
    let text = decoded.map_err(|before| not_decoded(encoding, &before))?;
    let root = object(&text)?;
    Ok(ParsedText {
        encoding,
        text,
        root,
    })
}

fn object(text: &str) -> Result<Map<String, Value>, SyntaxError> {
    if let Some(nul) = text.find('\0') {
        return Err(refusal(text, nul, "a NUL byte", "remove it"));
    }
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    let value = serde_json::from_str(text.trim_end()).map_err(|error| not_json(text, &error))?;
    refuse_duplicate_keys(text, &tree(text).map_err(|error| from_tree(text, &error))?)?;
    match value {
        Value::Object(root) => Ok(root),
        other => Err(not_an_object(text, &other)),
    }
}

/// The syntax tree of a text, with the range of every node.
pub(crate) fn tree(text: &str) -> Result<Node<'_>, ParseError> {
    let options = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    // dockerd takes away whatever Unicode calls a space, such as a no-break space.
    let parsed = parse_to_ast(text.trim_end(), &Default::default(), &options)?;
    Ok(parsed.value.unwrap_or_else(nothing))
}

/// The value of one node, read by the same reader as the whole text.
pub(super) fn value_of(text: &str, range: Range) -> Value {
    // A node of strict JSON is strict JSON.
    serde_json::from_str(&text[range.start..range.end]).unwrap_or_default()
}

/// A decoded key name.
pub(crate) fn name_of(text: &str, name: &impl Ranged) -> String {
    match value_of(text, name.range()) {
        Value::String(name) => name,
        _ => String::new(),
    }
}

/// What blank text holds.
fn nothing<'a>() -> Node<'a> {
    Node::NullKeyword(NullKeyword {
        range: Range::from_byte_index(0),
    })
}

fn refusal(text: &str, offset: usize, cause: impl Into<String>, cure: &str) -> SyntaxError {
    SyntaxError {
        position: Position::of_byte(text, offset),
        cause: cause.into(),
        cure: cure.to_owned(),
    }
}

fn not_decoded(encoding: Encoding, before: &str) -> SyntaxError {
    let name = encoding.name();
    let cause = format!("bytes that are not {name}");
    refusal(before, before.len(), cause, "save the file as UTF-8")
}

/// How the reader of JSON begins to say that one half of a surrogate pair stands alone.
const HALVES: &[&str] = &["surrogate", "end of hex escape"];

/// The tree's error knows comments and commas by name; serde_json's is the last word otherwise.
fn not_json(text: &str, error: &serde_json::Error) -> SyntaxError {
    let message = error.to_string();
    let is_half = HALVES.iter().any(|words| message.contains(words));
    if let Err(named) = tree(text)
        && !is_half
    {
        return from_tree(text, &named);
    }
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let offset = line_start + error.column().saturating_sub(1);
    if is_half {
        let cause = "half of a character, for which the engine takes a replacement character";
        return refusal(text, offset, cause, "write the whole character");
    }
    if let Some(lookalike) = lookalike(text, offset) {
        return lookalike;
    }
    let cause = message.split(" at line ").next().unwrap_or(&message);
    refusal(text, offset, cause, "correct the JSON there")
}

/// Quotes and spaces that editors and web pages put in the place of plain ones.
const LOOKALIKES: &[char] = &[
    '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}', '\u{a0}',
    '\u{200b}', '\u{202f}', '\u{feff}',
];

fn from_tree(text: &str, error: &ParseError) -> SyntaxError {
    let offset = error.range().start;
    if let Some(lookalike) = lookalike(text, offset) {
        return lookalike;
    }
    let hash = text.get(offset..).is_some_and(|rest| rest.starts_with('#'));
    let (cause, cure) = match error.kind() {
        _ if hash => ("a comment, which JSON does not have", "remove it"),
        ParseErrorKind::CommentsNotAllowed | ParseErrorKind::UnterminatedCommentBlock => {
            ("a comment, which JSON does not have", "remove it")
        }
        ParseErrorKind::TrailingCommasNotAllowed => {
            ("a comma after the last entry", "remove the comma")
        }
        ParseErrorKind::SingleQuotedStringsNotAllowed => {
            ("a string in single quotes", "use double quotes")
        }
        ParseErrorKind::ExpectedComma => ("a comma is missing before this", "add it"),
        ParseErrorKind::ExpectedStringObjectProperty => (
            "a key without double quotes",
            "put the key in double quotes",
        ),
        ParseErrorKind::MultipleRootJsonValues => {
            ("text after the end of the configuration", "remove it")
        }
        ParseErrorKind::UnterminatedObject => ("this { is never closed", "add the missing }"),
        ParseErrorKind::UnterminatedArray => ("this [ is never closed", "add the missing ]"),
        other => {
            let cause = other.to_string().to_lowercase();
            return refusal(text, offset, cause, "correct the JSON there");
        }
    };
    refusal(text, offset, cause, cure)
}

/// The refusal of a character that only looks right.
fn lookalike(text: &str, offset: usize) -> Option<SyntaxError> {
    let letter = text.get(offset..)?.chars().next()?;
    let number = u32::from(letter);
    LOOKALIKES.contains(&letter).then(|| {
        let cause = format!("{letter:?} (U+{number:04X}), which JSON does not have");
        let cure = "put a plain double quote or a plain space in its place";
        refusal(text, offset, cause, cure)
    })
}

fn not_an_object(text: &str, value: &Value) -> SyntaxError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let offset = text.len() - text.trim_start().len();
    let cause = format!("the file holds {found} instead of an object");
    refusal(text, offset, cause, "put the keys between { and }")
}

fn refuse_duplicate_keys(text: &str, node: &Node<'_>) -> Result<(), SyntaxError> {
    match node {
        Node::Array(list) => list
            .elements
            .iter()
            .try_for_each(|element| refuse_duplicate_keys(text, element)),
        Node::Object(object) => {
            let mut seen = std::collections::HashSet::new();
            for property in &object.properties {
                let name = name_of(text, &property.name);
                if !seen.insert(name.clone()) {
                    let cause = format!(
                        "the key {name:?} is here a second time, and the engine goes by the last"
                    );
                    let cure = "keep one of them";
                    return Err(refusal(text, property.range.start, cause, cure));
                }
                refuse_duplicate_keys(text, &property.value)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
