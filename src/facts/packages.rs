//! What dpkg has on the host, and what it has begun and not ended.

mod notes;
mod status;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use crate::docker::{CLI_PACKAGE, CONTAINERD_PACKAGE, PACKAGE};
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;

pub(crate) use notes::notes;
use notes::{interrupted, is_triggered};
pub(crate) use status::{STATUS, lost_status, status_cure};

/// What the engine consists of, in the order Docker's documentation installs it.
pub(crate) const ENGINE_PACKAGES: &[&str] = &[
    PACKAGE,
    CLI_PACKAGE,
    CONTAINERD_PACKAGE,
    "docker-buildx-plugin",
    "docker-compose-plugin",
    "docker-ce-rootless-extras",
];

/// Packages that own the same files or sockets as Docker's own.
///
/// Source: <https://docs.docker.com/engine/install/ubuntu/#uninstall-old-versions>.
pub(crate) const CONFLICTING_PACKAGES: &[&str] = &[
    "containerd",
    "docker-buildx",
    "docker-compose",
    "docker-compose-v2",
    "docker-doc",
    "docker.io",
    "podman-docker",
    "runc",
];

/// What dpkg says of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HostPackage {
    pub version: String,
    pub architecture: String,
    pub state: PackageState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PackageState {
    Installed,
    /// Configured, and dpkg runs what it was triggered to do, or others for it, along with the
    /// next thing that it is told to do.
    Triggered,
    /// Removed, with its configuration files left behind.
    ConfigFiles,
    /// All its files are there, but it is not configured.
    Unpacked,
    /// Its files may be there in part, and dpkg takes it for unpacked.
    ToUnpack,
    /// Its files may be there in part.
    HalfInstalled,
}

impl HostPackage {
    /// Whether it is configured. What dpkg does by itself later on does not count.
    pub(crate) fn is_installed(&self) -> bool {
        matches!(
            self.state,
            PackageState::Installed | PackageState::Triggered
        )
    }
}

/// What dpkg has begun and not ended, because it was cut short, or because a package's own script
/// failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct UnfinishedPackages {
    /// Packages of which dpkg has notes that it has not merged yet; `None` when there are no such
    /// notes. apt does nothing while there are some.
    pub interrupted: Option<BTreeSet<String>>,
    /// Packages of the engine that wait for triggers: those of other packages, that dpkg did not
    /// come to.
    pub triggered: BTreeSet<String>,
    /// Packages that are unpacked, but not configured.
    pub to_configure: BTreeSet<String>,
    /// Those among them that were configured before: dpkg was cut short as it ran their triggers.
    pub amid_triggers: BTreeSet<String>,
    /// Packages whose files may be there in part: only unpacking them again can mend that. apt
    /// does it by itself for those that dpkg calls half-installed.
    pub to_unpack: BTreeSet<String>,
    pub half_installed: BTreeSet<String>,
}

impl UnfinishedPackages {
    pub(crate) fn is_empty(&self) -> bool {
        *self == UnfinishedPackages::default()
    }

    /// All packages that it is about.
    pub(crate) fn packages(&self) -> BTreeSet<String> {
        let interrupted = self.interrupted.iter().flatten();
        let all = interrupted
            .chain(&self.triggered)
            .chain(&self.to_configure)
            .chain(self.partial());
        all.cloned().collect()
    }

    /// Packages whose files may be there in part.
    pub(crate) fn partial(&self) -> impl Iterator<Item = &String> {
        self.to_unpack.union(&self.half_installed)
    }
}

/// Those of [`ENGINE_PACKAGES`] and [`CONFLICTING_PACKAGES`] that dpkg knows.
pub(crate) fn known_packages(host: &Host) -> Result<BTreeMap<String, HostPackage>> {
    Ok(ask(host)?.0)
}

/// Packages that are not installed, but left configuration files behind.
pub(crate) fn configured_packages(host: &Host) -> Result<BTreeSet<String>> {
    let all = query(host)?;
    let configured = all.filter(|(_, package, _)| package.state == PackageState::ConfigFiles);
    Ok(configured.map(|(name, ..)| name).collect())
}

/// What dpkg has begun and not ended.
pub(crate) fn unfinished_packages(host: &Host) -> Result<UnfinishedPackages> {
    Ok(ask(host)?.1)
}

/// Asks dpkg about all packages. Of those that it has finished with, only the ones that matter here
/// are returned, and dpkg itself: its own architecture is the host's.
pub(super) fn ask(host: &Host) -> Result<(BTreeMap<String, HostPackage>, UnfinishedPackages)> {
    let mut known = BTreeMap::new();
    let mut unfinished = UnfinishedPackages {
        interrupted: interrupted(host)?,
        ..UnfinishedPackages::default()
    };
    for (name, package, was_configured) in query(host)? {
        if was_configured && package.state == PackageState::Unpacked {
            unfinished.amid_triggers.insert(name.clone());
        }
        match package.state {
            PackageState::Triggered if ENGINE_PACKAGES.contains(&name.as_str()) => {
                unfinished.triggered.insert(name.clone());
            }
            PackageState::Unpacked => drop(unfinished.to_configure.insert(name.clone())),
            PackageState::ToUnpack => drop(unfinished.to_unpack.insert(name.clone())),
            PackageState::HalfInstalled => drop(unfinished.half_installed.insert(name.clone())),
            PackageState::Installed | PackageState::Triggered | PackageState::ConfigFiles => {}
        }
        let name_is = |it: &&str| *it == name;
        let mut matter = ["dpkg"]
            .iter()
            .chain(ENGINE_PACKAGES)
            .chain(CONFLICTING_PACKAGES);
        if matter.any(name_is) {
            known.insert(name, package);
        }
    }
    Ok((known, unfinished))
}

