use super::*;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

/// Whether a terminal could be made to do something by it.
fn is_harmless(text: &str) -> bool {
    text.chars()
        .all(|c| !c.is_control() || matches!(c, '\n' | '\t'))
}

#[test]
fn what_a_terminal_would_obey_or_not_show_is_written_out() {
    for (text, shown) in [
        ("\u{1b}]0;owned\u{7}", "\\x1b]0;owned\\x07"),
        ("a\r\nb\rc\td\n", "a\nb\\x0dc\td\n"),
        ("\u{7f}\u{9b}31m", "\\x7f\\x9b31m"),
        (
            "a\u{202e}b\u{2066}\u{200f}",
            "a\\u{202e}b\\u{2066}\\u{200f}",
        ),
        ("\u{200b}\u{feff}\u{ad}", "\\u{200b}\\u{feff}\\xad"),
        ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
        ("\u{e0041}\u{3164}\u{fe0f}", "\\u{e0041}\\u{3164}\\u{fe0f}"),
    ] {
        assert_eq!(visible(text), shown);
    }
    for text in [
        "größe",
        "e\u{301}",
        "日本\u{3000}語",
        "…—→✓",
        "🐳",
        "a\u{a0}b",
        "\\x1b",
    ] {
        assert_eq!(visible(text), text);
    }
}

#[test]
fn long_lines_and_many_lines_are_cut_and_say_so() {
    let shown = plain("a".repeat(WIDTH + 7));
    assert!(shown.ends_with("a… (7 more characters)"), "{shown}");
    let long = format!("{}http://me:s3cret@proxy", "a ".repeat(WIDTH / 2 - 7));
    assert!(!plain(long).contains("s3cret"));
    let shown = Text::plain("a\n".repeat(LINES + 3)).shortened().to_string();
    assert!(shown.ends_with("a\n… 3 more lines"), "{shown}");
    assert_eq!(Text::plain("a\nb").shortened().to_string(), "a\nb");
}

#[test]
fn a_style_is_put_around_what_is_harmless() {
    let bold = Style::new().bold().force_styling(true);
    let text = Text::styled(bold, "\u{1b}[31m")
        .and("\u{1b}[0m")
        .to_string();
    assert_eq!(text, "\u{1b}[1m\\x1b[31m\u{1b}[0m\\x1b[0m");
}

proptest! {
    #[test]
    fn no_control_comes_through_whatever_the_text(text: String, c: char) {
        let text = format!("{text}{c}");
        let style = Style::new().bold().force_styling(false);
        for shown in [
            plain(&text),
            Text::styled(style, &text).and(&text).shortened().to_string(),
        ] {
            prop_assert!(is_harmless(&shown), "{shown:?}");
        }
    }

    #[test]
    fn json_stays_the_same_and_has_no_control(texts in proptest::collection::vec(any::<String>(), 0..4)) {
        let json = visible_json(&serde_json::to_string_pretty(&texts).unwrap());
        prop_assert!(is_harmless(&json), "{json:?}");
        prop_assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), texts);
    }
}
