//! The lists of a private view: Docker's, laid in by us, and those of others, linked or fetched.

#![expect(clippy::disallowed_methods, reason = "a view is a folder of the run")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::View;
use crate::apt::index::Index;
use crate::apt::lock::LISTS;
use crate::apt::refusal::{self, Phase};
use crate::apt::source::{COMPONENT, Source};
use crate::host::Host;
use crate::relative_path::FileName;

/// Lists that were brought into a view.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// Docker's, each with the bytes that were verified.
    pub docker: Vec<(PathBuf, Vec<u8>)>,
    /// Those of the host's other sources, fetched anew.
    pub others: Vec<PathBuf>,
}

impl View {
    /// The lists that were fetched into this view, as far as the host can use them.
    pub(crate) fn fetched(&self) -> Result<Lists> {
        let mut lists = Lists {
            docker: self.docker.clone(),
            ..Lists::default()
        };
        if self.is_offline() {
            // The others are of a source that is in this view alone.
            return Ok(lists);
        }
        for entry in fs::read_dir(self.lists()).context("listing the fetched indexes")? {
            let entry = entry.context("listing the fetched indexes")?;
            let path = entry.path();
            let is_list = entry.file_type()?.is_file() && entry.file_name() != "lock";
            let is_dockers = self.docker.iter().any(|(docker, _)| *docker == path);
            if is_list && !is_dockers {
                lists.others.push(path);
            }
        }
        lists.others.sort();
        Ok(lists)
    }

    /// Links the host's lists in.
    pub(super) fn link_lists(&self, host: &Host) -> Result<()> {
        for name in host.list(LISTS)? {
            let list = host.path(LISTS).join(&name);
            if list.is_file() && name != "lock" {
                symlink(&list, self.lists().join(&name))?;
            }
        }
        Ok(())
    }

    /// Puts Docker's index where apt looks for it, and returns where that is.
    pub(super) fn lay_in(&self, host: &Host, index: &Index) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let name = self.list_name(host)?;
        let Source { architecture, .. } = &self.source;
        let file_name = |rest: &str| FileName::parse(&format!("{name}_{rest}"));
        let packages = file_name(&format!("{COMPONENT}_binary-{architecture}_Packages"))?;
        let inrelease = file_name("InRelease")?;
        let lay = || {
            // Lists of the host for this suite are linked in by now: written to, the links would
            // lead out of the view, and some may be compressed and so have other names.
            for entry in fs::read_dir(self.lists())? {
                let entry = entry?;
                let list = entry.file_name().to_string_lossy().into_owned();
                if list
                    .strip_prefix(&name)
                    .is_some_and(|rest| rest.starts_with('_'))
                {
                    fs::remove_file(entry.path())?;
                }
            }
            let inrelease = self.lists().join(&inrelease);
            let packages = self.lists().join(&packages);
            fs::write(&inrelease, &index.inrelease)?;
            fs::write(&packages, &index.packages)?;
            Ok::<_, std::io::Error>(vec![
                (inrelease, index.inrelease.clone()),
                (packages, index.packages.clone()),
            ])
        };
        let folder = self.lists();
        lay().with_context(|| format!("laying Docker's index into {}", folder.display()))
    }

    /// What apt begins the names of the suite's lists with. How it writes an address as a file
    /// name is its own affair, so it is asked; that fetches nothing.
    fn list_name(&self, host: &Host) -> Result<String> {
        let printed = host.query(&self.update().arg("--print-uris"))?;
        let view = Some(self.folder.path());
        if let Some(refusal) = refusal::of(host, &printed, view, Phase::Planning)? {
            return Err(refusal.into());
        }
        let Source { uri, suite, .. } = &self.source;
        let ours = format!("'{uri}/dists/{suite}/InRelease' ");
        let name = printed.success()?.stdout.lines().find_map(|line| {
            let name = line.strip_prefix(&ours)?.split(' ').next()?;
            name.strip_suffix("_InRelease").map(str::to_owned)
        });
        name.with_context(|| format!("apt does not say where it keeps the index of {uri}"))
    }
}
