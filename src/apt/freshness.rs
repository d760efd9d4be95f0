//! The newest that repositories were seen to offer on this host: they must not go back in time.
//!
//! A signature never grows old by itself. Someone between the host and the repository could serve
//! yesterday's index, validly signed, to bring back an engine with known holes (rollback) or to
//! keep a fix away (freeze). apt takes both without a word.
//!
//! It is kept by the key that signs, not by the address: another mirror of the same repository is held
//! to the same date. It stays when everything else is taken back, or an uninstall would be the way
//! past it.

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::versions::is_older;
use crate::error::Failure;
use crate::host::Host;

/// Where it is kept.
pub(crate) const FRESHNESS: &str = "/var/lib/dockstrap/freshness.json";

/// The version of the file.
const SCHEMA: u32 = 1;

/// The newest that a suite was seen to offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Freshness {
    /// The fingerprint of the key that signs it; without it, any: it was not kept at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub suite: String,
    /// The same for the architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The date that its signed index states.
    pub date: Timestamp,
    /// The version of docker-ce that it offers.
    pub engine: String,
}

/// What is known of all suites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory(Vec<Freshness>);

/// The file.
#[derive(Serialize, Deserialize)]
struct FreshnessFile {
    schema: u32,
    newest: Vec<Freshness>,
}

impl Freshness {
    /// Refuses an offer that is older than what was seen `before`; `url` is the suite's address.
    pub(crate) fn refuse_older_than(
        &self,
        before: &Freshness,
        url: &str,
        host: &Host,
    ) -> Result<()> {
        let Freshness { date, engine, .. } = self;
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
            "{url} goes back in time: {older} on this host; nothing was changed. A mirror that \
             lags behind does that, and so does an attacker. Try again later or another mirror; \
             if it is meant, say --allow-downgrade"
        ))
        .into())
    }

    /// Whether the two are of the same suite.
    fn is_of_the_suite_of(&self, other: &Freshness) -> bool {
        let fits = |one: &Option<String>, other: &Option<String>| {
            let both = one.as_ref().zip(other.as_ref());
            both.is_none_or(|(one, other)| one == other)
        };
        self.suite == other.suite
            && fits(&self.key, &other.key)
            && fits(&self.architecture, &other.architecture)
    }
}

impl Memory {
    /// Reads what this host has seen.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the file cannot be understood: taken for none, it would protect
    /// from nothing.
    pub(crate) fn read(host: &Host) -> Result<Memory> {
        let Some(bytes) = host.read(FRESHNESS)? else {
            return Ok(Memory::default());
        };
        let kept = parse(&bytes).map_err(|error| {
            Failure::Blocked(format!(
                "{FRESHNESS}, which says how new the repository was when it was last seen, cannot be \
                 used: {error:#}; nothing was changed. Put it back from a backup, or go on without \
                 that protection: rm {FRESHNESS}"
            ))
        })?;
        Ok(Memory(kept.newest))
    }

    /// What the suite of this offer was seen to offer before.
    pub(crate) fn before(&self, offer: &Freshness) -> Option<&Freshness> {
        let of_suite = self.0.iter().filter(|it| it.is_of_the_suite_of(offer));
        of_suite.max_by_key(|it| it.date)
    }

    /// The same with this offer as the newest of its suite.
    pub(crate) fn with(mut self, offer: Freshness) -> Memory {
        self.0.retain(|it| !it.is_of_the_suite_of(&offer));
        self.0.push(offer);
        self
    }

