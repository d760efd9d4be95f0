//! What a row of the table of keys holds.

use std::fmt;

use super::engine_release::EngineRelease;
use super::shown::Shown;
use super::value_kind::ValueKind;
use crate::daemon_config::finding::Severity;

/// One key that dockerd knows, or once knew, at the root of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub name: &'static str,
    /// What it is for, in a few words; empty for keys without effect.
    pub about: &'static str,
    /// The type of its value, with the words and forms that it may have.
    pub kind: ValueKind,
    pub since: EngineRelease,
    pub reload: Reload,
    pub rule: Rule,
    /// What it does not go together with.
    pub conflicts: &'static [Conflict],
    /// Where the engine says what value is in force, if it does.
    pub shown: Option<Shown>,
    pub support: Support,
}

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
    pub since: EngineRelease,
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
    Gone(&'static [(&'static str, EngineRelease)]),
}

/// Whether today's dockerd takes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    Known,
    /// Taken without effect since this engine, and with one before.
    Ignored {
        since: EngineRelease,
    },
    /// Refused, although the name looks right.
    Rejected {
        cure: &'static str,
    },
    /// Refused, although it was known once.
    Gone {
        since: EngineRelease,
        cure: &'static str,
    },
}

impl Key {
    /// Whether dockerd starts with this key in its file.
    pub fn is_accepted(&self) -> bool {
        matches!(self.support, Support::Known | Support::Ignored { .. })
    }

    /// Whether this engine starts with it.
    pub(crate) fn is_taken_by(&self, engine: EngineRelease) -> bool {
        match self.support {
            Support::Known => engine >= self.since,
            Support::Ignored { .. } => true,
            Support::Rejected { .. } => false,
            Support::Gone { since, .. } => engine < since,
        }
    }

    /// Whether `systemctl reload docker` is enough after a change of its value.
    pub fn is_reloadable(&self) -> bool {
        self.reload != Reload::Restart
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
