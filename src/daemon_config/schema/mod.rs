//! The table of keys, and the questions one can ask of it.
//!
//! It must not judge a file: the checks, the merge, the question to the engine, the pages and the
//! completions each read their column.

mod engine_release;
mod key;
pub(super) mod keys;
pub(super) mod log_drivers;
mod shown;
pub(super) mod suggestion;
mod value_kind;

pub use engine_release::EngineRelease;
pub(crate) use key::{Conflict, Rule, With};
pub use key::{Key, Reload, Support};
pub(crate) use shown::Shown;

use keys::SUBJECTS;
pub(crate) use value_kind::{Entries, IpFamily, ValueKind};

/// Every key of the table, by subject.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    SUBJECTS.iter().copied().flatten()
}

/// The keys that have an effect, and the others, each by name.
pub fn by_name() -> (Vec<&'static Key>, Vec<&'static Key>) {
    let mut keys: Vec<&Key> = keys().collect();
    keys.sort_by_key(|key| key.name);
    let is_known = |key: &&Key| key.support == Support::Known;
    keys.into_iter().partition(is_known)
}

/// The key of this exact name.
pub fn key(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name == name)
}

impl Rule {
    /// The rule of a key.
    pub fn of(name: &str) -> Rule {
        key(name).map_or(Rule::Replace, |key| key.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let mut names: Vec<&str> = keys().map(|key| key.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_key_is_found_by_its_exact_name_only() {
        assert_eq!(
            key("log-opts").unwrap().kind,
            ValueKind::Map(&ValueKind::Str)
        );
        assert!(key("Log-Opts").is_none());
        assert!(key("log-opt").is_none());
    }

    #[test]
    fn live_restore_reloads_and_data_root_restarts() {
        assert!(key("live-restore").unwrap().is_reloadable());
        assert!(!key("data-root").unwrap().is_reloadable());
    }

    #[test]
    fn graph_is_gone_and_says_what_replaced_it() {
        let graph = key("graph").unwrap();
        assert!(!graph.is_accepted());
        assert!(matches!(graph.support, Support::Gone { cure, .. } if cure.contains("data-root")));
    }

    /// Lists alone can be united, and objects alone have entries.
    #[test]
    fn a_rule_fits_the_type_of_its_key() {
        for key in keys() {
            let fits = match key.rule {
                Rule::Union => matches!(key.kind, ValueKind::List(_)),
                Rule::Entries => matches!(key.kind, ValueKind::Map(_)),
                Rule::Replace => true,
            };
            assert!(fits, "{}", key.name);
        }
        assert_eq!(Rule::of("no-such-key"), Rule::Replace);
    }
}
