//! The repositories that an `apt-get update` could not use, and what it says of each.

use super::entry::without_password;
use crate::host::command::Output;
use crate::redact::redact;

/// How warnings begin that say why an index was not taken. All others, as of a weak algorithm or a
/// keyring of old, are about repositories that were used.
///
/// Source: apt, `apt-pkg/acquire-item.cc` and `apt-pkg/update.cc`.
const OF_FAILURES: &[&str] = &[
    "Failed to fetch ",
    "GPG error: ",
    "OpenPGP signature verification failed: ",
    "An error occurred during the signature verification.",
];

/// One repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// Its address, without a password.
    pub address: String,
    /// The first that apt says of it.
    pub reason: String,
    /// Whether its server wants credentials that apt did not have.
    pub is_unauthorized: bool,
}

/// Those that are told of as failed, each once.
pub(super) fn broken(output: &Output) -> Vec<Broken> {
    let mut found: Vec<Broken> = Vec::new();
    for (line, reason) in failures(output) {
        let words = line.split([' ', '\'']);
        let mut addresses = words.filter(|word| word.contains("://"));
        let Some(address) = addresses.next() else {
            continue;
        };
        let repository = address.split("/dists/").next().unwrap_or(address);
        let shown = without_password(repository.trim_end_matches('/'));
        let is_unauthorized = reason.starts_with("401 ");
        match found.iter_mut().find(|it| it.address == shown) {
            Some(known) => known.is_unauthorized |= is_unauthorized,
            None => found.push(Broken {
                address: shown,
                reason: redact(reason).into_owned(),
                is_unauthorized,
            }),
        }
    }
    found
}

/// The lines that tell of a failure, each with the reason that it gives.
fn failures(output: &Output) -> impl Iterator<Item = (&str, &str)> {
    let (lines, next) = (output.stdout.lines(), output.stdout.lines().skip(1));
    let met = lines.zip(next.chain([""])).filter_map(|(line, next)| {
        let reason = if next.starts_with(' ') { next } else { "" };
        line.starts_with("Err:").then_some((line, reason.trim()))
    });
    let complaints = output.stderr.lines().filter_map(|line| {
        let warning = line.strip_prefix("W: ");
        let failure = warning.filter(|it| OF_FAILURES.iter().any(|begin| it.starts_with(begin)));
        let text = line.strip_prefix("E: ").or(failure)?;
        // `Failed to fetch ADDRESS  REASON`
        let fetch = text.strip_prefix("Failed to fetch ");
        let reason = fetch.and_then(|rest| rest.split_once("  "));
        Some((line, reason.map_or(text, |(_, reason)| reason.trim())))
    });
    met.chain(complaints)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What an `apt-get update` that failed has said.
    pub(in crate::apt) fn said(stdout: &str, stderr: &str) -> Output {
        Output::failed(stdout, stderr)
    }

    fn pairs(update: &Output) -> Vec<(String, String)> {
        let broken = broken(update).into_iter();
        broken.map(|it| (it.address, it.reason)).collect()
    }

    #[test]
    fn fault_17_broken_sources_are_named_once_with_apts_reason_and_without_their_password() {
        let update = said(
            "Hit:1 http://archive.ubuntu.com/ubuntu noble InRelease\n\
             Err:2 http://alice:secret@nowhere.example/repo noble InRelease\n  \
             Could not resolve 'nowhere.example'\n",
            "W: GPG error: http://ppa.example/x noble InRelease: NO_PUBKEY 0123\n\
             E: The repository 'http://ppa.example/x noble InRelease' is not signed.\n\
             E: Failed to fetch http://gone.example/deb/dists/noble/main/Packages  404  Not Found\n\
             E: Failed to fetch http://nowhere.example/repo/dists/noble/InRelease  Could not resolve\n",
        );
        let expected = [
            (
                "http://nowhere.example/repo",
                "Could not resolve 'nowhere.example'",
            ),
            (
                "http://ppa.example/x",
                "GPG error: http://ppa.example/x noble InRelease: NO_PUBKEY 0123",
            ),
            ("http://gone.example/deb", "404  Not Found"),
        ];
        let expected = expected.map(|(address, reason)| (address.to_owned(), reason.to_owned()));
        assert_eq!(pairs(&update), expected);
    }

    #[test]
    fn a_warning_of_a_source_that_was_used_blames_nobody() {
        let update = said(
            "Hit:1 https://old.example/deb noble InRelease\n",
            "W: https://old.example/deb/dists/noble/InRelease: Key is stored in legacy trusted.gpg \
             keyring (/etc/apt/trusted.gpg), see the DEPRECATION section in apt-key(8) for details.\n\
             W: https://weak.example/deb/dists/noble/InRelease: Signature by key 0123 uses weak \
             algorithm (SHA1)\n\
             W: Conflicting distribution: https://odd.example/deb noble InRelease (expected noble)\n\
             W: Target Packages (main) is configured multiple times in https://twice.example/x:1\n\
             W: Failed to fetch https://down.example/deb/dists/noble/InRelease  Connection refused\n\
             W: Some index files failed to download. They have been ignored, or old ones used.\n",
        );
        let down = (
            "https://down.example/deb".to_owned(),
            "Connection refused".to_owned(),
        );
        assert_eq!(pairs(&update), [down]);
    }

    #[test]
    fn a_signature_that_fails_is_a_failure_in_the_words_of_every_apt() {
        for words in [
            "An error occurred during the signature verification. The repository is not updated and \
             the previous index files will be used. GPG error:",
            "An error occurred during the signature verification. The repository is not updated and \
             the previous index files will be used. OpenPGP signature verification failed:",
            "OpenPGP signature verification failed:",
        ] {
            let warning =
                format!("W: {words} https://bad.example/deb noble InRelease: BADSIG 0123\n");
            assert_eq!(pairs(&said("", &warning))[0].0, "https://bad.example/deb");
        }
    }

    #[test]
    fn a_server_that_wants_credentials_is_known_by_its_answer() {
        let update = said(
            "Err:5 https://esm.example/apps/ubuntu noble-apps-security InRelease\n  \
             401  Unauthorized [IP: 192.0.2.1 443]\n\
             Err:6 https://other.example/x noble InRelease\n  404  Not Found\n",
            "",
        );
        let broken = broken(&update);
        let asks = broken.iter().map(|it| it.is_unauthorized);
        assert!(asks.eq([true, false]), "{broken:?}");
    }
}
