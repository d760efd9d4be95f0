//! Whose something is that was changed since: what the next install leaves is somebody's own.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::change::{self, Journal};
use crate::host::Host;
use crate::report::Yours;
use crate::undo::Lost;

/// What is known of that.
pub(super) struct Owned {
    yours: Vec<Yours>,
    /// What the settings of the last install named; `None` where that is not known.
    named: Option<BTreeSet<String>>,
    has_engine: bool,
}

impl Owned {
    pub(super) fn of(host: &Host, journal: &Journal) -> Result<Owned> {
        Ok(Owned {
            yours: change::yours(host, journal)?,
            named: journal.installed().and_then(|run| run.named.clone()),
            has_engine: change::has_engine_of_dockers(host)?,
        })
    }

    /// Whether the next install, given the settings of the last one, leaves what has this name: a key
    /// of daemon.json, or an entry of one.
    pub(super) fn leaves_key(&self, name: &str) -> bool {
        let within = format!("{name}.");
        let is_named = |names: &BTreeSet<String>| {
            names.contains(name) || names.iter().any(|it| it.starts_with(&within))
        };
        self.has_engine && self.named.as_ref().is_some_and(|names| !is_named(names))
    }

    /// In two: what is left, and what is not.
    pub(super) fn part(&self, lost: Vec<Lost>) -> (Vec<Yours>, Vec<Lost>) {
        let (mut kept, mut rest) = (Vec::new(), Vec::new());
        for lost in lost {
            match lost.yours {
                Some(mut yours) if self.leaves(&yours) => {
                    if change::is_of_settings(&yours.name) {
                        yours.now += "; an install with its settings writes it anew";
                    }
                    kept.push(yours);
                }
                yours => rest.push(Lost { yours, ..lost }),
            }
        }
        (kept, rest)
    }

    fn leaves(&self, yours: &Yours) -> bool {
        let named = self.named.as_ref();
        named.is_some_and(|names| !names.contains(&yours.name))
            && (change::is_of_settings(&yours.name) || self.yours.contains(yours))
    }
}
