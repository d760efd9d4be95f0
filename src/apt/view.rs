//! A private view of the host's packages: its own lists and sources beside the host's.
//!
//! Planning needs to know what apt would do once Docker's repository is there. The view gives
//! apt a folder of its own in which it is, so that nothing on the host changes: the host's lists
//! are linked in, and Docker's verified index is laid beside them. Hooks that the host's
//! configuration ties to an update are not run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::archive::Archives;
use super::index::Index;
use super::lock::LISTS;
use super::reach::Reach;
use super::run::apt_get;
use super::source::{COMPONENT, Source};
use super::source_file::{SOURCES_LIST, source_files};
use super::transaction::Transaction;
use super::trouble;
use crate::error::Failure;
use crate::host::Host;
use crate::host::command::{Command, Output};
use crate::host::network::Network;
use crate::report::{Event, Listener};
use crate::trust::{Certificate, Packages};

const CONFIGURATION: &str = "apt.conf";
const DOCKER_SOURCE: &str = "sources/dockstrap-docker.sources";

/// How long fetching indexes may take.
const REFRESH_DEADLINE: Duration = Duration::from_secs(600);

/// Ubuntu's indexes older than this may name packages that its archive no longer has.
const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The host's packages as apt would see them with Docker's repository.
#[derive(Debug)]
pub struct View {
    folder: TempDir,
    source: Source,
    reach: Reach,
    /// Docker's lists in this view.
    docker: Vec<PathBuf>,
}

/// Lists that were brought into a view.
#[derive(Debug, Default)]
pub struct Lists {
    pub docker: Vec<PathBuf>,
    /// Those of the host's other sources, fetched anew.
    pub others: Vec<PathBuf>,
}

impl View {
    /// Sets up the view with Docker's verified index and the certificate that signed it.
    pub fn open(
        host: &Host,
        source: &Source,
        certificate: &Certificate,
        index: &Index,
        network: &Network,
    ) -> Result<View> {
        let folder = tempfile::Builder::new()
            .prefix("dockstrap-")
            .tempdir()
            .context("making a folder for planning")?;
        let reach = Reach::lay_out(folder.path(), network)?;
        let mut view = View {
            folder,
            source: source.clone(),
            reach,
            docker: Vec::new(),
        };
        view.set_up(host, &certificate.armored())
            .context("setting up apt's private view")?;
        view.docker = view.lay_in(host, index)?;
        Ok(view)
    }

    /// What apt would do to install these packages. Ubuntu's indexes are fetched anew, into the
    /// view, when Docker's alone do not suffice: a dependency is missing, or must be fetched by
    /// an index so old that the archive may have dropped the file.
    pub fn plan(
        &self,
        host: &Host,
        packages: &[&str],
        listener: Listener<'_>,
    ) -> Result<Transaction> {
        let first = self.simulate(host, packages);
        let suffices = match &first {
            Ok(transaction) => only_docker(transaction) || !stale(host)?,
            Err(_) => false,
        };
        if suffices && has_indexes(host)? {
            return first;
        }
        // An unrelated broken source must not stop what can be done without it.
        let broken = self.refresh_others(host)?;
        let second = self.simulate(host, packages);
        let Some(broken) = broken else {
            return second;
        };
        if second.is_ok() {
            listener(Event::Warning {
                text: format!("{broken}; the engine can be installed without"),
            });
        }
        second.context(broken)
    }

    /// The way to the network, for apt outside of this view, which must outlive it.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The package files that installing these packages needs, whether they are in apt's folder
    /// already or not.
    pub fn archives(&self, host: &Host, packages: &[&str], offered: &Packages) -> Result<Archives> {
        let print = self.install("--print-uris", packages);
        let printed = host.query(&print)?.success()?.stdout;
        Archives::parse(&printed, &self.source, offered)
    }

    /// The lists that were fetched into this view.
    pub fn fetched(&self) -> Result<Lists> {
        let mut lists = Lists {
            docker: self.docker.clone(),
            ..Lists::default()
        };
        for entry in fs::read_dir(self.lists()).context("listing the fetched indexes")? {
            let entry = entry.context("listing the fetched indexes")?;
            let path = entry.path();
            let is_list = entry.file_type()?.is_file() && entry.file_name() != "lock";
            if is_list && !self.docker.contains(&path) {
                lists.others.push(path);
            }
        }
        lists.others.sort();
        Ok(lists)
    }

    fn set_up(&self, host: &Host, certificate: &[u8]) -> Result<()> {
        // apt downloads as a user of its own, which must be able to come here.
        for folder in [
            self.folder.path().to_owned(),
            self.path("sources"),
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
        fs::write(self.path(DOCKER_SOURCE), &docker)?;
        self.link_sources(host)?;
        for name in host.list(LISTS)? {
            let list = host.path(LISTS).join(&name);
            if list.is_file() && name != "lock" {
                symlink(&list, self.lists().join(&name))?;
            }
        }
        fs::write(self.path(CONFIGURATION), self.configuration())?;
        Ok(())
    }

    /// Puts Docker's index where apt looks for it, and returns where that is.
    fn lay_in(&self, host: &Host, index: &Index) -> Result<Vec<PathBuf>> {
        let name = self.list_name(host)?;
        let Source { architecture, .. } = &self.source;
        let packages = format!("{name}_{COMPONENT}_binary-{architecture}_Packages");
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
            let inrelease = self.lists().join(format!("{name}_InRelease"));
            let packages = self.lists().join(packages);
            fs::write(&inrelease, &index.inrelease)?;
            fs::write(&packages, &index.packages)?;
            Ok::<_, std::io::Error>(vec![inrelease, packages])
        };
        lay().context("laying Docker's index into apt's private view")
    }

