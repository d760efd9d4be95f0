//! What a bundle holds of Ubuntu's archive, in the place of the host's own sources.

#![expect(clippy::disallowed_methods, reason = "a view is a folder of the run")]

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

use super::View;
use crate::apt::Archives;
use crate::apt::archive::{Archive, Measured, unescape};
use crate::apt::ubuntu::{self, Pocket, Room, UBUNTU_KEYRING, UbuntuPart};
use crate::error::Failure;
use crate::host::Host;
use crate::host::bundle::{Bundle, DOCKER, Manifest};
use crate::host::folder::Folder;
use crate::relative_path::RelativePath;
use crate::trust::Refusal;

/// How apt gets there. By `file:`, apt 2.6 holds an index against the hash of its compressed
/// form and refuses it.
const METHOD: &str = "copy:";

impl View {
    /// Has apt verify what the bundle holds of Ubuntu's archive.
    pub(super) fn refresh_bundled(&self, host: &Host) -> Result<()> {
        match self.refresh_others(host)? {
            None => Ok(()),
            Some(broken) => Err(Failure::Trust(format!(
                "what the bundle holds of Ubuntu's archive is refused; nothing was changed. \
                 {broken}"
            ))
            .into()),
        }
    }

    /// Refuses a bundle that lacks a package or has another in its place, before the host changes.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when one is missing, [`Failure::Trust`] when one is not what the
    /// verified index says.
    pub(super) fn check_bundled(&self, bundle: &Bundle, archives: &Archives) -> Result<()> {
        let refuse = |refusal: Refusal| {
            let shown = bundle.path().display();
            let text = format!("the bundle {shown} is not to be trusted; nothing was changed");
            anyhow::Error::from(Failure::from(refusal)).context(text)
        };
        for archive in &archives.docker {
            let name = &archive.entry.path;
            let mut slice = bundle
                .open_below(DOCKER, name.as_str(), 0)
                .ok_or_else(|| lacking(bundle, archive))?;
            let mut measured = Measured::default();
            measured
                .read(&mut slice)
                .with_context(|| format!("reading {name} in the bundle"))?;
            measured.check(&archive.entry).map_err(refuse)?;
        }
        for archive in &archives.others {
            // An older one of the host's own sources cannot be: there are none in this view.
            let path = archive.uri.strip_prefix(METHOD).map(unescape);
            let path = path
                .filter(|path| Path::new(path).is_file())
                .ok_or_else(|| lacking(bundle, archive))?;
            archive.check(Path::new(&path))?.map_err(refuse)?;
        }
        Ok(())
    }

    /// Unpacks what the bundle holds of Ubuntu's archive, and names it as this view's sources. apt
    /// verifies it against the same keys.
    pub(super) fn unpack(&mut self, host: &Host, bundle: &Bundle) -> Result<()> {
        let Manifest {
            archives,
            architecture,
            ..
        } = bundle.manifest();
        if archives.is_empty() {
            return Ok(());
        }
        let now = SystemTime::now();
        let keyring = ubuntu::keyring(host, now)?.ok_or_else(no_keyring)?;
        let folder = Folder::open(self.folder.path()).context("opening a folder of our own")?;
        let mut room = Room::default();
        for (number, part) in archives.iter().enumerate() {
            let verified = UbuntuPart::verify(bundle, part, &keyring, now)?;
            let root = RelativePath::parse(&format!("bundle/{number}"))?;
            let below = folder
                .below(&root)
                .with_context(|| format!("making {root}"))?;
            verified.unpack(Some(&below), &mut room)?;
            self.pockets.push(verified.pocket());
            let components: Vec<&str> = part.components.iter().map(RelativePath::as_str).collect();
            let source = format!(
                "Types: deb\n\
                 URIs: {METHOD}{}\n\
                 Suites: {}\n\
                 Components: {}\n\
                 Architectures: {architecture}\n\
                 Signed-By: {UBUNTU_KEYRING}\n",
                self.path(root.as_str()).display(),
                part.suite,
                components.join(" "),
            );
            fs::write(
                self.path(&format!("sources/bundle-{number}.sources")),
                source,
            )?;
        }
        Ok(())
    }

    /// Which states of Ubuntu's archive the bundle has.
    pub(crate) fn pockets(&self) -> &[Pocket] {
        &self.pockets
    }
}

fn no_keyring() -> Failure {
    Failure::Blocked(format!(
        "this host has no {UBUNTU_KEYRING}, against which the bundle's part of Ubuntu's archive is \
         verified; nothing was changed. It is of the package ubuntu-keyring: sudo apt-get install \
         ubuntu-keyring"
    ))
}

fn lacking(bundle: &Bundle, archive: &Archive) -> Failure {
    Failure::Blocked(format!(
        "the bundle {} lacks {}, which apt chooses on this host; nothing was changed. Make one on \
         a host like this, with the same pins: dockstrap bundle create",
        bundle.path().display(),
        archive.name
    ))
}
