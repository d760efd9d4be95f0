//! One way to read a file whose name or content comes from others: only a regular one, and only up
//! to a limit. A pipe would block, a device may never end.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path};

use rustix::fs::OFlags;

/// Files of configuration.
pub(crate) const CONFIGURATION: u64 = 1 << 20;

/// What package managers, the engine, the kernel and dockstrap itself keep.
pub(crate) const RECORDS: u64 = 64 << 20;

/// The device number of `/dev/null`, to which systemd and others link a file that counts as empty.
const NULL: u64 = 1 << 8 | 3;

/// The bytes of the regular file at `path`, at most `limit` of them. Links are followed.
///
/// # Errors
/// When it is something else, except `/dev/null`, which is empty; when it is larger.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    up_to(open_or_null(path)?, limit)
}

/// The same where a link at `path` itself is not followed.
pub(crate) fn read_unlinked(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    up_to(open_unlinked(path)?, limit)
}

/// The same for a file that the caller named: it may also be one that the caller has opened, such
/// as `/dev/stdin`, whatever kind that is.
pub(crate) fn read_named(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    up_to(open_named(path)?, limit)
}

/// Opens a file to be read as by [`read_named`].
pub(crate) fn open_named(path: &Path) -> io::Result<File> {
    if is_own_descriptor(path) {
        File::open(path)
    } else {
        open_or_null(path)
    }
}

/// All of an open file as a text in UTF-8, at most `limit` bytes.
pub(crate) fn text_of(file: impl Read, limit: u64) -> io::Result<String> {
    text(up_to(file, limit)?)
}

/// As [`read_named`], for a text in UTF-8.
pub(crate) fn read_named_text(path: &Path, limit: u64) -> io::Result<String> {
    text(read_named(path, limit)?)
}

/// All of standard input, at most `limit` bytes.
pub(crate) fn read_stdin(limit: u64) -> io::Result<String> {
    text_of(io::stdin().lock(), limit)
}

/// Opens a file to be read as by [`read`].
pub(crate) fn open_or_null(path: &Path) -> io::Result<File> {
    if is_null(&fs::metadata(path)?) {
        File::open(path)
    } else {
        open(path)
    }
}

/// Opens the regular file at `path` for reading, without waiting for anything.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Opening a device can do something already, so its kind is known before.
    require_regular(&fs::metadata(path)?)?;
    open_with(path, OFlags::empty())
}

/// The same where a link at `path` itself is not followed.
pub(crate) fn open_unlinked(path: &Path) -> io::Result<File> {
    require_regular(&fs::symlink_metadata(path)?)?;
    open_with(path, OFlags::NOFOLLOW)
}

fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    // It may be another one by now.
    require_regular(&file.metadata()?)?;
    Ok(file)
}

fn up_to(file: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        Err(io::Error::other(format!(
            "it is larger than {} MiB",
            limit >> 20
        )))
    } else {
        Ok(bytes)
    }
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not a text in UTF-8"))
}

fn require_regular(there: &Metadata) -> io::Result<()> {
    let kind = there.file_type();
    let found = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "folder",
        () if kind.is_symlink() => "link",
        () if kind.is_fifo() => "pipe",
        () if kind.is_socket() => "socket",
        () => "device",
    };
    Err(io::Error::other(format!(
        "it is a {found}, not a regular file"
    )))
}

fn is_null(there: &Metadata) -> bool {
    there.file_type().is_char_device() && there.rdev() == NULL
}

/// Whether the path names an open file of this process.
pub(crate) fn is_own_descriptor(path: &Path) -> bool {
    if ["/dev/stdin", "/dev/stdout", "/dev/stderr"]
        .map(Path::new)
        .contains(&path)
    {
        return true;
    }
    let number = ["/dev/fd", "/proc/self/fd"]
        .iter()
        .find_map(|folder| path.strip_prefix(folder).ok())
        .map(|it| it.components().collect::<Vec<_>>());
    matches!(number.as_deref(), Some([Component::Normal(name)])
        if name.to_str().is_some_and(|name| name.parse::<u32>().is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    fn refusal(path: &Path) -> String {
        read(path, CONFIGURATION).unwrap_err().to_string()
    }

    #[test]
    fn only_a_regular_file_is_read_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        symlink(at("pipe"), at("link")).unwrap();
        assert_eq!(refusal(&at("pipe")), "it is a pipe, not a regular file");
        assert_eq!(refusal(&at("link")), "it is a pipe, not a regular file");
        assert_eq!(refusal(&at("socket")), "it is a socket, not a regular file");
        assert_eq!(refusal(&at("zero")), "it is a device, not a regular file");
        assert_eq!(refusal(folder.path()), "it is a folder, not a regular file");
        assert!(open(&at("pipe")).is_err());
    }

    #[test]
    fn a_file_that_is_linked_to_dev_null_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("masked.conf");
        symlink("/dev/null", &link).unwrap();
        assert_eq!(read(&link, CONFIGURATION).unwrap(), b"");
        assert!(read_unlinked(&link, CONFIGURATION).is_err());
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        file.set_len(CONFIGURATION).unwrap();
        assert_eq!(
            read(&path, CONFIGURATION).unwrap().len() as u64,
            CONFIGURATION
        );
        file.set_len(1 << 40).unwrap();
        assert_eq!(refusal(&path), "it is larger than 1 MiB");
        // The kernel gives no size for its own, which are regular files.
        assert!(
            !read(Path::new("/proc/self/stat"), CONFIGURATION)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn what_the_caller_has_opened_may_be_of_any_kind() {
        for path in ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/0"] {
            assert!(is_own_descriptor(Path::new(path)), "{path}");
        }
        for path in [
            "/dev/fd",
            "/dev/fd/../null",
            "/dev/fd/x",
            "/proc/1/fd/0",
            "/dev/null",
        ] {
            assert!(!is_own_descriptor(Path::new(path)), "{path}");
        }
    }
}
