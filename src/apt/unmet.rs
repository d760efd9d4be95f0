//! Packages on the host that lack what they depend on: apt installs nothing beside them.

use std::fmt;

use anyhow::Result;

use super::apt_get::{apt_get, with_safety};
use super::host_lists::lists_are_fresh;
use super::transaction::Transaction;
use crate::host::Host;
use crate::host::command::{Command, Output, Query};
use crate::host::query::Reader;

/// How apt mends what is broken, or is asked to.
const FIX: &str = "--fix-broken";

/// A dependency that nothing on the host meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unmet {
    pub package: String,
    /// With the version that it must have, if any.
    pub on: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} needs {}", self.package, self.on)
    }
}

/// The dependencies of the host's packages that are not met, as apt sees them; none where apt
/// cannot say.
pub(crate) fn unmet(host: &Host) -> Vec<Unmet> {
    let check = only_reading(with_safety(Query::of(Reader::AptCheck)));
    match host.query(&check) {
        Ok(checked) if checked.code != 0 => parse(&checked.stdout),
        _ => Vec::new(),
    }
}

/// What apt would do about these, with the command. What it would do by lists that are old or not
/// there says nothing: a package that only they lack is no reason to remove another.
pub(super) fn cure(host: &Host, unmet: &[Unmet]) -> Result<String> {
    let fix = format!("sudo apt-get {FIX} install");
    if !lists_are_fresh(host)? {
        return Ok(format!(
            "apt's lists are old or not there. Have it fetch them, and fix what they have: sudo \
             apt-get update && {fix}"
        ));
    }
    let simulate = only_reading(apt_get()).args([FIX, "install"]).simulated();
    let simulated = host.query(&simulate).and_then(Output::success);
    let fixed = Transaction::parse(&simulated.map(|it| it.stdout).unwrap_or_default());
    let new = fixed
        .installs
        .iter()
        .map(|it| it.package.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    let gone = fixed.removals.join(" ");
    Ok(match (new.as_str(), gone.as_str()) {
        ("", "") => {
            let mut packages: Vec<&str> = unmet.iter().map(|it| it.package.as_str()).collect();
            packages.dedup();
            let packages = packages.join(" ");
            format!("Remove what cannot work: sudo dpkg --remove {packages}")
        }
        ("", gone) => format!("No source of apt's has it. Let apt remove {gone}: {fix}"),
        (new, "") => format!("Let apt install {new}: {fix}"),
        (new, gone) => format!("Let apt install {new} and remove {gone}: {fix}"),
    })
}

/// Has apt neither wait for a lock nor keep what it reads.
pub(super) fn only_reading<K>(command: Command<K>) -> Command<K> {
    let options = [
        "Debug::NoLocking=true",
        "Dir::Cache::pkgcache=",
        "Dir::Cache::srcpkgcache=",
    ];
    command.args(options.iter().flat_map(|option| ["-o", option]))
}

/// Reads lines such as ` thing : Depends: libnothere-1 but it is not installable`. Further
/// dependencies of the same package stand on lines of their own.
pub(super) fn parse(said: &str) -> Vec<Unmet> {
    let mut package = "";
    let mut unmet = Vec::new();
    for line in said.lines().filter(|line| line.starts_with(' ')) {
        let relation = match line.split_once(" : ") {
            Some((name, relation)) => {
                package = name.trim();
                relation
            }
            None => line,
        };
        let Some((kind, rest)) = relation.trim().split_once(": ") else {
            continue; // the rest of an alternative
        };
        if !["Depends", "PreDepends"].contains(&kind) {
            continue;
        }
        let on = rest.split(" but ").next().unwrap_or(rest);
        unmet.push(Unmet {
            package: package.to_owned(),
            on: on.trim().to_owned(),
        });
    }
    unmet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apt::refuse_unmet;
    use crate::error::next_command;
    use crate::host::stub::StubHost;

    const LIST: &str = "/var/lib/apt/lists/archive.example_dists_noble_main_binary-amd64_Packages";
    const PARTIAL: &str = "/var/lib/apt/lists/partial";

    const SAID: &str = "\
You might want to run 'apt --fix-broken install' to correct these.
The following packages have unmet dependencies:
 thing : Depends: libnothere-1 but it is not installable
         Depends: pigz (>= 99) but 2.8-1 is to be installed
         Recommends: nice but it is not installable
 tool:i386 : PreDepends: libc6:i386 but it is not installed
";

    #[test]
    fn every_package_is_read_with_every_dependency_that_it_lacks() {
        let read: Vec<String> = parse(SAID).iter().map(Unmet::to_string).collect();
        assert_eq!(
            read,
            [
                "thing needs libnothere-1",
                "thing needs pigz (>= 99)",
                "tool:i386 needs libc6:i386"
            ]
        );
    }

    #[test]
    fn the_cure_says_what_apt_would_do() {
        let told = |simulated: &str| {
            let body =
                format!("case $* in *--simulate*) printf '{simulated}' ;; *) exit 100 ;; esac");
            let stub = StubHost::new()
                .file(LIST, "")
                .folder(PARTIAL)
                .program("apt-get", &body);
            cure(stub.host(), &parse(SAID)).unwrap()
        };
        let removed = told("Remv thing [1]\\n");
        assert!(
            removed.ends_with("Let apt remove thing: sudo apt-get --fix-broken install"),
            "{removed}"
        );
        let installed = told("Inst lib (1 Ubuntu:24.04/noble [amd64])\\n");
        assert!(
            installed.contains("Let apt install lib: sudo"),
            "{installed}"
        );
        let neither = told("");
        assert!(
            neither.ends_with("sudo dpkg --remove thing tool:i386"),
            "{neither}"
        );
    }

    #[test]
    fn nothing_is_removed_for_want_of_lists() {
        let body = "case $* in *--simulate*) echo 'Remv thing [1]' ;; *) exit 100 ;; esac";
        let told = |stub: StubHost| {
            let stub = stub.program("apt-get", body);
            let refused = refuse_unmet(stub.host(), &parse(SAID)).unwrap_err();
            next_command(&refused, Some("install"))
        };
        let cure = "sudo apt-get update && sudo apt-get --fix-broken install";
        assert_eq!(told(StubHost::new().folder(PARTIAL)), cure, "none");
        assert_eq!(
            told(StubHost::new().file(LIST, "")),
            cure,
            "of no known age"
        );
        let old = StubHost::new().file(LIST, "").folder(PARTIAL);
        let folder = std::fs::File::open(old.host().path(PARTIAL)).unwrap();
        let week = std::time::Duration::from_secs(7 * 24 * 60 * 60);
        let then = std::time::SystemTime::now() - week;
        folder.set_modified(then).unwrap();
        assert_eq!(told(old), cure, "old");
        let fresh = StubHost::new().file(LIST, "").folder(PARTIAL);
        assert_eq!(told(fresh), "sudo apt-get --fix-broken install");
    }

    #[test]
    fn where_apt_is_content_or_cannot_say_there_is_none() {
        let unmet = |body: &str| unmet(StubHost::new().program("apt-get", body).host());
        assert_eq!(unmet(""), []);
        assert_eq!(unmet("echo E: Syntax error >&2; exit 100"), []);
        assert_eq!(super::unmet(StubHost::new().host()), [], "no apt");
    }
}
