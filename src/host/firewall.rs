//! What the engine makes of a host's network beside its own files: links, rules of iptables, and
//! the kernel's readiness to forward packets. None of it goes with its packages.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::Host;
use super::command::Command;

/// The kernel's settings that the engine turns on.
pub const FORWARDING: &[&str] = &[
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv6/conf/all/forwarding",
    "/proc/sys/net/ipv6/conf/default/forwarding",
];

/// The programs whose rules the engine adds to.
pub const PROGRAMS: &[&str] = &["iptables", "ip6tables"];

/// Has a line for each link. In a container /sys may show those of another host.
const LINKS: &str = "/proc/net/dev";

/// The network of a host before there was an engine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The names of its links.
    pub links: Vec<String>,
    /// Those of [`FORWARDING`] that were there, with their values.
    pub forwarding: BTreeMap<String, String>,
    /// Those of [`PROGRAMS`] by which packets between other hosts were let through.
    pub lets_through: Vec<String>,
}

impl Network {
    pub fn of(host: &Host) -> Result<Network> {
        let mut network = Network {
            links: links(host)?,
            ..Network::default()
        };
        for path in FORWARDING {
            if let Some(value) = host.read_text(path)? {
                let value = value.trim().to_owned();
                network.forwarding.insert((*path).to_owned(), value);
            }
        }
        for program in PROGRAMS {
            // Without the program there are no rules of its: everything is let through.
            let rules = rules(host, program)?;
            if rules.is_none_or(|rules| !rules.lines().any(is_closed)) {
                network.lets_through.push((*program).to_owned());
            }
        }
        Ok(network)
    }

    /// Whether there were links of an engine.
    pub fn has_engines_links(&self) -> bool {
        self.links.iter().any(|link| is_engines(link))
    }

    /// Links of the engine's that were not there before.
    pub fn engines_links(&self, host: &Host) -> Result<Vec<String>> {
        let mut links = links(host)?;
        links.retain(|link| is_engines(link) && !self.links.contains(link));
        Ok(links)
    }

    /// The rules without those of the engine, and whether some were left that users put into the
    /// engine's chain for theirs. `removed` are links that are no more.
    pub fn without_engine(&self, program: &str, rules: &str, removed: &[String]) -> (String, bool) {
        let has_users = rules
            .lines()
            .any(|line| line.starts_with("-A DOCKER-USER ") && line != "-A DOCKER-USER -j RETURN");
        let is_engines = |line: &&str| {
            let mut words = line.split_whitespace();
            let chain = match words.next() {
                Some("-A") => words.next().unwrap_or_default(),
                Some(word) => word.strip_prefix(':').unwrap_or_default(),
                None => "",
            };
            let jumps = |word: &str| word.starts_with("DOCKER");
            let engines = |name: &str| jumps(name) && !(has_users && name == "DOCKER-USER");
            engines(chain)
                || line
                    .split("-j ")
                    .skip(1)
                    .any(|target| engines(target.split_whitespace().next().unwrap_or_default()))
                || line
                    .split_whitespace()
                    .any(|word| removed.iter().any(|link| link == word))
        };
        let mut left = String::new();
        for line in rules.lines().filter(|line| !is_engines(line)) {
            let opened = self.lets_through.iter().any(|it| it == program) && is_closed(line);
            let line = match opened {
                true => line.replace(" DROP ", " ACCEPT "),
                false => line.to_owned(),
            };
            left += &line;
            left.push('\n');
        }
        (left, has_users)
    }
}

fn links(host: &Host) -> Result<Vec<String>> {
    let text = host.read_text(LINKS)?.unwrap_or_default();
    // Two lines of headings have no colon.
    let names = text.lines().filter_map(|line| line.split_once(':'));
    Ok(names.map(|(name, _)| name.trim().to_owned()).collect())
}

/// The rules that a program shows; `None` when it is not there, or has none to show.
pub fn rules(host: &Host, program: &str) -> Result<Option<String>> {
    let save = Command::new(&format!("{program}-save"));
    // It is no error here when it cannot be run: not by everybody, and not on every host.
    Ok(host
        .query(&save)
        .ok()
        .filter(|output| output.code == 0)
        .map(|output| output.stdout))
}

/// Whether a line says that packets between other hosts are dropped.
fn is_closed(line: &str) -> bool {
    line.starts_with(":FORWARD DROP ")
}

/// Whether the engine gives its links such a name: `docker0`, or `br-` with twelve hexadecimal
/// digits for a network that a user made.
fn is_engines(link: &str) -> bool {
    let of_network = link
        .strip_prefix("br-")
        .is_some_and(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    of_network || matches!(link, "docker0" | "docker_gwbridge")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const RULES: &str = "\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:ufw-user-forward - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -j ufw-user-forward
-A DOCKER-USER -j RETURN
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE
COMMIT
";

    fn without(rules: &str, lets_through: &[&str]) -> (String, bool) {
        let network = Network {
            lets_through: lets_through.iter().map(|it| (*it).to_owned()).collect(),
            ..Network::default()
        };
        network.without_engine("iptables", rules, &["docker0".to_owned()])
    }

    #[test]
    fn the_engines_rules_go_and_all_others_stay() {
        let (left, has_users) = without(RULES, &["iptables"]);
        let expected = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n\
             :ufw-user-forward - [0:0]\n-A FORWARD -j ufw-user-forward\nCOMMIT\n\
             *nat\n:POSTROUTING ACCEPT [0:0]\n\
             -A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE\nCOMMIT\n";
        assert_eq!(left, expected);
        assert!(!has_users);
        assert_eq!(without(&left, &["iptables"]).0, left, "done twice");
    }

    #[test]
    fn a_host_that_dropped_before_drops_afterwards() {
        assert!(without(RULES, &[]).0.contains(":FORWARD DROP"));
    }

    #[test]
    fn rules_that_users_put_into_the_engines_chain_stay() {
        let rules = RULES.replace(
            "-A DOCKER-USER -j RETURN\n",
            "-A DOCKER-USER -s 192.0.2.1/32 -j DROP\n-A DOCKER-USER -j RETURN\n",
        );
        let (left, has_users) = without(&rules, &["iptables"]);
        assert!(has_users);
        for line in [
            ":DOCKER-USER - [0:0]",
            "-A FORWARD -j DOCKER-USER",
            "-A DOCKER-USER -s 192.0.2.1/32 -j DROP",
        ] {
            assert!(left.contains(line), "{left}");
        }
        assert!(!left.contains("docker0"), "{left}");
    }

    #[test]
    fn links_are_read_and_those_that_came_with_the_engine_told_apart() {
        let heading = "Inter-|   Receive    |  Transmit\n face |bytes    |bytes\n";
        let stub = StubHost::new().file(LINKS, format!("{heading}    lo: 1 2\n  eth0: 3 4\n"));
        let before = Network::of(stub.host()).unwrap();
        assert_eq!(before.links, ["lo", "eth0"]);
        let stub = stub.file(
            LINKS,
            format!("{heading}    lo: 1 2\ndocker0: 3 4\n tun0: 1 2\n"),
        );
        assert_eq!(before.engines_links(stub.host()).unwrap(), ["docker0"]);
    }

    #[test]
    fn the_engines_links_are_known_by_their_names() {
        for link in ["docker0", "br-0123456789ab", "docker_gwbridge"] {
            assert!(is_engines(link), "{link}");
        }
        for link in ["eth0", "br-lan", "br-0123456789ag", "docker1x", "br0"] {
            assert!(!is_engines(link), "{link}");
        }
    }
}
