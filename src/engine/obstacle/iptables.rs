//! The program that makes the engine's firewall rules. Debian's alternatives choose which one it
//! is, and that choice can lead nowhere.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Obstacle;
use crate::daemon_config::Document;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;
use crate::shell::quoted;

const PROGRAM: &str = "/usr/sbin/iptables";

/// Has a line for each file of the package, and is there as long as that is installed.
const INSTALLED: &str = "/var/lib/dpkg/info/iptables.list";

/// As many as the kernel follows.
const MOST_LINKS: usize = 40;

/// An iptables that cannot be run, where the engine needs it. A host without the package gets it
/// with the engine.
pub(crate) fn problem(host: &Host, configuration: &Document) -> Result<Option<Obstacle>> {
    let has_none = configuration.get("iptables") == Some(&false.into());
    let has_another = configuration.get("firewall-backend") == Some(&"nftables".into());
    if has_none || has_another {
        return Ok(None);
    }
    let cause = match dead_end(host)? {
        Some(end) => format!("{PROGRAM} leads to {}, which is not there", end.display()),
        None if host.exists(PROGRAM)? || host.has_program("iptables") => return Ok(None),
        None if !host.exists(INSTALLED)? => return Ok(None),
        None => format!("there is no iptables at {PROGRAM}, though its package is installed"),
    };
    let cure = match alternative(host)? {
        Some(path) => format!("update-alternatives --set iptables {}", quoted(path)),
        None => "apt-get install --reinstall iptables".to_owned(),
    };
    Ok(Some(Obstacle::new(
        format!("{cause}; the engine cannot make its firewall rules"),
        format!("Choose one that is there: sudo {cure}"),
    )))
}

/// Where the links end, if nothing is there.
fn dead_end(host: &Host) -> Result<Option<PathBuf>> {
    let mut at = PathBuf::from(PROGRAM);
    for _ in 0..MOST_LINKS {
        let Some(there) = host.metadata(&at)? else {
            // A program that is not there at all is no link.
            return Ok((at != *Path::new(PROGRAM)).then_some(at));
        };
        if !there.is_symlink() {
            return Ok(None);
        }
        let target = std::fs::read_link(host.path(&at))?;
        at = at
            .parent()
            .map_or(target.clone(), |folder| folder.join(target));
    }
    Ok(Some(at))
}

/// Another iptables that the host has, the one that Ubuntu chooses first.
fn alternative(host: &Host) -> Result<Option<String>> {
    let list = Query::of(Reader::IptablesAlternatives);
    let Ok(listed) = host.query(&list) else {
        return Ok(None);
    };
    let there = |path: &&str| host.path(path).is_file();
    let mut known: Vec<&str> = listed.stdout.lines().map(str::trim).filter(there).collect();
    known.sort_by_key(|path| !path.ends_with("-nft"));
    Ok(known.first().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    fn found(stub: &StubHost, text: &str) -> Option<Obstacle> {
        problem(stub.host(), &Document::parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn an_alternative_that_leads_nowhere_is_replaced_by_one_that_is_there() {
        let stub = StubHost::new()
            .link(PROGRAM, "/etc/alternatives/iptables")
            .link("/etc/alternatives/iptables", "/usr/sbin/iptables-gone")
            .file("/usr/sbin/iptables-legacy", "")
            .file("/usr/sbin/iptables-nft", "")
            .program(
                "update-alternatives",
                "printf '/usr/sbin/iptables-legacy\\n/usr/sbin/iptables-nft\\n'",
            );
        let told = found(&stub, "{}").unwrap();
        let begin = "/usr/sbin/iptables leads to /usr/sbin/iptables-gone, which is not there";
        assert!(told.cause.starts_with(begin), "{}", told.cause);
        let end = ": sudo update-alternatives --set iptables /usr/sbin/iptables-nft";
        assert!(told.cure.ends_with(end), "{}", told.cure);
        for text in [
            r#"{"iptables": false}"#,
            r#"{"firewall-backend": "nftables"}"#,
        ] {
            assert_eq!(found(&stub, text), None);
        }
        let bare = stub.program("update-alternatives", "exit 2");
        let told = found(&bare, "{}").unwrap();
        assert!(
            told.cure
                .ends_with("sudo apt-get install --reinstall iptables")
        );
    }

    #[test]
    fn a_host_without_it_gets_it_with_the_engine() {
        assert_eq!(found(&StubHost::new(), "{}"), None);
        assert_eq!(found(&StubHost::new().file(PROGRAM, ""), "{}"), None);
        let gone = StubHost::new().file(INSTALLED, "");
        assert!(
            found(&gone, "{}")
                .unwrap()
                .cause
                .starts_with("there is no iptables")
        );
    }
}
