//! The rules that `iptables-save` shows, and which of them are the engine's.
//!
//! In its own chains all are. In the chains of the kernel it makes rules of a few exact shapes; any
//! other rule is somebody else's, also one that names a bridge of the engine's.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::shape;

/// The chains that an engine makes, by 17.06 to 29.
///
/// Source: `libnetwork/iptables` and `libnetwork/drivers/bridge` in
/// <https://github.com/moby/moby>.
const CHAINS: &[&str] = &[
    "DOCKER",
    "DOCKER-BRIDGE",
    "DOCKER-CT",
    "DOCKER-FORWARD",
    "DOCKER-INGRESS",
    "DOCKER-INTERNAL",
    "DOCKER-ISOLATION",
    "DOCKER-ISOLATION-STAGE-1",
    "DOCKER-ISOLATION-STAGE-2",
    USERS,
];

/// The engine makes it, and leaves what is in it to users.
const USERS: &str = "DOCKER-USER";

/// All that the engine itself puts there, up to 27.
const RETURN: &str = "-A DOCKER-USER -j RETURN";

/// In this order each table can be judged by those that are still there, also by a later run.
const TABLES: &[&str] = &["raw", "mangle", "security", "nat", "filter"];

/// The rules of one program.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    tables: Vec<Table>,
}

#[derive(Debug, Default)]
struct Table {
    name: String,
    /// Those that somebody made, beside the kernel's.
    chains: Vec<String>,
    /// Each as a command, `-A CHAIN …`.
    rules: Vec<String>,
    /// Whether packets between other hosts are dropped.
    is_closed: bool,
}

/// What is to be removed, and what is not although it looks like it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Removal {
    /// The input of `iptables-restore --noflush`; empty when nothing is to be removed.
    pub script: String,
    /// Rules that name a bridge or chain of the engine's and are not its own, as commands.
    pub left: Vec<String>,
    /// Whether users have rules in the engine's chain for theirs.
    pub has_users: bool,
    /// Bridges that the engine used, whatever their names.
    pub bridges: BTreeSet<String>,
}

impl Rules {
    /// Reads what `iptables-save` shows.
    pub(crate) fn parse(text: &str) -> Rules {
        let mut tables: Vec<Table> = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('*') {
                let name = name.to_owned();
                tables.push(Table {
                    name,
                    ..Table::default()
                });
            }
            let Some(table) = tables.last_mut() else {
                continue;
            };
            if let Some((chain, rest)) = line.strip_prefix(':').and_then(|it| it.split_once(' ')) {
                match rest.split_whitespace().next() {
                    Some("-") => table.chains.push(chain.to_owned()),
                    Some("DROP") if chain == "FORWARD" => table.is_closed = true,
                    _ => {}
                }
            } else if line.starts_with("-A ") {
                table.rules.push(line.to_owned());
            }
        }
        Rules { tables }
    }

    /// Whether packets between other hosts are dropped.
    pub(crate) fn is_closed(&self) -> bool {
        let mut tables = self.tables.iter();
        tables.any(|table| table.name == "filter" && table.is_closed)
    }

    /// Rules and chains that look like an engine's, or that name one of these bridges.
    pub(crate) fn of_an_engine(&self, names_bridge: impl Fn(&str) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        for table in &self.tables {
            let chains = table.chains.iter().filter(|it| is_engine_chain(it));
            found.extend(chains.map(|chain| table.command(&format!("-N {chain}"))));
            let names = |word: &str| names_bridge(word) || is_engine_chain(word);
            let looks_like = |rule: &&String| {
                rule.split(' ').any(names) || table.is_engines(rule, &BTreeSet::new(), &[])
            };
            let rules = table.rules.iter().filter(looks_like);
            found.extend(rules.map(|rule| table.command(rule)));
        }
        found
    }

    /// Rules that somebody has who forwards packets: they translate addresses, or let packets of
    /// others than these bridges through.
    pub(crate) fn of_forwarding(&self, names_bridge: impl Fn(&str) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        for table in &self.tables {
            let forwards = |rule: &&String| {
                let target = target_of(rule);
                let translates = matches!(target, "MASQUERADE" | "SNAT" | "DNAT" | "NETMAP");
                match table.name.as_str() {
                    "nat" => translates,
                    "filter" => rule.starts_with("-A FORWARD ") && target == "ACCEPT",
                    _ => false,
                }
            };
            let of_others = |rule: &&String| {
                let mut words = rule.split(' ');
                !words.any(|word| names_bridge(word) || is_engine_chain(word))
            };
            let rules = table.rules.iter().filter(forwards).filter(of_others);
            found.extend(rules.map(|rule| table.command(rule)));
        }
        found
    }

    /// What of the engine's is to be removed. `links` are those of the engine's that go, and
    /// `before` is what [`Rules::of_an_engine`] found before there was an engine.
    pub(crate) fn removal(&self, links: &[String], before: &[String]) -> Removal {
        let rules = || self.tables.iter().flat_map(|table| &table.rules);
        let bridges: BTreeSet<String> = rules()
            .filter_map(|rule| shape::bridge_in(rule))
            .map(str::to_owned)
            .chain(links.to_vec())
            .collect();
        let networks: Vec<IpNet> = rules()
            .filter_map(|rule| shape::network_in(rule, &bridges))
            .collect();
        let mut removal = Removal::default();
        for name in TABLES {
            for table in self.tables.iter().filter(|table| table.name == *name) {
                let is_engines = |rule: &str| table.is_engines(rule, &bridges, &networks);
                table.remove(&mut removal, is_engines, links, before);
            }
        }
        removal.bridges = bridges;
        removal
    }
}

