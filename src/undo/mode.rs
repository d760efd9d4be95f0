//! The way back for the mode of a file or folder.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Revert, Reverted};
use crate::daemon_config::{self, Document};
use crate::host::nofollow;
use crate::redact::has_password;
use crate::trust::sha256_hex;

/// The rights of the group and of everybody else.
const OF_OTHERS: u32 = 0o077;

impl Revert<'_> {
    /// Sets the mode that was there, unless somebody has changed it or the owner since, or others
    /// could then read a secret that they could not read before: `open` are hashes of those that
    /// they could.
    pub(super) fn restore_mode(
        &self,
        path: &Path,
        mode: u32,
        given: Option<u32>,
        owner: Option<(u32, u32)>,
        open: &[String],
    ) -> Result<Reverted> {
        let shown = path.display();
        let there = match fs::metadata(self.host.path(path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Reverted::Done),
            there => there.with_context(|| format!("looking at {shown}"))?,
        };
        let now = there.mode() & 0o7777;
        let given = given.unwrap_or(mode & !OF_OTHERS);
        if now == mode {
            return Ok(Reverted::Done);
        }
        if now != given {
            return Ok(Reverted::Kept(format!(
                "its mode was changed since, from {given:04o} to {now:04o}"
            )));
        }
        let owner_now = (there.uid(), there.gid());
        if owner.is_some_and(|owner| owner != owner_now) {
            let (user, group) = owner_now;
            return Ok(Reverted::Kept(format!(
                "its owner was changed since, to {user}:{group}"
            )));
        }
        if mode & OF_OTHERS != 0 && there.is_file() && self.holds_another_secret(path, open)? {
            return Ok(Reverted::Kept(
                "it holds a password, which other users could then read".to_owned(),
            ));
        }
        nofollow::set_mode(&self.host.path(path), mode)
            .with_context(|| format!("setting the mode of {shown}"))?;
        Ok(Reverted::Done)
    }

    fn holds_another_secret(&self, path: &Path, open: &[String]) -> Result<bool> {
        let bytes = self.host.read(path)?.unwrap_or_default();
        let is_configuration = path == Path::new(daemon_config::PATH);
        let document = is_configuration.then(|| Document::parse(&bytes).ok());
        Ok(match document.flatten() {
            Some(document) => {
                let held = hashes(&document.passwords());
                held.iter().any(|it| !open.contains(it))
            }
            None => has_password(&String::from_utf8_lossy(&bytes)),
        })
    }
}

/// As what secrets can be written down.
pub(crate) fn hashes(secrets: &[&str]) -> Vec<String> {
    let hashes = secrets.iter().map(|secret| sha256_hex(secret.as_bytes()));
    hashes.collect()
}
