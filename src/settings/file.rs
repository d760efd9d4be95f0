//! The settings file: where it is, whether it is to be believed, and what it gives.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Layer, Origin, Origins, PATH, check};
use crate::error::Failure;
use crate::host::exposure::refuse_exposed;
use crate::reading;
use crate::redact::redact;
use crate::shell::quoted;

/// What lies below flags and variables.
#[derive(Debug, Default)]
pub(super) struct Below {
    pub layer: Layer,
    /// Which settings it gives.
    pub given: Origins,
    /// What is to be said of its file.
    pub warning: Option<String>,
}

impl Below {
    /// Reads the settings file: `file`, which must be there, or else [`PATH`].
    pub(super) fn read(file: Option<&Path>) -> Result<Below> {
        let path = file.map_or_else(|| PathBuf::from(PATH), Path::to_owned);
        let (text, there) = match read(&path) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => {
                return Ok(Below::default());
            }
            Err(error) => {
                // The kernel itself may refuse a link of another user's.
                if error.kind() == io::ErrorKind::PermissionDenied {
                    refuse_exposed("the settings file", &path)?;
                }
                let cause = format!("cannot read the settings file {}: {error}", path.display());
                return Err(Failure::Usage(cause).into());
            }
        };
        refuse_exposed("the settings file", &path)?;
        let layer = check::layer(&text).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let (path, lines) = (path.display(), lines.join("\n"));
            let cause = format!("the settings file {path} is not right:\n{lines}");
            Failure::Usage(redact(&cause).into_owned())
        })?;
        let keys = layer.keys_given();
        let given = keys.map(|key| (key, Origin::File(path.clone()))).collect();
        let is_open = others_read(&there) && layer.holds_secret();
        Ok(Below {
            warning: is_open.then(|| {
                format!(
                    "{} holds a password, and other users can read it; run: sudo chmod 0600 {}",
                    path.display(),
                    quoted(&path)
                )
            }),
            layer,
            given,
        })
    }
}

/// The text of a file, and what it is like.
fn read(path: &Path) -> io::Result<(String, Metadata)> {
    let file = reading::open_named(path)?;
    let there = file.metadata()?;
    Ok((reading::text_of(file, reading::CONFIGURATION)?, there))
}

fn others_read(there: &Metadata) -> bool {
    let by_group = there.mode() & 0o040 != 0 && there.gid() != 0;
    by_group || there.mode() & 0o004 != 0
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::error::{exit_code, next_command};

    fn read(text: &str, mode: u32) -> Result<Below> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
        Below::read(Some(file.path()))
    }

    #[test]
    fn a_file_that_others_can_write_is_refused() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        for mode in [0o660, 0o606] {
            let error = read("mirror = 'https://mirror.example'\n", mode).unwrap_err();
            assert_eq!(exit_code(&error), 2);
            let next = next_command(&error, Some("install"));
            assert!(next.starts_with("sudo chmod go-w /"), "{next}");
        }
        assert!(read("", 0o640).is_ok());
    }

    #[test]
    fn a_file_with_a_password_that_others_can_read_earns_a_warning() {
        let proxy = "proxy = 'http://me:s3cret@proxy:3128'\n";
        let daemon = "[daemon]\nproxies = { http-proxy = 'http://me:s3cret@proxy' }\n";
        for text in [proxy, daemon, "proxy = 'me:s3cret@proxy'\n"] {
            let warning = read(text, 0o644).unwrap().warning.unwrap();
            assert!(warning.contains("run: sudo chmod 0600 /"), "{warning}");
            assert!(!warning.contains("s3cret"), "{warning}");
            assert_eq!(read(text, 0o600).unwrap().warning, None);
        }
        let plain = "proxy = 'http://proxy:3128'\n";
        assert_eq!(read(plain, 0o644).unwrap().warning, None);
    }
}
