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
    let shown = json!({"splunk-token": "***", "token": {"x": ["***", "***", true]}, "tag": "a"});
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
