//! What apt cannot read of the way to a key: it reads keys as a user of its own, usually `_apt`.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::setting;
use super::source::Source;
use crate::host::Host;
use crate::shell::quoted;

/// The user as whom apt fetches and verifies, and where its configuration names another one.
const APTS_OWN: &str = "_apt";
const SANDBOX: &str = "APT::Sandbox::User";

/// What lets others into a folder, and what lets them read a file.
const ENTER: u32 = 0o001;
const READ: u32 = 0o004;

/// How much of the way to its own key dockstrap opens, from the key upwards: keys in apt's folder for
/// them, that folder and apt's own. All else is up to its owner.
const OURS: usize = 3;

/// What dockstrap gives a key.
const ALL_READ: u32 = 0o444;

/// The bits with which a mode runs something as somebody else: no journal takes such a mode.
const SET_ID: u32 = 0o6000;

/// A file or folder that is closed to apt's own user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub path: PathBuf,
    pub mode: u32,
    pub is_folder: bool,
    /// The bits that apt lacks.
    lacks: u32,
    /// The mode with which apt reads the key, where dockstrap may give it.
    pub open: Option<u32>,
}

impl Closed {
    /// The command that opens it.
    pub(crate) fn cure(&self) -> String {
        let (who, bits) = match self.lacks {
            0o100 | 0o400 => ("u", self.lacks >> 6),
            0o010 | 0o040 => ("g", self.lacks >> 3),
            lacks => ("o", lacks),
        };
        let bit = if bits == ENTER { "x" } else { "r" };
        format!("sudo chmod {who}+{bit} {}", quoted(&self.path))
    }
}

/// The files and folders on the way to this one that keep apt's own user out, from the root on. Links
/// are followed, as apt does. A way that ends early, or that this user cannot see, is not closed
/// from there on.
pub(crate) fn closed(host: &Host, file: &str) -> Result<Vec<Closed>> {
    let mut found = Vec::new();
    let Some(user) = user_of_apt(host) else {
        return Ok(found);
    };
    let apt = numbers(host, &user)?;
    for path in way(host, file) {
        let there = match std::fs::metadata(host.path(&path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) if error.kind() == ErrorKind::PermissionDenied && !found.is_empty() => break,
            there => there.with_context(|| format!("looking at {}", path.display()))?,
        };
        let mode = there.mode() & 0o7777;
        let lacks = needed(&there, apt) & !mode;
        if lacks != 0 {
            let open = given(host, &path)?.map(|given| mode | lacks | given);
            found.push(Closed {
                open: open.filter(|open| open & SET_ID == 0),
                path,
                mode,
                is_folder: there.is_dir(),
                lacks,
            });
        }
    }
    Ok(found)
}

/// All that apt passes on its way to a file, from the root on: by the path that is named, and then by
/// the one that links lead to.
fn way(host: &Host, file: &str) -> Vec<PathBuf> {
    let above = |path: &Path| {
        let mut above: Vec<PathBuf> = path.ancestors().map(Path::to_owned).collect();
        above.reverse();
        above
    };
    let mut way = above(Path::new(file));
    let root = host.path("/").canonicalize().unwrap_or_default();
    if let Ok(real) = host.path(file).canonicalize()
        && let Ok(real) = real.strip_prefix(root)
    {
        for path in above(&Path::new("/").join(real)) {
            if !way.contains(&path) {
                way.push(path);
            }
        }
    }
    way
}

/// What dockstrap adds to the bits that apt lacks, where a path is its own to open; a link may lead to
/// what is not.
fn given(host: &Host, path: &Path) -> Result<Option<u32>> {
    let key = Path::new(Source::KEYRING);
    let is_key = path.parent() == key.parent();
    let is_ours = is_key || key.ancestors().take(OURS).any(|ours| ours == path);
    let is_link = host.metadata(path)?.is_some_and(|it| it.is_symlink());
    Ok((is_ours && !is_link).then_some(if is_key { ALL_READ } else { 0 }))
}

/// The bits that apt's own user needs of this.
fn needed(there: &Metadata, apt: Option<(u32, u32)>) -> u32 {
    let bit = if there.is_dir() { ENTER } else { READ };
    match apt {
        Some((user, _)) if user == there.uid() => bit << 6,
        Some((_, group)) if group == there.gid() => bit << 3,
        _ => bit,
    }
}

/// The user as whom apt reads keys; `None` where that is root. A configuration that cannot be read is
/// refused elsewhere.
pub(crate) fn user_of_apt(host: &Host) -> Option<String> {
    let values = if host.has_program("apt-config") {
        setting::values(host, SANDBOX).unwrap_or_default()
    } else {
        Vec::new()
    };
    let named = values.into_iter().find(|(name, _)| name == SANDBOX);
    let user = named.map_or_else(|| APTS_OWN.to_owned(), |(_, user)| user);
    (user != "root").then_some(user)
}

