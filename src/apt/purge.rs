//! Removing packages again, without taking along what others put on top of them.

use anyhow::Result;

use super::apt_get::apt_get;
use super::refusal::{Phase, answered};
use super::transaction::Transaction;
use crate::error::Failure;
use crate::facts::{ENGINE_PACKAGES, package_states};
use crate::host::Host;
use crate::host::command::{Command, Query};
use crate::host::query::Reader;

/// Which packages can be purged.
#[derive(Debug)]
pub(crate) struct Purge {
    packages: Vec<String>,
    /// Packages of ours that go along, though it is not their turn yet: they need one of these.
    along: Vec<String>,
    /// Packages that stay, since something installed later depends on them.
    pub needed_by_others: Vec<String>,
    /// Packages that came as dependencies and that the user has asked for since.
    pub asked_for: Vec<String>,
}

/// What is left of packages that are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    Nothing,
    Configuration,
}

impl Purge {
    /// Finds out which of `packages` dpkg still knows and can purge without removing any package
    /// that is not `ours` as well; `None` when dpkg knows none of them. Those that were `asked_for`
    /// stay.
    pub(crate) fn plan(
        host: &Host,
        packages: &[String],
        asked_for: &[String],
        ours: &[String],
    ) -> Result<Option<Purge>> {
        let known = known(host, packages)?;
        if known.is_empty() {
            return Ok(None);
        }
        let (asked_for, meant): (Vec<String>, Vec<String>) = known
            .into_iter()
            .partition(|package| asked_for.contains(package));
        let mut purge = Purge {
            packages: Vec::new(),
            along: Vec::new(),
            needed_by_others: Vec::new(),
            asked_for,
        };
        let is_ours = |package: &String| meant.contains(package) || ours.contains(package);
        let all_free = taken(host, &meant)?.iter().all(is_ours);
        for package in &meant {
            let alone = std::slice::from_ref(package);
            if all_free || taken(host, alone)?.iter().all(is_ours) {
                purge.packages.push(package.clone());
            } else {
                purge.needed_by_others.push(package.clone());
            }
        }
        purge.along = taken(host, &purge.packages)?;
        purge.along.retain(|package| !meant.contains(package));
        Ok(Some(purge))
    }

    /// The command that removes what goes along, and leaves the configuration for the turn that is
    /// to come; `None` when nothing does.
    pub(crate) fn ahead(&self) -> Option<Command> {
        let remove = without_sources(apt_get()).arg("remove");
        (!self.along.is_empty()).then(|| remove.args(&self.along))
    }

    /// The command that removes them; `None` when others need every one.
    pub(crate) fn command(&self, leave: Leave) -> Option<Command> {
        let verb = match leave {
            Leave::Nothing => "purge",
            Leave::Configuration => "remove",
        };
        let remove = without_sources(apt_get()).arg(verb);
        (!self.packages.is_empty()).then(|| remove.args(&self.packages))
    }

    /// Whether this package goes.
    pub(crate) fn takes(&self, package: &str) -> bool {
        let mut going = self.packages.iter().chain(&self.along);
        going.any(|it| it == package)
    }
}

/// Has a command of apt's pass over the host's sources. Removing needs none, and those of the host
/// may be of no use by now: edited, or in the middle of being put back as they were, with two
/// keyrings for Docker's repository.
fn without_sources<K>(command: Command<K>) -> Command<K> {
    let none = [
        "Dir::Etc::SourceList=/dev/null",
        "Dir::Etc::SourceParts=/dev/null",
        // What apt knows without them is not to be kept.
        "Dir::Cache::pkgcache=",
        "Dir::Cache::srcpkgcache=",
    ];
    command.args(none.iter().flat_map(|option| ["-o", option]))
}

/// What goes when these packages are purged: they, and what needs them.
fn taken(host: &Host, packages: &[String]) -> Result<Vec<String>> {
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    let simulate = without_sources(apt_get())
        .arg("purge")
        .args(packages)
        .simulated();
    let simulated = answered(host, host.query(&simulate)?, Phase::Changing)?.stdout;
    Ok(Transaction::parse(&simulated).removals)
}

