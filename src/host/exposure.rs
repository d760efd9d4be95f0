//! Who can change what a path leads to: the file, each folder above it, and each link on the way.
//!
//! What root reads from a path that others can change, others decide.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;

use super::Host;
use crate::error::Failure;
use crate::shell::quoted;

/// As many as the kernel follows.
const MOST_LINKS: usize = 40;

/// In a folder with this bit, a file is removed and renamed by its owner only.
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;

/// The first place on the way along a path that others than its owner can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposure {
    /// Where the way leads.
    path: PathBuf,
    /// What others can change.
    place: PathBuf,
    fault: Weakness,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weakness {
    /// It belongs to the user of this number.
    Foreign(u32),
    /// It is a link that belongs to the user of this number.
    ForeignLink(u32),
    /// Its mode lets the group or everyone write.
    Writable,
}

impl Host {
    /// What lets others than root change what `path` leads to on this host; `None` where nothing
    /// does, or nothing is there.
    pub(crate) fn exposure(&self, path: &Path) -> io::Result<Option<Exposure>> {
        // In a test, a folder of whoever runs it stands for the root.
        let root = if self.root == Path::new("/") {
            0
        } else {
            fs::metadata(&self.root)?.uid()
        };
        match Way::along(&self.root, path, &[root]) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            exposure => exposure,
        }
    }
}

/// Refuses, where this is root, a file that others could have written; call it once the file is
/// open. `what` is the word for it of whoever gave it, such as `ca-cert`.
///
/// # Errors
/// [`Failure::Usage`], with the command that helps.
pub(crate) fn refuse_exposed(what: &str, path: &Path) -> Result<(), Failure> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(()); // what is read decides nothing of root's
    }
    let refuse = |why: String| Failure::Usage(format!("{what} {}: {why}", path.display()));
    let exposure =
        std::path::absolute(path).and_then(|path| Way::along(Path::new("/"), &path, &[0]));
    match exposure {
        Ok(None) => Ok(()),
        Ok(Some(exposure)) if exposure.is_led_by_another() => {
            let copy = exposure.copy();
            Err(refuse(format!(
                "{exposure}. Use a copy that only root can change: {copy}"
            )))
        }
        Ok(Some(exposure)) => Err(refuse(format!("{exposure}. Run: {}", exposure.cure()))),
        Err(error) => Err(refuse(format!("cannot be checked: {error}"))),
    }
}

/// What lets others than these users change what stands in a folder.
pub(super) fn of_folder(path: &Path, owners: &[u32]) -> io::Result<Option<Exposure>> {
    Way::along(Path::new("/"), path, owners)
}

impl Exposure {
    /// Whether it is a folder above, or a link to it, that others can change.
    pub(crate) fn is_above(&self) -> bool {
        self.place != self.path
    }

    /// Whether another user decides where the path leads, so that to change the file helps nothing.
    fn is_led_by_another(&self) -> bool {
        match self.fault {
            Weakness::Foreign(_) => self.is_above(),
            Weakness::ForeignLink(_) => true,
            Weakness::Writable => false,
        }
    }

    /// The command after which only root can change that place.
    pub(crate) fn cure(&self) -> String {
        let place = quoted(&self.place);
        match self.fault {
            Weakness::Foreign(_) => {
                format!("sudo chown root:root {place} && sudo chmod go-w {place}")
            }
            Weakness::ForeignLink(_) => format!("sudo chown --no-dereference root:root {place}"),
            Weakness::Writable => format!("sudo chmod go-w {place}"),
        }
    }

    /// The same where the path was not named before.
    pub(super) fn with_place(&self) -> String {
        let place = self.place.display();
        match self.fault {
            Weakness::ForeignLink(user) => format!("the link {place} belongs to user {user}"),
            Weakness::Foreign(user) => format!("{place} belongs to user {user}"),
            Weakness::Writable => format!("other users can write to {place}"),
        }
    }

    /// The command that makes a copy where only root can change it.
    fn copy(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        let copy = Path::new("/root").join(name);
        let (from, to) = (quoted(&self.path), quoted(&copy));
        format!("sudo install --mode=0600 {from} {to}")
    }
}

/// The fault, to be put after what it is about.
impl fmt::Display for Exposure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_above(), self.fault) {
            (false, Weakness::Foreign(user)) => write!(formatter, "belongs to user {user}"),
            (false, Weakness::Writable) => formatter.write_str("other users can write to it"),
            _ => formatter.write_str(&self.with_place()),
        }
    }
}

/// The way along a path, links followed as the kernel does.
struct Way<'a> {
    /// The folder that stands for the host's root.
    root: &'a Path,
    /// Who may own what is on the way.
    owners: &'a [u32],
    /// How far it went, without links.
    at: PathBuf,
    rest: VecDeque<OsString>,
}

impl Way<'_> {
    fn along(root: &Path, path: &Path, owners: &[u32]) -> io::Result<Option<Exposure>> {
        let mut way = Way {
            root,
            owners,
            at: PathBuf::from("/"),
            rest: parts(path).collect(),
        };
        let exposed = |place: &Path, fault| {
            Some(Exposure {
                path: path.to_owned(),
                place: place.to_owned(),
                fault,
            })
        };
        if let Some(fault) = way.fault(&fs::symlink_metadata(root)?) {
            return Ok(exposed(&way.at, fault));
        }
        let mut links = 0;
        while let Some(part) = way.rest.pop_front() {
            if part == ".." {
                way.at.pop();
                continue;
            }
            if way.is_at_open_files()? {
                return Ok(None); // opened by whoever called us
            }
            let next = way.at.join(part);
            let there = fs::symlink_metadata(way.real(&next))?;
            if let Some(fault) = way.fault(&there) {
                return Ok(exposed(&next, fault));
            }
            if !there.is_symlink() {
                way.at = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::ELOOP.into());
            }
            way.follow(&fs::read_link(way.real(&next))?);
        }
        Ok(None)
    }

    fn follow(&mut self, target: &Path) {
        if target.is_absolute() {
            self.at = PathBuf::from("/");
        }
        for part in parts(target).collect::<Vec<_>>().into_iter().rev() {
            self.rest.push_front(part);
        }
    }

    fn real(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn fault(&self, there: &Metadata) -> Option<Weakness> {
        let owner = there.uid();
        if !self.owners.contains(&owner) {
            return Some(if there.is_symlink() {
                Weakness::ForeignLink(owner)
            } else {
                Weakness::Foreign(owner)
            });
        }
        let kind = there.file_type();
        // Writing to a device changes nothing of what is read from it; a link has no mode.
        let has_mode = !kind.is_symlink() && !kind.is_char_device();
        let is_shared = kind.is_dir() && there.mode() & STICKY != 0;
        let is_writable = has_mode && !is_shared && there.mode() & OTHERS_WRITE != 0;
        is_writable.then_some(Weakness::Writable)
    }

    /// Whether what comes next are files that this process was given open, as by `<(…)`.
    fn is_at_open_files(&self) -> io::Result<bool> {
        if !self.at.starts_with("/proc") || !self.at.ends_with("fd") {
            return Ok(false);
        }
        let own = fs::read_link(self.real(Path::new("/proc/self")))?;
        Ok(self.at == Path::new("/proc").join(own).join("fd"))
    }
}

/// The names that a path is made of, without its root.
fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
