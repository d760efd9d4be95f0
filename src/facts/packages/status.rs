//! dpkg's own record of the packages, for when it is lost: dpkg knows of none then, and apt does
//! nothing.

use std::io::Read;

use anyhow::Result;

use crate::error::{Failure, quote};
use crate::host::Host;
use crate::host::command::Output;
use crate::reading;
use crate::shell;

/// Where dpkg keeps what it knows of the host's packages.
pub(crate) const STATUS: &str = "/var/lib/dpkg/status";

/// Copies of it: the one of the last change, and those of every day, of which the newest has no
/// number behind its own. Older ones are compressed.
const COPIES: &[&str] = &["/var/lib/dpkg/status-old", "/var/backups/dpkg.status.0"];

/// What the record begins with. A power cut may leave zeros in its place.
const BEGIN: [u8; 8] = *b"Package:";

/// What helps where it cannot be read, with the command.
pub(crate) fn status_cure(host: &Host) -> Result<String> {
    for copy in COPIES {
        if is_copy(host, copy) {
            let words = shell::joined(["cp", "--preserve", copy, STATUS]);
            return Ok(format!("Put its last copy back: sudo {words}"));
        }
    }
    Ok(format!(
        "There is no copy of it in {}; take one from a backup of this host",
        COPIES.join(" or ")
    ))
}

/// Whether the record stands there, of whatever size. A file that cannot be read is no copy.
fn is_copy(host: &Host, path: &str) -> bool {
    let mut begin = [0; BEGIN.len()];
    let file = reading::open(&host.path(path));
    file.and_then(|mut file| file.read_exact(&mut begin))
        .is_ok_and(|()| begin == BEGIN)
}

/// The failure of a dpkg-query that could not read it.
pub(super) fn unreadable(host: &Host, output: &Output) -> Result<Option<Failure>> {
    let stderr = &output.stderr;
    if !stderr.contains("package info file") && !stderr.contains("parsing file") {
        return Ok(None);
    }
    let cure = status_cure(host)?;
    let text = format!(
        "{STATUS}: dpkg cannot read what it knows of this host's packages; nothing was changed. {cure}"
    );
    Ok(Some(Failure::Blocked(quote(&text, &output.tail()))))
}

/// The failure of a dpkg that knows of no package, not even of itself: to one that finds no record,
/// nothing is installed.
pub(crate) fn lost_status(host: &Host) -> Result<Failure> {
    let cure = status_cure(host)?;
    Ok(Failure::Blocked(format!(
        "{STATUS}: dpkg knows of no packages of this host, not even of itself; nothing was changed. \
         {cure}"
    )))
}

#[cfg(test)]
mod tests {
    use crate::error::{exit_code, next_command};
    use crate::facts::known_packages;
    use crate::host::stub::StubHost;

    const LOST: &str = "echo \"dpkg-query: error: failed to open package info file \
                        '/var/lib/dpkg/status' for reading: No such file or directory\" >&2; exit 2";

    #[test]
    fn a_record_that_is_lost_is_put_back_from_the_newest_copy_that_holds_anything() {
        let refused = |stub: StubHost| {
            let stub = stub.program("dpkg-query", LOST);
            let error = known_packages(stub.host()).unwrap_err();
            assert_eq!(exit_code(&error), 4, "{error}");
            next_command(&error, Some("install"))
        };
        let old = StubHost::new()
            .file("/var/lib/dpkg/status-old", "Package: dpkg\n")
            .file("/var/backups/dpkg.status.0", "Package: dpkg\n");
        assert_eq!(
            refused(old),
            "sudo cp --preserve /var/lib/dpkg/status-old /var/lib/dpkg/status"
        );
        let daily = StubHost::new()
            .file("/var/lib/dpkg/status-old", "")
            .file("/var/backups/dpkg.status.0", "Package: dpkg\n");
        assert_eq!(
            refused(daily),
            "sudo cp --preserve /var/backups/dpkg.status.0 /var/lib/dpkg/status"
        );
        // That of a host with some thousand packages, beside one that a power cut zeroed.
        let large = format!("Package: dpkg\n{}", "Status: installed\n".repeat(200_000));
        let large = StubHost::new()
            .file("/var/lib/dpkg/status-old", "\0".repeat(4096))
            .file("/var/backups/dpkg.status.0", large);
        assert_eq!(
            refused(large),
            "sudo cp --preserve /var/backups/dpkg.status.0 /var/lib/dpkg/status"
        );
        let unreadable = StubHost::new()
            .folder("/var/lib/dpkg/status-old")
            .file("/var/backups/dpkg.status.0", "Package: dpkg\n");
        assert_eq!(
            refused(unreadable),
            "sudo cp --preserve /var/backups/dpkg.status.0 /var/lib/dpkg/status"
        );
        assert_eq!(refused(StubHost::new()), "sudo dockstrap doctor");
    }
}
