//! dpkg's own state: apt does nothing on a host where dpkg was cut short.
//!
//! What it was cut short at in a run of ours is brought to an end without asking. What is of
//! others is theirs, and is touched only when that is asked for.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Finding, Step};
use crate::change::{Journal, Tx, Undo};
use crate::error::Failure;
use crate::facts::{ENGINE_PACKAGES, Facts, Unfinished, unfinished_packages};
use crate::host::{Host, is_forbidden};

pub struct Dpkg {
    /// Packages that are configured by the run of apt that installs the engine.
    left_to_apt: BTreeSet<String>,
    /// Packages that are not of the engine, nor came with it.
    others: BTreeSet<String>,
    /// Those among them whose files are there in part: apt installs them again, along with the
    /// engine.
    reinstalled: Vec<String>,
}

impl Dpkg {
    /// `None` when dpkg has nothing left to finish.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it has something left of others and `repair` is not asked for.
    pub fn plan(host: &Host, facts: &Facts, repair: bool) -> Result<Option<Dpkg>> {
        let unfinished = &facts.unfinished;
        if unfinished.is_empty() {
            return Ok(None);
        }
        let ours = ours(host, unfinished)?;
        let (ours, others): (BTreeSet<String>, BTreeSet<String>) = unfinished
            .packages()
            .into_iter()
            .partition(|package| ours.contains(package));
        let is_of_others = |package: &&String| others.contains(*package);
        let partial = unfinished.partial().filter(is_of_others);
        let reinstalled: Vec<String> = partial.cloned().collect();
        if !repair && !reinstalled.is_empty() {
            return Err(must_be_reinstalled(&reinstalled));
        }
        if !repair && !others.is_empty() {
            return Err(of_others(unfinished, &others));
        }
        let left_to_apt = match facts.missing_packages().is_empty() {
            true => BTreeSet::new(),
            false => ours,
        };
        Ok(Some(Dpkg {
            left_to_apt,
            others,
            reinstalled,
        }))
    }

    /// Packages of others that apt is to install again, since files of theirs may be missing.
    pub fn reinstalled(&self) -> &[String] {
        &self.reinstalled
    }

    /// What this step has to bring to an end.
    fn left(&self, host: &Host) -> Result<Unfinished> {
        let mut left = unfinished_packages(host)?;
        left.to_configure
            .retain(|package| !self.left_to_apt.contains(package));
        left.triggered
            .retain(|package| !self.left_to_apt.contains(package));
        left.half_installed.clear();
        left.to_unpack
            .retain(|package| !self.reinstalled.contains(package));
        left.amid_triggers.clear(); // they are to be configured
        Ok(left)
    }
}

impl Step for Dpkg {
    fn id(&self) -> &'static str {
        "dpkg"
    }

    fn title(&self) -> &'static str {
        "dpkg"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let left = self.left(host)?;
        if left.is_empty() {
            return Ok(Finding::satisfied(
                "dpkg has nothing of this left to finish",
            ));
        }
        let mut details = Vec::new();
        if left.interrupted.is_some() {
            details.push("merge the notes of a run that was cut short".to_owned());
        }
        details.extend(
            left.to_unpack
                .iter()
                .map(|package| format!("unpack {package} again")),
        );
        details.extend(
            left.to_configure
                .iter()
                .map(|package| format!("configure {package}")),
        );
        if !left.triggered.is_empty() {
            let waiting: Vec<&str> = left.triggered.iter().map(String::as_str).collect();
            details.push(format!("run what {} waits for", waiting.join(", ")));
        }
        Ok(Finding::pending(
            "finish what dpkg was cut short at",
            details,
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let left = self.left(tx.host())?;
        let finished = self.others.iter();
        let finished = finished.filter(|package| !self.reinstalled.contains(package));
        let packages = finished.cloned().collect();
        tx.finish_dpkg(&left, Undo::KeepConfigured { packages })
    }
}

