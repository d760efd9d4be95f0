//! Keys of containers and of what they write.

use super::{V1_12, V1_13, V17_06, V25_0, entries, key};
use crate::daemon_config::schema::ValueKind::{AnyCaseWord, Bool, Int, Map, Object, Str, Word};
use crate::daemon_config::schema::{Conflict, Key, Shown, With};

pub(crate) const KEYS: &[Key] = &[
    key("cpu-rt-period", Int, V1_13)
        .about("microseconds in which real-time tasks are counted")
        .conflicts(&[Conflict::error(
            With::CgroupsV2,
            "control groups of version 2 have no limits for real-time tasks, and \
             dockerd does not start with one; remove it",
        )]),
    key("cpu-rt-runtime", Int, V1_13)
        .about("microseconds that real-time tasks may run in that time")
        .conflicts(&[Conflict::error(
            With::CgroupsV2,
            "control groups of version 2 have no limits for real-time tasks, and \
             dockerd does not start with one; remove it",
        )]),
    key("default-ulimits", Map(&Object(&entries::ULIMIT)), V1_12)
        .about("limits on what a process in a container may use")
        .by_entry(),
    key("init", Bool, V1_13).about("put a small init into each container, which reaps processes"),
    key("init-path", Str, V1_13).about("the program to use as that init"),
    key("no-new-privileges", Bool, V17_06)
        .about("let nothing in a container gain rights by setuid programs")
        .shown(Shown::SecurityOption("name=no-new-privileges")),
    key("seccomp-profile", Str, V1_13)
        .about("the file with the system calls that containers may make")
        .shown(Shown::Seccomp),
    key("selinux-enabled", Bool, V1_12).about("confine containers by SELinux"),
    key("userns-remap", Str, V1_12).about("map root in containers to another user of the host"),
    // Logs.
    key("log-driver", Str, V1_12)
        .about("where containers' output goes")
        .shown(Shown::Same("/LoggingDriver")),
    key("log-format", Word(&["json", "text"]), V25_0).about("the form of the engine's own log"),
    key(
        "log-level",
        AnyCaseWord(&["debug", "error", "fatal", "info", "panic", "trace", "warn"]),
        V1_12,
    )
    .about("how much the engine writes to its own log"),
    key("log-opts", Map(&Str), V1_12)
        .about("options of the log driver")
        .by_entry(),
];
