//! What apt says when a source is of no use: which one it is, where it is named, and what helps.

use std::fmt;

use anyhow::Result;

use super::broken::{Broken, broken};
use super::entry::without_password;
use super::refusal::source_cure;
use super::setting::{self, Location, put_aside};
use super::source_file::{FOLDER, SOURCES_LIST, named};
use crate::error::quote;
use crate::host::Host;
use crate::host::command::Output;
use crate::invocation;
use crate::redact::redact;

/// Ubuntu's own sources, which nobody is to switch off.
const UBUNTUS: &[&str] = &[SOURCES_LIST, "/etc/apt/sources.list.d/ubuntu.sources"];

/// How the files of Ubuntu Pro's sources begin, which its client writes.
const PROS: &str = "ubuntu-esm-";

/// Sources that apt could not use.
#[derive(Debug)]
pub(super) struct UnusableSources {
    what: String,
    cure: Option<String>,
    /// apt's own words.
    said: String,
}

impl UnusableSources {
    pub(super) fn new(what: String, said: String) -> UnusableSources {
        UnusableSources {
            what,
            cure: None,
            said,
        }
    }

    /// What an `apt-get update` that failed could not use. Without root it does not have the
    /// credentials that apt has for some.
    pub(super) fn of(host: &Host, output: &Output, is_root: bool) -> Result<UnusableSources> {
        let broken = broken(output);
        let (unasked, broken): (Vec<_>, Vec<_>) = broken
            .into_iter()
            .partition(|it| it.is_unauthorized && !is_root);
        let said = said(unasked.iter().chain(&broken));
        let (unasked, _) = located(host, unasked)?;
        let (shown, mut places) = located(host, broken)?;
        let mut what = Vec::new();
        if !shown.is_empty() {
            what.push(format!("apt cannot use {}", shown.join(", ")));
        }
        if !unasked.is_empty() {
            let unasked = unasked.join(", ");
            what.push(format!(
                "apt cannot ask {unasked} without root, who may have the credentials for it"
            ));
        }
        if what.is_empty() {
            let text = "refreshing Ubuntu's indexes failed".to_owned();
            return Ok(UnusableSources::new(text, output.tail()));
        }
        let what = what.join("; ");
        if let Some((proxy, place)) = silent_proxy(host, output)? {
            let (place, cure) = match place {
                Some(place) => (format!(" ({place})"), Some(put_aside(&place.file))),
                None => (String::new(), None),
            };
            let cure = cure.map(|cure| format!("Fix the address, or put the file aside: {cure}"));
            let what = format!(
                "{what}: its proxy {} does not answer{place}",
                redact(&proxy)
            );
            return Ok(UnusableSources { what, cure, said });
        }
        places.retain(|place| !UBUNTUS.contains(&place.file.as_str()));
        let cure = match places.first() {
            None if unasked.is_empty() => None,
            None => Some(format!(
                "An install asks as root: {}",
                invocation::install(&[])
            )),
            Some(place) => Some(cure(place)),
        };
        Ok(UnusableSources { what, cure, said })
    }

    /// As a warning, where it is in nobody's way.
    pub(super) fn as_warning(&self) -> String {
        self.told("; the engine can be installed without")
    }

    fn told(&self, more: &str) -> String {
        let cure = self.cure.as_ref().map(|cure| format!(". {cure}"));
        let text = format!("{}{more}{}", self.what, cure.unwrap_or_default());
        if self.said.is_empty() {
            text
        } else {
            quote(&text, &self.said)
        }
    }
}

impl fmt::Display for UnusableSources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.told(""))
    }
}

/// What apt says of each repository.
fn said<'a>(broken: impl Iterator<Item = &'a Broken>) -> String {
    let lines: Vec<String> = broken
        .filter(|it| !it.reason.is_empty())
        .map(
            |Broken {
                 address, reason, ..
             }| format!("apt says of {address}: {reason}"),
        )
        .collect();
    lines.join("\n")
}

/// The repositories, each with its places in the host's sources, for people; and all these places.
fn located(host: &Host, broken: Vec<Broken>) -> Result<(Vec<String>, Vec<Location>)> {
    let (mut shown, mut places) = (Vec::new(), Vec::new());
    for Broken { address, .. } in broken {
        let (address, named) = repository(host, address)?;
        let text: Vec<String> = named.iter().map(Location::to_string).collect();
        shown.push(match text.as_slice() {
            [] => address,
            text => format!("{address} ({})", text.join("; ")),
        });
        places.extend(named);
    }
    Ok((shown, places))
}

/// What helps with the source that is named there. Ubuntu Pro writes its own anew.
fn cure(Location { file, line }: &Location) -> String {
    let name = file.strip_prefix(FOLDER).unwrap_or_default();
    if name.trim_start_matches('/').starts_with(PROS) {
        "It is Ubuntu Pro's; see how that is: sudo pro status".to_owned()
    } else {
        source_cure(file, Some(*line))
    }
}

/// The proxy of the host's own configuration that apt could not reach, and where it is set.
fn silent_proxy(host: &Host, output: &Output) -> Result<Option<(String, Option<Location>)>> {
    let said = format!("{}{}", output.stdout, output.stderr);
    let Ok(values) = setting::values(host, "Acquire") else {
        return Ok(None);
    };
    for (name, value) in values {
        let is_proxy = name.to_ascii_lowercase().ends_with("::proxy");
        let address = without_password(&value);
        let Some((_, address)) = address.split_once("://").filter(|_| is_proxy) else {
            continue;
        };
        let address = address.split('/').next().unwrap_or_default();
        let name = address.rsplit_once(':').map_or(address, |(name, _)| name);
        if said.contains(address) || said.contains(&format!("'{name}'")) {
            let place = setting::find(host, &value)?;
            return Ok(Some((value, place)));
        }
    }
    Ok(None)
}

