//! Strict JSON: which text is refused before anything is read out of it, and why.
//!
//! Owns the causes and cures of a refusal. It must not know any key of the file.

use jsonc_parser::ast::{NullKeyword, Value as Node};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{ParseOptions, parse_to_ast};
use serde_json::{Map, Value};

use super::document::Position;

/// Text that is not taken for a configuration, with the place, the cause and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {cause}; {cure}")]
pub struct Refusal {
    pub position: Position,
    pub cause: String,
    pub cure: String,
}

/// The text and the object it holds; blank text holds an empty one, as for dockerd.
pub(super) fn read(bytes: &[u8]) -> Result<(String, Map<String, Value>), Refusal> {
    refuse_byte_order_mark(bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    if let Some(nul) = text.find('\0') {
        return Err(refusal(text, nul, "a NUL byte", "remove it"));
    }
    if text.trim().is_empty() {
        return Ok((text.to_owned(), Map::new()));
    }
    let value = serde_json::from_str(text).map_err(|error| not_json(text, &error))?;
    refuse_duplicate_keys(text, &tree(text).map_err(|error| from_tree(text, &error))?)?;
    match value {
        Value::Object(root) => Ok((text.to_owned(), root)),
        other => Err(not_an_object(text, &other)),
    }
}

/// The syntax tree of a text, with the range of every node.
pub(super) fn tree(text: &str) -> Result<Node<'_>, ParseError> {
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
    let parsed = parse_to_ast(text, &Default::default(), &options)?;
    Ok(parsed.value.unwrap_or_else(nothing))
}

/// The value of one node, read by the same reader as the whole text.
pub(super) fn value_of(text: &str, range: Range) -> Value {
    // A node of strict JSON is strict JSON.
    serde_json::from_str(&text[range.start..range.end]).unwrap_or_default()
}

/// A decoded key name.
pub(super) fn name_of(text: &str, name: &impl Ranged) -> String {
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

fn refusal(text: &str, offset: usize, cause: impl Into<String>, cure: &str) -> Refusal {
    Refusal {
        position: Position::of_byte(text, offset),
        cause: cause.into(),
        cure: cure.to_owned(),
    }
}

fn refuse_byte_order_mark(bytes: &[u8]) -> Result<(), Refusal> {
    let utf8 = bytes.starts_with(&[0xEF, 0xBB, 0xBF]);
    let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    if utf8 {
        let cure = r"remove it: sed -i '1s/^\xEF\xBB\xBF//' FILE";
        return Err(refusal("", 0, "a UTF-8 byte order mark", cure));
    }
    if utf16 {
        let cure = "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE";
        return Err(refusal("", 0, "a UTF-16 byte order mark", cure));
    }
    Ok(())
}

fn not_utf8(bytes: &[u8], valid: usize) -> Refusal {
    let text = String::from_utf8_lossy(&bytes[..valid]);
    refusal(
        &text,
        valid,
        "bytes that are not UTF-8",
        "save the file as UTF-8",
    )
}

/// The tree's error knows comments and commas by name; serde_json's is the last word otherwise.
fn not_json(text: &str, error: &serde_json::Error) -> Refusal {
    if let Err(named) = tree(text) {
        return from_tree(text, &named);
    }
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let offset = line_start + error.column().saturating_sub(1);
    let message = error.to_string();
    let cause = message.split(" at line ").next().unwrap_or(&message);
    refusal(text, offset, cause, "correct the JSON there")
}

fn from_tree(text: &str, error: &ParseError) -> Refusal {
    let offset = error.range().start;
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

fn not_an_object(text: &str, value: &Value) -> Refusal {
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

fn refuse_duplicate_keys(text: &str, node: &Node<'_>) -> Result<(), Refusal> {
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
                    let cause = format!("the key {name:?} is here a second time");
                    let cure = "keep one of the two: dockerd would take the last without a word";
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
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    fn refused(bytes: impl AsRef<[u8]>) -> String {
        read(bytes.as_ref()).unwrap_err().to_string()
    }

    #[test]
    fn a_comment_is_refused_where_it_stands() {
        let place = "line 2, column 3: a comment, which JSON does not have; remove it";
        assert_eq!(refused("{\n  // why\n}"), place);
        assert_eq!(refused("{\n  /* why */\n}"), place);
        assert_eq!(refused("{\n  # why\n}"), place);
    }

    #[test]
    fn a_trailing_comma_is_refused_in_objects_and_lists() {
        let cause = "a comma after the last entry; remove the comma";
        assert_eq!(refused("{\"a\": 1,}"), format!("line 1, column 8: {cause}"));
        assert_eq!(
            refused("{\"a\": [1,]}"),
            format!("line 1, column 9: {cause}")
        );
    }

    #[test]
    fn single_quotes_and_bare_keys_are_refused() {
        assert!(refused("{'a': 1}").starts_with("line 1, column 2: a string in single quotes"));
        assert!(refused("{a: 1}").starts_with("line 1, column 2: a key without double quotes"));
    }

    #[test]
    fn a_missing_comma_and_a_missing_brace_are_named() {
        assert!(refused("{\"a\": 1 \"b\": 2}").contains("a comma is missing before this"));
        assert!(refused("{\"a\": 1").contains("this { is never closed"));
        assert!(refused("{} {}").contains("text after the end"));
    }

    #[test]
    fn a_duplicate_key_is_refused_at_every_level() {
        let top = refused("{\"a\": 1,\n \"a\": 2}");
        assert!(top.starts_with("line 2, column 2: the key \"a\" is here a second time"));
        assert!(refused(r#"{"l": [{"a": 1, "\u0061": 2}]}"#).contains("column 17: the key \"a\""));
    }

    #[test]
    fn byte_order_marks_are_refused() {
        assert!(refused(b"\xEF\xBB\xBF{}").contains("a UTF-8 byte order mark"));
        assert!(refused(b"\xFF\xFE{\0}\0").contains("a UTF-16 byte order mark"));
        assert!(refused(b"\xFE\xFF\0{\0}").contains("a UTF-16 byte order mark"));
    }

    #[test]
    fn nul_and_bytes_that_are_not_utf8_are_refused() {
        assert!(refused("{}\n\0").starts_with("line 2, column 1: a NUL byte"));
        assert!(refused(b"{\"a\": \"\xFF\"}").starts_with("line 1, column 8: bytes"));
    }

    #[test]
    fn a_root_that_is_no_object_is_refused() {
        assert!(refused("null").contains("holds null instead of an object"));
        assert!(refused("\n []").starts_with("line 2, column 2: the file holds a list"));
        assert!(refused("5").contains("holds a number"));
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        assert!(refused("{\"é\": tru}").starts_with("line 1, column 7:"));
    }

    #[test]
    fn blank_text_holds_an_empty_object() {
        assert!(read(b"").unwrap().1.is_empty());
        assert!(read(b" \r\n\t").unwrap().1.is_empty());
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        let deep = "[".repeat(100_000);
        assert!(read(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }

        #[test]
        fn text_that_looks_like_json_never_panics(text in r#"[{}\[\],:"'/*#\\ua0-9.eE+\- \n\rtrunlé]{0,40}"#) {
            let _ = read(text.as_bytes());
        }

        #[test]
        fn what_serde_json_reads_as_an_object_is_read_alike(key: String, number: i64, flag in any::<bool>()) {
            let value = serde_json::json!({ key: [number, flag, null, {"é": "\u{1F600}\t"}] });
            let (_, root) = read(value.to_string().as_bytes()).unwrap();
            prop_assert_eq!(Value::Object(root), value);
        }
    }
}
