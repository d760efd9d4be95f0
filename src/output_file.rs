//! A file that the caller wants written, in a folder that may be another user's: nobody else
//! decides where the bytes go.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fchmod, fstat, openat, readlinkat, renameat,
    statat, unlinkat,
};

use crate::host::environment::mode_of_output;
use crate::reading::is_own_descriptor;

/// How many links are followed, as by the kernel.
const MOST_LINKS: usize = 40;

/// A file to be written. What is there stays as it is until all of the new is written.
#[derive(Debug)]
pub(crate) enum OutputFile {
    /// A pipe or a device, or what the caller has opened.
    Stream(File),
    /// A regular file, in a folder that is held open: it is the same one whatever its path leads to
    /// by then.
    Replaced { folder: OwnedFd, name: OsString },
}

impl OutputFile {
    /// Finds the file and tries, without leaving a trace, whether it can be written.
    ///
    /// # Errors
    /// Also for a link, a pipe or a device of another user's than root's and the caller's.
    pub(crate) fn at(path: &Path) -> io::Result<OutputFile> {
        match Walk::begin(path)?.end()? {
            Destination::Descriptor(path) => {
                let file = OpenOptions::new().append(true).open(path)?;
                Ok(OutputFile::Stream(file))
            }
            Destination::Stream { folder, name } => stream(&folder, &name).map(OutputFile::Stream),
            Destination::File { folder, name } => {
                PartialFile::create(&folder)?;
                Ok(OutputFile::Replaced { folder, name })
            }
        }
    }

    /// Writes all of it, by `write`.
    pub(crate) fn write<T>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        match self {
            OutputFile::Stream(file) => buffered(file, write),
            OutputFile::Replaced { folder, name } => {
                let unfinished = PartialFile::create(folder)?;
                let written = buffered(&unfinished.file, write)?;
                unfinished.file.sync_all()?;
                unfinished.rename(name)?;
                Ok(written)
            }
        }
    }
}

fn buffered<T>(
    file: &File,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut buffer = BufWriter::new(file);
    let written = write(&mut buffer)?;
    buffer.flush()?;
    Ok(written)
}

/// Opens a pipe or a device. A pipe that nobody reads is an error rather than a wait.
fn stream(folder: &OwnedFd, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(folder, name, flags | OFlags::NONBLOCK, Mode::empty())?;
    // It may be another one by now.
    if !is_stream(&fstat(&file)?)? {
        return Err(refusal(name, "was replaced meanwhile"));
    }
    rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
    Ok(file.into())
}

/// A new file beside the one that it is going to replace; it goes unless it does.
struct PartialFile<'a> {
    folder: &'a OwnedFd,
    name: OsString,
    file: File,
}

impl PartialFile<'_> {
    fn create(folder: &OwnedFd) -> io::Result<PartialFile<'_>> {
        let name = OsString::from(format!(".dockstrap-{:016x}", fastrand::u64(..)));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let file = openat(folder, &name, flags | OFlags::CLOEXEC, Mode::RUSR)?.into();
        let unfinished = PartialFile { folder, name, file };
        fchmod(&unfinished.file, Mode::from_raw_mode(mode_of_output()))?;
        Ok(unfinished)
    }

    fn rename(mut self, name: &OsStr) -> io::Result<()> {
        renameat(self.folder, &self.name, self.folder, name)?;
        self.name.clear();
        Ok(())
    }
}

impl Drop for PartialFile<'_> {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            let _ = unlinkat(self.folder, &self.name, AtFlags::empty());
        }
    }
}

/// What a path leads to.
enum Destination {
    /// An open file of this process.
    Descriptor(PathBuf),
    Stream {
        folder: OwnedFd,
        name: OsString,
    },
    /// A regular file, or none yet.
    File {
        folder: OwnedFd,
        name: OsString,
    },
}

/// A walk along a path, component by component: what may be followed is seen on what was opened.
struct Walk {
    folder: OwnedFd,
    /// The folder's path, without links.
    at: PathBuf,
    ahead: VecDeque<OsString>,
    links: usize,
}