/// Where the host's sources name the repository with this address. apt names its index where that has
/// expired, and of a repository without `dists` the index lies anywhere below.
fn repository(host: &Host, address: String) -> Result<(String, Vec<Location>)> {
    let mut repository = address.as_str();
    loop {
        let places = named(host, repository)?;
        if !places.is_empty() {
            return Ok((repository.to_owned(), places));
        }
        match repository.rsplit_once('/') {
            Some((above, _)) if !above.ends_with('/') => repository = above,
            _ => return Ok((address, places)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apt::broken::tests::said;
    use crate::host::stub::StubHost;

    fn of(stub: &StubHost, output: &Output) -> UnusableSources {
        UnusableSources::of(stub.host(), output, true).unwrap()
    }

    #[test]
    fn an_index_that_has_expired_is_told_by_the_source_it_belongs_to() {
        let stub = StubHost::new()
            .file(
                "/etc/apt/sources.list.d/other.list",
                "deb http://third.example/a/ ./\ndeb http://third.example stable/\n",
            )
            .program("apt-config", "");
        let told = |address: &str| {
            let line = format!("E: Release file for {address} is expired (invalid since 6d 1h).\n");
            of(&stub, &said("", &line)).to_string()
        };
        let list = "(/etc/apt/sources.list.d/other.list, line";
        let flat = told("http://third.example/a/./Release");
        assert!(
            flat.contains(&format!("http://third.example/a {list} 1)")),
            "{flat}"
        );
        let below = told("http://third.example/stable/InRelease");
        assert!(
            below.contains(&format!("http://third.example {list} 2)")),
            "{below}"
        );
        let unknown = told("http://fourth.example/Release");
        assert_eq!(
            unknown,
            "apt cannot use http://fourth.example/Release\n\
             apt says of http://fourth.example/Release: Release file for \
             http://fourth.example/Release is expired (invalid since 6d 1h)."
        );
    }

    #[test]
    fn a_broken_source_is_told_with_its_place_and_how_to_pass_over_it() {
        let stub = StubHost::new()
            .file(
                "/etc/apt/sources.list.d/other.list",
                "# mine\ndeb http://me:word@nowhere.example/repo/ noble main\n",
            )
            .program("apt-config", "");
        let update = said(
            "Err:1 http://nowhere.example/repo noble InRelease\n  Could not resolve 'nowhere'\n",
            "",
        );
        let unusable = of(&stub, &update);
        assert_eq!(
            unusable.to_string(),
            "apt cannot use http://nowhere.example/repo (/etc/apt/sources.list.d/other.list, line 2). \
             Fix line 2, or make it a comment: sudo sed -i '2s/^/# /' \
             /etc/apt/sources.list.d/other.list\n\
             apt says of http://nowhere.example/repo: Could not resolve 'nowhere'"
        );
        assert!(
            unusable
                .as_warning()
                .contains("can be installed without. Fix")
        );
    }

    #[test]
    fn a_proxy_of_the_hosts_own_that_does_not_answer_is_named_with_its_file() {
        let stub = StubHost::new()
            .file(
                "/etc/apt/apt.conf.d/95proxy",
                "Acquire::http::Proxy \"http://me:word@127.0.0.9:3128/\";\n",
            )
            .program(
                "apt-config",
                "echo 'Acquire::http::Proxy \"http://me:word@127.0.0.9:3128/\";'",
            );
        let update = said(
            "Err:1 http://archive.ubuntu.com/ubuntu noble InRelease\n  Could not connect to \
             127.0.0.9:3128 (127.0.0.9). - connect (111: Connection refused)\n",
            "",
        );
        let text = of(&stub, &update).to_string();
        assert!(
            text.contains("its proxy http://***@127.0.0.9:3128/ does not answer")
                && text.contains("(/etc/apt/apt.conf.d/95proxy, line 1)"),
            "{text}"
        );
        let first = text.lines().next().unwrap();
        assert!(
            first.ends_with("/etc/apt/apt.conf.d/95proxy.disabled"),
            "{text}"
        );
    }

    #[test]
    fn ubuntu_pro_is_not_switched_off_where_only_root_has_its_credentials() {
        let esm = "https://esm.ubuntu.com/apps/ubuntu";
        let stub = StubHost::new()
            .file(
                "/etc/apt/sources.list.d/ubuntu-esm-apps.sources",
                format!("Types: deb\nURIs: {esm}\nSuites: noble-apps-security\nComponents: main\n"),
            )
            .program("apt-config", "");
        let update = said(
            &format!(
                "Err:5 {esm} noble-apps-security InRelease\n  401  Unauthorized [IP: 192.0.2.1]\n"
            ),
            &format!("E: The repository '{esm} noble-apps-security InRelease' is not signed.\n"),
        );
        let first = |is_root: bool| {
            let unusable = UnusableSources::of(stub.host(), &update, is_root).unwrap();
            unusable.as_warning().lines().next().unwrap().to_owned()
        };
        let unasked = first(false);
        assert!(
            unasked.starts_with(&format!("apt cannot ask {esm} (")),
            "{unasked}"
        );
        assert!(
            unasked.ends_with("as root: sudo dockstrap install"),
            "{unasked}"
        );
        let refused = first(true);
        assert!(
            refused.starts_with("apt cannot use") && refused.ends_with(": sudo pro status"),
            "{refused}"
        );
    }
}
