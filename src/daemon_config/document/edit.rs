//! Editing JSON text in place: only the bytes of what differs change.
//!
//! Owns indentation and line ends of what is inserted. It must not know any key of the file.
//!
//! New entries go last, in the style of the entry before them, so that taking them out again
//! gives back the same bytes.

use jsonc_parser::ast::{Array, Object, Value as Node};
use jsonc_parser::common::{Range, Ranged};
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value};

use super::strict;

/// The text changed so that it holds exactly `wanted`. `text` holds an object of strict JSON.
pub(super) fn rewrite(text: &str, wanted: &Map<String, Value>) -> String {
    let mut text = text.to_owned();
    while let Some(splice) = next_splice(&text, wanted) {
        let Range { start, end } = splice.range;
        text.replace_range(start..end, &splice.text);
    }
    text
}

/// One replacement; an insertion has an empty range.
struct Splice {
    range: Range,
    text: String,
}

/// The first difference. Each splice settles one, so that a rewrite comes to an end.
fn next_splice(text: &str, wanted: &Map<String, Value>) -> Option<Splice> {
    let root = strict::tree(text).ok()?;
    Editor::new(text, &root).in_object(root.as_object()?, wanted)
}

struct Editor<'a> {
    text: &'a str,
    /// One level of indentation.
    unit: &'a str,
    newline: &'static str,
}