/// The packages that dockstrap installs: those of the engine, and what came along with them. After
/// a run of ours that was cut short, so is what dpkg did for others because of them: it ran their
/// triggers.
fn ours(host: &Host, unfinished: &Unfinished) -> Result<BTreeSet<String>> {
    let mut ours: BTreeSet<String> = ENGINE_PACKAGES.iter().map(|it| (*it).to_owned()).collect();
    let journal = match Journal::read(host) {
        // Only root may look; what is planned by someone else is decided when it is installed.
        Err(error) if is_forbidden(&error) => return Ok(ours),
        journal => journal?,
    };
    for act in journal.acts() {
        if let Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. } =
            &act.undo
        {
            ours.extend(packages.iter().cloned());
        }
    }
    if journal.cut_short().is_some() {
        ours.extend(unfinished.amid_triggers.iter().cloned());
        let finished = |name: &&String| {
            let left = [&unfinished.to_configure, &unfinished.to_unpack];
            let left = left.into_iter().chain([&unfinished.half_installed]);
            !left.into_iter().any(|names| names.contains(*name))
        };
        let noted = unfinished.interrupted.iter().flatten();
        ours.extend(noted.filter(finished).cloned());
    }
    Ok(ours)
}

fn of_others(unfinished: &Unfinished, others: &BTreeSet<String>) -> anyhow::Error {
    let names: Vec<&str> = others.iter().map(String::as_str).collect();
    let names = names.join(", ");
    let what = match unfinished.interrupted {
        Some(_) => format!("dpkg was cut short on this host while it worked on {names}"),
        None => format!("dpkg has not configured {names} on this host"),
    };
    Failure::Blocked(format!(
        "{what}, which is not dockstrap's, and apt refuses to work until that is mended; nothing \
         was changed. To have it finished along with the install: dockstrap install --repair. To \
         see to it yourself: dpkg --configure -a"
    ))
    .into()
}

