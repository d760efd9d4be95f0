//! Whether there is a way to where a file is to be written: it may end at a link to nothing.

use std::path::Path;

use anyhow::Result;

use super::Host;
use crate::error::Failure;
use crate::shell::quoted;

impl Host {
    /// Refuses a file whose nearest folder is none. Folders that are not there yet can be made.
    ///
    /// # Errors
    /// [`Failure::Blocked`], with the command that makes way.
    pub(crate) fn refuse_unreachable(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        for folder in path.ancestors().skip(1) {
            let Some(there) = self.metadata(folder)? else {
                continue;
            };
            if self.path(folder).is_dir() {
                return Ok(());
            }
            let fault = if there.is_symlink() {
                "is a link to a folder that is not there"
            } else {
                "is no folder"
            };
            let aside = format!("{}.aside", folder.display());
            return Err(Failure::Blocked(format!(
                "{} {fault}, and {} is to be written; nothing was changed. Move it aside and run \
                 this again: mv {} {}",
                folder.display(),
                path.display(),
                quoted(folder),
                quoted(aside)
            ))
            .into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::error::exit_code;
    use crate::host::stub::StubHost;

    #[test]
    fn a_link_to_nothing_and_a_file_in_the_way_are_refused_with_what_moves_them() {
        let file = "/etc/docker/certs.d/registry/ca.crt";
        let refused = |stub: &StubHost| stub.host().refuse_unreachable(file);
        let stub = StubHost::new().folder("/etc");
        refused(&stub).unwrap();
        let link = stub.host().path("/etc/docker");
        std::os::unix::fs::symlink("../srv/docker", &link).unwrap();
        let error = refused(&stub).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        let text = error.to_string();
        assert!(
            text.starts_with("/etc/docker is a link to a folder"),
            "{text}"
        );
        assert!(text.ends_with("mv /etc/docker /etc/docker.aside"), "{text}");
        let stub = stub.folder("/srv/docker");
        refused(&stub).unwrap();
        let stub = stub.file("/srv/docker/certs.d", "");
        let text = refused(&stub).unwrap_err().to_string();
        assert!(
            text.starts_with("/etc/docker/certs.d is no folder"),
            "{text}"
        );
    }
}