impl Walk {
    fn begin(path: &Path) -> io::Result<Walk> {
        let mut walk = Walk {
            folder: open_folder(CWD, OsStr::new("."))?,
            at: std::env::current_dir().unwrap_or_default(),
            ahead: VecDeque::new(),
            links: 0,
        };
        walk.go_by(path)?;
        Ok(walk)
    }

    /// Puts a path, or what a link holds, before what is still ahead.
    fn go_by(&mut self, path: &Path) -> io::Result<()> {
        if path.is_absolute() {
            self.folder = open_folder(CWD, OsStr::new("/"))?;
            self.at = PathBuf::from("/");
        }
        let names: Vec<OsString> = path
            .components()
            .filter_map(|part| match part {
                Component::Normal(name) => Some(name.to_owned()),
                Component::ParentDir => Some(OsString::from("..")),
                _ => None,
            })
            .collect();
        names
            .into_iter()
            .rev()
            .for_each(|name| self.ahead.push_front(name));
        Ok(())
    }

    fn end(mut self) -> io::Result<Destination> {
        while let Some(name) = self.ahead.pop_front() {
            let path = self.at.join(&name);
            let is_last = self.ahead.is_empty();
            let there = match statat(&self.folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(rustix::io::Errno::NOENT) if is_last => {
                    return Ok(Destination::File {
                        folder: self.folder,
                        name,
                    });
                }
                there => there?,
            };
            match FileType::from_raw_mode(there.st_mode) {
                FileType::Symlink => {
                    if is_last && is_own_descriptor(&self.named_self(&path)) {
                        return Ok(Destination::Descriptor(path));
                    }
                    self.follow(&name)?;
                }
                FileType::Directory => {
                    self.folder = open_folder(self.folder.as_fd(), &name)?;
                    self.at = path;
                }
                _ if !is_last => return Err(io::ErrorKind::NotADirectory.into()),
                FileType::RegularFile => {
                    return Ok(Destination::File {
                        folder: self.folder,
                        name,
                    });
                }
                _ if is_stream(&there)? => {
                    return Ok(Destination::Stream {
                        folder: self.folder,
                        name,
                    });
                }
                _ => return Err(refusal(&name, "is neither a file nor a pipe")),
            }
        }
        Err(io::ErrorKind::IsADirectory.into())
    }

    /// Goes on by a link of the caller's or of root's. Another user could lead us anywhere.
    fn follow(&mut self, name: &OsStr) -> io::Result<()> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(rustix::io::Errno::LOOP.into());
        }
        // Owner and target are those of one and the same link, whatever takes its place.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let link = openat(&self.folder, name, flags, Mode::empty())?;
        if !is_trusted(&fstat(&link)?) {
            let why = "is a link of another user; name the file that is meant";
            return Err(if self.ahead.is_empty() {
                io::Error::other(format!("it {why}"))
            } else {
                refusal(self.at.join(name).as_os_str(), why)
            });
        }
        let target = readlinkat(&link, "", Vec::new())?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        self.go_by(&target)
    }

    /// The path with `self` for our own number, by which `/proc/self` leads there.
    fn named_self(&self, path: &Path) -> PathBuf {
        let own = Path::new("/proc").join(std::process::id().to_string());
        match path.strip_prefix(own) {
            Ok(rest) => Path::new("/proc/self").join(rest),
            Err(_) => path.to_owned(),
        }
    }
}

fn open_folder(folder: impl AsFd, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(folder, name, flags, Mode::empty())?)
}

/// Whether it is a pipe or a character device that may be written to.
fn is_stream(there: &Stat) -> io::Result<bool> {
    match FileType::from_raw_mode(there.st_mode) {
        FileType::Fifo | FileType::CharacterDevice if is_trusted(there) => Ok(true),
        FileType::Fifo | FileType::CharacterDevice => {
            Err(io::Error::other("it is a pipe or a device of another user"))
        }
        _ => Ok(false),
    }
}

/// Whether it is the caller's own or root's.
fn is_trusted(there: &Stat) -> bool {
    [0, nix::unistd::geteuid().as_raw()].contains(&there.st_uid)
}

fn refusal(name: &OsStr, why: &str) -> io::Error {
    io::Error::other(format!("{} {why}", name.display()))
}

#[cfg(test)]
mod tests;
