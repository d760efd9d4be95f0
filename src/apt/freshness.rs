//! What a repository was seen to offer before: it must not go back in time.
//!
//! A signature never grows old by itself. Someone between the host and the repository could serve
//! yesterday's index, validly signed, to bring back an engine with known holes (rollback) or to
//! keep a fix away (freeze). apt takes both without a word.

use anyhow::Result;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::versions::is_older;
use crate::error::Failure;
use crate::host::Host;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;

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
    fn the_same_and_the_newer_are_taken() {
        let before = seen(BEFORE.0, BEFORE.1);
        for (date, engine) in [BEFORE, ("2026-12-01T00:00:00Z", "5:30.0.0-1~x")] {
            seen(date, engine)
                .refuse_older_than(&before, &Host::real())
                .unwrap();
        }
    }
}
