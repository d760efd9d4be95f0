//! Names under which a secret stands, and their values in a text.
//!
//! The tables of settings and of log drivers name the secrets that dockstrap and dockerd know; a test
//! holds them against these words. The words are for what no table has: options of plug-ins, labels,
//! arguments of runtimes.

use std::ops::Range;

/// The last words of a name whose value is a secret.
const WORDS: &[&[&str]] = &[
    &["token"],
    &["tokens"],
    &["password"],
    &["passwords"],
    &["passwd"],
    &["passphrase"],
    &["pass"],
    &["pwd"],
    &["secret"],
    &["secrets"],
    &["credential"],
    &["credentials"],
    &["apikey"],
    &["api", "key"],
    &["access", "key"],
    &["account", "key"],
    &["auth", "key"],
    &["license", "key"],
    &["private", "key"],
    &["secret", "key"],
    &["shared", "key"],
];

/// Whether what stands under this name is a secret, whatever it looks like.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    WORDS.iter().any(|secret| {
        let last = words.len().checked_sub(secret.len());
        last.is_some_and(|start| words[start..] == **secret)
    })
}

/// The words of `splunk-token`, `SPLUNK_TOKEN` and `splunkToken`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        let is_new = !c.is_alphanumeric() || (c.is_uppercase() && after_small);
        after_small = c.is_lowercase();
        if is_new && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Where in a text the values of such names stand, from its beginning to its end.
pub(super) fn values_in(text: &str) -> Vec<Range<usize>> {
    let mut values: Vec<Range<usize>> = Vec::new();
    for (at, mark) in text.match_indices(['=', ':']) {
        let is_past = values.last().is_none_or(|last| last.end <= at);
        if is_past && is_secret_name(name_before(&text[..at])) {
            values.extend(value_after(text, at + mark.len(), mark == ":"));
        }
    }
    values
}

/// The name with which a text ends, but for blanks and quotes.
fn name_before(text: &str) -> &str {
    let text = text.trim_end_matches(|c| is_quote(c) || c == ' ');
    let of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    &text[text.trim_end_matches(of_name).len()..]
}

/// A value that begins here, behind blanks; behind a colon and a blank, only one in quotes or a
/// number: what else stands there are words about it.
fn value_after(text: &str, from: usize, is_colon: bool) -> Option<Range<usize>> {
    let rest = text[from..].trim_start_matches(' ');
    let start = text.len() - rest.len();
    let quote = ["\\\"", "\"", "'"]
        .into_iter()
        .find(|it| rest.starts_with(it));
    if let Some(quote) = quote {
        let start = start + quote.len();
        let end = start + end_of_quoted(&text[start..], quote);
        return (start < end).then_some(start..end);
    }
    let is_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if is_colon && (rest.starts_with("//") || (start > from && !is_number)) {
        return None;
    }
    let is_end = |c: char| c.is_whitespace() || c.is_control() || is_quote(c);
    let end = start + rest.find(is_end).unwrap_or(rest.len());
    (start < end).then_some(start..end)
}

/// Where a text in these quotes ends, or else all of it. A quote with a backslash of its own is no
/// end.
fn end_of_quoted(text: &str, quote: &str) -> usize {
    let backslashes = |at: usize| at - text[..at].trim_end_matches('\\').len();
    let is_end = |at: usize| match quote {
        "'" => true,
        "\"" => backslashes(at) % 2 == 0,
        // In JSON within JSON each of them is doubled.
        _ => (backslashes(at) / 2) % 2 == 0,
    };
    let ends = text.match_indices(quote).map(|(at, _)| at);
    let line = text.find(['\n', '\r']).unwrap_or(text.len());
    ends.into_iter().find(|at| is_end(*at)).unwrap_or(line)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_the_last_words_of_its_name() {
        for name in [
            "splunk-token",
            "SPLUNK_TOKEN",
            "log-opts.splunk-token",
            "splunkToken",
            "dd-api-key",
            "--password",
            "awsSecretAccessKey",
            "Secret",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "",
            "awslogs-credentials-endpoint",
            "syslog-tls-key",
            "tlskey",
            "key-fingerprint",
            "tokenizer",
            "compass",
            "bypass",
            "token-file",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
