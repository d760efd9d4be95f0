//! A private view of the host's packages: its own lists and sources beside the host's.
//!
//! Planning needs to know what apt would do once Docker's repository is there. The view gives
//! apt a folder of its own in which it is, so that nothing on the host changes: the host's lists
//! are linked in, Docker's index is fetched into the view and verified by apt against the key
//! that we have verified. Hooks that the host's configuration ties to an update are not run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::lock::LISTS;
use super::run::apt_get;
use super::source::{Source, existing_sources, source_files};
use super::transaction::{Download, Transaction};
use crate::error::Failure;
use crate::host::Host;
use crate::host::command::{Command, Output};

/// How long fetching indexes may take.
const REFRESH_DEADLINE: Duration = Duration::from_secs(600);

/// Ubuntu's indexes older than this may name packages that its archive no longer has.
const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The host's packages as apt would see them with Docker's repository.
#[derive(Debug)]
pub struct View {
    folder: TempDir,
    source: Source,
}

impl View {
    /// Sets up the view with the verified certificate, and fetches Docker's index into it.
    pub fn open(host: &Host, certificate: &[u8], source: &Source) -> Result<View> {
        let folder = tempfile::Builder::new()
            .prefix("dockstrap-")
            .tempdir()
            .context("making a folder for planning")?;
        let view = View {
            folder,
            source: source.clone(),
        };
        view.set_up(host, certificate)
            .context("setting up apt's private view")?;
        view.refresh_docker(host)?;
        Ok(view)
    }

    /// What apt would do to install these packages. Ubuntu's indexes are fetched anew, into the
    /// view, when Docker's alone do not suffice: a dependency is missing, or must be fetched by
    /// an index so old that the archive may have dropped the file.
    pub fn plan(&self, host: &Host, packages: &[&str]) -> Result<Transaction> {
        let first = self.simulate(host, packages);
        let suffices = match &first {
            Ok(transaction) => only_docker(transaction) || !stale(host)?,
            Err(_) => false,
        };
        if suffices && has_indexes(host)? {
            return first;
        }
        if let Err(error) = self.refresh_all(host) {
            // An unrelated broken source must not stop what can be done without it.
            return first.with_context(|| format!("{error:#}"));
        }
        self.simulate(host, packages)
    }

    /// The lists that were fetched into this view.
    pub fn fetched(&self) -> Result<Vec<PathBuf>> {
        let mut fetched = Vec::new();
        for entry in fs::read_dir(self.lists()).context("listing the fetched indexes")? {
            let entry = entry.context("listing the fetched indexes")?;
            if entry.file_type()?.is_file() && entry.file_name() != "lock" {
                fetched.push(entry.path());
            }
        }
        fetched.sort();
        Ok(fetched)
    }

