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
    key("authorization-plugins", StrList, V1_12)
        .about("plug-ins that are asked before each request is served")
        .reloads(),
    key("debug", Bool, V1_12)
        .about("write more to the log")
        .reloads(),
    key("default-cgroupns-mode", Str, V20_10)
        .about("whether containers see the host's control groups or their own")
        .reloads(),
    key("default-ipc-mode", Str, V17_09)
        .about("whether the memory that a container shares can be joined by others")
        .reloads(),
    key("default-runtime", Str, V1_12)
        .about("the runtime of containers that name none")
        .reloads(),
    key("default-shm-size", Size, V17_06)
        .about("the size of /dev/shm in containers")
        .reloads(),
    key("default-stop-timeout", Int, Engine(29, 7))
        .about("seconds a container is given to stop before it is killed")
        .reloads(),
    key("features", BoolMap, V18_09)
        .about("parts of the engine switched on or off by name")
        .reloads(),
    key("insecure-registries", StrList, V1_12)
        .about("registries whose certificates are not checked, or that have none")
        .reloads(),
    key("labels", StrList, V1_12)
        .about("name=value pairs that describe this engine")
        .reloads(),
    key("live-restore", Bool, V1_12)
        .about("keep containers running while the engine is not")
        .reloads(),
    key("max-concurrent-downloads", Int, V1_12)
        .about("layers fetched at a time, for each pull")
        .resets(),
    key("max-concurrent-uploads", Int, V1_12)
        .about("layers sent at a time, for each push")
        .resets(),
    key("max-download-attempts", Int, V20_10)
        .about("tries for a layer that does not come through")
        .resets(),
    key("network-diagnostic-port", Int, V18_03)
        .about("a port on the loopback that tells of the networks' state")
        .reloads(),
    key("nri-opts", Object, Engine(29, 2))
        .about("plug-ins that see and change containers as they are made")
        .resets(),
    key("registry-mirrors", StrList, V1_12)
        .about("registries that are asked before Docker Hub")
        .reloads(),
    key("runtimes", ObjectMap, V1_12)
        .about("programs that run containers, beside runc")
        .reloads(),
    key("shutdown-timeout", Int, V1_13)
        .about("seconds all containers are given when the engine stops")
        .reloads(),
    // The daemon itself; these and all below need a restart.
    key("builder", Object, V18_09).about("limits of the build cache, and what builds may do"),
    key("cdi-spec-dirs", StrList, V25_0).about("folders with descriptions of devices"),
    key("cgroup-parent", Str, V1_12).about("the control group that containers are put under"),
    key("containerd", Str, V1_12).about("the socket of the containerd to use"),
    key("containerd-namespace", Str, V20_10).about("the namespace of containers in containerd"),
    key("cri-containerd", Bool, V18_09)
        .about("switch Kubernetes' interface on in a containerd that the engine starts"),
    key("data-root", Str, V17_06).about("the folder for images, containers and volumes"),
    key("exec-opts", StrList, V1_12).about("options of the runtime: native.cgroupdriver"),
    key("exec-root", Str, V1_12).about("the folder for files that live as long as the engine"),
    key("experimental", Bool, V1_13).about("features that are not finished"),
    key("group", Str, V1_12).about("the group that may use the engine's socket"),
    key("hosts", StrList, V1_12).about("sockets and ports to listen on"),
    key("metrics-addr", Str, V1_13).about("the address to serve figures for Prometheus on"),
    key("min-api-version", Str, V29_0).about("the oldest API that clients may speak"),
    key("node-generic-resources", StrList, V17_09)
        .about("resources of this host that swarm services can ask for"),
    key("pidfile", Str, V1_12).about("the file with the engine's process number"),
    key("proxies", Object, V23_0)
        .about("proxies for the engine: http-proxy, https-proxy, no-proxy"),
    key("raw-logs", Bool, V1_12).about("write the log without colours and times"),
    key("rootless", Bool, V19_03).about("the engine runs without root's rights"),
    key("storage-driver", Str, V1_12).about("how layers are kept"),
    key("storage-opts", StrList, V1_12).about("options of the storage driver"),
    key("swarm-default-advertise-addr", Str, V1_12)
        .about("the address that other members of a swarm are told"),
    key("tls", Bool, V1_12).about("serve TLS to everyone"),
    key("tlscacert", Str, V1_12).about("the authority that vouches for clients"),
    key("tlscert", Str, V1_12).about("the engine's certificate"),
    key("tlskey", Str, V1_12).about("the key of that certificate"),
    key("tlsverify", Bool, V1_12).about("serve TLS to clients with a certificate only"),
    // Containers.
    key("cpu-rt-period", Int, V1_13).about("microseconds in which real-time tasks are counted"),
    key("cpu-rt-runtime", Int, V1_13)
        .about("microseconds that real-time tasks may run in that time"),
    key("default-ulimits", ObjectMap, V1_12)
        .about("limits on what a process in a container may use"),
    key("init", Bool, V1_13).about("put a small init into each container, which reaps processes"),
    key("init-path", Str, V1_13).about("the program to use as that init"),
    key("no-new-privileges", Bool, V17_06)
        .about("let nothing in a container gain rights by setuid programs"),
    key("seccomp-profile", Str, V1_13)
        .about("the file with the system calls that containers may make"),
    key("selinux-enabled", Bool, V1_12).about("confine containers by SELinux"),
    key("userns-remap", Str, V1_12).about("map root in containers to another user of the host"),
    // Logs.
    key("log-driver", Str, V1_12).about("where containers' output goes"),
    key("log-format", Str, V25_0).about("the form of the engine's own log"),
    key("log-level", Str, V1_12).about("how much the engine writes to its own log"),
    key("log-opts", StrMap, V1_12).about("options of the log driver"),
    // Networks.
    key("allow-direct-routing", Bool, Engine(28, 2))
        .about("let other hosts reach containers' own addresses"),
    key("bip", Str, V1_12).about("address and network of the default bridge"),
    key("bip6", Str, V28_0).about("the same for IPv6"),
    key("bridge", Str, V1_12).about("a bridge of one's own to use as the default one"),
    key("bridge-accept-fwmark", Str, V29_0).about("packets with this mark may pass to containers"),
    key("default-address-pools", ObjectList, V18_06).about("ranges that networks are taken from"),
    key("default-gateway", Ip, V1_12).about("the gateway of containers on the default bridge"),
    key("default-gateway-v6", Ip, V1_12).about("the same for IPv6"),
    key("default-network-opts", ObjectMap, V24_0).about("options of new networks, by driver"),
    key("dns", IpList, V1_12).about("name servers of containers"),
    key("dns-opts", StrList, V1_12).about("options for resolv.conf in containers"),
    key("dns-search", StrList, V1_12).about("search domains of containers"),
    key("firewall-backend", Str, V29_0).about("write rules for iptables or for nftables"),
    key("fixed-cidr", Str, V1_12)
        .about("the part of the default bridge's network that containers get addresses of"),
    key("fixed-cidr-v6", Str, V1_12).about("the same for IPv6"),
    key("host-gateway-ip", Ip, V20_10).about("the address that host-gateway stands for"),
    key("host-gateway-ips", IpList, V28_0).about("the same, one of each family"),
    key("icc", Bool, V1_12).about("let containers on the default bridge reach each other"),
    key("ip", Ip, V1_12).about("the address that ports are published on when none is named"),
    key("ip-forward", Bool, V1_12).about("switch forwarding on in the kernel"),
    key("ip-forward-no-drop", Bool, V28_0).about("let the kernel forward for others as well"),
    key("ip-masq", Bool, V1_12).about("hide containers behind the host's address"),
    key("ip6tables", Bool, V20_10).about("guard networks by rules for IPv6"),
    key("iptables", Bool, V1_12).about("guard networks by rules for the firewall"),
    key("ipv6", Bool, V1_12).about("IPv6 on the default bridge"),
    key("mtu", Int, V1_12).about("the size of packets on the default bridge"),
    key("network-control-plane-mtu", Int, V17_09)
        .about("the size of packets between members of a swarm"),
    key("userland-proxy", Bool, V1_12)
        .about("serve published ports by a program, where the kernel could do it"),
    key("userland-proxy-path", Str, V1_13).about("that program"),
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
        about: "",
        kind,
        since,
        reload: Reload::Restart,
        standing: Standing::Known,
    }
}

impl Key {
    const fn about(self, about: &'static str) -> Key {
        Key { about, ..self }
    }

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
