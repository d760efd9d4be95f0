//! Packages on the host that lack what they depend on: apt installs nothing beside them.

use std::fmt;

use super::run::apt_get;
use super::transaction::Transaction;
use crate::host::Host;
use crate::host::command::Command;

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
    let check = only_reading(apt_get()).arg("check");
    match host.query(&check) {
        Ok(checked) if checked.code != 0 => parse(&checked.stdout),
        _ => Vec::new(),
    }
}

/// What apt would do about these, with the command.
pub(super) fn cure(host: &Host, unmet: &[Unmet]) -> String {
    let mut packages: Vec<&str> = unmet.iter().map(|it| it.package.as_str()).collect();
    packages.dedup();
    let fix = only_reading(apt_get()).args(["--simulate", FIX, "install"]);
    let fixed = host.query(&fix).map(|fixed| fixed.stdout);
    let fixed = Transaction::parse(&fixed.unwrap_or_default());
    let new: Vec<&str> = fixed
        .installs
        .iter()
        .map(|it| it.package.as_str())
        .collect();
    match (new.as_slice(), fixed.removals.as_slice()) {
        ([], []) => format!(
            "Remove what cannot work: sudo dpkg --remove {}",
            packages.join(" ")
        ),
        ([], gone) => format!(
            "No source of apt's has it. Let apt remove {}: sudo apt-get {FIX} install",
            gone.join(" ")
        ),
        (new, []) => format!(
            "Let apt install {}: sudo apt-get {FIX} install",
            new.join(" ")
        ),
        (new, gone) => format!(
            "Let apt install {} and remove {}: sudo apt-get {FIX} install",
            new.join(" "),
            gone.join(" ")
        ),
    }
}

/// Has apt neither wait for a lock nor keep what it reads.
pub(super) fn only_reading(command: Command) -> Command {
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
    use crate::host::stub::StubHost;

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
            let stub = StubHost::new().program("apt-get", &body);
            cure(stub.host(), &parse(SAID))
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
    fn where_apt_is_content_or_cannot_say_there_is_none() {
        let unmet = |body: &str| unmet(StubHost::new().program("apt-get", body).host());
        assert_eq!(unmet(""), []);
        assert_eq!(unmet("echo E: Syntax error >&2; exit 100"), []);
        assert_eq!(super::unmet(StubHost::new().host()), [], "no apt");
    }
}