impl Table {
    /// A rule as the command of `iptables` that adds it.
    fn command(&self, rule: &str) -> String {
        match self.name.as_str() {
            "filter" => rule.to_owned(),
            table => format!("-t {table} {rule}"),
        }
    }

    /// Whether a rule of the kernel's chains is one that the engine makes.
    fn is_engines(&self, rule: &str, bridges: &BTreeSet<String>, networks: &[IpNet]) -> bool {
        let words: Vec<&str> = rule.split(' ').skip(2).collect();
        shape::is_engines((&self.name, chain_of(rule)), &words, bridges, networks)
    }

    /// Adds what removes the engine's from this table to the script.
    fn remove(
        &self,
        removal: &mut Removal,
        is_engines: impl Fn(&str) -> bool,
        links: &[String],
        before: &[String],
    ) {
        let is_old = |command: &str| before.iter().any(|it| it == command);
        let of_users = self.rules.iter().filter(|rule| chain_of(rule) == USERS);
        let has_users = of_users.into_iter().any(|rule| rule != RETURN);
        let keeps_users = has_users || is_old(&self.command(&format!("-N {USERS}")));
        let goes = |chain: &str| is_engine_chain(chain) && !(keeps_users && chain == USERS);
        let (mut deleted, mut led_to) = (Vec::new(), Vec::new());
        for rule in &self.rules {
            let (chain, target) = (chain_of(rule), target_of(rule));
            let command = self.command(rule);
            if goes(chain) {
                // It is not flushed: somebody may be adding a rule right now.
                deleted.extend((chain == USERS).then_some(rule));
                continue;
            }
            let stays = keeps_users && target == USERS;
            if is_engines(rule) && !is_old(&command) && !stays {
                deleted.push(rule);
                continue;
            }
            led_to.push(target);
            let names = |word: &str| links.iter().any(|it| it == word) || goes(word);
            if chain != USERS && rule.split(' ').any(names) && !is_old(&command) {
                removal.left.push(command);
            }
        }
        let chains: Vec<&String> = self.chains.iter().filter(|it| goes(it)).collect();
        let deleted = deleted.iter().map(|rule| rule.replacen("-A ", "-D ", 1));
        let flushed = chains
            .iter()
            .filter(|chain| chain.as_str() != USERS)
            .map(|chain| format!("-F {chain}"));
        // The kernel keeps a chain that a rule leads to.
        let unused = chains
            .iter()
            .filter(|it| !led_to.contains(&it.as_str()))
            .map(|chain| format!("-X {chain}"));
        let lines: Vec<String> = deleted.chain(flushed).chain(unused).collect();
        if !lines.is_empty() {
            let lines = lines.join("\n");
            removal.script += &format!("*{}\n{lines}\nCOMMIT\n", self.name);
        }
        removal.has_users |= has_users;
    }
}

fn is_engine_chain(name: &str) -> bool {
    CHAINS.contains(&name)
}

fn chain_of(rule: &str) -> &str {
    rule.split(' ').nth(1).unwrap_or_default()
}

fn target_of(rule: &str) -> &str {
    let mut words = rule
        .split(' ')
        .skip_while(|word| !matches!(*word, "-j" | "-g"));
    words.nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests;
