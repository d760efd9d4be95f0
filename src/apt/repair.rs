//! Bringing to an end what dpkg was cut short at.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::lock::ARCHIVES;
use crate::facts::{ENGINE_PACKAGES, Unfinished};
use crate::host::Host;
use crate::host::command::Command;

/// Has dpkg merge its notes, unpack again what is there in part and not left to apt, configure what
/// is not, and run the triggers that packages of the engine wait for. The caller has waited for apt's locks.
pub fn finish(host: &Host, unfinished: &Unfinished) -> Result<()> {
    let Unfinished {
        interrupted,
        triggered,
        to_unpack,
        to_configure,
        ..
    } = unfinished;
    if interrupted.is_some() {
        merge_notes(host)?;
    }
    for package in to_unpack {
        if !unpack_again(host, package)? {
            bail!(
                "the files of {package} are there in part, and apt has its package no more; \
                 install it again: apt-get install --reinstall {package}"
            );
        }
    }
    if !to_configure.is_empty() {
        run(host, &dpkg().arg("--configure").args(to_configure))?;
    }
    if !triggered.is_empty() {
        run(host, &dpkg().args(["--triggers-only", "--pending"]))?;
    }
    Ok(())
}

/// Clears the way for purging `ours`: apt purges nothing while dpkg has notes left, or while a
/// package's files are there in part. The caller has waited for apt's locks.
pub fn clear_for_purge(host: &Host, unfinished: &Unfinished, ours: &[String]) -> Result<()> {
    if unfinished.interrupted.is_some() {
        merge_notes(host)?;
    }
    for package in unfinished.partial() {
        let is_ours = ours.contains(package);
        if !is_ours && !ENGINE_PACKAGES.contains(&package.as_str()) {
            continue;
        }
        // Unpacked again it is whole, and dpkg knows all of its files.
        if !unpack_again(host, package)? && is_ours {
            let purge = dpkg().args(["--force-remove-reinstreq", "--purge", package]);
            run(host, &purge)?;
        }
    }
    Ok(())
}

/// Any command that writes merges the notes. This one writes nothing else: it is told nothing.
fn merge_notes(host: &Host) -> Result<()> {
    run(host, &dpkg().arg("--set-selections"))
}

/// Unpacks a package from apt's archive folder, where it stays as long as the journal has an act
/// that put it there. Returns whether it is still there.
fn unpack_again(host: &Host, package: &str) -> Result<bool> {
    let version = Command::new("dpkg-query").args(["--show", "--showformat=${Version}", package]);
    let version = host.query(&version)?.stdout.replace(':', "%3a");
    let Some(file) = file_of(host, package, &version)? else {
        return Ok(false);
    };
    run(host, &dpkg().arg("--unpack").arg(file))?;
    Ok(true)
}

/// The file of a package in this version, or the only one of that package. dpkg may not know yet
/// which version it was about to unpack.
fn file_of(host: &Host, package: &str, version: &str) -> Result<Option<PathBuf>> {
    let mut names = host.list(ARCHIVES)?;
    names.retain(|name| name.ends_with(".deb") && name.starts_with(&format!("{package}_")));
    let exact = format!("{package}_{version}_");
    let name = match names.iter().find(|name| name.starts_with(&exact)) {
        None if names.len() == 1 => names.first(),
        found => found,
    };
    Ok(name.map(|name| host.path(Path::new(ARCHIVES).join(name))))
}

fn dpkg() -> Command {
    Command::new("dpkg")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["--force-confdef", "--force-confold"])
}

/// Runs dpkg to its end, however long that takes: cut short, it leaves more to be finished.
fn run(host: &Host, command: &Command) -> Result<()> {
    let output = command.run_uncut(host.search_path());
    output.context("running dpkg")?.success().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn the_file_of_the_version_that_dpkg_names_is_taken_or_the_only_one() {
        let file = |version: &str| format!("{ARCHIVES}/docker-ce_5%3a{version}_amd64.deb");
        let name = |stub: &StubHost, version: &str| {
            let found = file_of(stub.host(), "docker-ce", version).unwrap()?;
            Some(found.file_name().unwrap().to_string_lossy().into_owned())
        };
        let stub = StubHost::new().file(&format!("{ARCHIVES}/docker-ce-cli_1_amd64.deb"), "");
        assert_eq!(name(&stub, "5%3a29"), None);
        let stub = stub.file(&file("29"), "");
        assert_eq!(name(&stub, "").unwrap(), "docker-ce_5%3a29_amd64.deb");
        let stub = stub.file(&file("30"), "");
        assert_eq!(name(&stub, "5%3a30").unwrap(), "docker-ce_5%3a30_amd64.deb");
        assert_eq!(name(&stub, ""), None);
    }
}
