//! The certificate that an engine needs to speak TLS.
//!
//! Source: `loadDaemonCliConfig` and `newAPIServerTLSConfig` of dockerd. It must not look for files.

use serde_json::Value;

use super::check::Findings;
use super::document::Document;

/// Whether the engine loads a certificate. It does so once the file says anything of `tlsverify`.
pub(super) fn is_spoken(document: &Document) -> bool {
    document.get("tls") == Some(&Value::Bool(true)) || document.get("tlsverify").is_some()
}

pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    if !is_spoken(document) {
        return;
    }
    let is_named = |key: &&str| {
        let file = document.get(key).and_then(Value::as_str);
        file.is_some_and(|file| !file.is_empty())
    };
    let missing: Vec<&str> = ["tlscert", "tlskey"]
        .into_iter()
        .filter(|key| !is_named(key))
        .collect();
    if missing.is_empty() {
        return;
    }
    let switch = ["tlsverify", "tls"].map(|key| (key, document.get(key).is_some()));
    let switch = switch.iter().find(|(_, is_there)| *is_there);
    let switch = switch.map_or("tls", |(key, _)| *key);
    let message = format!(
        "dockerd does not start without a certificate and its key; write {}, or remove {switch}",
        missing.join(" and ")
    );
    findings.error(&[switch], message);
}

#[cfg(test)]
mod tests {
    use crate::daemon_json::check::tests::problems;

    #[test]
    fn tls_needs_a_certificate_and_its_key() {
        for (text, cure) in [
            (r#"{"tls": true}"#, "tls: dockerd does not start"),
            (
                r#"{"tls": true, "tlscert": "/c"}"#,
                "write tlskey, or remove tls",
            ),
            (
                r#"{"tlsverify": true}"#,
                "write tlscert and tlskey, or remove tlsverify",
            ),
            (r#"{"tls": false, "tlsverify": false}"#, "remove tlsverify"),
        ] {
            let found = problems(text);
            assert!(
                found.starts_with("error") && found.contains(cure),
                "{found}"
            );
        }
        let both = r#""tlscert": "/c", "tlskey": "/k""#;
        for sound in [
            format!(r#"{{"tls": true, {both}}}"#),
            format!(r#"{{"tlsverify": true, {both}}}"#),
            r#"{"tls": false, "tlscert": "/c"}"#.to_owned(),
        ] {
            assert_eq!(problems(&sound), "", "{sound}");
        }
    }
}
