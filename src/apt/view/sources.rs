//! The host's own sources, in a private view.

#![expect(clippy::disallowed_methods, reason = "a view is a folder of the run")]

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

use anyhow::Result;

use super::View;
use crate::apt::source_file::{SOURCES_LIST, source_files};
use crate::host::Host;

impl View {
    /// Links the host's sources in, without those for Docker's repository: one repository must
    /// not stand in the view twice.
    pub(super) fn link_sources(&self, host: &Host) -> Result<()> {
        for file in source_files(host)? {
            let main = file.path == SOURCES_LIST;
            let name = Path::new(&file.path).file_name().unwrap_or_default();
            let there = if main {
                self.path("sources.list")
            } else {
                self.path("sources").join(name)
            };
            if !file.names_docker(&self.source) {
                symlink(host.path(&file.path), there)?;
            } else if let Some(left) = file.without_docker(&self.source) {
                // It may hold passwords, and only apt itself has to read it.
                let mut file = OpenOptions::new();
                let mut file = file.write(true).create_new(true).mode(0o600).open(&there)?;
                file.write_all(&left)?;
            }
        }
        Ok(())
    }
}
