//! A private view of the host's packages: its own lists and sources beside the host's.
//!
//! Planning needs to know what apt would do once Docker's repository is there. The view gives
//! apt a folder of its own in which it is, so that nothing on the host changes: the host's lists
//! are linked in, and Docker's verified index is laid beside them. Hooks that the host's
//! configuration ties to an update are not run.

#![expect(clippy::disallowed_methods, reason = "a view is a folder of the run")]

mod bundled;
mod explain;
mod export;
mod lists;
mod sources;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd::geteuid;
use tempfile::TempDir;

use super::apt_get::{NO_HOOKS, apt_get, with_safety};
use super::archive::Archives;
use super::host_lists::{has_indexes, stale};
use super::index::Index;
use super::lock::{ARCHIVES, LISTS};
use super::network_config::NetworkConfig;
use super::quote::quoted;
use super::source::Source;
use super::status;
use super::transaction::Transaction;
use super::ubuntu::Pocket;
use super::unusable_sources::UnusableSources;
use crate::facts::STATUS;
use crate::host::Host;
use crate::host::command::{Command, Query};
use crate::host::http::Http;
use crate::host::temporary;
use crate::report::{Event, Listener};
use crate::trust::{Certificate, PackageIndex};

pub(crate) use export::{Export, PartOfArchive};
pub(crate) use lists::Lists;

const CONFIGURATION: &str = "apt.conf";
const DOCKER_SOURCE: &str = "sources/dockstrap-docker.sources";

/// How long fetching indexes may take.
const REFRESH_DEADLINE: Duration = Duration::from_secs(600);

/// The host's packages as apt would see them with Docker's repository.
#[derive(Debug)]
pub(crate) struct View {
    folder: TempDir,
    source: Source,
    reach: NetworkConfig,
    /// Docker's lists in this view.
    docker: Vec<(PathBuf, Vec<u8>)>,
    /// The way by which its index came, and by which its packages are to come.
    http: Http,
    /// Which states of Ubuntu's archive the bundle has, when there is one.
    pockets: Vec<Pocket>,
    /// Whether packages that are there in part are to be unpacked again.
    reinstalls: bool,
}

impl View {
    /// Sets up the view with Docker's verified index and the certificate that signed it. All else
    /// comes from the host's own sources, or from the bundle when there is one.
    pub(crate) fn open(
        host: &Host,
        source: &Source,
        certificate: &Certificate,
        index: &Index,
        http: &Http,
    ) -> Result<View> {
        let folder =
            temporary::make_folder(&temporary::prefix()).context("making a folder for planning")?;
        let reach = NetworkConfig::lay_out(folder.path(), http.network())?;
        let mut view = View {
            folder,
            source: source.clone(),
            reach,
            docker: Vec::new(),
            http: http.clone(),
            pockets: Vec::new(),
            reinstalls: false,
        };
        view.set_up(&certificate.armored())
            .context("setting up apt's private view")?;
        if let Some(status) = status::merged(host)? {
            view.believe(&status)?;
        }
        match http.bundle() {
            Some(bundle) => view.unpack(host, bundle)?,
            None => view
                .link_sources(host)
                .and_then(|()| view.link_lists(host))
                .context("setting up apt's private view")?,
        }
        view.docker = view.lay_in(host, index)?;
        Ok(view)
    }

    /// Has apt unpack the packages that it is asked for even where dpkg names their version: of one
    /// that is half-installed, all of the files may not be there.
    pub(crate) fn reinstall(&mut self) {
        self.reinstalls = true;
    }

