//! The one table of the configuration's keys.
//!
//! Owns names, types, first releases and reloads. It must not hold logic.
//!
//! Read from dockerd's source and tried with dockerd. `V1_12` stands for 1.12 or earlier.

use super::schema::Kind::{
    Bool, BoolMap, Int, Ip, IpList, Object, ObjectList, ObjectMap, Size, Str, StrList, StrMap,
};
use super::schema::{Engine, Key, Kind, Reload, Standing};

const V1_12: Engine = Engine(1, 12);
const V1_13: Engine = Engine(1, 13);
const V17_06: Engine = Engine(17, 6);
const V17_09: Engine = Engine(17, 9);
const V18_03: Engine = Engine(18, 3);
const V18_06: Engine = Engine(18, 6);
const V18_09: Engine = Engine(18, 9);
const V19_03: Engine = Engine(19, 3);
const V20_10: Engine = Engine(20, 10);
const V23_0: Engine = Engine(23, 0);
const V24_0: Engine = Engine(24, 0);
const V25_0: Engine = Engine(25, 0);
const V28_0: Engine = Engine(28, 0);
const V29_0: Engine = Engine(29, 0);

/// Every key that can stand at the root of the file, by subject.
pub const KEYS: &[Key] = &[
    // Applied by a reload.
    key("authorization-plugins", StrList, V1_12).reloads(),
    key("debug", Bool, V1_12).reloads(),
    key("default-cgroupns-mode", Str, V20_10).reloads(),
    key("default-ipc-mode", Str, V17_09).reloads(),
    key("default-runtime", Str, V1_12).reloads(),
    key("default-shm-size", Size, V17_06).reloads(),
    key("default-stop-timeout", Int, Engine(29, 7)).reloads(),
    key("features", BoolMap, V18_09).reloads(),
    key("insecure-registries", StrList, V1_12).reloads(),
    key("labels", StrList, V1_12).reloads(),
    key("live-restore", Bool, V1_12).reloads(),
    key("max-concurrent-downloads", Int, V1_12).resets(),
    key("max-concurrent-uploads", Int, V1_12).resets(),
    key("max-download-attempts", Int, V20_10).resets(),
    key("network-diagnostic-port", Int, V18_03).reloads(),
    key("nri-opts", Object, Engine(29, 2)).resets(),
    key("registry-mirrors", StrList, V1_12).reloads(),
    key("runtimes", ObjectMap, V1_12).reloads(),
    key("shutdown-timeout", Int, V1_13).reloads(),
    // The daemon itself; these and all below need a restart.
    key("builder", Object, V18_09),
    key("cdi-spec-dirs", StrList, V25_0),
    key("cgroup-parent", Str, V1_12),
    key("containerd", Str, V1_12),
    key("containerd-namespace", Str, V20_10),
    key("cri-containerd", Bool, V18_09),
    key("data-root", Str, V17_06),
    key("exec-opts", StrList, V1_12),
    key("exec-root", Str, V1_12),
    key("experimental", Bool, V1_13),
    key("group", Str, V1_12),
    key("hosts", StrList, V1_12),
    key("metrics-addr", Str, V1_13),
    key("min-api-version", Str, V29_0),
    key("node-generic-resources", StrList, V17_09),
    key("pidfile", Str, V1_12),
    key("proxies", Object, V23_0),
    key("raw-logs", Bool, V1_12),
    key("rootless", Bool, V19_03),
    key("storage-driver", Str, V1_12),
    key("storage-opts", StrList, V1_12),
    key("swarm-default-advertise-addr", Str, V1_12),
    key("tls", Bool, V1_12),
    key("tlscacert", Str, V1_12),
    key("tlscert", Str, V1_12),
    key("tlskey", Str, V1_12),
    key("tlsverify", Bool, V1_12),
    // Containers.
    key("cpu-rt-period", Int, V1_13),
    key("cpu-rt-runtime", Int, V1_13),
    key("default-ulimits", ObjectMap, V1_12),
    key("init", Bool, V1_13),
    key("init-path", Str, V1_13),
    key("no-new-privileges", Bool, V17_06),
    key("seccomp-profile", Str, V1_13),
    key("selinux-enabled", Bool, V1_12),
    key("userns-remap", Str, V1_12),
    // Logs.
    key("log-driver", Str, V1_12),
    key("log-format", Str, V25_0),
    key("log-level", Str, V1_12),
    key("log-opts", StrMap, V1_12),
    // Networks.
    key("allow-direct-routing", Bool, Engine(28, 2)),
    key("bip", Str, V1_12),
    key("bip6", Str, V28_0),
    key("bridge", Str, V1_12),
    key("bridge-accept-fwmark", Str, V29_0),
    key("default-address-pools", ObjectList, V18_06),
    key("default-gateway", Ip, V1_12),
    key("default-gateway-v6", Ip, V1_12),
    key("default-network-opts", ObjectMap, V24_0),
    key("dns", IpList, V1_12),
    key("dns-opts", StrList, V1_12),
    key("dns-search", StrList, V1_12),
    key("firewall-backend", Str, V29_0),
    key("fixed-cidr", Str, V1_12),
    key("fixed-cidr-v6", Str, V1_12),
    key("host-gateway-ip", Ip, V20_10),
    key("host-gateway-ips", IpList, V28_0),
    key("icc", Bool, V1_12),
    key("ip", Ip, V1_12),
    key("ip-forward", Bool, V1_12),
    key("ip-forward-no-drop", Bool, V28_0),
    key("ip-masq", Bool, V1_12),
    key("ip6tables", Bool, V20_10),
    key("iptables", Bool, V1_12),
    key("ipv6", Bool, V1_12),
    key("mtu", Int, V1_12),
    key("network-control-plane-mtu", Int, V17_09),
    key("userland-proxy", Bool, V1_12),
    key("userland-proxy-path", Str, V1_13),
    // Taken, without any effect.
    key("allow-nondistributable-artifacts", StrList, V17_06).ignored(),
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

const fn key(name: &'static str, kind: Kind, since: Engine) -> Key {
    Key {
        name,
        kind,
        since,
        reload: Reload::Restart,
        standing: Standing::Known,
    }
}

impl Key {
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

    const fn ignored(self) -> Key {
        Key {
            standing: Standing::Ignored,
            ..self
        }
    }

    const fn rejected(self, cure: &'static str) -> Key {
        Key {
            standing: Standing::Rejected { cure },
            ..self
        }
    }

    const fn gone(self, since: Engine, cure: &'static str) -> Key {
        Key {
            standing: Standing::Gone { since, cure },
            ..self
        }
    }
}
