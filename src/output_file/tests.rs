use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::*;
use nix::sys::stat::Mode as Permissions;
use nix::unistd::mkfifo;

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = OutputFile::at(path)?;
    file.write(|out| Ok(out.write_all(text.as_bytes())?))
}

fn names(folder: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<OsString> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    names
}

#[test]
fn what_is_there_stays_until_the_new_is_whole_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xml");
    fs::write(&path, "the last").unwrap();
    let linked = folder.path().join("hard");
    fs::hard_link(&path, &linked).unwrap();
    let file = OutputFile::at(&path).unwrap();
    assert_eq!(names(folder.path()), ["a.xml", "hard"]);
    let failed = file.write(|out| {
        out.write_all(b"half")?;
        anyhow::bail!("no more") as anyhow::Result<()>
    });
    assert!(failed.is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "the last");
    assert_eq!(names(folder.path()), ["a.xml", "hard"]);
    file.write(|out| Ok(out.write_all(b"the next")?)).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "the next");
    assert_eq!(fs::read_to_string(&linked).unwrap(), "the last");
    assert_eq!(names(folder.path()), ["a.xml", "hard"]);
}

#[test]
fn a_link_of_the_callers_stays_and_one_of_another_users_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("real")).unwrap();
    symlink("real", at("latest")).unwrap();
    symlink("../latest/b.xml", at("real/a.xml")).unwrap();
    put(&at("latest/../latest/a.xml"), "text").unwrap();
    assert_eq!(fs::read_to_string(at("real/b.xml")).unwrap(), "text");
    assert!(fs::symlink_metadata(at("real/a.xml")).unwrap().is_symlink());
    symlink("loop", at("loop")).unwrap();
    assert!(OutputFile::at(&at("loop")).is_err());
    assert!(OutputFile::at(&at("none/a.xml")).is_err());
    assert!(OutputFile::at(folder.path()).is_err());
    assert!(OutputFile::at(&at("real/b.xml/c")).is_err());

    if !nix::unistd::geteuid().is_root() {
        return; // only root can give a link away
    }
    for link in ["latest", "real/a.xml"] {
        std::os::unix::fs::lchown(at(link), Some(65534), None).unwrap();
        let error = OutputFile::at(&at("latest/a.xml")).unwrap_err();
        assert!(
            error.to_string().contains("link of another user"),
            "{error}"
        );
        std::os::unix::fs::lchown(at(link), Some(0), None).unwrap();
    }
    std::os::unix::fs::lchown(at("real"), Some(65534), None).unwrap();
    put(&at("real/b.xml"), "in a folder of another's").unwrap();
    assert_eq!(fs::metadata(at("real/b.xml")).unwrap().uid(), 0);
    mkfifo(&at("pipe"), Permissions::S_IRWXU).unwrap();
    std::os::unix::fs::lchown(at("pipe"), Some(65534), None).unwrap();
    assert!(OutputFile::at(&at("pipe")).is_err());
}

#[test]
fn a_link_that_is_put_there_meanwhile_is_replaced_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("victim"), "precious").unwrap();
    fs::create_dir(at("ws")).unwrap();
    let file = OutputFile::at(&at("ws/a.xml")).unwrap();
    symlink("../victim", at("ws/a.xml")).unwrap();
    // The folder may be another one by then, too.
    fs::rename(at("ws"), at("moved")).unwrap();
    symlink(".", at("ws")).unwrap();
    file.write(|out| Ok(out.write_all(b"text")?)).unwrap();
    assert_eq!(fs::read_to_string(at("victim")).unwrap(), "precious");
    assert_eq!(fs::read_to_string(at("moved/a.xml")).unwrap(), "text");
    assert!(!at("a.xml").exists());
}

#[test]
fn a_pipe_that_nobody_reads_is_not_waited_for_and_devices_and_descriptors_are_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    mkfifo(&pipe, Permissions::S_IRWXU).unwrap();
    assert!(OutputFile::at(&pipe).is_err());
    let reader = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    put(&pipe, "text").unwrap();
    let mut read = [0; 4];
    io::Read::read_exact(&mut &reader, &mut read).unwrap();
    assert_eq!(&read, b"text");
    put(Path::new("/dev/null"), "text").unwrap();

    use std::os::fd::AsRawFd;
    let path = folder.path().join("opened");
    let opened = File::create(&path).unwrap();
    let number = opened.as_raw_fd();
    put(&PathBuf::from(format!("/dev/fd/{number}")), "one ").unwrap();
    put(&PathBuf::from(format!("/proc/self/fd/{number}")), "two").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one two");
}
