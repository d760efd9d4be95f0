//! What a bundle holds of Ubuntu's archive, in the place of the host's own sources.

use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;

use super::View;
use crate::apt::Archives;
use crate::apt::archive::{Archive, Measured, unescape};
use crate::error::Failure;
use crate::host::Host;
use crate::host::bundle::{Bundle, COMPRESSED, DOCKER};
use crate::trust::Refusal;

/// The keys of Ubuntu's archive, of the package ubuntu-keyring, which every Ubuntu has.
const UBUNTU_KEYRING: &str = "/usr/share/keyrings/ubuntu-archive-keyring.gpg";

/// How apt gets there. By `file:`, apt 2.6 holds an index against the hash of its compressed
/// form and refuses it.
const METHOD: &str = "copy:";

/// What an index may have unpacked, in bytes; that of all of universe has about 80 MB.
const INDEX_LIMIT: u64 = 1 << 30;

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
            let name = format!("{DOCKER}/{}", archive.entry.path);
            let mut slice = bundle
                .open_file(&name, 0)
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
            let path = path.filter(|path| Path::new(path).is_file());
            let path = path.ok_or_else(|| lacking(bundle, archive))?;
            archive.check(Path::new(&path))?.map_err(refuse)?;
        }
        Ok(())
    }

    /// Unpacks what the bundle holds of Ubuntu's archive, and names it as this view's sources. apt
    /// verifies it against the keys that this host has.
    pub(super) fn unpack(&self, bundle: &Bundle) -> Result<()> {
        let manifest = bundle.manifest();
        for (number, part) in manifest.archives.iter().enumerate() {
            let root = format!("bundle/{number}");
            let prefix = format!("{}/", part.folder);
            for file in &manifest.files {
                if let Some(inside) = file.path.strip_prefix(&prefix) {
                    let target = self.path(&root).join(inside);
                    self.unpack_file(bundle, &file.path, &target)
                        .with_context(|| format!("unpacking {} of the bundle", file.path))?;
                }
            }
            let source = format!(
                "Types: deb\n\
                 URIs: {METHOD}{}\n\
                 Suites: {}\n\
                 Components: {}\n\
                 Architectures: {}\n\
                 Signed-By: {UBUNTU_KEYRING}\n",
                self.path(&root).display(),
                part.suite,
                part.components.join(" "),
                manifest.architecture,
            );
            fs::write(
                self.path(&format!("sources/bundle-{number}.sources")),
                source,
            )?;
        }
        Ok(())
    }

    fn unpack_file(&self, bundle: &Bundle, name: &str, target: &Path) -> Result<()> {
        let mut packed = bundle.open_file(name, 0).context("it is not there")?;
        let folder = target.parent().unwrap_or(target);
        fs::create_dir_all(folder)?;
        // apt reads them as a user of its own, whatever the umask is.
        for folder in folder.ancestors() {
            if folder == self.folder.path() {
                break;
            }
            fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        }
        let plain = target
            .to_str()
            .and_then(|path| path.strip_suffix(COMPRESSED));
        let target = plain.map_or(target, Path::new);
        let mut file = fs::File::create_new(target)?;
        match plain {
            None => io::copy(&mut packed, &mut file)?,
            Some(_) => {
                let mut unpacked = GzDecoder::new(packed).take(INDEX_LIMIT);
                let size = io::copy(&mut unpacked, &mut file)?;
                ensure!(size < INDEX_LIMIT, "it is too large");
                size
            }
        };
        file.set_permissions(Permissions::from_mode(0o644))?;
        Ok(())
    }
}

fn lacking(bundle: &Bundle, archive: &Archive) -> Failure {
    Failure::Blocked(format!(
        "the bundle {} lacks {}, which apt chooses on this host; nothing was changed. Make one on \
         a host like this, with the same pins: dockstrap bundle create",
        bundle.path().display(),
        archive.name
    ))
}
