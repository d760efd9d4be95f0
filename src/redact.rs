//! Secrets kept out of every text: the one place that knows how.
//!
//! It must be applied wherever text leaves: output, errors, events, the journal.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

mod named;

pub(crate) use named::is_secret_name;

/// What stands where a secret stood.
pub(crate) const STARS: &str = "***";

/// The text with the credentials of every URL in it starred out: `http://me:word@proxy` becomes
/// `http://***@proxy`. So do those of a proxy without a scheme, which programs take as well, where
/// its name stands before it: `https_proxy=`, `--http-proxy=` or `"http-proxy":`. Under the name of
/// a secret, as in `splunk-token=` or `"splunk-token":`, the whole value is.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
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
pub(crate) fn redact_named(name: &str, value: &str) -> String {
    star_out_named(name, value, |_| STARS.to_owned())
}

/// The same with something else for each secret than stars.
pub(crate) fn star_out_named(name: &str, value: &str, stars: impl Fn(&str) -> String) -> String {
    star_out(value, secrets_of(name, value), stars).into_owned()
}

/// The same for every text in data, each by itself: escaped in JSON, one might look otherwise.
pub(crate) fn redact_value(value: &mut Value) {
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
pub(crate) fn has_credentials(text: &str) -> bool {
    !secrets_in(text).is_empty()
}

/// Whether the value of this name does.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
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
    if is_port || host.starts_with('[') {
        None
    } else {
        url.rfind('@')
    }
}

fn is_outside_of_urls(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '`')
}

#[cfg(test)]
mod tests;
