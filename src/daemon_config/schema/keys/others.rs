//! Keys that have no effect, or are none to an engine of today.

use super::{STRINGS, V1_12, V1_13, V17_06, V18_09, V20_10, V23_0, V28_0, key};
use crate::daemon_config::schema::ValueKind::{Bool, Int, Map, Str};
use crate::daemon_config::schema::{EngineRelease, Key};

/// What to do with what only a manager of a swarm could use.
const SWARM_ALONE: &str = "remove it; the engine has a fixed value for it";

/// What to do with the networks that a store outside of the engine kept.
const STORE: &str = "remove it; overlay networks need no store of their own: docker swarm init";

pub(crate) const KEYS: &[Key] = &[
    // Taken without any effect.
    key("allow-nondistributable-artifacts", STRINGS, V17_06)
        .about("registries that get images with layers that may not be distributed")
        .ignored(V28_0),
    // The field behind this one has another name, so that only the flag works.
    key("containerd-plugins-namespace", Str, V20_10).ignored(V20_10),
    key("deprecated-key-path", Str, V18_09).ignored(V18_09),
    // Refused, although dockerd's source has a name for them.
    key("containerd-plugin-namespace", Str, V20_10)
        .rejected("the engine takes it as a flag of the unit only: --containerd-plugins-namespace"),
    key("default-init", Bool, V1_13).rejected("write init"),
    key("resolv-conf", Str, V18_09).rejected("write dns, dns-opts and dns-search"),
    key("swarm-raft-election-tick", Int, V18_09).rejected(SWARM_ALONE),
    key("swarm-raft-heartbeat-tick", Int, V18_09).rejected(SWARM_ALONE),
    // Known once.
    key("api-cors-header", Str, V1_12).gone(V28_0, "remove it; a reverse proxy can set the header"),
    key("cluster-advertise", Str, V1_12).gone(V23_0, STORE),
    key("cluster-store", Str, V1_12).gone(V23_0, STORE),
    key("cluster-store-opts", Map(&Str), V1_12).gone(V23_0, STORE),
    key("disable-legacy-registry", Bool, V17_06).gone(
        EngineRelease(19, 3),
        "remove it; no engine since speaks the old protocol of registries",
    ),
    key("graph", Str, V1_12).gone(V23_0, "write data-root"),
    key("oom-score-adjust", Int, V1_12).gone(
        EngineRelease(26, 0),
        "set OOMScoreAdjust= in the unit: systemctl edit docker",
    ),
];