    fn set_up(&self, host: &Host, certificate: &[u8]) -> Result<()> {
        // apt downloads as a user of its own, which must be able to come here.
        for folder in [
            self.folder.path().to_owned(),
            self.path("sources"),
            self.path("docker"),
            self.lists(),
            self.lists().join("partial"),
        ] {
            fs::create_dir_all(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        }
        let key = self.path("docker.asc");
        fs::write(&key, certificate)?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644))?;
        let docker = self.source.text(&key.to_string_lossy());
        fs::write(self.path("docker/docker.sources"), &docker)?;
        fs::write(self.path("sources/dockstrap-docker.sources"), &docker)?;
        self.link_sources(host)?;
        for name in host.list(LISTS)? {
            let list = host.path(LISTS).join(&name);
            if list.is_file() && name != "lock" {
                symlink(&list, self.lists().join(&name))?;
            }
        }
        fs::write(self.path("all.conf"), self.configuration("sources", false))?;
        fs::write(self.path("docker.conf"), self.configuration("docker", true))?;
        Ok(())
    }

    /// Links the host's sources in, but for those that name Docker's repository already: one
    /// repository must not stand in the view twice.
    fn link_sources(&self, host: &Host) -> Result<()> {
        let dockers = existing_sources(host, &self.source.uri)?;
        for file in source_files(host)? {
            if dockers.iter().any(|existing| existing.path == file) {
                continue;
            }
            let name = Path::new(&file).file_name().unwrap_or_default();
            symlink(host.path(&file), self.path("sources").join(name))?;
        }
        Ok(())
    }

    /// The configuration that is read after all of the host's, so that it has the last word.
    fn configuration(&self, sources: &str, docker_only: bool) -> String {
        let folder = self.folder.path().display();
        let mut text = format!(
            "Dir::State::Lists \"{folder}/lists/\";\n\
             Dir::Etc::SourceParts \"{folder}/{sources}\";\n\
             Dir::Cache::pkgcache \"{folder}/pkgcache.bin\";\n\
             Dir::Cache::srcpkgcache \"\";\n\
             APT::Update::Error-Mode \"any\";\n\
             #clear APT::Update::Pre-Invoke;\n\
             #clear APT::Update::Post-Invoke;\n\
             #clear APT::Update::Post-Invoke-Success;\n"
        );
        if docker_only {
            text.push_str(
                "Dir::Etc::SourceList \"/dev/null\";\n\
                 APT::Get::List-Cleanup \"false\";\n\
                 Acquire::Languages \"none\";\n",
            );
        }
        text
    }

    fn refresh_docker(&self, host: &Host) -> Result<()> {
        let update = self.apt("docker.conf").arg("update");
        let output = host.query(&update.deadline(REFRESH_DEADLINE))?;
        if output.code == 0 {
            return Ok(());
        }
        Err(self.explain(&output))
    }

    fn refresh_all(&self, host: &Host) -> Result<()> {
        // Docker's index is here already and is not asked for again.
        fs::remove_file(self.path("sources/dockstrap-docker.sources"))
            .context("setting Docker's source aside")?;
        let update = self
            .apt("all.conf")
            .args(["-o", "APT::Get::List-Cleanup=false", "update"]);
        let output = host.query(&update.deadline(REFRESH_DEADLINE));
        let docker = fs::read(self.path("docker/docker.sources"));
        docker
            .and_then(|text| fs::write(self.path("sources/dockstrap-docker.sources"), text))
            .context("putting Docker's source back")?;
        output?.success().context("refreshing Ubuntu's indexes")?;
        Ok(())
    }

    fn simulate(&self, host: &Host, packages: &[&str]) -> Result<Transaction> {
        let install = |flag: &str| {
            let command = self.apt("all.conf").args([flag, "install"]);
            command.args(packages.iter().copied())
        };
        let simulated = host.query(&install("--simulate"))?;
        if simulated.code != 0 {
            return Err(self.explain(&simulated));
        }
        let mut transaction = Transaction::parse(&simulated.stdout);
        let printed = host.query(&install("--print-uris"))?.success()?;
        transaction.download = Download::parse(&printed.stdout);
        Ok(transaction)
    }

    /// Says in plain words why apt could not use Docker's repository.
    fn explain(&self, output: &Output) -> anyhow::Error {
        let Source { uri, suite, .. } = &self.source;
        let said = output.tail();
        if said.contains("does not have a Release file") || said.contains("404") {
            let supported = crate::release::supported();
            return Failure::Blocked(format!(
                "{uri} has no suite `{suite}`, so there are no packages for this release there; \
                 nothing was changed. dockstrap knows Ubuntu {supported}; \
                 see which suites the server has at {uri}/dists/"
            ))
            .into();
        }
        if said.contains("NO_PUBKEY") || said.contains("not signed") || said.contains("BADSIG") {
            return Failure::Trust(format!(
                "{uri} is not signed by the key that it must be signed by; \
                 nothing was changed. apt says:\n{said}"
            ))
            .into();
        }
        if said.contains("no installation candidate") || said.contains("Unable to locate package") {
            return Failure::Blocked(format!(
                "the suite `{suite}` at {uri} lacks packages of the engine for {}; \
                 nothing was changed. apt says:\n{said}",
                self.source.architecture
            ))
            .into();
        }
        anyhow::anyhow!("apt cannot use {uri}; nothing was changed. apt says:\n{said}")
    }

    fn apt(&self, configuration: &str) -> Command {
        apt_get()
            .arg("--config-file")
            .arg(self.path(configuration))
            // A list that another holds the lock of is only read here.
            .args(["-o", "Debug::NoLocking=true"])
    }

    fn lists(&self) -> PathBuf {
        self.path("lists")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Whether everything to be installed comes from Docker's repository.
fn only_docker(transaction: &Transaction) -> bool {
    let of_docker = |origin: &str| origin.starts_with("Docker CE");
    let mut installs = transaction.installs.iter();
    installs.all(|install| of_docker(&install.origin))
}

/// Whether the host has indexes at all; images often come without.
fn has_indexes(host: &Host) -> Result<bool> {
    let lists = host.list(LISTS)?;
    Ok(lists.iter().any(|name| name.contains("_Packages")))
}

/// Whether the host's indexes were fetched so long ago that they must be fetched anew. apt gives
/// a list the server's date; only the folder it downloads into tells when it last did.
fn stale(host: &Host) -> Result<bool> {
    let partial = host.metadata(Path::new(LISTS).join("partial"))?;
    let fetched = partial.and_then(|there| there.modified().ok());
    let age = fetched.map(|time| SystemTime::now().duration_since(time).unwrap_or_default());
    Ok(age.is_none_or(|age| age > STALE_AFTER))
}
