//! The files of a package that dpkg had begun to unpack, and of which it knows nothing when the
//! package is purged in that state.
//!
//! dpkg writes each file under another name, gives all of them their own once the last is there, and
//! only then writes down which they are. What they are going to be stands in the package's control
//! files, which it unpacks first.

#![expect(
    clippy::disallowed_methods,
    reason = "what dpkg has begun goes with the right of a transaction"
)]

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use jiff::Timestamp;

use crate::host::Host;
use crate::host::authority::Authority;
use crate::host::command::Query;
use crate::host::query::Reader;

/// Where dpkg unpacks control files, and where it keeps those of packages that are whole.
const UNPACKED: &str = "/var/lib/dpkg/tmp.ci";
const KEPT: &str = "/var/lib/dpkg/info";

/// What dpkg calls a file until all of the package are there.
const NEW: &str = "dpkg-new";

/// Where packages put their files.
const FOLDERS: [&str; 3] = ["/etc", "/opt", "/usr"];

/// The files of a package, before it is purged.
#[derive(Debug, Default)]
pub(super) struct PartialUnpack {
    /// With the MD5 of those that are no configuration, by which dpkg itself knows its files.
    sums: Vec<(PathBuf, String)>,
    all: BTreeSet<PathBuf>,
}

impl PartialUnpack {
    /// What is known of the files of a package that is there in part.
    pub(super) fn of(host: &Host, package: &str) -> Result<PartialUnpack> {
        let mut begun = PartialUnpack::default();
        let control = host.read_text(format!("{UNPACKED}/control"))?;
        let name = format!("Package: {package}");
        if control.is_some_and(|text| text.lines().any(|line| line == name)) {
            begun.take(host, UNPACKED, "")?;
        }
        begun.take(host, KEPT, &format!("{package}."))?;
        Ok(begun)
    }

    fn take(&mut self, host: &Host, folder: &str, prefix: &str) -> Result<()> {
        let text = |name: &str| -> Result<String> {
            let path = format!("{folder}/{prefix}{name}");
            Ok(host.read_text(path)?.unwrap_or_default())
        };
        for line in text("md5sums")?.lines() {
            if let Some((sum, path)) = line.split_once("  ")
                && let Some(path) = absolute(path)
            {
                self.all.insert(path.clone());
                self.sums.push((path, sum.to_owned()));
            }
        }
        let others = text("conffiles")? + &text("list")?;
        let others = others.lines().filter_map(|line| absolute(line.trim()));
        self.all.extend(others);
        Ok(())
    }

    /// Removes what is left of them that was written since this time and is no package's.
    pub(super) fn remove(&self, host: &Authority<'_>, since: Timestamp) -> Result<()> {
        for path in &self.all {
            remove_when(host, &with_ending(path, NEW), is_written(since))?;
        }
        for (path, sum) in &self.sums {
            let there = host.metadata(path)?;
            let is_whole = there.is_some_and(|it| is_written(since)(&it))
                && !is_packaged(host, path)?
                && has_sum(host, path, sum)?;
            if is_whole {
                remove_when(host, path, |_| true)?;
            }
        }
        let folders: BTreeSet<&Path> = self
            .all
            .iter()
            .flat_map(|path| path.ancestors().skip(1))
            .collect();
        // Those below come first.
        for folder in folders.iter().rev() {
            let there = host.metadata(folder)?;
            let is_new = there.is_some_and(|it| it.is_dir() && is_made(since)(&it));
            if is_new && !is_packaged(host, folder)? {
                // Others may have put something there since.
                let _ = fs::remove_dir(host.path(folder));
            }
        }
        Ok(())
    }
}