/// Every package of which dpkg has anything, and whether this version of it was configured once.
fn query(host: &Host) -> Result<impl Iterator<Item = (String, HostPackage, bool)>> {
    let query = Query::of(Reader::DpkgQuery).args([
        "--show",
        "--showformat=${Package} ${Version} ${Architecture} ${db:Status-Status} \
         ${db:Status-Eflag} ${Config-Version}\n",
    ]);
    let printed = dpkg_query(host, &query)?;
    let lines: Vec<(String, HostPackage, bool)> = printed.lines().filter_map(parse).collect();
    Ok(lines.into_iter())
}

/// Whether all of these packages are installed.
pub(crate) fn are_installed(host: &Host, names: &[String]) -> Result<bool> {
    let states = package_states(host, names)?;
    let is_installed = |name: &String| states.get(name).is_some_and(|it| it == "installed");
    Ok(names.iter().all(is_installed))
}

/// The states of those of these packages that dpkg has anything of, in its words.
pub(crate) fn package_states(host: &Host, names: &[String]) -> Result<BTreeMap<String, String>> {
    if names.is_empty() {
        return Ok(BTreeMap::new()); // asked about no package, dpkg-query tells of all
    }
    let query = Query::of(Reader::DpkgQuery)
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
        .args(names);
    let printed = dpkg_query(host, &query)?;
    Ok(printed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, state)| *state != "not-installed")
        .map(|(name, state)| (name.to_owned(), state.to_owned()))
        .collect())
}

/// What `dpkg-query` prints. It exits with 1 when it knows none of what it is asked about, or not all.
pub(crate) fn dpkg_query(host: &Host, query: &Query) -> Result<String> {
    let answer = host.query(query)?;
    match answer.code {
        0 | 1 => Ok(answer.stdout),
        _ => match status::unreadable(host, &answer)? {
            Some(refusal) => Err(refusal.into()),
            None => Ok(answer.success()?.stdout),
        },
    }
}

fn parse(line: &str) -> Option<(String, HostPackage, bool)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [
        name,
        version,
        architecture,
        status,
        flag,
        ref configured @ ..,
    ] = fields[..]
    else {
        return None; // not installed: there is no version
    };
    let state = match (status, flag) {
        ("not-installed", _) => return None,
        ("half-installed", _) => PackageState::HalfInstalled,
        (_, "reinstreq") => PackageState::ToUnpack,
        ("installed", _) => PackageState::Installed,
        (status, _) if is_triggered(status) => PackageState::Triggered,
        ("config-files", _) => PackageState::ConfigFiles,
        _ => PackageState::Unpacked,
    };
    let package = HostPackage {
        version: version.to_owned(),
        architecture: architecture.to_owned(),
        state,
    };
    let was_configured = *configured == [version];
    Some((name.to_owned(), package, was_configured))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn a_package_is_installed_only_when_dpkg_finished_with_it() {
        let state = |line: &str| parse(line).map(|(_, package, _)| package.state);
        for (status, expected) in [
            ("installed ok", PackageState::Installed),
            ("installed reinstreq", PackageState::ToUnpack),
            ("half-installed reinstreq", PackageState::HalfInstalled),
            ("half-configured ok", PackageState::Unpacked),
            ("triggers-awaited ok", PackageState::Triggered),
            ("triggers-pending ok", PackageState::Triggered),
            ("triggers-pending reinstreq", PackageState::ToUnpack),
            ("config-files ok", PackageState::ConfigFiles),
        ] {
            assert_eq!(
                state(&format!("docker-ce 5:29 amd64 {status}")),
                Some(expected)
            );
        }
        assert_eq!(state("docker-ce   not-installed ok"), None);
    }

    #[test]
    fn a_dpkg_that_cannot_tell_has_not_said_that_nothing_is_there() {
        let known = |body: &str| known_packages(StubHost::new().program("dpkg-query", body).host());
        assert!(known("exit 1").unwrap().is_empty());
        assert!(known("echo docker-ce 5 amd64 installed ok; exit 2").is_err());
        assert!(known("exit 127").is_err());
    }

    #[test]
    fn what_dpkg_has_not_finished_is_told_by_its_states_and_its_notes() {
        let stub = StubHost::new().program(
            "dpkg-query",
            "echo dpkg 1 amd64 installed ok; echo pigz 2 amd64 half-configured ok 1
             echo man-db 2 amd64 half-configured ok 2; echo libc-bin 2 amd64 triggers-pending ok
             echo containerd.io 2 amd64 triggers-awaited ok
             echo docker-ce 5 amd64 half-installed reinstreq
             echo less 1 amd64 unpacked reinstreq",
        );
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let unfinished = unfinished_packages(stub.host()).unwrap();
        let expected = UnfinishedPackages {
            interrupted: None,
            triggered: set(&["containerd.io"]),
            to_configure: set(&["man-db", "pigz"]),
            amid_triggers: set(&["man-db"]),
            to_unpack: set(&["less"]),
            half_installed: set(&["docker-ce"]),
        };
        assert_eq!(unfinished, expected);
        let stub = stub
            .file("/var/lib/dpkg/updates/tmp.i", "")
            .file("/var/lib/dpkg/updates/0003", "Package: sed\nStatus: x\n")
            .file(
                "/var/lib/dpkg/updates/0004",
                "Package: man-db\nStatus: install ok triggers-pending\n\n",
            );
        let unfinished = unfinished_packages(stub.host()).unwrap();
        assert_eq!(unfinished.interrupted, Some(set(&["sed"])));
        let all: BTreeSet<String> = set(&[
            "containerd.io",
            "docker-ce",
            "less",
            "man-db",
            "pigz",
            "sed",
        ]);
        assert_eq!(unfinished.packages(), all);
    }
}
