//! The certificate that an engine needs to speak TLS.
//!
//! Source: `loadDaemonCliConfig` and `newAPIServerTLSConfig` of dockerd. It must not look for files.

use serde_json::Value;

use super::findings::{Context, Findings};
use super::flags::is_said_by_flag;
use crate::daemon_config::document::Document;

/// The keys of a certificate's files, each with the file that is used where a flag asks for TLS.
const FILES: [(&str, &str); 3] = [
    ("tlscacert", "ca.pem"),
    ("tlscert", "cert.pem"),
    ("tlskey", "key.pem"),
];

/// Whether the engine loads a certificate. It does so once the file says anything of `tlsverify`.
pub(crate) fn is_spoken(document: &Document) -> bool {
    document.get("tls") == Some(&Value::Bool(true)) || document.get("tlsverify").is_some()
}

/// Whether clients must have a certificate as well: with TLS they must unless that is turned off.
pub(crate) fn is_verified(document: &Document) -> bool {
    let verified = document.get("tlsverify").or(document.get("tls"));
    verified == Some(&Value::Bool(true))
}

/// Judges file and flags together. Only a flag makes the engine look for files that nobody names.
pub(super) fn check(findings: &mut Findings<'_>, document: &Document, context: &Context<'_>) {
    if !is_spoken(document) {
        return;
    }
    let is_named = |key: &str| {
        let file = document.get(key).and_then(Value::as_str);
        file.is_some_and(|file| !file.is_empty())
    };
    let switch = ["tlsverify", "tls"]
        .map(|key| (key, document.get(key).is_some()))
        .iter()
        .find(|(_, is_there)| *is_there)
        .map_or("tls", |(key, _)| *key);
    let certificates = context.host.and_then(|it| it.certificates.as_ref());
    let is_flag = ["tlsverify", "tls"]
        .iter()
        .any(|key| is_said_by_flag(key, context.unit_flags));
    if is_flag || certificates.is_some_and(|it| it.is_asked_for) {
        let Some(usual) = certificates else {
            return;
        };
        let wanted = FILES.iter().filter(|(key, file)| {
            let is_read = *key != "tlscacert" || is_verified(document);
            is_read && !is_named(key) && usual.absent.contains(file)
        });
        let (keys, files): (Vec<&str>, Vec<String>) = wanted
            .map(|(key, file)| (*key, format!("{}/{file}", usual.folder)))
            .unzip();
        if !keys.is_empty() {
            let message = format!(
                "the unit asks for TLS, and dockerd does not start without {}; put that there, or \
                 write {}",
                files.join(" and "),
                keys.join(" and ")
            );
            findings.error(&[switch], message);
        }
        return;
    }
    let missing: Vec<&str> = ["tlscert", "tlskey"]
        .into_iter()
        .filter(|key| !is_named(key))
        .collect();
    if missing.is_empty() {
        return;
    }
    let message = format!(
        "dockerd does not start without a certificate and its key; write {}, or remove {switch}",
        missing.join(" and ")
    );
    findings.error(&[switch], message);
}

#[cfg(test)]
mod tests {
    use crate::daemon_config::check::tests::{findings, findings_of, findings_under};
    use crate::daemon_config::{CERTIFICATE_FILES, Certificates, Context, HostFacts};

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
            let found = findings(text);
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
            assert_eq!(findings(&sound), "", "{sound}");
        }
    }

    #[test]
    fn a_flag_makes_the_engine_look_where_its_environment_says() {
        let judged = |text: &str, flags: &[&str], absent: &[&'static str]| {
            let host = HostFacts {
                certificates: Some(Certificates {
                    folder: "/etc/docker/tls".to_owned(),
                    absent: absent.to_vec(),
                    is_asked_for: false,
                }),
                ..HostFacts::default()
            };
            let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
            let context = Context {
                unit_flags: &flags,
                host: Some(&host),
                ..Context::default()
            };
            findings_of(text, &context)
        };
        for flag in ["--tlsverify", "--tls", "--tlsverify=false"] {
            assert_eq!(judged("{}", &[flag], &[]), "", "{flag}");
            assert_eq!(findings_under("{}", &[flag]), "", "not known");
            let found = judged("{}", &[flag], &["cert.pem"]);
            let fault = "does not start without /etc/docker/tls/cert.pem;";
            assert!(
                found.starts_with("error") && found.contains(fault),
                "{found}"
            );
            assert!(found.ends_with("or write tlscert"), "{found}");
        }
        let authority = |flag: &str| judged("{}", &[flag], &["ca.pem"]);
        assert!(authority("--tlsverify").contains("/etc/docker/tls/ca.pem"));
        assert!(authority("--tls").contains("/etc/docker/tls/ca.pem"));
        assert_eq!(authority("--tlsverify=false"), "");
        let own = r#"{"tlscert": "/c", "tlskey": "/k"}"#;
        let found = judged(own, &["--tlsverify"], &CERTIFICATE_FILES);
        assert!(
            found.contains("ca.pem") && !found.contains("key.pem"),
            "{found}"
        );
        // By the file alone, it looks nowhere.
        assert!(judged(r#"{"tls": true}"#, &[], &[]).contains("write tlscert and tlskey"));
    }
}
