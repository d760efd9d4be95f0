//! Keys of which a running engine takes up another value at a reload.

use super::{STRINGS, V1_12, V1_13, V17_06, V17_09, V18_09, V20_10, V29_0, V29_7, entries, key};
use crate::daemon_config::schema::ValueKind::{
    Bool, Count, Int, List, Map, Mirror, Object, Pair, Port, Registry, Size, Str, Word,
};
use crate::daemon_config::schema::{Conflict, EngineRelease, Key, Shown, With};

pub(crate) const KEYS: &[Key] = &[
    key("authorization-plugins", STRINGS, V1_12)
        .about("plug-ins that are asked before each request is served")
        .reloads(),
    key("debug", Bool, V1_12)
        .about("write more to the log")
        .reloads()
        .shown(Shown::Same("/Debug")),
    key("default-cgroupns-mode", Word(&["host", "private"]), V20_10)
        .about("whether containers see the host's control groups or their own")
        .reloads(),
    key("default-ipc-mode", Word(&["private", "shareable"]), V17_09)
        .about("whether the memory that a container shares can be joined by others")
        .reloads(),
    key("default-runtime", Str, V1_12)
        .about("the runtime of containers that name none")
        .reloads()
        .conflicts(&[Conflict::error(
            With::Runtimes,
            "dockerd does not start with one that is not among runtimes; add it \
             there, or write \"runc\"",
        )])
        .shown(Shown::Same("/DefaultRuntime")),
    key("default-shm-size", Size, V17_06)
        .about("the size of /dev/shm in containers")
        .reloads(),
    key("default-stop-timeout", Count, V29_7)
        .about("seconds a container is given to stop before it is killed")
        .reloads(),
    key("features", Map(&Bool), V18_09)
        .about("parts of the engine switched on or off by name")
        .reloads()
        .by_entry()
        .conflicts(&[
            Conflict::error(
                With::UserNamespaces,
                "engine 29 does not start with userns-remap beside it, though earlier ones do; \
                 remove one of the two",
            )
            .since(V29_0)
            .of_entry("containerd-snapshotter"),
            Conflict::error(
                With::Switch("cri-containerd"),
                "engine 29.7 does not start with both; remove one of the two",
            )
            .since(V29_7)
            .of_entry("embedded-containerd"),
        ]),
    key("insecure-registries", List(&Registry), V1_12)
        .about("registries whose certificates are not checked, or that have none")
        .reloads()
        .united()
        .shown(Shown::InsecureRegistries),
    key("labels", List(&Pair), V1_12)
        .about("name=value pairs that describe this engine")
        .reloads()
        .united()
        .shown(Shown::Among("/Labels")),
    key("live-restore", Bool, V1_12)
        .about("keep containers running while the engine is not")
        .reloads()
        .conflicts(&[Conflict::error(
            With::Swarm,
            "a member of a swarm does not start with it; write false, or leave \
             the swarm: docker swarm leave",
        )])
        .shown(Shown::Same("/LiveRestoreEnabled")),
    key("max-concurrent-downloads", Count, V1_12)
        .about("layers fetched at a time by all pulls; where containerd keeps images, from engine 29.7")
        .resets(),
    key("max-concurrent-uploads", Count, V1_12)
        .about("layers sent at a time by all pushes; where containerd keeps images, from engine 29.7")
        .resets(),
    key("max-download-attempts", Count, V20_10)
        .about("tries for a layer that does not come through")
        .resets(),
    key("network-diagnostic-port", Port, EngineRelease(18, 3))
        .about("a port on the loopback that tells of the networks' state")
        .reloads(),
    key("nri-opts", Object(&entries::NRI), EngineRelease(29, 2))
        .about("plug-ins that see and change containers as they are made")
        .resets(),
    key("registry-mirrors", List(&Mirror), V1_12)
        .about("registries that are asked before Docker Hub")
        .reloads()
        .united()
        .shown(Shown::Mirrors),
    key("runtimes", Map(&Object(&entries::RUNTIME)), V1_12)
        .about("programs that run containers, beside runc")
        .reloads()
        .by_entry()
        .shown(Shown::Names("/Runtimes")),
    key("shutdown-timeout", Int, V1_13)
        .about("seconds all containers are given when the engine stops")
        .reloads(),
];
