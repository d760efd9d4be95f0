//! Keys of daemon.json that were changed since they were set.

use anyhow::Result;

use super::owned::Owned;
use super::{Drift, KeyDrift};
use crate::change::Journal;
use crate::daemon_config::{self, Document, Edited, Redacted, split};
use crate::host::Host;
use crate::report::Yours;

/// What somebody has made their own, and what the next install sets again.
pub(super) fn changed(
    host: &Host,
    journal: &Journal,
    owned: &Owned,
) -> Result<(Vec<Yours>, Vec<Drift>)> {
    let bytes = host.read(daemon_config::PATH)?.unwrap_or_default();
    let document = match Document::parse(&bytes) {
        Ok(document) => document,
        Err(refusal) if !journal.configuration(&Document::new()).is_empty() => {
            let text = format!("{} cannot be read: {refusal}", daemon_config::PATH);
            return Ok((Vec::new(), vec![Drift { text, key: None }]));
        }
        Err(_) => return Ok((Vec::new(), Vec::new())),
    };
    let lost = daemon_config::drifted(&document, &journal.configuration(&document));
    let settled = daemon_config::drifted(&document, &journal.settled_configuration(&document));
    let (theirs, drifted) = split(lost, |name| {
        let key = name.split('.').next().unwrap_or(name);
        settled.contains_key(key) && owned.leaves_key(name)
    });
    let kept = Edited::all(&document, &theirs);
    let kept = kept.iter().map(|it| Yours {
        name: it.name(),
        now: it.to_string(),
    });
    let drift = drifted.into_iter().map(|(key, set)| {
        let set = Redacted::of(&key, &set);
        let now = document.get(&key).map(|now| Redacted::of(&key, now));
        let is = match &now {
            Some(now) => format!("is {now}"),
            None => "is gone".to_owned(),
        };
        Drift {
            text: format!("{key} was set to {set}, and {is}"),
            key: Some(KeyDrift { key, set, now }),
        }
    });
    Ok((kept.collect(), drift.collect()))
}
