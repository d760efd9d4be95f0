//! Secrets kept out of every text: the one place that knows how.
//!
//! It must be applied wherever text leaves: output, errors, events, the journal.

use std::borrow::Cow;

use serde_json::Value;

/// What stands where a secret stood.
pub const STARS: &str = "***";

/// The text with the credentials of every URL in it starred out: `http://me:word@proxy` becomes
/// `http://***@proxy`. So do those of an address without a scheme, which programs take for a proxy's,
/// where it is all of the text or all that stands between two quotation marks.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    for part in text.split_inclusive('"') {
        let mut rest = part;
        if let Some(end) = bare_credentials(part.trim_end_matches('"')) {
            shown.push_str(STARS);
            rest = &part[end..];
        }
        // A quotation mark ends an address, so none reaches beyond its part.
        while let Some(start) = rest.find("://").map(|scheme| scheme + "://".len()) {
            let (before, after) = rest.split_at(start);
            let end = credentials(after).unwrap_or(0);
            shown.push_str(before);
            if end > 0 {
                shown.push_str(STARS);
            }
            rest = &after[end..];
        }
        shown.push_str(rest);
    }
    match shown == text {
        true => Cow::Borrowed(text),
        false => Cow::Owned(shown),
    }
}

/// The same for every text in data, each by itself: escaped in JSON, one might look otherwise.
pub fn redact_value(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(redact_value),
        Value::Object(entries) => {
            let starred = std::mem::take(entries).into_iter().map(|(key, mut value)| {
                redact_value(&mut value);
                (redact(&key).into_owned(), value)
            });
            *entries = starred.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether the text holds a URL with credentials.
pub fn has_credentials(text: &str) -> bool {
    redact(text) != text
}

/// How long the credentials are with which a text that follows `://` begins.
fn credentials(text: &str) -> Option<usize> {
    let url = &text[..text.find(is_outside_of_urls).unwrap_or(text.len())];
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    // What looks like a port and is none is a password with a character that ends an authority.
    let (host, port) = authority.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match is_port || host.starts_with('[') {
        true => None,
        false => url.rfind('@'),
    }
}

/// How long `USER:PASSWORD` is when the text is that, `@` and a host, with or without a port.
fn bare_credentials(text: &str) -> Option<usize> {
    let (user, host) = text.rsplit_once('@')?;
    let is_name = |part: &str, marks: &str| {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
        !part.is_empty() && part.chars().all(is_fit)
    };
    let host = host.trim_end_matches('/');
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    };
    let is_host = is_name(name, ".-_") || is_name(name, "[:]") && name.starts_with('[');
    let is_user = user.contains(':') && !user.contains("://") && !user.contains(is_outside_of_urls);
    // Of an image it is the tag, and what follows the digest.
    (is_user && is_host && !name.starts_with("sha")).then_some(user.len())
}

fn is_outside_of_urls(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    #[test]
    fn credentials_of_every_url_are_starred_out() {
        for (text, shown) in [
            ("http://me:word@proxy:3128/", "http://***@proxy:3128/"),
            ("http://me@proxy", "http://***@proxy"),
            (
                "[\"http://a:b@c\",\"https://d:e@f\"]",
                "[\"http://***@c\",\"https://***@f\"]",
            ),
            (
                "of http://me:w@rd@proxy/x@y, or",
                "of http://***@proxy/x@y, or",
            ),
            ("http://me:w/rd@proxy", "http://***@proxy"),
            ("http://me:#1?@proxy: no", "http://***@proxy: no"),
            ("me:word@proxy:3128", "***@proxy:3128"),
            (":word@[fd00::1]:3128/", "***@[fd00::1]:3128/"),
            (
                "{\"https-proxy\": \"me:w@r/d@proxy.example\"}",
                "{\"https-proxy\": \"***@proxy.example\"}",
            ),
        ] {
            assert_eq!(redact(text), shown);
        }
    }

    #[test]
    fn a_text_without_credentials_stays_as_it_is() {
        for text in [
            "",
            "docker.io/library/hello-world:latest@sha256:00",
            "https://download.docker.com/linux/ubuntu",
            "https://[fd00::1]/a@b and me@example.com",
            "127.0.0.1:80://",
            "hello-world:latest@sha256:12",
            "me@proxy:3128",
            "alice: mail to alice@example.com",
            "{\"a:b\": \"c@d\"}",
        ] {
            assert_eq!(redact(text), text);
            assert!(!has_credentials(text));
        }
    }

    proptest! {
        #[test]
        fn no_password_comes_through(
            before in ".*",
            user in "[a-zA-Z0-9%.~-]{0,8}",
            secret in r#"[^\s\pC"<>`/?#]{1,20}"#,
            after in "(|[/ \"\n].*)",
        ) {
            let text = format!("{before}http://{user}:{secret}@proxy.example:3128{after}");
            let shown = redact(&text);
            prop_assert!(shown.contains("http://***@proxy.example:3128"), "{shown}");
            prop_assert_eq!(redact(&shown), shown.as_ref());
        }

        #[test]
        fn a_password_with_a_raw_slash_does_not_come_through(secret in "[a-z]{4,9}/[a-z]{4,9}") {
            let text = format!("http://me:{secret}@proxy.example:3128/");
            prop_assert_eq!(redact(&text), "http://***@proxy.example:3128/");
        }
    }
}
