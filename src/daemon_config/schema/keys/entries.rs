//! What stands inside the keys whose values are objects with names of their own.

use crate::daemon_config::finding::Severity;
use crate::daemon_config::schema::ValueKind::{
    self, Any, AnyCaseWord, Bool, Count, Int, List, Network, Object, Proxy, SizeOrShare, Str,
};
use crate::daemon_config::schema::{Entries, IpFamily};

pub(super) const BUILDER: Entries = passing_over(&[
    ("gc", Object(&BUILDER_GC)),
    ("entitlements", Object(&BUILDER_ENTITLEMENTS)),
    ("history", Object(&BUILDER_HISTORY)),
]);

const BUILDER_GC: Entries = passing_over(&[
    ("enabled", Bool),
    ("policy", List(&Object(&BUILDER_POLICY))),
    ("defaultKeepStorage", SizeOrShare),
    ("defaultReservedSpace", SizeOrShare),
    ("defaultMaxUsedSpace", SizeOrShare),
    ("defaultMinFreeSpace", SizeOrShare),
]);

/// `filter` is a list by now, and was an object once.
const BUILDER_POLICY: Entries = passing_over(&[
    ("all", Bool),
    ("filter", Any),
    ("keepStorage", SizeOrShare),
    ("reservedSpace", SizeOrShare),
    ("maxUsedSpace", SizeOrShare),
    ("minFreeSpace", SizeOrShare),
]);

const BUILDER_ENTITLEMENTS: Entries = passing_over(&[
    ("network-host", Bool),
    ("security-insecure", Bool),
    ("device", Bool),
]);

/// `maxAge` is a number of seconds or a string such as `48h`.
const BUILDER_HISTORY: Entries = passing_over(&[("maxAge", Any), ("maxEntries", Int)]);

pub(super) const NRI: Entries = Entries {
    known: &[
        ("enable", Bool),
        ("plugin-path", Str),
        ("plugin-config-path", Str),
        ("socket-path", Str),
    ],
    unknown: Some(Severity::Error),
    any_case: true,
};

pub(super) const POOL: Entries =
    passing_over(&[("base", Network(IpFamily::Either)), ("size", Count)]);

pub(super) const PROXIES: Entries = Entries {
    known: &[
        ("http-proxy", Proxy),
        ("https-proxy", Proxy),
        ("no-proxy", Str),
    ],
    unknown: Some(Severity::Error),
    any_case: false,
};

pub(super) const RUNTIME: Entries = passing_over(&[
    ("path", Str),
    ("runtimeArgs", List(&Str)),
    ("runtimeType", Str),
    ("options", Object(&RUNTIME_OPTIONS)),
]);

/// Those of the runtime, which knows them.
const RUNTIME_OPTIONS: Entries = Entries {
    known: &[],
    unknown: None,
    any_case: true,
};

pub(super) const ULIMIT: Entries = passing_over(&[
    ("Name", AnyCaseWord(ULIMIT_NAMES)),
    ("Hard", Int),
    ("Soft", Int),
]);

/// The limits that Linux has.
#[rustfmt::skip]
pub(crate) const ULIMIT_NAMES: &[&str] = &[
    "as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile",
    "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
];

/// dockerd passes over any other name.
const fn passing_over(known: &'static [(&'static str, ValueKind)]) -> Entries {
    Entries {
        known,
        unknown: Some(Severity::Warning),
        any_case: true,
    }
}