    /// What apt begins the names of the suite's lists with. How it writes an address as a file
    /// name is its own affair, so it is asked; that fetches nothing.
    fn list_name(&self, host: &Host) -> Result<String> {
        let printed = host.query(&self.apt().args(["--print-uris", "update"]))?;
        if trouble::is_unreadable(&printed) {
            return Err(trouble::unreadable(&printed, self.folder.path()).into());
        }
        let Source { uri, suite, .. } = &self.source;
        let ours = format!("'{uri}/dists/{suite}/InRelease' ");
        let name = printed.success()?.stdout.lines().find_map(|line| {
            let name = line.strip_prefix(&ours)?.split(' ').next()?;
            name.strip_suffix("_InRelease").map(str::to_owned)
        });
        name.with_context(|| format!("apt does not say where it keeps the index of {uri}"))
    }

    /// Links the host's sources in, without those for Docker's repository: one repository must
    /// not stand in the view twice.
    fn link_sources(&self, host: &Host) -> Result<()> {
        for file in source_files(host)? {
            let main = file.path == SOURCES_LIST;
            let name = Path::new(&file.path).file_name().unwrap_or_default();
            let there = match main {
                true => self.path("sources.list"),
                false => self.path("sources").join(name),
            };
            if !file.names_docker(&self.source) {
                symlink(host.path(&file.path), there)?;
            } else if let Some(left) = file.without_docker(&self.source) {
                fs::write(&there, left)?;
                // It may hold passwords, and only apt itself has to read it.
                fs::set_permissions(&there, fs::Permissions::from_mode(0o600))?;
            }
        }
        Ok(())
    }

    /// The configuration that is read after all of the host's, so that it has the last word.
    fn configuration(&self) -> String {
        let folder = self.folder.path().display();
        format!(
            "Dir::State::Lists \"{folder}/lists/\";\n\
             Dir::Etc::SourceList \"{folder}/sources.list\";\n\
             Dir::Etc::SourceParts \"{folder}/sources\";\n\
             Dir::Cache::archives \"{folder}/archives/\";\n\
             Acquire::ForceHash \"SHA256\";\n\
             Dir::Cache::pkgcache \"{folder}/pkgcache.bin\";\n\
             Dir::Cache::srcpkgcache \"\";\n\
             APT::Update::Error-Mode \"any\";\n\
             APT::Get::List-Cleanup \"false\";\n\
             #clear APT::Update::Pre-Invoke;\n\
             #clear APT::Update::Post-Invoke;\n\
             #clear APT::Update::Post-Invoke-Success;\n"
        )
    }

    /// Fetches the indexes of every source but Docker's, whose index is here already. Returns
    /// what was in the way of some of them, for people; the others are fetched all the same.
    fn refresh_others(&self, host: &Host) -> Result<Option<String>> {
        let (docker, aside) = (self.path(DOCKER_SOURCE), self.path("docker.aside"));
        fs::rename(&docker, &aside).context("setting Docker's source aside")?;
        let update = self
            .reach
            .lend(self.apt())
            .arg("update")
            .deadline(REFRESH_DEADLINE);
        let updated = host.query(&update);
        fs::rename(&aside, &docker).context("putting Docker's source back")?;
        let output = match updated {
            Ok(output) if output.code == 0 => return Ok(None),
            Ok(output) => output,
            Err(error) => return Ok(Some(format!("refreshing Ubuntu's indexes: {error:#}"))),
        };
        Ok(Some(match trouble::broken(&output).as_slice() {
            [] => format!("refreshing Ubuntu's indexes: {}", output.tail()),
            broken => format!("apt cannot use {}", broken.join(", ")),
        }))
    }

    fn simulate(&self, host: &Host, packages: &[&str]) -> Result<Transaction> {
        let simulated = host.query(&self.install("--simulate", packages))?;
        if simulated.code != 0 {
            return Err(self.explain(&simulated));
        }
        Ok(Transaction::parse(&simulated.stdout))
    }

    fn install(&self, flag: &str, packages: &[&str]) -> Command {
        let command = self.apt().args([flag, "install"]);
        command.args(packages.iter().copied())
    }

    fn explain(&self, output: &Output) -> anyhow::Error {
        Failure::Blocked(format!(
            "apt sees no way to install the engine on this host; nothing was changed. \
             A held package or a pin may stand in the way (apt-mark showhold, \
             apt-cache policy docker-ce). apt says:\n{}",
            output.tail()
        ))
        .into()
    }

    fn apt(&self) -> Command {
        apt_get()
            .arg("--config-file")
            .arg(self.path(CONFIGURATION))
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
