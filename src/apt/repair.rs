//! Bringing to an end what dpkg was cut short at.
//!
//! dpkg is given no file by its name alone. On an install, apt unpacks again what is there in part,
//! from files that were verified; on an uninstall, it is a copy of the file that the journal knows by
//! its hash, made where only root can look.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use nix::fcntl::OFlag;
use tempfile::NamedTempFile;

use super::archive::{KnownArchive, Measured};
use super::partial_unpack::{self, PartialUnpack};
use crate::facts::{ENGINE_PACKAGES, UnfinishedPackages, dpkg_query};
use crate::host::authority::Authority;
use crate::host::command::{Command, Query};
use crate::host::query::Reader;

/// Has dpkg merge its notes, configure what is unpacked and not left to apt, and run the triggers
/// that packages of the engine wait for. The caller has waited for apt's locks.
pub(crate) fn finish(host: &Authority<'_>, unfinished: &UnfinishedPackages) -> Result<()> {
    let UnfinishedPackages {
        interrupted,
        triggered,
        to_configure,
        ..
    } = unfinished;
    if interrupted.is_some() {
        merge_notes(host)?;
    }
    if !to_configure.is_empty() {
        run(host, &dpkg().arg("--configure").args(to_configure))?;
    }
    if !triggered.is_empty() {
        run(host, &dpkg().args(["--triggers-only", "--pending"]))?;
    }
    Ok(())
}

/// What a purge may unpack again, and where.
pub(crate) struct Unpacking<'a> {
    /// The package files that are known by their hashes.
    pub known: &'a [KnownArchive],
    /// A folder into which only root can look.
    pub folder: &'a Path,
    /// When the first act was done that is taken back.
    pub since: Timestamp,
}

/// Clears the way for purging `ours`: apt purges nothing while dpkg has notes left, or while a
/// package's files are there in part. The caller has waited for apt's locks.
pub(crate) fn clear_for_purge(
    host: &Authority<'_>,
    unfinished: &UnfinishedPackages,
    ours: &[String],
    unpacking: &Unpacking<'_>,
) -> Result<()> {
    if unfinished.interrupted.is_some() {
        merge_notes(host)?;
    }
    let mut broken = Vec::new();
    for package in unfinished.partial() {
        let is_ours = ours.contains(package);
        if !is_ours && !ENGINE_PACKAGES.contains(&package.as_str()) {
            continue;
        }
        // Unpacked again it is whole, and dpkg knows all of its files.
        if !unpacking.unpack_again(host, package)? && is_ours {
            broken.push(package);
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    let begun = broken
        .iter()
        .map(|package| PartialUnpack::of(host, package))
        .collect::<Result<Vec<PartialUnpack>>>()?;
    // What depends on them is broken as well, and goes with the purge that follows.
    let forced = ["--force-remove-reinstreq", "--force-depends", "--purge"];
    run(host, &dpkg().args(forced).args(broken))?;
    for begun in begun {
        begun.remove(host, unpacking.since)?;
    }
    // What is of others and unpacked has files of such names by right.
    let mut unpacked = unfinished.to_configure.iter().chain(unfinished.partial());
    if unpacked.all(|package| ours.contains(package)) {
        partial_unpack::sweep(host, unpacking.since)
    } else {
        Ok(())
    }
}

impl Unpacking<'_> {
    /// Unpacks a package from apt's archive folder, when its file is there and is the one that is
    /// known. Returns whether it was unpacked.
    fn unpack_again(&self, host: &Authority<'_>, package: &str) -> Result<bool> {
        let version =
            Query::of(Reader::DpkgQuery).args(["--show", "--showformat=${Version}", package]);
        let version = dpkg_query(host, &version)?;
        let Some(archive) = self.file_of(package, &version) else {
            return Ok(false);
        };
        // Without room for the copy, or to unpack it, the package goes as one whose file is gone.
        let Ok(Some(copy)) = self.verified_copy(host, archive) else {
            return Ok(false);
        };
        Ok(run(host, &dpkg().arg("--unpack").arg(copy.path())).is_ok())
    }

    /// The file of a package in this version, or the only one of that package. dpkg may not know yet
    /// which version it was about to unpack.
    fn file_of(&self, package: &str, version: &str) -> Option<&KnownArchive> {
        let of_package = format!("{package}_");
        let exact = format!("{of_package}{}_", version.replace(':', "%3a"));
        let mut files = self.known.iter();
        let mut files: Vec<&KnownArchive> = files
            .by_ref()
            .filter(|it| it.name.as_str().starts_with(&of_package))
            .collect();
        files.dedup();
        let found = files.iter().find(|it| it.name.as_str().starts_with(&exact));
        match (found, files.as_slice()) {
            (Some(found), _) => Some(found),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// A copy of a package file that nobody else can change, when it is what it must be.
    fn verified_copy(
        &self,
        host: &Authority<'_>,
        archive: &KnownArchive,
    ) -> Result<Option<NamedTempFile>> {
        let path = host.path(archive.path());
        let mut options = OpenOptions::new();
        let options = options.read(true).custom_flags(OFlag::O_NOFOLLOW.bits());
        let Ok(file) = options.open(&path) else {
            return Ok(None);
        };
        let copying = || format!("copying {}", path.display());
        let mut copy = tempfile::Builder::new()
            .prefix("unpack-")
            .suffix(".deb")
            .tempfile_in(host.path(self.folder))
            .with_context(copying)?;
        let mut measured = Measured::default();
        // One that has grown is refused without its end.
        let mut file = file.take(archive.size + 1);
        let mut chunk = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut chunk).with_context(copying)?;
            if read == 0 {
                break;
            }
            measured.add(&chunk[..read]);
            copy.write_all(&chunk[..read]).with_context(copying)?;
        }
        Ok(archive.is(measured).then_some(copy))
    }
}

/// Any command that writes merges the notes. This one writes nothing else: it is told nothing.
fn merge_notes(host: &Authority<'_>) -> Result<()> {
    run(host, &dpkg().arg("--set-selections"))
}

fn dpkg() -> Command {
    Command::new("dpkg")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["--force-confdef", "--force-confold"])
}

