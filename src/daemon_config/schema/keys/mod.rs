//! The one table of the configuration's keys.
//!
//! Owns names, types, words, first releases, reloads, rules of the merge, conflicts, and what the
//! engine shows of each. It must not hold logic.
//!
//! Read from dockerd's source and tried with dockerd 26.1 and 28.5.

mod containers;
mod engine;
mod entries;
mod networks;
mod others;
mod reloaded;

use crate::daemon_config::finding::Severity;
use crate::daemon_config::schema::{
    Conflict, EngineRelease, Key, Reload, Rule, Shown, Support, ValueKind, With,
};
pub(crate) use entries::ULIMIT_NAMES;

/// Every key that can stand at the root of the file, by subject.
pub(crate) const SUBJECTS: &[&[Key]] = &[
    reloaded::KEYS,
    engine::KEYS,
    containers::KEYS,
    networks::KEYS,
    others::KEYS,
];

/// 1.12 or earlier.
const V1_12: EngineRelease = EngineRelease(1, 12);
const V1_13: EngineRelease = EngineRelease(1, 13);
const V17_06: EngineRelease = EngineRelease(17, 6);
const V17_09: EngineRelease = EngineRelease(17, 9);
const V18_06: EngineRelease = EngineRelease(18, 6);
const V18_09: EngineRelease = EngineRelease(18, 9);
const V20_10: EngineRelease = EngineRelease(20, 10);
const V23_0: EngineRelease = EngineRelease(23, 0);
const V25_0: EngineRelease = EngineRelease(25, 0);
const V28_0: EngineRelease = EngineRelease(28, 0);
const V29_0: EngineRelease = EngineRelease(29, 0);
const V29_7: EngineRelease = EngineRelease(29, 7);
/// The first one after 29.7.
const V29_8: EngineRelease = EngineRelease(29, 8);

const STRINGS: ValueKind = ValueKind::List(&ValueKind::Str);

const fn key(name: &'static str, kind: ValueKind, since: EngineRelease) -> Key {
    Key {
        name,
        about: "",
        kind,
        since,
        reload: Reload::Restart,
        rule: Rule::Replace,
        conflicts: &[],
        shown: None,
        support: Support::Known,
    }
}

impl Key {
    const fn about(self, about: &'static str) -> Key {
        Key { about, ..self }
    }

    const fn reloads(self) -> Key {
        Key {
            reload: Reload::Reload,
            ..self
        }
    }

    const fn resets(self) -> Key {
        Key {
            reload: Reload::Resets,
            ..self
        }
    }

    const fn united(self) -> Key {
        Key {
            rule: Rule::Union,
            ..self
        }
    }

    const fn by_entry(self) -> Key {
        Key {
            rule: Rule::Entries,
            ..self
        }
    }

    const fn conflicts(self, conflicts: &'static [Conflict]) -> Key {
        Key { conflicts, ..self }
    }

    const fn shown(self, shown: Shown) -> Key {
        Key {
            shown: Some(shown),
            ..self
        }
    }

    const fn ignored(self, since: EngineRelease) -> Key {
        Key {
            support: Support::Ignored { since },
            ..self
        }
    }

    const fn rejected(self, cure: &'static str) -> Key {
        Key {
            support: Support::Rejected { cure },
            ..self
        }
    }

    const fn gone(self, since: EngineRelease, cure: &'static str) -> Key {
        Key {
            support: Support::Gone { since, cure },
            ..self
        }
    }
}

impl Conflict {
    /// With it, dockerd does not start.
    const fn error(with: With, text: &'static str) -> Conflict {
        Conflict {
            entry: None,
            with,
            severity: Severity::Error,
            since: V1_12,
            text,
        }
    }

    const fn warning(with: With, text: &'static str) -> Conflict {
        Conflict {
            severity: Severity::Warning,
            ..Conflict::error(with, text)
        }
    }

    /// Earlier engines take both.
    const fn since(self, since: EngineRelease) -> Conflict {
        Conflict { since, ..self }
    }

    /// It is about this entry of the key's.
    const fn of_entry(self, entry: &'static str) -> Conflict {
        Conflict {
            entry: Some(entry),
            ..self
        }
    }
}
