//! What a row of the table of keys holds, and the questions one can ask of it.
//!
//! It must not judge a file: the checks, the merge, the question to the engine, the pages and the
//! completions each read their column.

pub(super) mod keys;
pub(super) mod log_drivers;
pub(super) mod suggestion;
mod value_kind;

use std::fmt;

use crate::daemon_config::check::Severity;
pub use crate::daemon_config::merge::effective::Shown;
use keys::SUBJECTS;
pub use value_kind::{Entries, Family, Kind};

/// One key that dockerd knows, or once knew, at the root of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub name: &'static str,
    /// What it is for, in a few words; empty for keys without effect.
    pub about: &'static str,
    /// The type of its value, with the words and forms that it may have.
    pub kind: Kind,
    pub since: Engine,
    pub reload: Reload,
    pub rule: Rule,
    /// What it does not go together with.
    pub conflicts: &'static [Conflict],
    /// Where the engine says what value is in force, if it does.
    pub shown: Option<Shown>,
    pub standing: Standing,
}

/// The engine release that introduced a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Engine(pub u8, pub u8);

/// What makes the daemon take a changed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// Only a restart.
    Restart,
    /// SIGHUP; a key taken out of the file keeps its value until a restart.
    Reload,
    /// SIGHUP; a key taken out of the file goes back to its default.
    Resets,
}

/// How a wanted value joins the one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A list that gets the entries it lacks.
    Union,
    /// A map whose entries stand for themselves.
    Entries,
    /// The value as a whole.
    Replace,
}

/// Something that a key, or one entry of it, does not go together with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    pub entry: Option<&'static str>,
    pub with: With,
    pub severity: Severity,
    /// The first engine that it matters to.
    pub since: Engine,
    /// What comes of it, and what helps.
    pub text: &'static str,
}

/// The other side of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// The host is a member of a swarm.
    Swarm,
    /// The packages' unit says it by a flag.
    UnitFlag,
    /// There are no rules of a firewall.
    NoRules,
    /// A bridge that is not dockerd's own.
    OwnBridge,
    UserNamespaces,
    /// containerd keeps the images, not dockerd.
    ContainerdStore,
    /// systemd keeps the control groups.
    SystemdCgroups,
    CgroupsV2,
    PluginsNamespace,
    /// It is none of the runtimes.
    Runtimes,
    /// The packages' unit runs the engine as root, with nothing around it.
    Root,
    /// Another key that is true beside it.
    Switch(&'static str),
    /// Another key beside it.
    Key(&'static str),
    /// Words that engines do not take any more, with the first of those.
    Gone(&'static [(&'static str, Engine)]),
}

/// Whether today's dockerd takes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Known,
    /// Taken without effect since this engine, and with one before.
    Ignored {
        since: Engine,
    },
    /// Refused, although the name looks right.
    Rejected {
        cure: &'static str,
    },
    /// Refused, although it was known once.
    Gone {
        since: Engine,
        cure: &'static str,
    },
}

/// Every key of the table, by subject.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    SUBJECTS.iter().copied().flatten()
}

/// The keys that have an effect, and the others, each by name.
pub fn by_name() -> (Vec<&'static Key>, Vec<&'static Key>) {
    let mut keys: Vec<&Key> = keys().collect();
    keys.sort_by_key(|key| key.name);
    let is_known = |key: &&Key| key.standing == Standing::Known;
    keys.into_iter().partition(is_known)
}

/// The key of this exact name.
pub fn key(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name == name)
}

impl Key {
    /// Whether dockerd starts with this key in its file.
    pub fn is_accepted(&self) -> bool {
        matches!(self.standing, Standing::Known | Standing::Ignored { .. })
    }

    /// Whether this engine starts with it.
    pub(super) fn is_taken_by(&self, engine: Engine) -> bool {
        match self.standing {
            Standing::Known => engine >= self.since,
            Standing::Ignored { .. } => true,
            Standing::Rejected { .. } => false,
            Standing::Gone { since, .. } => engine < since,
        }
    }

    /// Whether `systemctl reload docker` is enough after a change of its value.
    pub fn is_reloadable(&self) -> bool {
        self.reload != Reload::Restart
    }
}

impl Rule {
    /// The rule of a key.
    pub fn of(name: &str) -> Rule {
        key(name).map_or(Rule::Replace, |key| key.rule)
    }
}

impl Engine {
    /// One that is newer than all that are known.
    pub const NEWEST: Engine = Engine(u8::MAX, u8::MAX);

    /// The engine of a version such as `29.6.1` or, as packages have it, `5:29.6.1-1~ubuntu`.
    pub fn of(version: &str) -> Option<Engine> {
        let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
        let mut numbers = upstream.split(['.', '-', '~', '+']);
        let mut number = || numbers.next()?.parse().ok();
        Some(Engine(number()?, number()?))
    }
}

/// As it follows on "does not go together with".
impl fmt::Display for With {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            With::Swarm => "a swarm",
            With::UnitFlag => "a flag of the unit",
            With::NoRules => "iptables false",
            With::OwnBridge => "bridge",
            With::UserNamespaces => "userns-remap",
            With::ContainerdStore => "images that containerd keeps",
            With::SystemdCgroups => "control groups that systemd keeps",
            With::CgroupsV2 => "control groups of version 2",
            With::PluginsNamespace => "the namespace of plug-ins",
            With::Runtimes => "no such runtime",
            With::Root => "an engine that root runs",
            With::Key(name) | With::Switch(name) => name,
            With::Gone(_) => "newer engines",
        })
    }
}

/// As the engine writes itself: `17.06` in the years of calendar versions, `1.12` and `28.2` else.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Engine(major, minor) = self;
        match major {
            17..=20 => write!(f, "{major}.{minor:02}"),
            _ => write!(f, "{major}.{minor}"),
        }
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
        assert_eq!(key("log-opts").unwrap().kind, Kind::Map(&Kind::Str));
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
        assert!(
            matches!(graph.standing, Standing::Gone { cure, .. } if cure.contains("data-root"))
        );
    }

    /// Lists alone can be united, and objects alone have entries.
    #[test]
    fn a_rule_fits_the_type_of_its_key() {
        for key in keys() {
            let fits = match key.rule {
                Rule::Union => matches!(key.kind, Kind::List(_)),
                Rule::Entries => matches!(key.kind, Kind::Map(_)),
                Rule::Replace => true,
            };
            assert!(fits, "{}", key.name);
        }
        assert_eq!(Rule::of("no-such-key"), Rule::Replace);
    }

    #[test]
    fn an_engine_is_read_from_a_version() {
        assert_eq!(Engine::of("29.6.1"), Some(Engine(29, 6)));
        assert_eq!(
            Engine::of("5:20.10.24~3-0~ubuntu-jammy"),
            Some(Engine(20, 10))
        );
        assert_eq!(Engine::of("latest"), None);
    }

    #[test]
    fn engines_are_ordered_and_written_as_they_write_themselves() {
        assert!(Engine(1, 13) < Engine(17, 6) && Engine(20, 10) < Engine(23, 0));
        let written = [Engine(1, 12), Engine(17, 6), Engine(28, 2)].map(|e| e.to_string());
        assert_eq!(written, ["1.12", "17.06", "28.2"]);
    }
}