/// The numbers of a user and of its primary group. apt drops the other groups.
fn numbers(host: &Host, user: &str) -> Result<Option<(u32, u32)>> {
    let entry = host.entry("passwd", user)?.unwrap_or_default();
    let mut fields = entry.split(':').skip(2).map(str::parse);
    Ok(match (fields.next(), fields.next()) {
        (Some(Ok(user)), Some(Ok(group))) => Some((user, group)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;
    use std::os::unix::fs::symlink;

    fn stub() -> StubHost {
        let stub = StubHost::new()
            .folder("/root")
            .file("/root/my.asc", "key")
            .file(Source::KEYRING, "key");
        stub.set_mode("/", 0o755);
        stub
    }

    /// What is closed on the way to a key, each with its mode and the one that dockstrap gives.
    fn of(stub: &StubHost, file: &str) -> Vec<(String, u32, Option<u32>)> {
        let closed = closed(stub.host(), file).unwrap();
        let shown = |it: Closed| (it.path.display().to_string(), it.mode, it.open);
        closed.into_iter().map(shown).collect()
    }

    fn folder(mode: u32, open: Option<u32>) -> Vec<(String, u32, Option<u32>)> {
        vec![("/etc/apt/keyrings".to_owned(), mode, open)]
    }

    #[test]
    fn only_the_bits_that_apt_lacks_are_added_and_only_to_what_is_dockstraps() {
        let stub = stub();
        assert_eq!(of(&stub, Source::KEYRING), []);
        for (mode, open) in [(0o700, Some(0o701)), (0o1750, Some(0o1751)), (0o2750, None)] {
            stub.set_mode("/etc/apt/keyrings", mode);
            assert_eq!(of(&stub, Source::KEYRING), folder(mode, open));
        }
        stub.set_mode("/etc/apt/keyrings", 0o755);
        stub.set_mode(Source::KEYRING, 0o600);
        let key = (Source::KEYRING.to_owned(), 0o600, Some(0o644));
        assert_eq!(of(&stub, Source::KEYRING), [key]);
        let other = "/etc/apt/keyrings/other.asc";
        stub.write(other, "key");
        stub.set_mode(other, 0o600);
        assert_eq!(of(&stub, other), [(other.to_owned(), 0o600, Some(0o644))]);
        stub.set_mode("/root", 0o700);
        stub.set_mode("/", 0o750);
        let above = [
            ("/".to_owned(), 0o750, None),
            ("/root".to_owned(), 0o700, None),
        ];
        assert_eq!(of(&stub, "/root/my.asc"), above);
        let closed = closed(stub.host(), "/root/my.asc").unwrap();
        assert_eq!(closed[1].cure(), "sudo chmod o+x /root");
    }

    #[test]
    fn a_folder_of_apts_own_group_is_open_to_apt() {
        let stub = stub();
        stub.set_mode("/etc/apt/keyrings", 0o750);
        let there = stub.host().metadata("/etc/apt/keyrings").unwrap().unwrap();
        let (user, group) = (there.uid(), there.gid());
        let numbers = "[ $2 = _apt ] && cat $ROOT/etc/passwd || exit 2";
        let stub = stub.program("getent", numbers);
        for (user, group, found) in [
            (user + 1, group, vec![]),
            (user, group + 1, vec![]),
            (user + 1, group + 1, folder(0o750, Some(0o751))),
        ] {
            stub.write("/etc/passwd", format!("_apt:x:{user}:{group}::/:/x\n"));
            assert_eq!(of(&stub, Source::KEYRING), found);
        }
    }

    #[test]
    fn where_apt_works_as_root_or_as_another_user_that_one_counts() {
        let stub = stub();
        stub.set_mode("/etc/apt/keyrings", 0o700);
        let as_user = |stub: StubHost, user: &str| {
            let body = format!("echo 'APT::Sandbox::User \"{user}\";'");
            stub.program("apt-config", &body)
        };
        let stub = as_user(stub, "root");
        assert_eq!(of(&stub, Source::KEYRING), []);
        let owner = stub.host().metadata("/etc/apt").unwrap().unwrap().uid();
        let entry = format!("[ $2 = fetcher ] && echo fetcher:x:{owner}:65534::/:/x || exit 2");
        let stub = as_user(stub, "_apt").program("getent", &entry);
        assert_eq!(of(&stub, Source::KEYRING).len(), 1);
        let stub = as_user(stub, "fetcher");
        assert_eq!(of(&stub, Source::KEYRING), []);
    }

    #[test]
    fn what_a_link_leads_to_is_on_the_way_and_not_opened() {
        let stub = stub();
        let host = stub.host();
        std::fs::remove_file(host.path(Source::KEYRING)).unwrap();
        symlink(host.path("/root/my.asc"), host.path(Source::KEYRING)).unwrap();
        assert_eq!(of(&stub, Source::KEYRING), []);
        stub.set_mode("/root", 0o700);
        assert_eq!(
            of(&stub, Source::KEYRING),
            [("/root".to_owned(), 0o700, None)]
        );
        stub.set_mode("/root", 0o755);
        stub.set_mode("/root/my.asc", 0o600);
        let opened = of(&stub, Source::KEYRING).into_iter().map(|it| it.2);
        assert!(opened.eq([None, None]));
    }
}
