//! Which suites a server has, for whoever asked for one that is missing or empty.
//!
//! Told, never taken: packages of another release are the user's choice.

use super::source::Source;
use crate::error::Failure;
use crate::host::http::{Caches, Fetched, Http};
use crate::invocation;
use crate::release::{self, Release};

/// What an InRelease begins with. It is not verified here: nothing is taken from it.
const SIGNED: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";

const LIMIT: u64 = 1024 * 1024;

/// The failure that the suite of `source` is of no use, as `why` says.
pub(crate) fn of_no_use(http: &Http, source: &Source, why: &str) -> anyhow::Error {
    Failure::Blocked(format!(
        "{why}; nothing was changed. {}",
        advice(source, &offered(http, source))
    ))
    .into()
}

/// The known suites that the server has, newest first, without the one of `source`. A server
/// that stops answering in between has told enough.
fn offered(http: &Http, source: &Source) -> Vec<&'static str> {
    let mut found = Vec::new();
    for codename in release::codenames() {
        let url = format!("{}/dists/{codename}/InRelease", source.uri);
        if codename == source.suite {
            continue;
        }
        match http.get(&url, LIMIT, Caches::Used) {
            Ok(Fetched::Found(bytes)) if bytes.starts_with(SIGNED) => found.push(codename),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found
}

fn advice(source: &Source, offered: &[&str]) -> String {
    let (ended, usable): (Vec<&str>, Vec<&str>) = offered
        .iter()
        .partition(|codename| release::has_ended(codename));
    let no_longer = match ended.as_slice() {
        [] => String::new(),
        ended => format!(" (and, no longer updated: {})", ended.join(", ")),
    };
    let Some(newest) = best(&usable) else {
        return format!(
            "The server has no suite of another supported release{no_longer}. Try again later, or \
             see whether {} is the right address",
            source.uri
        );
    };
    format!(
        "The server has {}{no_longer}. Packages for a new release may come later; until then \
         those for another one can be used, if you choose to: {}",
        usable.join(", "),
        invocation::install(&["--suite", newest])
    )
}

/// The newest suite of a supported release, or else the newest.
fn best<'a>(usable: &[&'a str]) -> Option<&'a str> {
    let supported = |codename: &&&str| Release::by_codename(codename).is_some();
    let best = usable.iter().find(supported).or(usable.first());
    best.copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_for(offered: &[&str]) -> String {
        let source = Source {
            uri: "https://download.docker.com/linux/ubuntu".to_owned(),
            suite: "stonking".to_owned(),
            architecture: "amd64".to_owned(),
        };
        advice(&source, offered)
    }

    #[test]
    fn fault_9_what_the_server_has_is_listed_newest_first_and_offered() {
        let advice = advice_for(&["resolute", "noble", "focal"]);
        assert!(advice.contains("has resolute, noble (and, no longer updated: focal)"));
        assert!(advice.ends_with("dockstrap install --suite resolute"));
    }

    #[test]
    fn a_suite_that_is_no_longer_updated_is_not_offered() {
        let advice = advice_for(&["focal"]);
        assert!(!advice.contains("--suite"), "{advice}");
        assert!(advice.contains("no longer updated: focal"), "{advice}");
    }

    #[test]
    fn a_supported_release_is_offered_before_a_newer_one_that_is_not() {
        assert!(advice_for(&["stonking", "noble"]).ends_with("--suite noble"));
    }
}
