//! Small disks for a host: real file systems, each in a file of this machine behind a loop device.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::host::LabHost;

/// Where the disk itself is mounted.
const SMALL: &str = "/mnt/small";

/// A small disk that is mounted in a host. It goes with its last mount.
pub(crate) struct SmallDisk<'a> {
    host: &'a LabHost,
}

impl LabHost {
    /// Mounts a disk of so many MB at a folder, which then holds nothing else.
    pub(crate) fn mount_disk(&self, megabytes: u64, folder: &str) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        file.as_file().set_len(megabytes << 20).expect("its size");
        // Small blocks, none of them for root alone, and no journal of its own.
        let mkfs = ["-q", "-b", "1024", "-m", "0", "-O", "^has_journal"];
        succeed(Command::new("mkfs.ext4").args(mkfs).arg(file.path()));
        let device = succeed(
            Command::new("losetup")
                .args(["--find", "--show"])
                .arg(file.path()),
        );
        let device = device.trim();
        let number = device.strip_prefix("/dev/loop").expect("a loop device");
        self.sh(&format!(
            "test -e {device} || mknod {device} b 7 {number}
             mkdir -p {folder}; mount {device} {folder}; rm {device}"
        ));
        // From now on it is only kept by its mounts, as the file is by the device.
        succeed(
            Command::new("losetup")
                .arg("--detach")
                .arg(Path::new(device)),
        );
    }

    /// Puts a small disk over a folder and what is in it, with room for so many more kB.
    pub(crate) fn put_on_small_disk(&self, folder: &str, kilobytes: u64) -> SmallDisk<'_> {
        self.mount_disk(2048, SMALL);
        self.sh(&format!(
            "mkdir {SMALL}/upper {SMALL}/work
             mount -t overlay -o lowerdir={folder},upperdir={SMALL}/upper,workdir={SMALL}/work \
                 none {folder}"
        ));
        let disk = SmallDisk { host: self };
        disk.leave_room(kilobytes);
        disk
    }

    /// Fills the disk at a folder but for so many kB.
    pub(crate) fn fill_disk(&self, folder: &str, kilobytes: u64) {
        self.sh(&filling(folder, kilobytes));
    }

    /// Fills the disk at a folder as soon as dpkg unpacks a program.
    pub(crate) fn fill_disk_amid_unpacking(&self, folder: &str) {
        self.sh(&format!(
            "until ls /usr/bin/*.dpkg-new >/dev/null 2>&1; do :; done; {}",
            filling(folder, 0)
        ));
    }
}

impl SmallDisk<'_> {
    /// Leaves so much room on the disk. What is there already does not count.
    pub(crate) fn leave_room(&self, kilobytes: u64) {
        self.host.fill_disk(SMALL, kilobytes);
    }

    /// Fills it as soon as dpkg unpacks a program.
    pub(crate) fn fill_amid_unpacking(&self) {
        self.host.fill_disk_amid_unpacking(SMALL);
    }
}

/// The file that fills it takes some blocks for itself, and others write meanwhile, so that the last
/// blocks are written.
fn filling(folder: &str, kilobytes: u64) -> String {
    let rest = match kilobytes {
        0 => "cat /dev/zero >>$filler 2>/dev/null || true".to_owned(),
        _ => format!(
            "left=$(($(free) - {kilobytes}))
             test $left -le 0 || head -c ${{left}}k /dev/zero >>$filler"
        ),
    };
    format!(
        "filler={folder}/filler; rm -f $filler
         free() {{ df --output=avail {folder} | tail -n 1; }}
         large=$(($(free) - {kilobytes} - 1024))
         test $large -le 0 || fallocate --length=${{large}}k $filler || true
         {rest}"
    )
}

/// Runs a command of this machine, and returns what it printed.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .expect("starting it");
    assert!(output.status.success(), "{command:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