fn must_be_reinstalled(packages: &[String]) -> anyhow::Error {
    let names = packages.join(" ");
    Failure::Blocked(format!(
        "dpkg has only a part of {names} on this host, which is not dockstrap's, and apt refuses \
         to work until that is mended; nothing was changed. To have it installed again along with \
         the engine: dockstrap install --repair. To see to it yourself: apt-get install \
         --reinstall {names}"
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::error::exit_code;
    use crate::facts;
    use crate::host::stub::StubHost;

    const OTHERS: &str = "echo dpkg 1 amd64 installed ok
        test -e $ROOT/done || echo pigz 2 amd64 half-configured ok";

    fn plan(stub: &StubHost, repair: bool) -> Result<Option<Dpkg>> {
        let facts = facts::gather(stub.host()).unwrap();
        Dpkg::plan(stub.host(), &facts, repair)
    }

    fn refused(stub: &StubHost, repair: bool) -> String {
        let error = plan(stub, repair).err().expect("a refusal");
        assert_eq!(exit_code(&error), 4);
        error.to_string()
    }

    fn installed_before(stub: &StubHost, packages: &[&str]) {
        let packages = packages.iter().map(|it| (*it).to_owned()).collect();
        let undo = Undo::PurgePackages {
            packages,
            network: None,
        };
        trial::run(stub.host(), |tx| tx.note("install", undo)).unwrap();
    }

    #[test]
    fn where_dpkg_has_finished_there_is_nothing_to_do() {
        let stub = StubHost::noble().file("/var/lib/dpkg/updates/tmp.i", "");
        assert!(plan(&stub, false).unwrap().is_none());
    }

    #[test]
    fn fault_18_what_is_of_others_is_finished_only_when_asked_for() {
        let stub = StubHost::noble().file("/var/lib/dpkg/updates/0003", "Package: pigz\n");
        let text = refused(&stub, false);
        assert!(
            text.contains("pigz") && text.contains("install --repair"),
            "{text}"
        );
        assert!(text.ends_with("dpkg --configure -a"), "{text}");
        assert!(plan(&stub, true).unwrap().is_some());
    }

    #[test]
    fn the_triggers_of_others_that_a_run_of_ours_was_cut_short_at_are_run_without_asking() {
        // dpkg runs what is pending by itself; what it was in the middle of, it does not.
        let pending = "echo dpkg 1 amd64 installed ok; echo man-db 2 amd64 triggers-pending ok";
        let stub = StubHost::noble().program("dpkg-query", pending).file(
            "/var/lib/dpkg/updates/0000",
            "Package: man-db\nStatus: install ok triggers-pending\n\n",
        );
        assert!(plan(&stub, false).unwrap().is_some(), "notes are merged");
        let stub = StubHost::noble().program("dpkg-query", pending);
        assert!(plan(&stub, false).unwrap().is_none());
        let stub = stub.program(
            "dpkg-query",
            "echo dpkg 1 amd64 installed ok; echo man-db 2 amd64 half-configured ok 2
             echo docker-ce-cli 5 amd64 triggers-awaited ok",
        );
        assert!(refused(&stub, false).contains("man-db"));
        installed_before(&stub, &["docker-ce-cli"]);
        let details = |stub: &StubHost| {
            let step = plan(stub, false).unwrap().unwrap();
            step.inspect(stub.host()).unwrap().details
        };
        let step = plan(&stub, false).unwrap().unwrap();
        let finding = step.inspect(stub.host()).unwrap();
        assert!(finding.satisfied, "apt does it along with the rest");
        let all = ENGINE_PACKAGES.iter();
        let all = all.map(|name| format!("echo {name} 5 amd64 triggers-awaited ok; "));
        let stub = stub.program(
            "dpkg-query",
            &format!(
                "{} echo dpkg 1 amd64 installed ok; echo man-db 2 amd64 half-configured ok 2",
                all.collect::<String>()
            ),
        );
        let details = details(&stub);
        assert_eq!(details[0], "configure man-db");
        assert!(details[1].starts_with("run what containerd.io, docker-buildx-plugin"));
    }

    #[test]
    fn fault_20_a_package_of_others_that_is_not_configured_is_said_to_be_theirs() {
        let stub = StubHost::noble().program("dpkg-query", OTHERS);
        let text = refused(&stub, false);
        assert!(
            text.contains("pigz") && text.contains("not dockstrap's"),
            "{text}"
        );
    }

    #[test]
    fn what_was_asked_for_is_done_and_stays() {
        let stub = StubHost::noble()
            .program("dpkg-query", OTHERS)
            .program("dpkg", "touch $ROOT/done");
        let step = plan(&stub, true).unwrap().unwrap();
        let finding = step.inspect(stub.host()).unwrap();
        assert_eq!(finding.details, ["configure pigz"]);
        trial::run(stub.host(), |tx| step.apply(tx)).unwrap();
        assert!(
            stub.calls()
                .iter()
                .any(|call| call.contains("--configure pigz"))
        );
        assert!(step.inspect(stub.host()).unwrap().satisfied);
        let kept = trial::revert(stub.host()).unwrap();
        assert!(kept[0].contains("pigz"), "{kept:?}");
    }

    #[test]
    fn fault_19_a_package_of_others_that_is_there_in_part_is_named_and_with_consent_left_to_apt() {
        let status = "echo dpkg 1 amd64 installed ok; echo pigz 2 amd64 half-installed reinstreq
            echo less 1 amd64 unpacked reinstreq";
        let stub = StubHost::noble().program("dpkg-query", status);
        let text = refused(&stub, false);
        assert!(text.contains("dockstrap install --repair"), "{text}");
        assert!(text.ends_with("--reinstall less pigz"), "{text}");
        let step = plan(&stub, true).unwrap().unwrap();
        assert_eq!(step.reinstalled(), ["less", "pigz"]);
        assert!(step.inspect(stub.host()).unwrap().satisfied);
    }

    #[test]
    fn fault_19_what_a_run_of_ours_left_is_brought_to_an_end_without_asking() {
        let status = "echo dpkg 1 amd64 installed ok; echo pigz 2 amd64 unpacked ok
            echo docker-ce 5 amd64 half-installed reinstreq";
        let stub = StubHost::noble()
            .program("dpkg-query", status)
            .file("/var/lib/dpkg/updates/0003", "Package: docker-ce\n");
        installed_before(&stub, &["docker-ce", "pigz"]);
        let step = plan(&stub, false).unwrap().unwrap();
        // The rest is done by the run of apt that is still to come.
        let finding = step.inspect(stub.host()).unwrap();
        assert_eq!(
            finding.details,
            ["merge the notes of a run that was cut short"]
        );
    }
}
