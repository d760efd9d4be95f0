//! Keys that have no effect, or are none to an engine of today.

use super::{STRINGS, V1_12, V1_13, V17_06, V18_09, V20_10, V23_0, V29_0, key};
use crate::daemon_json::schema::Kind::{Bool, Int, Str};
use crate::daemon_json::schema::{Engine, Key};

pub const KEYS: &[Key] = &[
    // Taken, without any effect.
    key("allow-nondistributable-artifacts", STRINGS, V17_06).ignored(),
    // The field behind this one has another name, so that only the flag works.
    key("containerd-plugins-namespace", Str, V20_10).ignored(),
    key("deprecated-key-path", Str, V18_09).ignored(),
    // Refused, although dockerd's source has a name for them.
    key("default-init", Bool, V1_13).rejected("write init"),
    key("resolv-conf", Str, V18_09).rejected("write dns, dns-opts and dns-search"),
    key("swarm-raft-heartbeat-tick", Int, V18_09).rejected("remove it"),
    // Known once.
    key("api-cors-header", Str, V1_12).gone(V29_0, "remove it; a reverse proxy can set the header"),
    key("graph", Str, V1_12).gone(V23_0, "write data-root"),
    key("oom-score-adjust", Int, V1_12).gone(
        Engine(26, 0),
        "set OOMScoreAdjust= in the unit: systemctl edit docker",
    ),
];
