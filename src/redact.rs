//! Secrets kept out of every text: the one place that knows how.
//!
//! It must be applied wherever text leaves: output, errors, events, the journal.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

mod named;

pub(crate) use named::is_secret_name;

/// What stands where a secret stood.
pub const STARS: &str = "***";

/// The text with the credentials of every URL in it starred out: `http://me:word@proxy` becomes
/// `http://***@proxy`. So do those of a proxy without a scheme, which programs take as well, where
/// its name stands before it: `https_proxy=`, `--http-proxy=` or `"http-proxy":`. Under the name of
/// a secret, as in `splunk-token=` or `"splunk-token":`, the whole value is.
pub fn redact(text: &str) -> Cow<'_, str> {
    star_out(text, secrets_in(text), |_| STARS.to_owned())
}

fn star_out(
    text: &str,
    secrets: impl IntoIterator<Item = Range<usize>>,
    stars: impl Fn(&str) -> String,
) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut at = 0;
    for secret in secrets {
        shown.push_str(&text[at..secret.start]);
        shown.push_str(&stars(&text[secret.clone()]));
        at = secret.end;
    }
    if at == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[at..]);
    Cow::Owned(shown)
}

/// The same for a value with a name, such as that of a setting.
pub fn redact_named(name: &str, value: &str) -> String {
    star_out_named(name, value, |_| STARS.to_owned())
}

/// The same with something else for each secret than stars.
pub(crate) fn star_out_named(name: &str, value: &str, stars: impl Fn(&str) -> String) -> String {
    star_out(value, secrets_of(name, value), stars).into_owned()
}

/// The same for every text in data, each by itself: escaped in JSON, one might look otherwise.
pub fn redact_value(value: &mut Value) {
    redact_below("", value);
}

