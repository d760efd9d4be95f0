//! Tables of nftables: the engine's, and those of others in which addresses are translated.

use anyhow::Result;

use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;

/// Tables that the engine makes, by 29.
///
/// Source: `daemon/libnetwork/drivers/bridge/internal/nftabler` and
/// `daemon/libnetwork/drivers/overlay` in <https://github.com/moby/moby>.
const OF_THE_ENGINE: &[&str] = &["docker-bridges", "docker-overlay"];

/// Those that iptables keeps its own rules in, where a chain whose name is in upper case is one of
/// its own.
const OF_IPTABLES: &[&str] = &["filter", "nat", "mangle", "raw", "security"];

/// Tables of an engine, or in which somebody translates addresses; each as its family and name.
/// None where nft is not there or shows nothing.
pub(crate) fn tables(host: &Host) -> Result<Vec<String>> {
    let list = Query::of(Reader::NftRules);
    let listed = host
        .query(&list)
        .ok()
        .filter(|output| output.code == 0)
        .map(|output| output.stdout)
        .unwrap_or_default();
    Ok(tables_in(&listed))
}

/// Whether a table, named by its family and name, has the name of one of the engine's.
pub(crate) fn is_engines(table: &str) -> bool {
    let name = table.split_once(' ').map(|(_, name)| name);
    name.is_some_and(|name| OF_THE_ENGINE.contains(&name))
}

fn tables_in(listed: &str) -> Vec<String> {
    let mut tables: Vec<String> = Vec::new();
    let (mut table, mut chain) = (String::new(), String::new());
    for line in listed.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["table", family, name, ..] => {
                table = format!("{family} {name}");
                if is_engines(&table) {
                    tables.push(table.clone());
                }
            }
            ["chain", name, ..] => chain = (*name).to_owned(),
            words => {
                let is_of_iptables = table
                    .split_once(' ')
                    .is_some_and(|(_, name)| OF_IPTABLES.contains(&name))
                    && chain.chars().all(|it| !it.is_ascii_lowercase());
                let translates = |word: &&str| matches!(*word, "masquerade" | "snat" | "dnat");
                if !is_of_iptables && words.iter().any(translates) && !tables.contains(&table) {
                    tables.push(table.clone());
                }
            }
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_engine_and_of_others_who_translate_are_found() {
        let listed = "\
table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
table ip nat {
	chain POSTROUTING {
		oifname \"eth0\" masquerade
	}
}
table ip6 nat {
	chain mine {
		oifname \"eth0\" masquerade
	}
}
table inet lxd {
	chain pstrt.lxdbr0 {
		ip saddr 10.1.0.0/24 ip daddr != 10.1.0.0/24 masquerade
		ip saddr 10.2.0.0/24 masquerade
	}
}
table inet filter {
	chain input {
		tcp dport 22 accept
	}
}
table ip docker-bridges {
	chain nat-prerouting {
		dnat to 172.17.0.2:80
	}
}
";
        let found = tables_in(listed);
        assert_eq!(found, ["ip6 nat", "inet lxd", "ip docker-bridges"]);
        assert!(is_engines("ip docker-bridges") && is_engines("ip6 docker-bridges"));
        assert!(!is_engines("ip nat") && !is_engines("inet docker"));
    }
}