impl<'a> Editor<'a> {
    fn new(text: &'a str, root: &Node<'_>) -> Editor<'a> {
        let mut editor = Editor {
            text,
            unit: "  ",
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
        };
        let first = root
            .as_object()
            .and_then(|object| object.properties.first());
        if let Some(indent) = first.and_then(|property| editor.own_indent(property.range.start)) {
            editor.unit = indent;
        }
        editor
    }

    fn in_object(&self, object: &Object<'_>, wanted: &Map<String, Value>) -> Option<Splice> {
        let entries: Vec<Range> = object.properties.iter().map(Ranged::range).collect();
        let mut names = Vec::new();
        for (index, property) in object.properties.iter().enumerate() {
            let name = strict::name_of(self.text, &property.name);
            let Some(value) = wanted.get(&name) else {
                return Some(self.removal(object.range, &entries, index));
            };
            if let Some(splice) = self.in_value(&property.value, value) {
                return Some(splice);
            }
            names.push(name);
        }
        let (name, value) = wanted.iter().find(|(name, _)| !names.contains(name))?;
        let entry = |indent: Option<&str>| {
            let name = Value::from(name.as_str());
            format!("{name}: {}", self.written(value, indent))
        };
        Some(self.insertion(object.range, &entries, entry))
    }

    fn in_list(&self, list: &Array<'_>, wanted: &[Value]) -> Option<Splice> {
        let entries: Vec<Range> = list.elements.iter().map(Ranged::range).collect();
        let same =
            |(entry, value): &(&Range, &Value)| strict::value_of(self.text, **entry) == **value;
        let equal = entries.iter().zip(wanted).take_while(same).count();
        if entries.len() > wanted.len() {
            return Some(self.removal(list.range, &entries, equal));
        }
        let value = wanted.get(equal)?;
        match list.elements.get(equal) {
            Some(element) => self.in_value(element, value),
            None => {
                let entry = |indent: Option<&str>| self.written(value, indent);
                Some(self.insertion(list.range, &entries, entry))
            }
        }
    }

    fn in_value(&self, node: &Node<'_>, wanted: &Value) -> Option<Splice> {
        match (node, wanted) {
            (Node::Object(object), Value::Object(wanted)) => self.in_object(object, wanted),
            (Node::Array(list), Value::Array(wanted)) => self.in_list(list, wanted),
            _ if strict::value_of(self.text, node.range()) == *wanted => None,
            _ => Some(Splice {
                range: node.range(),
                text: self.written(wanted, Some(self.line_indent(node.range().start))),
            }),
        }
    }

    /// Takes an entry out together with the comma and whitespace that tie it to its neighbours.
    fn removal(&self, container: Range, entries: &[Range], index: usize) -> Splice {
        let here = entries[index];
        let range = match (index.checked_sub(1), entries.get(index + 1)) {
            (_, Some(next)) => Range::new(here.start, next.start),
            (Some(previous), None) => Range::new(entries[previous].end, here.end),
            (None, None) => Range::new(container.start + 1, container.end - 1),
        };
        Splice {
            range,
            text: String::new(),
        }
    }

    /// Puts an entry after the last one; `entry` writes it for an indentation, or on one line.
    fn insertion(
        &self,
        container: Range,
        entries: &[Range],
        entry: impl Fn(Option<&str>) -> String,
    ) -> Splice {
        let newline = self.newline;
        let Some(last) = entries.last() else {
            let outer = self.line_indent(container.start);
            let indent = format!("{outer}{}", self.unit);
            let entry = entry(Some(&indent));
            return Splice {
                range: Range::new(container.start + 1, container.end - 1),
                text: format!("{newline}{indent}{entry}{newline}{outer}"),
            };
        };
        let text = match self.own_indent(last.start) {
            Some(indent) => format!(",{newline}{indent}{}", entry(Some(indent))),
            None => format!(", {}", entry(None)),
        };
        Splice {
            range: Range::from_byte_index(last.end),
            text,
        }
    }

    /// The value as JSON: over several lines under an indentation, or on one line.
    fn written(&self, value: &Value, indent: Option<&str>) -> String {
        let Some(indent) = indent else {
            return value.to_string();
        };
        let mut bytes = Vec::new();
        let formatter = PrettyFormatter::with_indent(self.unit.as_bytes());
        // Writing a value to memory cannot fail.
        let _ = value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
        let pretty = String::from_utf8_lossy(&bytes);
        pretty.replace('\n', &format!("{}{indent}", self.newline))
    }

    /// The whitespace before an offset, when nothing else stands before it on its line.
    fn own_indent(&self, offset: usize) -> Option<&'a str> {
        let line = self.line_before(offset);
        (line.len() < offset && line.trim().is_empty()).then_some(line)
    }

    /// The whitespace the line of an offset starts with.
    fn line_indent(&self, offset: usize) -> &'a str {
        let line = self.line_before(offset);
        &line[..line.len() - line.trim_start().len()]
    }

    fn line_before(&self, offset: usize) -> &'a str {
        let before = &self.text[..offset];
        &before[before.rfind('\n').map_or(0, |newline| newline + 1)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::samples::{any_object, any_text};
    use proptest::prelude::{prop_assert_eq, proptest};
    use serde_json::json;

    fn rewritten(text: &str, wanted: Value) -> String {
        rewrite(text, wanted.as_object().unwrap())
    }

    #[test]
    fn a_new_key_follows_the_style_of_the_one_before() {
        let tabs = "{\n\t\"a\": 1\n}";
        assert_eq!(
            rewritten(tabs, json!({"a": 1, "b": {"c": 2}})),
            "{\n\t\"a\": 1,\n\t\"b\": {\n\t\t\"c\": 2\n\t}\n}"
        );
        assert_eq!(
            rewritten("{ \"a\":1 }", json!({"a": 1, "b": {"c": 2}})),
            "{ \"a\":1, \"b\": {\"c\":2} }"
        );
    }

    #[test]
    fn windows_line_ends_stay() {
        assert_eq!(
            rewritten("{\r\n  \"a\": 1\r\n}\r\n", json!({"a": 1, "b": [2]})),
            "{\r\n  \"a\": 1,\r\n  \"b\": [\r\n    2\r\n  ]\r\n}\r\n"
        );
    }

    #[test]
    fn a_changed_value_leaves_its_neighbours_alone() {
        let odd = "{\"a\" :  [ 1,2 ],\n    \"b\":{\"x\": 1.0, \"y\": 2}}";
        assert_eq!(
            rewritten(odd, json!({"a": [1, 2], "b": {"x": 1.0, "y": 3}})),
            "{\"a\" :  [ 1,2 ],\n    \"b\":{\"x\": 1.0, \"y\": 3}}"
        );
    }

    #[test]
    fn a_removed_key_takes_its_comma_with_it() {
        let three = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
        assert_eq!(
            rewritten(three, json!({"b": 2, "c": 3})),
            "{\n  \"b\": 2,\n  \"c\": 3\n}"
        );
        assert_eq!(
            rewritten(three, json!({"a": 1, "b": 2})),
            "{\n  \"a\": 1,\n  \"b\": 2\n}"
        );
    }

    #[test]
    fn list_entries_are_appended_and_removed_one_by_one() {
        let list = "{\"a\": [\n    \"x\" ,\n    \"y\"\n]}";
        assert_eq!(
            rewritten(list, json!({"a": ["x", "y", "z"]})),
            "{\"a\": [\n    \"x\" ,\n    \"y\",\n    \"z\"\n]}"
        );
        assert_eq!(
            rewritten(list, json!({"a": ["y"]})),
            "{\"a\": [\n    \"y\"\n]}"
        );
    }

    proptest! {
        #[test]
        fn a_rewrite_holds_exactly_what_is_wanted((_, text) in any_text(), wanted in any_object()) {
            let content = strict::read(rewrite(&text, &wanted).as_bytes()).unwrap();
            prop_assert_eq!(&content.root, &wanted);
        }

        #[test]
        fn a_rewrite_to_the_same_is_the_identity((object, text) in any_text()) {
            prop_assert_eq!(rewrite(&text, &object), text);
        }
    }
}