fn redact_below(name: &str, value: &mut Value) {
    match value {
        Value::String(text) => *text = redact_named(name, text),
        Value::Array(values) => values.iter_mut().for_each(|it| redact_below(name, it)),
        Value::Object(entries) => {
            let starred = std::mem::take(entries).into_iter().map(|(key, mut value)| {
                let below = if is_secret_name(name) { name } else { &key };
                redact_below(below, &mut value);
                (redact(&key).into_owned(), value)
            });
            *entries = starred.collect();
        }
        Value::Number(_) if is_secret_name(name) => *value = STARS.into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether the text holds credentials.
pub fn has_credentials(text: &str) -> bool {
    !secrets_in(text).is_empty()
}

/// Whether the value of this name does.
pub fn is_secret(name: &str, value: &str) -> bool {
    !secrets_of(name, value).is_empty()
}

/// Whether the text holds a password: a URL that names no more than a user holds none.
pub(crate) fn has_password(text: &str) -> bool {
    has_password_named("", text)
}

/// Whether the value of this name holds a password.
pub(crate) fn has_password_named(name: &str, value: &str) -> bool {
    secrets_of(name, value).into_iter().any(|secret| {
        let is_of_url = value[secret.end..].starts_with('@');
        let password = value[secret].split_once(':').map(|(_, it)| it);
        !is_of_url || password.is_some_and(|it| !it.is_empty())
    })
}

/// Where the secrets stand in the value of this name.
fn secrets_of(name: &str, value: &str) -> Vec<Range<usize>> {
    if is_secret_name(name) && !value.is_empty() {
        return std::iter::once(0..value.len()).collect();
    }
    // A name that is a URL says nothing of what the value is, and would go on into it.
    let name = if name.contains("://") { "" } else { name };
    let begin = name.len() + 1;
    let secrets = secrets_in(&format!("{name}={value}")).into_iter();
    let of_value = secrets.filter(|secret| secret.start >= begin);
    of_value
        .map(|secret| secret.start - begin..secret.end - begin)
        .collect()
}

/// Where secrets stand in a text, from its beginning to its end.
fn secrets_in(text: &str) -> Vec<Range<usize>> {
    let mut secrets = named::values_in(text);
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let end = start + credentials(&text[start..]).unwrap_or(0);
        secrets.push(start..end);
    }
    let lowercase = text.to_ascii_lowercase();
    for (at, name) in lowercase.match_indices("prox") {
        let behind = &text[at + name.len()..];
        let behind = ["y", "Y", "ies"]
            .iter()
            .find_map(|it| behind.strip_prefix(it));
        let quotes = [' ', '"', '\'', '\\', '['];
        let value = behind.and_then(|it| it.trim_start_matches(quotes).strip_prefix([':', '=']));
        let Some(value) = value.map(|it| it.trim_start_matches(quotes)) else {
            continue;
        };
        let start = text.len() - value.len();
        let value = &value[..value.find(is_outside_of_urls).unwrap_or(value.len())];
        if value.starts_with("//") {
            continue; // what stands before is a scheme
        }
        // That of a URL is found above, or is another's.
        let value = value.split("://").next().unwrap_or_default();
        let is_digest = |at: usize| {
            ["sha256:", "sha512:"]
                .iter()
                .any(|it| value[at + 1..].starts_with(it))
        };
        if let Some(end) = value.rfind('@').filter(|at| !is_digest(*at)) {
            secrets.push(start..start + end);
        }
    }
    secrets.sort_by_key(|secret| secret.start);
    // A password may have in it what looks like the beginning of another.
    let mut end = 0;
    secrets.retain(|secret| {
        let is_new = !secret.is_empty() && secret.start >= end;
        end = if is_new { secret.end } else { end };
        is_new
    });
    secrets
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

fn is_outside_of_urls(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
    use serde_json::json;

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
            ("HTTPS_PROXY=me:word@proxy", "HTTPS_PROXY=***@proxy"),
            (
                "https_proxy=me:word@p:1,no_proxy=x://y",
                "https_proxy=***@p:1,no_proxy=x://y",
            ),
            (
                "{'http_proxy': 'me:word@proxy'}",
                "{'http_proxy': '***@proxy'}",
            ),
            (
                r#"\"http-proxy\": [\"me:word@proxy\"]"#,
                r#"\"http-proxy\": [\"***@proxy\"]"#,
            ),
            (
                "--http-proxy me@x, --http-proxy=me:word@[fd00::1]:3128/",
                "--http-proxy me@x, --http-proxy=***@[fd00::1]:3128/",
            ),
            (
                "{\"https-proxy\": \"me:w@r/d@proxy.example\", \"a\": \"b@c\"}",
                "{\"https-proxy\": \"***@proxy.example\", \"a\": \"b@c\"}",
            ),
            (
                "{\"https-proxy\":\"http://me:word@proxy\"}",
                "{\"https-proxy\":\"http://***@proxy\"}",
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
            "contact=mailto:ops@example.com",
            "no proxy: write http://HOST:PORT to alice@example.com",
            "http_proxy=proxy:3128",
            "nginx-proxy:alpine@sha256:0011",
            "log-opts.splunk-token: must be a string; write it in quotes",
            "daemon.json:3:5: error: splunk-token: \"\" is not taken",
            "passwd: files systemd",
            "https://auth.docker.io/token?service=registry.docker.io",
            "awslogs-credentials-endpoint=/creds, syslog-tls-key=/etc/key.pem",
            "--password-file=/run/x token",
        ] {
            assert_eq!(redact(text), text);
            assert!(!has_credentials(text));
        }
    }

    #[test]
    fn under_the_name_of_a_secret_the_whole_value_is_starred_out() {
        for (text, shown) in [
            (
                "--log-opt=splunk-token=ab:c,d",
                "--log-opt=splunk-token=***",
            ),
            (
                "from file: map[splunk-token:abc tag:x]",
                "from file: map[splunk-token:*** tag:x]",
            ),
            (
                r#"{"splunk-token": "a\"b", "x": "y"}"#,
                r#"{"splunk-token": "***", "x": "y"}"#,
            ),
            (
                r#"{\"splunk-token\":\"a\\\"b\"} c"#,
                r#"{\"splunk-token\":\"***\"} c"#,
            ),
            ("splunk-token = 'a b' # x", "splunk-token = '***' # x"),
            ("token = abc\nb", "token = ***\nb"),
            (
                "https://x.example/in?a=b&api_key=k#f",
                "https://x.example/in?a=b&api_key=***",
            ),
            ("password=hunter2", "password=***"),
            ("\"splunk-token\": 12", "\"splunk-token\": ***"),
            ("splunk-token=http://a:b@c", "splunk-token=***"),
        ] {
            assert_eq!(redact(text), shown, "{text}");
        }
        let mut value = json!({"splunk-token": 12, "token": {"x": ["a", 1, true]}, "tag": "a"});
        redact_value(&mut value);
        let shown =
            json!({"splunk-token": "***", "token": {"x": ["***", "***", true]}, "tag": "a"});
        assert_eq!(value, shown);
    }

    #[test]
    fn a_user_without_a_password_is_starred_out_but_is_no_password() {
        for text in [
            "http://me@proxy",
            "http://me:@proxy",
            "contact=ssh://git@host",
        ] {
            assert!(has_credentials(text) && !has_password(text), "{text}");
        }
        for text in ["x=http://me:pw@proxy", "http://:pw@proxy", "splunk-token=a"] {
            assert!(has_password(text), "{text}");
        }
        assert!(has_password_named("http-proxy", "me:pw@proxy"));
        assert!(!has_password_named("http-proxy", "me@proxy"));
        assert!(has_password_named("splunk-token", "x") && !has_password_named("splunk-token", ""));
    }

    #[test]
    fn in_data_it_is_the_name_that_tells_of_a_proxy() {
        let mut value = json!({"proxies": {"https-proxy": "me:word@proxy", "no-proxy": "a,b"},
            "labels": ["contact=mailto:ops@example.com"], "x": ["http://me:word@y"]});
        redact_value(&mut value);
        let shown = json!({"proxies": {"https-proxy": "***@proxy", "no-proxy": "a,b"},
            "labels": ["contact=mailto:ops@example.com"], "x": ["http://***@y"]});
        assert_eq!(value, shown);
        for name in ["http-proxy", "proxies"] {
            assert_eq!(redact_named(name, "me:word@x"), "***@x");
        }
        assert_eq!(redact_named("https://a:b@mirror.example", "x@y"), "x@y");
        assert_eq!(redact_named("http://a", "http://b@c"), "http://***@c");
        assert!(!is_secret("label", "a:b@c"));
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
            // What stands before it may end in the beginning of another.
            prop_assert!(shown.contains("***@proxy.example:3128"), "{shown}");
            let named = format!("{user}:{secret}@");
            prop_assert!(!shown.contains(&named) || before.contains(&named), "{shown}");
        }

        #[test]
        fn all_but_what_is_starred_out_stays(text in "(proxy|://|[=:@/ \"a])*") {
            let shown = redact(&text);
            let (before, last) = shown.rsplit_once(STARS).unwrap_or(("", &shown));
            let mut rest = text.as_str();
            for part in before.split(STARS) {
                let (_, behind) = rest.split_once(part).expect("a part of the text");
                rest = behind;
            }
            prop_assert!(rest.ends_with(last), "{shown}");
        }

        #[test]
        fn a_password_with_a_raw_slash_does_not_come_through(secret in "[a-z]{4,9}/[a-z]{4,9}") {
            let text = format!("http://me:{secret}@proxy.example:3128/");
            prop_assert_eq!(redact(&text), "http://***@proxy.example:3128/");
        }
    }
}
