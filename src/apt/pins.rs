//! Preferences: which package apt is configured not to take, and by which file of the host.

use anyhow::Result;

use super::parts::Parts;
use super::setting::Location;
use super::unmet::only_reading;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;

const FILE: &str = "/etc/apt/preferences";
const PARTS: Parts = Parts {
    folder: "/etc/apt/preferences.d",
    endings: &[None, Some("pref")],
};

/// A package of which apt takes no version, though it knows some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pinned {
    pub package: String,
    /// The preferences that say so.
    pub place: Option<Location>,
}

/// The first of these packages that preferences forbid. `policy` is the command that asks apt for
/// its policy, on the view in question.
pub(super) fn forbidden(host: &Host, policy: &Query, packages: &[&str]) -> Result<Option<Pinned>> {
    let ask = |query: Query| -> Result<Option<String>> {
        let said = host.query(&query.args(packages.iter().copied()))?;
        Ok(without_candidate(&said.stdout))
    };
    let Some(package) = ask(policy.clone())? else {
        return Ok(None);
    };
    for file in files(host)? {
        let alone = [
            format!("Dir::Etc::Preferences={file}"),
            "Dir::Etc::PreferencesParts=/dev/null".to_owned(),
        ];
        let alone = policy
            .clone()
            .args(alone.map(|option| format!("-o{option}")));
        if ask(alone)?.is_some_and(|found| found == package) {
            let text = host.read_text(&file)?.unwrap_or_default();
            let line = line_of(&text, &package);
            return Ok(Some(Pinned {
                package,
                place: Some(Location { file, line }),
            }));
        }
    }
    let place = None;
    Ok(Some(Pinned { package, place }))
}

/// The file of preferences that apt cannot read, where it does not name it itself: the first with
/// which alone it says the same.
pub(super) fn unreadable(host: &Host, fault: &str) -> Result<Option<String>> {
    for file in files(host)? {
        let policy = only_reading(Query::of(Reader::AptCache))
            .arg(format!("-oDir::Etc::Preferences={file}"))
            .arg("-oDir::Etc::PreferencesParts=/dev/null")
            .arg("policy");
        if host.query(&policy)?.stderr.contains(fault) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

fn files(host: &Host) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for file in std::iter::once(FILE.to_owned()).chain(PARTS.files(host)?) {
        if host.exists(&file)? {
            files.push(file);
        }
    }
    Ok(files)
}

/// The first package of a policy that has versions and no candidate.
fn without_candidate(policy: &str) -> Option<String> {
    let mut package = "";
    let mut has_candidate = true;
    for line in policy.lines() {
        if !line.starts_with(' ') {
            package = line.trim_end_matches(':');
        } else if let Some(candidate) = line.trim().strip_prefix("Candidate: ") {
            has_candidate = candidate != "(none)";
        } else if line.starts_with("     ") && !has_candidate {
            return Some(package.to_owned());
        }
    }
    None
}

/// Where the stanza begins that is the likeliest to mean the package: one that names it, else one
/// with a pattern.
fn line_of(preferences: &str, package: &str) -> usize {
    let mut lines = preferences.lines().enumerate();
    let names = |line: &str, wanted: &dyn Fn(&str) -> bool| {
        let names = line.strip_prefix("Package:").unwrap_or_default();
        names.split_whitespace().any(wanted)
    };
    let exact = lines.find(|(_, line)| names(line, &|name| name == package));
    let is_pattern = |name: &str| name.contains(['*', '?', '/']);
    let pattern = || {
        let mut lines = preferences.lines().enumerate();
        lines.find(|(_, line)| names(line, &is_pattern))
    };
    exact.or_else(pattern).map_or(1, |(number, _)| number + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const POLICY: &str = "\
docker-ce:
  Installed: (none)
  Candidate: 5:26.1.5
  Version table:
     5:26.1.5 500
        500 https://download.docker.com/linux/ubuntu noble/stable amd64 Packages
containerd.io:
  Installed: (none)
  Candidate: (none)
  Version table:
     1.7.24-1 -1
        500 https://download.docker.com/linux/ubuntu noble/stable amd64 Packages
";

    #[test]
    fn a_package_that_is_known_and_has_no_candidate_is_forbidden() {
        assert_eq!(without_candidate(POLICY).as_deref(), Some("containerd.io"));
        let unknown = "thing:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n";
        assert_eq!(without_candidate(unknown), None);
    }

    #[test]
    fn the_file_is_found_by_asking_apt_with_each_alone() {
        let stub = StubHost::new()
            .file("/etc/apt/preferences.d/a", "Package: *\nPin: release a=x\nPin-Priority: 1\n")
            .file(
                "/etc/apt/preferences.d/b.pref",
                "# pins\nPackage: *\nPin: release a=y\nPin-Priority: 1\n\nPackage: runc containerd.io\n",
            )
            .file("/etc/apt/preferences.d/c.bak", "")
            .program(
                "apt-cache",
                &format!("case $* in *preferences.d/a*) ;; *) printf '{POLICY}' ;; esac"),
            );
        let policy = Query::of(Reader::AptCache).arg("policy");
        let pinned = forbidden(stub.host(), &policy, &["docker-ce", "containerd.io"])
            .unwrap()
            .unwrap();
        assert_eq!(pinned.package, "containerd.io");
        let place = pinned.place.unwrap().to_string();
        assert_eq!(place, "/etc/apt/preferences.d/b.pref, line 6");
        let calls = stub.calls();
        assert!(
            calls.iter().all(|call| call.contains("policy")),
            "{calls:?}"
        );
    }
}
