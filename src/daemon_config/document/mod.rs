//! The configuration file as its owner wrote it: bytes kept, keys set and removed one by one.
//!
//! Owns the text. It must not know what any key means.

pub(super) mod edit;
mod encoding;
pub(crate) mod entries;
pub(super) mod redacted;
pub(super) mod secrets;
pub(super) mod strict;

use std::fmt;

use jsonc_parser::ast::Value as Node;
use jsonc_parser::common::Ranged;
use serde_json::{Map, Value};

use crate::daemon_config::finding::Position;

use encoding::Encoding;
use redacted::Redacted;
use strict::{ParsedText, SyntaxError};

/// A file of dockerd's configuration: strict JSON with an object at its root.
#[derive(Clone, PartialEq)]
pub(crate) struct Document {
    encoding: Encoding,
    text: String,
    root: Map<String, Value>,
}

impl Document {
    /// What a file that is not there yet starts from.
    pub(crate) fn new() -> Document {
        Document {
            encoding: Encoding::default(),
            text: "{}\n".to_owned(),
            root: Map::new(),
        }
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Anything but strict JSON with unique keys and an object at its root. Blank text is
    /// taken for an empty object, as dockerd does; [`Document::is_blank`] tells.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Document, SyntaxError> {
        let ParsedText {
            encoding,
            text,
            root,
        } = strict::read(bytes)?;
        Ok(Document {
            encoding,
            text,
            root,
        })
    }

    /// The file's text: what was parsed, with only the changed keys' bytes changed. It may hold
    /// secrets; what is shown of it is made by `redacted`.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the file: those of the text, in the encoding that was read.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.encode(&self.text)
    }

    /// Another text in the encoding of this file.
    pub(crate) fn encode(&self, text: &str) -> Vec<u8> {
        self.encoding.encode(text)
    }

    /// Whether the file begins with a byte order mark.
    pub(super) fn is_marked(&self) -> bool {
        self.encoding != Encoding::Utf8
    }

    /// The text of a key's value, as it is written.
    pub(crate) fn written(&self, key: &str) -> Option<&str> {
        let range = self.range_of(key)?;
        self.text.get(range)
    }

    /// Writes a key's value like this, if it is the same value.
    pub(crate) fn write_as(&mut self, key: &str, written: &str) {
        let same = serde_json::from_str(written).ok();
        if same.is_none() || same.as_ref() != self.get(key) {
            return;
        }
        if let Some(range) = self.range_of(key) {
            self.text.replace_range(range, written);
        }
    }

    fn range_of(&self, key: &str) -> Option<std::ops::Range<usize>> {
        let tree = strict::tree(&self.text).ok()?;
        let mut properties = tree.as_object()?.properties.iter();
        let property = properties.find(|it| strict::name_of(&self.text, &it.name) == key)?;
        let range = property.value.range();
        Some(range.start..range.end)
    }

    /// All keys and values.
    pub(crate) fn root(&self) -> &Map<String, Value> {
        &self.root
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.root.get(key)
    }

    /// The value at a key, or below it.
    pub(crate) fn value_at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.get(first)?, |value, name| value.get(name))
    }

    /// Whether there is no key at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Whether the file holds nothing but whitespace.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Gives `key` this value. A new key goes last; inside an object or a list only the
    /// entries that differ are touched.
    pub(crate) fn set(&mut self, key: &str, value: &Value) {
        let mut wanted = self.root.clone();
        wanted.insert(key.to_owned(), value.clone());
        self.rewrite(wanted);
    }

    /// Takes `key` out, if it is there.
    pub(crate) fn remove(&mut self, key: &str) {
        let mut wanted = self.root.clone();
        wanted.shift_remove(key);
        self.rewrite(wanted);
    }

    /// Where the key or list entry at this path starts; the nearest parent's place if it is
    /// not there. List entries are named by their index.
    pub(crate) fn position(&self, path: &[&str]) -> Position {
        let offset = strict::tree(&self.text).map_or(0, |root| offset_of(&self.text, &root, path));
        Position::of_byte(&self.text, offset)
    }

    fn rewrite(&mut self, wanted: Map<String, Value>) {
        if wanted == self.root {
            return;
        }
        if self.is_blank() {
            self.text = Document::new().text;
        }
        self.text = edit::rewrite(&self.text, &wanted);
        self.root = wanted;
    }
}

/// Without secrets.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Redacted::all(&self.root), f)
    }
}

impl Default for Document {
    fn default() -> Document {
        Document::new()
    }
}

