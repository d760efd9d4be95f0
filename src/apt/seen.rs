//! What a repository was seen to offer before: it must not go back in time.
//!
//! A signature never grows old by itself. Someone between the host and the repository could serve
//! yesterday's index, validly signed, to bring back an engine with known holes (rollback) or to
//! keep a fix away (freeze). apt takes both without a word.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::host::Host;
use crate::host::command::Command;

/// The newest that a repository was seen to offer on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The suite's address.
    pub suite: String,
    /// The date its signed index states.
    pub date: Timestamp,
    /// The version of docker-ce it offers.
    pub engine: String,
}

impl Seen {
    /// Refuses an offer that is older than what was seen `before`.
    pub fn refuse_older_than(&self, before: &Seen, host: &Host) -> Result<()> {
        let Seen {
            suite,
            date,
            engine,
        } = self;
        let older = if date < &before.date {
            format!(
                "its index is of {date}, but one of {} was seen",
                before.date
            )
        } else if is_older(host, engine, &before.engine)? {
            format!("it offers engine {engine}, but {} was seen", before.engine)
        } else {
            return Ok(());
        };
        Err(Failure::Trust(format!(
            "{suite} goes back in time: {older} on this host; nothing was changed. A mirror that \
             lags behind does that, and so does an attacker. Try again later or another mirror; \
             if it is meant, say --allow-downgrade"
        ))
        .into())
    }
}

/// The newest of these versions; nothing when there is none.
pub fn newest<'a>(host: &Host, versions: impl Iterator<Item = &'a str>) -> Result<String> {
    let mut newest = "";
    for version in versions {
        if newest.is_empty() || is_older(host, newest, version)? {
            newest = version;
        }
    }
    Ok(newest.to_owned())
}

/// These versions, the newest first.
pub fn newest_first<'a>(
    host: &Host,
    versions: impl Iterator<Item = &'a str>,
) -> Result<Vec<&'a str>> {
    let mut sorted: Vec<&str> = Vec::new();
    for version in versions {
        let mut place = 0;
        while place < sorted.len() && !is_older(host, sorted[place], version)? {
            place += 1;
        }
        sorted.insert(place, version);
    }
    Ok(sorted)
}

/// Whether one Debian version is older than another, by dpkg's own reckoning.
pub fn is_older(host: &Host, version: &str, than: &str) -> Result<bool> {
    let compare = Command::new("dpkg").args(["--compare-versions", version, "lt", than]);
    let compared = host.query(&compare)?;
    // It compares some texts that are no versions as well, and only complains.
    ensure!(
        compared.stderr.is_empty(),
        "dpkg cannot compare `{version}` with `{than}`: {}",
        compared.tail()
    );
    match compared.code {
        0 => Ok(true),
        1 => Ok(false),
        _ => compared.success().map(|_| false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;

    fn seen(date: &str, engine: &str) -> Seen {
        Seen {
            suite: "https://example.com/linux/ubuntu/dists/noble".to_owned(),
            date: date.parse().unwrap(),
            engine: engine.to_owned(),
        }
    }

    const BEFORE: (&str, &str) = ("2026-11-16T09:00:00Z", "5:29.10.0-1~ubuntu.24.04~noble");

    #[test]
    fn an_older_index_or_engine_is_refused() {
        let before = seen(BEFORE.0, BEFORE.1);
        for (date, engine) in [
            ("2026-11-15T09:00:00Z", BEFORE.1),
            (BEFORE.0, "5:29.9.1-1~ubuntu.24.04~noble"),
        ] {
            let error = seen(date, engine)
                .refuse_older_than(&before, &Host::real())
                .unwrap_err();
            assert_eq!(exit_code(&error), 5);
            assert!(error.to_string().contains("--allow-downgrade"), "{error}");
        }
    }

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        let newest = |versions: &[&str]| newest(&Host::real(), versions.iter().copied()).unwrap();
        assert_eq!(
            newest(&["5:29.9.1-1", "5:29.10.0-1", "5:28.0.0-1"]),
            "5:29.10.0-1"
        );
        assert_eq!(newest(&["5:1.0~rc1", "5:1.0"]), "5:1.0");
        assert_eq!(newest(&[]), "");
    }

    #[test]
    fn a_comparison_that_fails_is_no_answer() {
        for text in ["5:", "a:1", "x1", "5:1_0"] {
            assert!(is_older(&Host::real(), text, "5:29").is_err(), "{text}");
            assert!(is_older(&Host::real(), "5:29", text).is_err(), "{text}");
        }
        for body in ["exit 2", "exit 127", "kill -9 $$", "echo no >&2; exit 1"] {
            let stub = StubHost::new().program("dpkg", body);
            assert!(is_older(stub.host(), "1", "2").is_err(), "{body}");
        }
        assert!(
            is_older(StubHost::new().host(), "1", "2").is_err(),
            "no dpkg"
        );
    }

    #[test]
    fn the_same_and_the_newer_are_taken() {
        let before = seen(BEFORE.0, BEFORE.1);
        for (date, engine) in [BEFORE, ("2026-12-01T00:00:00Z", "5:30.0.0-1~x")] {
            seen(date, engine)
                .refuse_older_than(&before, &Host::real())
                .unwrap();
        }
    }
}
