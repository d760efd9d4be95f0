//! Keys of the engine itself, and of its log.

use super::{
    STRINGS, V1_12, V1_13, V17_06, V17_09, V18_09, V20_10, V23_0, V25_0, V28_0, V29_0, V29_8,
    entries, key,
};
use crate::daemon_config::schema::ValueKind::{
    Any, Bool, CgroupDriver, HostPort, List, Listener, Map, Object, Pair, Path, Str,
};
use crate::daemon_config::schema::{Conflict, EngineRelease, Key, Shown, With};

/// Storage drivers that dockerd once had, and since which engine it does not.
const GONE_DRIVERS: &[(&str, EngineRelease)] = &[
    ("aufs", EngineRelease(24, 0)),
    ("devicemapper", V25_0),
    ("overlay", EngineRelease(24, 0)),
];

pub(crate) const KEYS: &[Key] = &[
    key("builder", Object(&entries::BUILDER), V18_09)
        .about("limits of the build cache, and what builds may do"),
    key("cdi-spec-dirs", STRINGS, V25_0)
        .about("folders with descriptions of devices")
        .shown(Shown::Folders("/CDISpecDirs")),
    key("cgroup-parent", Str, V1_12)
        .about("the control group that containers are put under")
        .conflicts(&[Conflict::error(
            With::SystemdCgroups,
            "dockerd does not start with any but a slice; write a name like \
             \"docker.slice\"",
        )]),
    key("containerd", Str, V1_12)
        .about("the socket of the containerd to use")
        .conflicts(&[Conflict::error(
            With::UnitFlag,
            "the packages' unit passes --containerd to dockerd, which takes \
             this from one place only, even when both are equal; leave it out",
        )]),
    key("containerd-namespace", Str, V20_10)
        .about("the namespace of containers in containerd")
        .conflicts(&[Conflict::error(
            With::PluginsNamespace,
            "\"plugins.moby\" is where plug-ins run, and dockerd does not start \
             with containers there; write another",
        )]),
    key("cri-containerd", Bool, V18_09)
        .about("switch Kubernetes' interface on in a containerd that the engine starts"),
    key("data-root", Path, V17_06)
        .about("the folder for images, containers and volumes")
        .conflicts(&[Conflict::warning(
            With::ContainerdStore,
            "does not hold for images where containerd keeps them, as engine 29 \
             has it on new hosts: they fill /var/lib/containerd. Move that as \
             well (root in /etc/containerd/config.toml), or write features \
             {\"containerd-snapshotter\": false}",
        )]),
    key("extension-config", Map(&Map(&Any)), V29_8)
        .about("options of extensions, by the name of each"),
    key("extensions", STRINGS, V29_8).about("folders with extensions of the engine"),
    key("exec-opts", List(&CgroupDriver), V1_12)
        .about("options of the runtime: native.cgroupdriver")
        .shown(Shown::CgroupDriver),
    key("exec-root", Str, V1_12).about("the folder for files that live as long as the engine"),
    key("experimental", Bool, V1_13)
        .about("features that are not finished")
        .shown(Shown::Same("/ExperimentalBuild")),
    key("group", Str, V1_12).about("the group that may use the engine's socket"),
    key("hosts", List(&Listener), V1_12)
        .about("sockets and ports to listen on")
        .conflicts(&[Conflict::error(
            With::UnitFlag,
            "the packages' unit passes -H fd:// to dockerd, which takes this \
             from one place only, even when both are equal; leave \
 it out",
        )]),
    key("metrics-addr", HostPort, V1_13).about("the address to serve figures for Prometheus on"),
    key("min-api-version", Str, V29_0).about("the oldest API that clients may speak"),
    key("node-generic-resources", List(&Pair), V17_09)
        .about("resources of this host that swarm services can ask for")
        .shown(Shown::Resources),
    key("pidfile", Str, V1_12).about("the file with the engine's process number"),
    key("proxies", Object(&entries::PROXIES), V23_0)
        .about("proxies for the engine: http-proxy, https-proxy, no-proxy")
        .shown(Shown::Proxies),
    key("raw-logs", Bool, V1_12).about("write the log without colours and times"),
    key("rootless", Bool, EngineRelease(19, 3))
        .about("the engine runs without root's rights")
        .conflicts(&[Conflict::error(
            With::Root,
            "the packages' unit runs dockerd as root, and it does not start with this; remove it, or \
             set a rootless engine up with dockerd-rootless-setuptool.sh",
        )
        .since(V28_0)]),
    key("storage-driver", Str, V1_12)
        .about("how layers are kept")
        .conflicts(&[Conflict::error(
            With::Gone(GONE_DRIVERS),
            "dockerd has it no more; write \"overlay2\"",
        )]),
    key("storage-opts", STRINGS, V1_12).about("options of the storage driver"),
    key("swarm-default-advertise-addr", Str, V1_12)
        .about("the address that other members of a swarm are told"),
    key("tls", Bool, V1_12).about("serve TLS to everyone"),
    key("tlscacert", Str, V1_12).about("the authority that vouches for clients"),
    key("tlscert", Str, V1_12).about("the engine's certificate"),
    key("tlskey", Str, V1_12).about("the key of that certificate"),
    key("tlsverify", Bool, V1_12).about("serve TLS to clients with a certificate only"),
];
