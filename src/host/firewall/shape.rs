//! The exact shapes of the rules that the engine makes in the chains of the kernel.

use std::collections::BTreeSet;

use ipnet::IpNet;

/// What the engine makes in the chains of the kernel: table, chain and shape. In a shape, `BRIDGE`
/// is one and the same bridge of the engine's, `NETWORK` a network, `HOST` one and the same address
/// in a network of the engine's, `ADDRESS` any one address, `LOOPBACK` one of the host itself, `PROTOCOL` and `PORT` any.
const SHAPES: &[(&str, &str, &[&str])] = &[
    (
        "filter",
        "FORWARD",
        &[
            "-j DOCKER-USER",
            "-j DOCKER-FORWARD",
            "-j DOCKER-INGRESS",
            "-j DOCKER-ISOLATION",
            "-j DOCKER-ISOLATION-STAGE-1",
            "-o BRIDGE -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-o BRIDGE -j DOCKER",
            "-i BRIDGE ! -o BRIDGE -j ACCEPT",
            "-i BRIDGE -o BRIDGE -j ACCEPT",
            "-i BRIDGE -o BRIDGE -j DROP",
            // 28.0.0 alone.
            "-m set --match-set docker-ext-bridges-v4 dst -m conntrack --ctstate \
             RELATED,ESTABLISHED -j ACCEPT",
            "-m set --match-set docker-ext-bridges-v4 dst -j DOCKER",
            "-m set --match-set docker-ext-bridges-v6 dst -m conntrack --ctstate \
             RELATED,ESTABLISHED -j ACCEPT",
            "-m set --match-set docker-ext-bridges-v6 dst -j DOCKER",
        ],
    ),
    (
        "nat",
        "PREROUTING",
        &[
            "-m addrtype --dst-type LOCAL -j DOCKER",
            "-m addrtype --dst-type LOCAL -j DOCKER-INGRESS",
        ],
    ),
    (
        "nat",
        "OUTPUT",
        &[
            "-m addrtype --dst-type LOCAL -j DOCKER",
            "-m addrtype --dst-type LOCAL -j DOCKER-INGRESS",
            "! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
            "! -d ::1/128 -m addrtype --dst-type LOCAL -j DOCKER",
        ],
    ),
    (
        "nat",
        "POSTROUTING",
        &[
            "-s NETWORK ! -o BRIDGE -j MASQUERADE",
            "-s NETWORK ! -o BRIDGE -j SNAT --to-source ADDRESS",
            "-o BRIDGE -m addrtype --src-type LOCAL -j MASQUERADE",
            "-o BRIDGE -m addrtype --src-type LOCAL -j SNAT --to-source ADDRESS",
            "-s HOST -d HOST -p PROTOCOL -m PROTOCOL --dport PORT -j MASQUERADE",
        ],
    ),
    (
        "raw",
        "PREROUTING",
        &[
            "-d LOOPBACK ! -i lo -p PROTOCOL -m PROTOCOL --dport PORT -j DROP",
            "-d ADDRESS ! -i BRIDGE -j DROP",
            "-d ADDRESS ! -i BRIDGE -p PROTOCOL -m PROTOCOL --dport PORT -j DROP",
        ],
    ),
];

/// Rules of the engine's own chains that there are for every bridge, by which bridges are known
/// whatever their names.
const OF_EACH_BRIDGE: &[&str] = &[
    "-A DOCKER-ISOLATION-STAGE-1 -i BRIDGE ! -o BRIDGE -j DOCKER-ISOLATION-STAGE-2",
    "-A DOCKER-ISOLATION-STAGE-2 -o BRIDGE -j DROP",
    "-A DOCKER-BRIDGE -o BRIDGE -j DOCKER",
];

/// Whether the engine makes a rule of these words in a chain of the kernel.
pub(crate) fn is_engines(
    (table, chain): (&str, &str),
    words: &[&str],
    bridges: &BTreeSet<String>,
    networks: &[IpNet],
) -> bool {
    let mut shapes = SHAPES
        .iter()
        .filter(|(of_table, of_chain, _)| *of_table == table && *of_chain == chain)
        .flat_map(|(.., shapes)| *shapes);
    shapes.any(|shape| fits(shape, words, bridges, networks))
}

/// The bridge that a rule of one of the engine's own chains says to be one of the engine's.
pub(crate) fn bridge_in(rule: &str) -> Option<&str> {
    let words: Vec<&str> = rule.split(' ').collect();
    let at = words.iter().position(|word| matches!(*word, "-i" | "-o"))?;
    let bridge = *words.get(at + 1)?;
    let shape = words
        .iter()
        .map(|word| if *word == bridge { "BRIDGE" } else { *word })
        .collect::<Vec<_>>()
        .join(" ");
    OF_EACH_BRIDGE.contains(&shape.as_str()).then_some(bridge)
}

/// The network behind one of these bridges, where that is what a rule is about.
pub(crate) fn network_in(rule: &str, bridges: &BTreeSet<String>) -> Option<IpNet> {
    match rule.split(' ').collect::<Vec<_>>().as_slice() {
        [
            "-A",
            "POSTROUTING",
            "-s",
            network,
            "!",
            "-o",
            bridge,
            "-j",
            ..,
        ] if bridges.contains(*bridge) => network.parse().ok(),
        _ => None,
    }
}

fn fits(shape: &str, words: &[&str], bridges: &BTreeSet<String>, networks: &[IpNet]) -> bool {
    let shape: Vec<&str> = shape.split(' ').collect();
    let (mut bridge, mut host) = (None, None);
    shape.len() == words.len()
        && shape.iter().zip(words).all(|(part, word)| match *part {
            "BRIDGE" => bridges.contains(*word) && *bridge.get_or_insert(word) == word,
            "NETWORK" => word.parse::<IpNet>().is_ok(),
            "ADDRESS" => host_of(word).is_some(),
            "LOOPBACK" => host_of(word).is_some_and(|it| it.addr().is_loopback()),
            "HOST" => {
                let is_within = |address| networks.iter().any(|it| it.contains(&address));
                host_of(word).is_some_and(is_within) && *host.get_or_insert(word) == word
            }
            "PROTOCOL" => matches!(*word, "tcp" | "udp" | "sctp"),
            "PORT" => word.parse::<u16>().is_ok(),
            part => part == *word,
        })
}

/// The address that a word names, with or without its full length behind it.
fn host_of(word: &str) -> Option<IpNet> {
    match word.parse::<IpNet>() {
        Ok(network) => (network.prefix_len() == network.max_prefix_len()).then_some(network),
        Err(_) => word.parse::<std::net::IpAddr>().ok().map(IpNet::from),
    }
}