/// Removes what dpkg has begun to write since this time, whatever package it is of. Links are in none
/// of the lists, and not every package has them.
pub(super) fn sweep(host: &Authority<'_>, since: Timestamp) -> Result<()> {
    let mut folders = Vec::new();
    for folder in FOLDERS {
        if host.exists(folder)? {
            folders.push(host.path(folder));
        }
    }
    let find = Query::files_named_since(folders, &format!("*.{NEW}"), since.as_second() - 1);
    let found = host.query(&find)?.success()?;
    for path in found.stdout.lines().map(Path::new) {
        let there = fs::symlink_metadata(path);
        if there.is_ok_and(|it| !it.is_dir()) {
            fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

/// The path as one from the root, unless it leads elsewhere.
fn absolute(path: &str) -> Option<PathBuf> {
    let path = Path::new("/").join(path);
    let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    (path.components().all(is_plain) && path.parent().is_some()).then_some(path)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    name.into()
}

/// dpkg gives a file the time that it had in the package; when its name or content changed is
/// another time.
fn is_written(since: Timestamp) -> impl Fn(&Metadata) -> bool {
    move |there| there.ctime() >= since.as_second()
}

/// A folder changes with all that is put into it, so that only the time of its making counts. Not
/// every file system knows it.
fn is_made(since: Timestamp) -> impl Fn(&Metadata) -> bool {
    let since = u64::try_from(since.as_second()).unwrap_or_default();
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(since);
    move |there| there.created().is_ok_and(|made| made >= since)
}

fn remove_when(host: &Authority<'_>, path: &Path, holds: impl Fn(&Metadata) -> bool) -> Result<()> {
    let there = host.metadata(path)?;
    if !there.is_some_and(|it| !it.is_dir() && holds(&it)) {
        return Ok(());
    }
    fs::remove_file(host.path(path)).with_context(|| format!("removing {}", path.display()))
}

fn is_packaged(host: &Host, path: &Path) -> Result<bool> {
    let search = Query::of(Reader::DpkgQuery).arg("--search").arg(path);
    let found = host.query(&search)?;
    match found.code {
        1 => Ok(false),
        _ => found.success().map(|_| true),
    }
}

fn has_sum(host: &Host, path: &Path, sum: &str) -> Result<bool> {
    let summed = host.query(&Query::of(Reader::Md5sum).arg(host.path(path)))?;
    Ok(summed.success()?.stdout.starts_with(sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const OLD: &str = "ffffffffffffffffffffffffffffffff";
    const SUM: &str = "d41d8cd98f00b204e9800998ecf8427e";

    fn host() -> StubHost {
        StubHost::new()
            .program("dpkg-query", "case $* in *owned*) ;; *) exit 1 ;; esac")
            .program("md5sum", &format!("echo {SUM}"))
            .file(&format!("{UNPACKED}/control"), "Package: docker-ce\n")
            .file(
                &format!("{UNPACKED}/md5sums"),
                format!(
                    "{SUM}  usr/bin/dockerd\n{SUM}  usr/bin/owned\n{OLD}  usr/bin/edited\n\
                     {SUM}  ../escaped\n"
                ),
            )
            .file(&format!("{UNPACKED}/conffiles"), "/etc/default/docker\n")
    }

    fn remove(stub: &StubHost, since: Timestamp) {
        let begun = PartialUnpack::of(stub.host(), "docker-ce").unwrap();
        begun.remove(&stub.authority(), since).unwrap();
    }

    #[test]
    fn what_was_begun_goes_and_what_is_anybody_elses_stays() {
        let before = Timestamp::now() - Duration::from_secs(60);
        let begun = [
            "/usr/bin/dockerd",
            "/usr/bin/dockerd.dpkg-new",
            "/etc/default/docker.dpkg-new",
        ];
        let theirs = [
            "/usr/bin/owned",
            "/usr/bin/edited",
            "/usr/bin/other.dpkg-new",
            "/etc/default/docker",
            "/escaped",
        ];
        let stub = host();
        for path in begun.iter().chain(&theirs) {
            stub.write(path, "");
        }
        let later = Timestamp::now() + Duration::from_secs(60);
        remove(&stub, later);
        assert!(begun.iter().all(|path| stub.has(path)), "it is older");
        remove(&stub, before);
        assert!(!begun.iter().any(|path| stub.has(path)));
        for path in theirs {
            assert!(stub.has(path), "{path}");
        }
    }

    #[test]
    fn what_stands_in_no_list_is_found_by_its_name_and_its_time() {
        let stub = StubHost::new()
            .program("find", "exec /usr/bin/find \"$@\"")
            .file("/usr/bin/dockerd.dpkg-new", "")
            .file("/usr/bin/dockerd", "")
            .folder("/usr/share/some.dpkg-new");
        let link = stub.host().path("/usr/bin/unpigz.dpkg-new");
        std::os::unix::fs::symlink("pigz", &link).unwrap();
        let later = Timestamp::now() + Duration::from_secs(60);
        sweep(&stub.authority(), later).unwrap();
        assert!(stub.has("/usr/bin/dockerd.dpkg-new"));
        sweep(
            &stub.authority(),
            Timestamp::now() - Duration::from_secs(60),
        )
        .unwrap();
        assert!(!stub.has("/usr/bin/dockerd.dpkg-new") && !link.is_symlink());
        assert!(stub.has("/usr/bin/dockerd") && stub.has("/usr/share/some.dpkg-new"));
    }

    #[test]
    fn control_files_of_another_package_say_nothing_of_this_one() {
        let stub = host()
            .file(&format!("{UNPACKED}/control"), "Package: docker-ce-cli\n")
            .file("/usr/bin/dockerd.dpkg-new", "");
        remove(&stub, Timestamp::UNIX_EPOCH);
        assert!(stub.has("/usr/bin/dockerd.dpkg-new"));
    }
}