    /// The same with what was kept elsewhere, of suites that are not known here.
    pub(crate) fn with_older(mut self, kept: impl IntoIterator<Item = Freshness>) -> Memory {
        for freshness in kept {
            if self.before(&freshness).is_none() {
                self.0.push(freshness);
            }
        }
        self
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> Result<String> {
        let kept = FreshnessFile {
            schema: SCHEMA,
            newest: self.0.clone(),
        };
        let text = serde_json::to_string_pretty(&kept).context("writing how new it was")?;
        Ok(text + "\n")
    }
}

fn parse(bytes: &[u8]) -> Result<FreshnessFile> {
    #[derive(Deserialize)]
    struct SchemaOnly {
        schema: u32,
    }
    let SchemaOnly { schema } = serde_json::from_slice(bytes).context("it is damaged")?;
    ensure!(
        schema == SCHEMA,
        "a newer dockstrap wrote it (schema {schema})"
    );
    serde_json::from_slice(bytes).context("it is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;

    const URL: &str = "https://example.com/linux/ubuntu/dists/noble";
    const BEFORE: (&str, &str) = ("2026-11-16T09:00:00Z", "5:29.10.0-1~ubuntu.24.04~noble");

    fn seen(date: &str, engine: &str) -> Freshness {
        Freshness {
            key: Some("9DC8".to_owned()),
            suite: "noble".to_owned(),
            architecture: Some("amd64".to_owned()),
            date: date.parse().unwrap(),
            engine: engine.to_owned(),
        }
    }

    #[test]
    fn an_older_index_or_engine_is_refused() {
        let before = seen(BEFORE.0, BEFORE.1);
        for (date, engine) in [
            ("2026-11-15T09:00:00Z", BEFORE.1),
            (BEFORE.0, "5:29.9.1-1~ubuntu.24.04~noble"),
        ] {
            let error = seen(date, engine)
                .refuse_older_than(&before, URL, &Host::real())
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
                .refuse_older_than(&before, URL, &Host::real())
                .unwrap();
        }
    }

    #[test]
    fn each_key_suite_and_architecture_has_its_own_date() {
        let known = seen(BEFORE.0, BEFORE.1);
        let other = |change: fn(&mut Freshness)| {
            let mut other = known.clone();
            change(&mut other);
            other
        };
        let memory = Memory::default().with(known.clone());
        assert_eq!(
            memory.before(&seen("2026-01-01T00:00:00Z", "")),
            Some(&known)
        );
        for other in [
            other(|it| it.key = Some("AAAA".to_owned())),
            other(|it| it.suite = "jammy".to_owned()),
            other(|it| it.architecture = Some("arm64".to_owned())),
        ] {
            assert_eq!(memory.before(&other), None);
            let both = memory.clone().with(other.clone());
            assert_eq!(both.before(&known), Some(&known));
            assert_eq!(both.before(&other), Some(&other));
        }
        // What is taken counts as the newest from there on.
        let older = seen("2026-01-01T00:00:00Z", "5:29.9.1-1");
        assert_eq!(memory.with(older.clone()).before(&known), Some(&older));
    }

    #[test]
    fn what_was_kept_without_a_key_holds_for_any_until_one_is_known() {
        let bare = Freshness {
            key: None,
            architecture: None,
            ..seen(BEFORE.0, BEFORE.1)
        };
        let memory = Memory::default().with_older([bare.clone()]);
        let older = seen("2026-01-01T00:00:00Z", "5:29.9.1-1");
        assert_eq!(memory.before(&older), Some(&bare));
        let memory = memory.with(older.clone()).with_older([bare]);
        assert_eq!(memory.before(&older), Some(&older), "it was taken");
    }

    #[test]
    fn what_is_written_is_read_again_and_bad_bytes_are_never_taken_for_nothing() {
        let memory = Memory::default().with(seen(BEFORE.0, BEFORE.1));
        let text = memory.text().unwrap();
        let stub = StubHost::new();
        assert_eq!(Memory::read(stub.host()).unwrap(), Memory::default());
        let stub = stub.file(FRESHNESS, &text);
        assert_eq!(Memory::read(stub.host()).unwrap(), memory);
        let newer = text.replace("\"schema\": 1", "\"schema\": 2");
        let cuts = (0..text.trim_end().len()).map(|end| &text[..end]);
        for bad in cuts.chain([&*newer, "\0\0", "[]", "{}", "{\"schema\":1}"]) {
            stub.write(FRESHNESS, bad);
            let error = Memory::read(stub.host()).unwrap_err();
            assert_eq!(exit_code(&error), 4, "{bad}");
            assert!(error.to_string().contains(&format!("rm {FRESHNESS}")));
        }
    }
}
