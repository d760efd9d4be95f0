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
fn a_byte_order_mark_names_the_encoding() {
    for bytes in [
        &b"\xEF\xBB\xBF{\"a\": 1}"[..],
        b"\xFF\xFE{\0\"\0a\0\"\0:\x001\0}\0",
        b"\xFE\xFF\0{\0\"\0a\0\"\0:\x001\0}",
    ] {
        assert_eq!(read(bytes).unwrap().root["a"], 1, "{bytes:?}");
    }
    assert!(refused(b"\xFF\xFE{\0}").contains("bytes that are not UTF-16"));
    let again = refused(b"\xEF\xBB\xBF\xEF\xBB\xBF{}");
    assert!(again.contains("U+FEFF"), "{again}");
}

#[test]
fn what_looks_like_a_quote_or_a_space_is_named() {
    assert!(refused("{“debug”: true}").contains("(U+201C), which JSON does not have"));
    assert!(refused("{\u{a0} \"debug\": true}").contains("U+00A0"));
    // Behind the end, dockerd takes it away.
    assert_eq!(read("{\"a\": 1}\n\u{a0}".as_bytes()).unwrap().root["a"], 1);
}

#[test]
fn half_a_character_is_refused_for_what_it_is() {
    let half = refused(r#"{"labels": ["a=\ud800"]}"#);
    assert!(half.contains("half of a character"), "{half}");
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
    assert!(read(b"").unwrap().root.is_empty());
    assert!(read(b" \r\n\t").unwrap().root.is_empty());
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
        let content = read(value.to_string().as_bytes()).unwrap();
        prop_assert_eq!(Value::Object(content.root), value);
    }
}