/// Runs dpkg to its end, however long that takes: cut short, it leaves more to be finished.
fn run(host: &Authority<'_>, command: &Command) -> Result<()> {
    let output = command.run_uncut(host);
    output.context("running dpkg")?.success().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apt::ARCHIVES;
    use crate::host::stub::StubHost;
    use crate::relative_path::FileName;
    use crate::trust::sha256_hex;
    use std::os::unix::fs::symlink;

    const FOLDER: &str = "/var/lib/dockstrap";
    const NAME: &str = "docker-ce_5%3a29_amd64.deb";

    fn known(name: &str, content: &str) -> KnownArchive {
        KnownArchive {
            name: FileName::parse(name).unwrap(),
            size: content.len() as u64,
            sha256: sha256_hex(content.as_bytes()),
        }
    }

    /// A host on which docker-ce is there in part, and whose dpkg shows what it is given to unpack.
    fn host() -> StubHost {
        StubHost::new()
            .folder(FOLDER)
            .program("dpkg-query", "echo 5:29")
            .program("find", "")
            .program(
                "dpkg",
                "case $* in *--unpack*) for it; do :; done; cat $it >$ROOT/unpacked ;; esac",
            )
    }

    fn clear(stub: &StubHost, known: &[KnownArchive]) -> Vec<String> {
        let unfinished = UnfinishedPackages {
            half_installed: ["docker-ce".to_owned()].into(),
            ..UnfinishedPackages::default()
        };
        let folder = Path::new(FOLDER);
        let since = Timestamp::UNIX_EPOCH;
        let unpacking = Unpacking {
            known,
            folder,
            since,
        };
        clear_for_purge(
            &stub.authority(),
            &unfinished,
            &["docker-ce".to_owned()],
            &unpacking,
        )
        .unwrap();
        assert_eq!(
            stub.host().list(FOLDER).unwrap(),
            [""; 0],
            "a copy was left"
        );
        stub.calls()
    }

    #[test]
    fn the_file_of_the_version_that_dpkg_names_is_taken_or_the_only_one() {
        let file = |version: &str| known(&format!("docker-ce_5%3a{version}_amd64.deb"), "");
        let cli = known("docker-ce-cli_1_amd64.deb", "");
        let name = |known: &[KnownArchive], version: &str| {
            let folder = Path::new(FOLDER);
            let since = Timestamp::UNIX_EPOCH;
            let unpacking = Unpacking {
                known,
                folder,
                since,
            };
            let found = unpacking.file_of("docker-ce", version);
            found.map(|it| it.name.clone())
        };
        assert_eq!(name(std::slice::from_ref(&cli), "5:29"), None);
        let one = [cli, file("29"), file("29")];
        assert_eq!(
            name(&one, "").unwrap().as_str(),
            "docker-ce_5%3a29_amd64.deb"
        );
        let two = [file("29"), file("30")];
        assert_eq!(
            name(&two, "5:30").unwrap().as_str(),
            "docker-ce_5%3a30_amd64.deb"
        );
        assert_eq!(name(&two, ""), None);
    }

    #[test]
    fn a_file_that_is_known_by_its_hash_is_unpacked_from_a_copy() {
        let stub = host().file(&format!("{ARCHIVES}/{NAME}"), "package");
        let calls = clear(&stub, &[known(NAME, "package")]);
        assert_eq!(stub.read("/unpacked"), "package");
        let unpack = calls.iter().find(|it| it.contains("--unpack")).unwrap();
        assert!(
            unpack.contains(FOLDER) && !unpack.contains(ARCHIVES),
            "{unpack}"
        );
        assert!(!calls.concat().contains("--purge"), "{calls:?}");
    }

    #[test]
    fn no_other_file_ever_reaches_dpkg() {
        let path = format!("{ARCHIVES}/{NAME}");
        let good = [known(NAME, "package")];
        let swapped = host().file(&path, "PACKAGE");
        let truncated = host().file(&path, "pack");
        let grown = host().file(&path, "package and more");
        let of_an_old_journal = host().file(&path, "package");
        let link = host().file("/srv/package", "package").folder(ARCHIVES);
        symlink(link.host().path("/srv/package"), link.host().path(&path)).unwrap();
        for (stub, known) in [
            (swapped, &good[..]),
            (truncated, &good),
            (grown, &good),
            (host(), &good),
            (link, &good),
            (of_an_old_journal, &[]),
        ] {
            let calls = clear(&stub, known).concat();
            assert!(!calls.contains("--unpack"), "{calls}");
            assert!(calls.contains("--purge docker-ce"), "{calls}");
        }
    }

    #[test]
    fn one_that_cannot_be_unpacked_goes_all_the_same() {
        let stub = host()
            .file(&format!("{ARCHIVES}/{NAME}"), "package")
            .program("dpkg", "case $* in *--unpack*) exit 2 ;; esac");
        let calls = clear(&stub, &[known(NAME, "package")]).concat();
        assert!(calls.contains("--unpack") && calls.contains("--purge docker-ce"));
    }
}