/// Those of the packages that the user has asked for. The engine's own were asked for by us; what
/// came along with them is marked as a dependency, until somebody asks for it. apt forgets the mark
/// as soon as it begins to remove a package.
pub(crate) fn asked_for_since(host: &Host, packages: &[String]) -> Result<Vec<String>> {
    let known = known(host, packages)?;
    if known.is_empty() {
        return Ok(Vec::new()); // asked about no package, apt-mark tells of all
    }
    let (mut manual, _) = asked_for(host, known)?;
    manual.retain(|package| !ENGINE_PACKAGES.contains(&package.as_str()));
    Ok(manual)
}

/// Refuses to remove packages that apt was told to leave as they are.
///
/// # Errors
/// [`Failure::Blocked`], with the held ones named.
pub(crate) fn refuse_held(host: &Host, packages: &[String]) -> Result<()> {
    let show = without_sources(Query::of(Reader::AptHeld));
    let shown = answered(host, host.query(&show)?, Phase::Planning)?.stdout;
    let held: Vec<&str> = shown
        .lines()
        .filter(|held| packages.iter().any(|package| package == held))
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    Err(Failure::Blocked(format!(
        "apt is configured to leave {} as they are; nothing was changed. To let go of them, and then run \
         this again: sudo apt-mark unhold {}",
        held.join(", "),
        held.join(" ")
    ))
    .into())
}

/// Parts the packages that somebody has asked apt for from those that came along with others.
pub(crate) fn asked_for(host: &Host, packages: Vec<String>) -> Result<(Vec<String>, Vec<String>)> {
    let show = without_sources(Query::of(Reader::AptManual)).args(&packages);
    let shown = host.query(&show)?.success()?.stdout;
    let manual: Vec<&str> = shown.lines().collect();
    Ok(packages
        .into_iter()
        .partition(|package| manual.contains(&package.as_str())))
}

/// Those of the packages of which dpkg has anything on the host, in the order of their names.
fn known(host: &Host, packages: &[String]) -> Result<Vec<String>> {
    Ok(package_states(host, packages)?.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn asked_to_purge_nothing_it_purges_nothing() {
        // As dpkg-query does it when it is given no name.
        let stub = StubHost::new()
            .program("dpkg-query", "echo libc6 installed; echo sudo installed")
            .program("apt-get", "");
        assert!(Purge::plan(stub.host(), &[], &[], &[]).unwrap().is_none());
        assert_eq!(stub.calls(), [""; 0]);
    }

    #[test]
    fn what_is_ours_goes_along_and_what_is_of_others_keeps_what_it_needs() {
        let stub = StubHost::new()
            .program("dpkg-query", "echo docker-ce-cli installed")
            .program(
                "apt-get",
                "case $* in *--simulate*) echo Purg docker-ce; echo Purg docker-ce-cli;; esac",
            );
        let cli = ["docker-ce-cli".to_owned()];
        let plan = |ours: &[String]| Purge::plan(stub.host(), &cli, &[], ours).unwrap().unwrap();
        let purge = plan(&["docker-ce".to_owned()]);
        assert!(purge.takes("docker-ce") && purge.takes("docker-ce-cli"));
        assert!(format!("{:?}", purge.ahead().unwrap()).contains("docker-ce"));
        let purge = plan(&[]);
        assert!(purge.command(Leave::Nothing).is_none() && purge.ahead().is_none());
        assert_eq!(purge.needed_by_others, cli);
    }

    #[test]
    fn of_what_came_along_only_what_was_asked_for_since_is_the_users() {
        let stub = StubHost::new()
            .program("dpkg-query", "echo docker-ce installed; echo git installed")
            .program("apt-mark", "echo docker-ce; echo git");
        let packages = ["docker-ce", "git", "gone"].map(str::to_owned);
        let asked_for = asked_for_since(stub.host(), &packages).unwrap();
        assert_eq!(asked_for, ["git"]);
        let call = stub.calls().remove(1);
        assert!(call.starts_with("apt-mark showmanual "), "{call}");
        assert!(call.ends_with(" docker-ce git"), "{call}");
    }

    #[test]
    fn fault_21_held_packages_of_ours_are_named_and_those_of_others_are_none_of_it() {
        let stub = StubHost::new().program("apt-mark", "echo docker-ce; echo linux-image");
        let held = |packages: &[&str]| {
            let packages: Vec<String> = packages.iter().map(ToString::to_string).collect();
            refuse_held(stub.host(), &packages)
        };
        held(&["pigz"]).unwrap();
        let refusal = held(&["docker-ce", "pigz"]).unwrap_err().to_string();
        assert!(refusal.ends_with("apt-mark unhold docker-ce"), "{refusal}");
    }
}