fn offset_of(text: &str, node: &Node<'_>, path: &[&str]) -> usize {
    let here = node.range().start;
    let Some((first, rest)) = path.split_first() else {
        return here;
    };
    match node {
        Node::Object(object) => object
            .properties
            .iter()
            .find(|property| strict::name_of(text, &property.name) == *first)
            .map_or(here, |property| match rest {
                [] => property.range.start,
                _ => offset_of(text, &property.value, rest),
            }),
        Node::Array(list) => first
            .parse()
            .ok()
            .and_then(|index: usize| list.elements.get(index))
            .map_or(here, |element| offset_of(text, element, rest)),
        _ => here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::samples::any_text;
    use proptest::prelude::{prop_assert_eq, proptest};
    use serde_json::json;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_parsed_and_left_alone_keeps_its_bytes() {
        let odd = "\r\n{ \"b\" :1.50 ,\t\"a\":[ ]\n,\"c\": \"\\u0041\"}  ";
        assert_eq!(document(odd).text(), odd);
    }

    #[test]
    fn spaces_of_any_kind_behind_the_end_stay_there() {
        let mut spaced = document("{\"a\": 1}\u{a0}");
        spaced.set("b", &json!(2));
        assert_eq!(spaced.get("b"), Some(&json!(2)));
        assert!(spaced.text().ends_with("}\u{a0}"), "{}", spaced.text());
        assert_eq!(document(spaced.text()), spaced);
    }

    #[test]
    fn setting_the_value_a_key_has_changes_nothing() {
        let mut same = document("{ \"a\" :1 }");
        same.set("a", &json!(1));
        assert_eq!(same.text(), "{ \"a\" :1 }");
    }

    #[test]
    fn a_new_file_has_two_spaces_and_a_final_newline() {
        let mut new = Document::new();
        new.set("debug", &json!(true));
        new.set("log-opts", &json!({"max-size": "20m"}));
        let text = "{\n  \"debug\": true,\n  \"log-opts\": {\n    \"max-size\": \"20m\"\n  }\n}\n";
        assert_eq!(new.text(), text);
    }

    #[test]
    fn a_blank_file_becomes_a_new_one_with_its_first_key_only() {
        let mut blank = document("\n");
        blank.remove("debug");
        assert_eq!(blank.text(), "\n");
        blank.set("debug", &json!(true));
        assert_eq!(blank.text(), "{\n  \"debug\": true\n}\n");
    }

    #[test]
    fn removing_the_last_key_leaves_an_empty_object() {
        let mut one = document("{ \"a\": 1 }\n");
        one.remove("a");
        assert_eq!(one.text(), "{}\n");
        assert!(one.is_empty() && !one.is_blank());
    }

    #[test]
    fn a_value_is_written_as_it_was_if_it_is_the_same() {
        let mut file = document("{\"a\": [ 1,2 ], \"b\" : 3}");
        let written = file.written("a").unwrap().to_owned();
        assert_eq!(written, "[ 1,2 ]");
        file.set("a", &json!([2]));
        file.write_as("a", &written);
        assert_eq!(file.text(), "{\"a\": [ 2 ], \"b\" : 3}");
        file.set("a", &json!([1, 2]));
        file.write_as("a", &written);
        file.write_as("c", "3");
        assert_eq!(file.text(), "{\"a\": [ 1,2 ], \"b\" : 3}");
    }

    #[test]
    fn an_edit_keeps_the_byte_order_mark() {
        let mut marked = Document::parse(b"\xFF\xFE{\0}\0").unwrap();
        assert!(marked.is_marked());
        marked.set("a", &json!(1));
        let again = Document::parse(&marked.bytes()).unwrap();
        assert_eq!((again.get("a"), again.is_marked()), (Some(&json!(1)), true));
        marked.remove("a");
        assert_eq!(marked.bytes(), b"\xFF\xFE{\0}\0");
    }

    #[test]
    fn positions_are_of_keys_and_list_entries() {
        let file = document("{\n  \"é\": 1, \"a\": [\"x\",\n\"y\"]\n}");
        let place = |path: &[&str]| file.position(path).to_string();
        assert_eq!(place(&["a"]), "line 2, column 11");
        assert_eq!(place(&["a", "1"]), "line 3, column 1");
        assert_eq!(place(&["nowhere"]), "line 1, column 1");
    }

    proptest! {
        #[test]
        fn parsing_keeps_every_byte((root, text) in any_text()) {
            let parsed = document(&text);
            prop_assert_eq!(parsed.text(), text);
            prop_assert_eq!(parsed.root(), &root);
        }

        #[test]
        fn setting_and_removing_a_new_key_gives_back_the_bytes((root, text) in any_text()) {
            let mut edited = document(&text);
            edited.set("new", &json!({"a": [1, {}]}));
            edited.remove("new");
            if !root.is_empty() {
                prop_assert_eq!(edited.text(), text);
            }
        }
    }
}
