//! Words as they are typed in a shell, for the commands that people are given to run.

use std::ffi::OsStr;

/// The word, in quotes where a shell would take it for something else.
pub(crate) fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    if word.split('=').count() == 2 && word.split('=').all(is_plain) {
        // Behind the first word of a command line it means nothing to a shell.
        return word.into_owned();
    }
    let quoted = shell_words::quote(&word);
    // Bash expands more than the standard says: braces, and its history by `!`.
    let is_expanded = |c: char| "{}!^".contains(c) || c.is_control();
    if quoted == word && word.contains(is_expanded) {
        return format!("'{word}'");
    }
    quoted.into_owned()
}

/// Whether no shell takes a part of the word for something else.
fn is_plain(word: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:@+".contains(c);
    !word.is_empty() && word.chars().all(is_plain)
}

/// The words of a command line with a space between them, each quoted.
pub(crate) fn joined(words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    let words: Vec<String> = words.into_iter().map(quoted).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};
    use std::process::Command;

    #[test]
    fn a_plain_path_stays_plain() {
        for plain in ["/etc/a-b_c.toml", "docker-ce", "r:5000/ca.crt"] {
            assert_eq!(quoted(plain), plain);
        }
        assert_eq!(quoted("/etc/it's $(x)"), r"'/etc/it'\''s $(x)'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("--replace=true"), "--replace=true");
        assert_eq!(quoted("no_proxy=a, b"), "'no_proxy=a, b'");
        assert_eq!(quoted("a=~/x"), "'a=~/x'");
        assert_eq!(
            joined(["rm", "-r", "/srv/my docker"]),
            "rm -r '/srv/my docker'"
        );
    }

    #[test]
    fn a_shell_reads_back_the_words_that_were_meant() {
        let words = [
            "/srv/my docker",
            "it's",
            "",
            "$HOME",
            "`id`",
            "$(id)",
            "a;b",
            "a&b",
            "a|b",
            "<a>",
            "*",
            "?",
            "[a]",
            "~",
            "#a",
            "a\\b",
            "\"a\"",
            "/srv/{a,b}",
            "wow!!",
            "a\nb",
            "a\tb",
            "a\rb",
            "a=b",
            "%1",
            "(a)",
            "é",
            "^a^b",
        ];
        for shell in ["sh", "bash"] {
            let script = format!("printf '%s\\0' {}", joined(words));
            let said = Command::new(shell).args(["-c", &script]).output().unwrap();
            let said = String::from_utf8(said.stdout).unwrap();
            let read: Vec<&str> = said.trim_end_matches('\0').split('\0').collect();
            assert_eq!(read, words, "{shell}");
        }
    }

    proptest! {
        #[test]
        fn any_words_come_through(words in proptest::collection::vec(".{0,9}", 1..5)) {
            prop_assert_eq!(shell_words::split(&joined(&words)).unwrap(), words);
        }
    }
}
