//! What apt says when a source is of no use: which one it is, where it is named, and what helps.

use std::fmt;

use anyhow::Result;

use super::entry::without_password;
use super::refusal::source_cure;
use super::setting::{self, Place, put_aside};
use super::source_file::{SOURCES_LIST, named};
use crate::error::quote;
use crate::host::Host;
use crate::host::command::Output;
use crate::redact::redact;

/// Ubuntu's own sources, which nobody is to switch off.
const UBUNTUS: &[&str] = &[SOURCES_LIST, "/etc/apt/sources.list.d/ubuntu.sources"];

/// Sources that apt could not use.
#[derive(Debug)]
pub(super) struct Unusable {
    what: String,
    cure: Option<String>,
}

impl Unusable {
    pub(super) fn new(what: String) -> Unusable {
        Unusable { what, cure: None }
    }

    /// What an `apt-get update` that failed could not use.
    pub(super) fn of(host: &Host, output: &Output) -> Result<Unusable> {
        let mut shown = Vec::new();
        let mut places = Vec::new();
        for address in broken(output) {
            let (address, named) = repository(host, address)?;
            let text: Vec<String> = named.iter().map(Place::to_string).collect();
            shown.push(match text.as_slice() {
                [] => address,
                text => format!("{address} ({})", text.join("; ")),
            });
            places.extend(named);
        }
        if shown.is_empty() {
            let text = "refreshing Ubuntu's indexes failed; apt says:";
            return Ok(Unusable::new(quote(text, &output.tail())));
        }
        let what = format!("apt cannot use {}", shown.join(", "));
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
            return Ok(Unusable { what, cure });
        }
        places.retain(|place| !UBUNTUS.contains(&place.file.as_str()));
        let cure = places
            .first()
            .map(|Place { file, line }| source_cure(file, Some(*line)));
        Ok(Unusable { what, cure })
    }

    /// As a warning, where it is in nobody's way.
    pub(super) fn as_warning(&self) -> String {
        let cure = self.cure.as_ref().map(|cure| format!(". {cure}"));
        let cure = cure.unwrap_or_default();
        format!("{}; the engine can be installed without{cure}", self.what)
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)?;
        match &self.cure {
            Some(cure) => write!(formatter, ". {cure}"),
            None => Ok(()),
        }
    }
}

/// The proxy of the host's own configuration that apt could not reach, and where it is set.
fn silent_proxy(host: &Host, output: &Output) -> Result<Option<(String, Option<Place>)>> {
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

/// The repositories that `apt-get update` could not use, as addresses without passwords.
fn broken(output: &Output) -> Vec<String> {
    let failed = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("Err:"));
    let mut found = Vec::new();
    for line in failed.chain(output.stderr.lines().filter(|line| is_complaint(line))) {
        let words = line.split([' ', '\'']);
        let mut addresses = words.filter(|word| word.contains("://"));
        let Some(address) = addresses.next() else {
            continue;
        };
        let repository = address.split("/dists/").next().unwrap_or(address);
        let shown = without_password(repository.trim_end_matches('/'));
        if !found.contains(&shown) {
            found.push(shown);
        }
    }
    found
}

/// Where the host's sources name the repository with this address. apt names its index where that has
/// expired, and of a repository without `dists` the index lies anywhere below.
fn repository(host: &Host, address: String) -> Result<(String, Vec<Place>)> {
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

fn is_complaint(line: &str) -> bool {
    line.starts_with("E: ") || line.starts_with("W: ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command::Command;
    use crate::host::stub::StubHost;
    use std::ffi::OsStr;

    fn said(stdout: &str, stderr: &str) -> Output {
        let failing = Command::new("false");
        let mut output = failing.run(OsStr::new("/usr/bin:/bin")).unwrap();
        output.stdout = stdout.to_owned();
        output.stderr = stderr.to_owned();
        output
    }

    #[test]
    fn fault_17_broken_sources_are_named_once_and_without_their_password() {
        let update = said(
            "Hit:1 http://archive.ubuntu.com/ubuntu noble InRelease\n\
             Err:2 http://alice:secret@nowhere.example/repo noble InRelease\n  \
             Could not resolve 'nowhere.example'\n",
            "W: GPG error: http://ppa.example/x noble InRelease: NO_PUBKEY 0123\n\
             E: The repository 'http://ppa.example/x noble InRelease' is not signed.\n\
             E: Failed to fetch http://gone.example/deb/dists/noble/main/Packages  404\n",
        );
        assert_eq!(
            broken(&update),
            [
                "http://nowhere.example/repo",
                "http://ppa.example/x",
                "http://gone.example/deb"
            ]
        );
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
            Unusable::of(stub.host(), &said("", &line))
                .unwrap()
                .to_string()
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
        assert_eq!(unknown, "apt cannot use http://fourth.example/Release");
    }

    #[test]
    fn a_broken_source_is_told_with_its_place_and_how_to_pass_over_it() {
        let stub = StubHost::new()
            .file(
                "/etc/apt/sources.list.d/other.list",
                "# mine\ndeb http://me:word@nowhere.example/repo/ noble main\n",
            )
            .program("apt-config", "");
        let update = said("Err:1 http://nowhere.example/repo noble InRelease\n", "");
        let unusable = Unusable::of(stub.host(), &update).unwrap();
        assert_eq!(
            unusable.to_string(),
            "apt cannot use http://nowhere.example/repo (/etc/apt/sources.list.d/other.list, line 2). \
             Fix line 2, or make it a comment: sudo sed -i '2s/^/# /' \
             /etc/apt/sources.list.d/other.list"
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
        let text = Unusable::of(stub.host(), &update).unwrap().to_string();
        assert!(
            text.contains("its proxy http://***@127.0.0.9:3128/ does not answer")
                && text.contains("(/etc/apt/apt.conf.d/95proxy, line 1)"),
            "{text}"
        );
        assert!(
            text.ends_with("/etc/apt/apt.conf.d/95proxy.disabled"),
            "{text}"
        );
    }
}