    /// What apt would do to install these packages. Ubuntu's indexes are fetched anew, into the
    /// view, when Docker's alone do not suffice: a dependency is missing, or must be fetched by
    /// an index so old that the archive may have dropped the file.
    pub(crate) fn plan(
        &self,
        host: &Host,
        packages: &[String],
        listener: Listener<'_>,
    ) -> Result<Transaction> {
        if self.is_offline() {
            self.refresh_bundled(host)?;
            return self.simulate(host, packages);
        }
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
                text: broken.as_warning(),
            });
        }
        second.with_context(|| broken.to_string())
    }

    /// The command, which must be an apt command that installs, told where to get what was planned
    /// here: from apt's folder, where a proxy is in between, or else by the way to the network, or
    /// from the bundle. This view must outlive it.
    ///
    /// Package files come from the folder in which they were checked, and lists from the one in
    /// which they were put, whatever the host's configuration says: apt believes a file by its
    /// size.
    pub(crate) fn lend(&self, command: Command) -> Command {
        self.reach.lend_to_dpkg(self.place(command))
    }

    /// The command that downloads what such a command needs; `None` where that needs none before.
    pub(crate) fn download(&self, command: Command) -> Option<Command> {
        if !self.reach.has_proxy() || self.is_offline() {
            return None;
        }
        let download = self.place(command).arg("--download-only");
        Some(self.reach.lend(download))
    }

    fn place(&self, command: Command) -> Command {
        let command = if self.is_offline() {
            command
                .arg("--config-file")
                .arg(self.path(CONFIGURATION))
                .arg(format!("-oDir::State::status={}", STATUS))
        } else {
            command.arg(format!("-oDir::State::lists={LISTS}/"))
        };
        let command = command.arg(format!("-oDir::Cache::archives={ARCHIVES}/"));
        self.with_reinstall(command)
    }

    fn with_reinstall(&self, command: Command) -> Command {
        if self.reinstalls {
            command.arg("-oAPT::Get::ReInstall=true")
        } else {
            command
        }
    }

    /// The package files that installing these packages needs, whether they are in apt's folder
    /// already or not.
    ///
    /// # Errors
    /// When a bundle stands in for the sources, and one of them is not in it or is another.
    pub(crate) fn archives(
        &self,
        host: &Host,
        packages: &[String],
        offered: &PackageIndex,
    ) -> Result<Archives> {
        let print = self.install(packages).printing_uris();
        let printed = host.query(&print)?.success()?.stdout;
        let archives = Archives::parse(&printed, &self.source, offered)?;
        if let Some(bundle) = self.http.bundle() {
            self.check_bundled(bundle, &archives)?;
        }
        Ok(archives)
    }

    fn set_up(&self, certificate: &[u8]) -> Result<()> {
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
        fs::write(self.path(CONFIGURATION), self.configuration()?)?;
        Ok(())
    }

    /// Gives apt another status of the host's packages than the one that dpkg has in its file.
    fn believe(&self, status: &str) -> Result<()> {
        let path = self.path("status");
        let believed = quoted(&path.display().to_string())?;
        let text = format!("{}Dir::State::status {believed};\n", self.configuration()?);
        fs::write(&path, status)
            .and_then(|()| fs::write(self.path(CONFIGURATION), text))
            .context("setting up apt's private view")
    }

    /// The configuration that is read after all of the host's, so that it has the last word.
    fn configuration(&self) -> Result<String> {
        let folder = self.folder.path().display();
        let path = |end: &str| quoted(&format!("{folder}/{end}"));
        Ok(format!(
            "Dir::State::Lists {};\n\
             Dir::Etc::SourceList {};\n\
             Dir::Etc::SourceParts {};\n\
             Dir::Cache::archives {};\n\
             Acquire::ForceHash \"SHA256\";\n\
             Dir::Cache::pkgcache {};\n\
             Dir::Cache::srcpkgcache \"\";\n\
             APT::Get::List-Cleanup \"false\";\n\
             {NO_HOOKS}",
            path("lists/")?,
            path("sources.list")?,
            path("sources")?,
            path("archives/")?,
            path("pkgcache.bin")?,
        ))
    }

    /// Fetches the indexes of every source but Docker's, whose index is here already. Returns
    /// what was in the way of some of them; the others are fetched all the same.
    fn refresh_others(&self, host: &Host) -> Result<Option<UnusableSources>> {
        let (docker, aside) = (self.path(DOCKER_SOURCE), self.path("docker.aside"));
        fs::rename(&docker, &aside).context("setting Docker's source aside")?;
        let update = self.reach.lend(self.update()).deadline(REFRESH_DEADLINE);
        let updated = host.query(&update);
        fs::rename(&aside, &docker).context("putting Docker's source back")?;
        let output = match updated {
            Ok(output) if output.code == 0 => return Ok(None),
            Ok(output) => output,
            Err(error) => {
                let text = format!("refreshing Ubuntu's indexes: {error:#}");
                return Ok(Some(UnusableSources::new(text, String::new())));
            }
        };
        UnusableSources::of(host, &output, geteuid().is_root()).map(Some)
    }

    fn simulate(&self, host: &Host, packages: &[String]) -> Result<Transaction> {
        let simulated = host.query(&self.install(packages).simulated())?;
        if simulated.code != 0 {
            return Err(self.explain(host, packages, &simulated)?);
        }
        Ok(Transaction::parse(&simulated.stdout))
    }

    fn install(&self, packages: &[String]) -> Command {
        self.with_reinstall(self.apt(apt_get()))
            // Whether an older version may take the place of a newer one is up to who reads the plan.
            .args(["--allow-downgrades", "install"])
            .args(packages)
    }

    /// The fetching of indexes into this view.
    fn update(&self) -> Query {
        let update = with_safety(Query::apart_update(&self.path(CONFIGURATION)));
        update.args(["-o", "Debug::NoLocking=true"])
    }

    /// The command on this view.
    fn apt<K>(&self, apt_get: Command<K>) -> Command<K> {
        apt_get
            .arg("--config-file")
            .arg(self.path(CONFIGURATION))
            // A list that another holds the lock of is only read here.
            .args(["-o", "Debug::NoLocking=true"])
    }

    /// Whether a bundle stands in for the host's other sources.
    fn is_offline(&self) -> bool {
        self.http.bundle().is_some()
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
