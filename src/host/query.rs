//! The commands that only read: a closed list, so that a question can never change the host.

use std::path::Path;

use super::command::{Command, Query};
use crate::docker::{NO_CONFIG, SOCKET};

/// A program, with the words that make it one that only reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    AptCache,
    AptCheck,
    AptConfig,
    AptHeld,
    AptIndexTargets,
    AptManual,
    AptShowFile,
    AuditRules,
    DockerInfo,
    DockerInspect,
    DockerPs,
    DpkgArchitecture,
    DpkgCompareVersions,
    DpkgQuery,
    FirewalldPolicies,
    FirewalldZones,
    Getent,
    Ip4Routes,
    Ip6Routes,
    IptablesAlternatives,
    Journal,
    LinksOfBridge,
    Md5sum,
    NftRules,
    SystemctlIsActive,
    SystemctlIsEnabled,
    SystemctlShow,
    SystemdVerify,
}

impl Reader {
    /// The program, and what stands behind it before all else.
    const fn words(self) -> &'static [&'static str] {
        match self {
            Reader::AptCache => &["apt-cache"],
            Reader::AptCheck => &["apt-get", "check"],
            Reader::AptConfig => &["apt-config"],
            Reader::AptHeld => &["apt-mark", "showhold"],
            Reader::AptIndexTargets => &["apt-get", "indextargets"],
            Reader::AptManual => &["apt-mark", "showmanual"],
            Reader::AptShowFile => &["/usr/lib/apt/apt-helper", "cat-file"],
            Reader::AuditRules => &["auditctl", "-l"],
            Reader::DockerInfo => &["docker", "info"],
            Reader::DockerInspect => &["docker", "inspect"],
            Reader::DockerPs => &["docker", "ps"],
            Reader::DpkgArchitecture => &["dpkg", "--print-architecture"],
            Reader::DpkgCompareVersions => &["dpkg", "--compare-versions"],
            Reader::DpkgQuery => &["dpkg-query"],
            Reader::FirewalldPolicies => &["firewall-cmd", "--list-all-policies"],
            Reader::FirewalldZones => &["firewall-cmd", "--list-all-zones"],
            Reader::Getent => &["getent"],
            Reader::Ip4Routes => &["ip", "-4", "route", "show"],
            Reader::Ip6Routes => &["ip", "-6", "route", "show"],
            Reader::IptablesAlternatives => &["update-alternatives", "--list", "iptables"],
            Reader::Journal => &["journalctl", "--no-pager"],
            Reader::LinksOfBridge => &["ip", "-oneline", "link", "show", "master"],
            Reader::Md5sum => &["md5sum"],
            Reader::NftRules => &["nft", "--stateless", "list", "ruleset"],
            Reader::SystemctlIsActive => &["systemctl", "is-active", "--quiet"],
            Reader::SystemctlIsEnabled => &["systemctl", "is-enabled"],
            Reader::SystemctlShow => &["systemctl", "show"],
            Reader::SystemdVerify => &["systemd-analyze", "verify"],
        }
    }
}

impl Query {
    /// A question to this program.
    pub(crate) fn of(reader: Reader) -> Query {
        let [program, words @ ..] = reader.words() else {
            unreachable!("every reader has a program")
        };
        match *program {
            "docker" => Query::asking("docker")
                .args(["--host", &format!("unix://{SOCKET}")])
                .env("DOCKER_CONFIG", NO_CONFIG),
            program => Query::asking(program),
        }
        .args(words.iter().copied())
    }

    /// An `apt-get update` with a configuration, which must name a folder of the run for the lists.
    pub(crate) fn apart_update(configuration: &Path) -> Query {
        Query::asking("apt-get")
            .arg("--config-file")
            .arg(configuration)
            .arg("update")
    }

    /// What containerd's command lists: its namespaces, or the tasks of one.
    pub(crate) fn of_containerd(namespace: Option<&str>) -> Query {
        let ctr = Query::asking("ctr");
        match namespace {
            None => ctr.args(["namespaces", "list", "--quiet"]),
            Some(name) => ctr.args(["--namespace", name, "tasks", "list", "--quiet"]),
        }
    }

    /// The configuration that containerd makes of a file.
    pub(crate) fn containerd_configuration(file: &str) -> Query {
        Query::asking("containerd").args(["--config", file, "config", "dump"])
    }

    /// Whether an engine would take these flags.
    pub(crate) fn validation(dockerd: &str) -> Query {
        Query::asking(dockerd).arg("--validate")
    }

    /// Files under these folders that were given such names since a time, in seconds of Unix.
    pub(crate) fn files_named_since(
        folders: impl IntoIterator<Item = impl AsRef<Path>>,
        name: &str,
        since: i64,
    ) -> Query {
        let folders = folders.into_iter().map(|it| it.as_ref().to_owned());
        Query::asking("find")
            .args(folders)
            .args(["-xdev", "-name", name])
            .args(["-newerct", &format!("@{since}")])
    }

    /// What a program prints of the rules that the kernel has, as `iptables-save` does.
    pub(crate) fn saved_rules(program: &str) -> Query {
        Query::asking(&format!("{program}-save"))
    }

    /// The rules of a table; of one chain, where one is named.
    pub(crate) fn rules(table: &str, chain: Option<&str>) -> Query {
        Query::asking("iptables")
            .args(["--wait", "--table", table, "--list-rules"])
            .args(chain)
    }

    /// What a user can read of a file.
    pub(crate) fn read_as(user: &str, file: &str) -> Query {
        Query::asking("runuser").args(["--user", user, "--", "cat", file])
    }
}

impl Command {
    /// An `apt-get` that only says what it would do.
    pub(crate) fn simulated(self) -> Query {
        self.asking_by("--simulate")
    }

    /// An `apt-get` that only fetches, with a configuration that names a folder of the run for what
    /// it fetches.
    pub(crate) fn downloading_apart(self) -> Query {
        self.asking_by("--download-only")
    }

    /// An `apt-get` that only says what it would fetch.
    pub(crate) fn printing_uris(self) -> Query {
        self.asking_by("--print-uris")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_only_read_stand_before_all_others() {
        let held = Query::of(Reader::AptHeld).args(["-q", "install"]);
        assert_eq!(held.to_string(), "apt-mark showhold -q install");
        let listed = Query::of(Reader::DockerPs).arg("--all");
        assert_eq!(
            listed.to_string(),
            format!("docker --host unix://{SOCKET} ps --all")
        );
        let simulated = Command::new("apt-get").arg("install").simulated();
        assert_eq!(simulated.to_string(), "apt-get install --simulate");
    }
}
