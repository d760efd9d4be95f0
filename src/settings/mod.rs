//! What the user wants: defaults, under the settings file, under variables, under flags.

mod check;
mod effective;
mod engine_version;
mod file;
mod layer;
mod origin;
mod restore;
mod sample;
mod schema;
mod table;
mod value;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use crate::daemon_config::{DaemonKeys, Preset};
use crate::error::Failure;
use crate::host::UserName;
use crate::host::network::{CaCert, Network, Proxy};
use crate::trust::{DOCKER_KEY_FINGERPRINT, Fingerprint};

use file::Below;

pub(crate) use check::Problem;
pub use check::check;
pub(crate) use effective::{Effective, SettingSource};
pub(crate) use engine_version::EngineVersion;
pub use layer::{Layer, PATH};
pub(crate) use layer::{ProxyUser, SecretText, Stale};
pub(crate) use origin::{Origin, Origins};
pub(crate) use restore::Restore;
pub use sample::{example, sample};
pub use schema::schema;
pub use table::{Setting, ValueType, table};
pub(crate) use value::registry_host;

const MIRROR: &str = "https://download.docker.com";
/// How long other package managers are waited for, in seconds.
pub(crate) const LOCK_WAIT: u64 = 300;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// In days. Docker releases about every two weeks. An index this old may come from a mirror that
/// stands still, or from someone who keeps updates back.
const MAX_INDEX_AGE: u32 = 90;

/// The settings in force.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The address under which `linux/ubuntu` stands, without a slash at its end.
    pub mirror: String,
    /// The primary key that must sign the repository.
    pub key_fingerprint: Fingerprint,
    /// The suite to take packages of; `None` is the one of the host's release.
    pub suite: Option<String>,
    /// The version of the engine; `None` is the newest there is, or the one that is installed.
    pub engine_version: Option<EngineVersion>,
    /// The offline bundle to take everything from.
    pub bundle: Option<PathBuf>,
    /// The users to be members of group docker; `None` is whoever called sudo.
    pub(crate) users: Option<Vec<UserName>>,
    /// The authorities to trust beside the host's store.
    pub ca_cert: Option<CaCert>,
    /// The proxy to go through; `None` is what the environment says.
    pub proxy: Option<Proxy>,
    /// Who is given the proxy for good.
    pub proxy_for: Vec<ProxyUser>,
    /// The configuration of the engine to start from.
    pub preset: Preset,
    /// Keys for daemon.json that override the preset.
    pub daemon: DaemonKeys,
    /// Private registries with authorities of their own.
    pub registries: Vec<Registry>,
    /// How long to wait for the locks of other package managers.
    pub lock_wait: Duration,
    /// How old an index may be.
    pub max_index_age: Duration,
    /// What becomes of an older one.
    pub stale: Stale,
    /// Whether packages that conflict with Docker's may be removed.
    pub replace: bool,
    /// Whether dpkg may finish what it was cut short at with packages of others.
    pub repair: bool,
    /// Whether nothing is to be started.
    pub no_start: bool,
    /// Whether a unit is to prove the engine at the first boot.
    pub first_boot: bool,
    /// How long that unit waits at most before its first try.
    pub first_boot_jitter: Duration,
    /// Whether a repository may go back in time.
    pub allow_downgrade: bool,
    /// What of the host this run is to set again; no file says so.
    pub restore: Restore,
    /// Which of these somebody gave, and how.
    pub given: Origins,
    /// What is to be said of where they came from.
    pub warnings: Vec<String>,
}

/// A private registry.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    /// Its name, with the port where it has one, as it stands before the name of an image.
    pub host: String,
    /// The authority that vouches for it.
    pub ca: CaCert,
}

impl Settings {
    /// Puts `flags` (with the variables, which clap has put under them) over the settings file:
    /// `file` when one is named, which then must be there, or else [`PATH`].
    ///
    /// # Errors
    /// [`Failure::Usage`] for anything that cannot be meant.
    pub(crate) fn resolve(flags: Layer, file: Option<&Path>) -> Result<Settings> {
        let below = Below::read(file)?;
        Ok(Settings {
            given: below.given,
            warnings: below.warning.into_iter().collect(),
            ..Settings::of(flags.without_empty_users().over(below.layer))?
        })
    }

    /// What a layer says, and the defaults for all else.
    fn of(layer: Layer) -> Result<Settings> {
        let key_fingerprint = match layer.key_fingerprint {
            Some(text) => value::fingerprint(&text)?,
            None => DOCKER_KEY_FINGERPRINT,
        };
        let ca_cert = layer.ca_cert.map(|path| CaCert::read(&path));
        let max_index_age = layer.max_index_age.map_or(MAX_INDEX_AGE, NonZeroU32::get);
        let engine_version = layer
            .engine_version
            .as_deref()
            .map(EngineVersion::parse)
            .transpose()?;
        let preset = layer.preset.unwrap_or_default();
        Ok(Settings {
            mirror: value::mirror(layer.mirror.as_deref().unwrap_or(MIRROR))?,
            key_fingerprint,
            suite: layer.suite.map(value::suite).transpose()?,
            bundle: layer.bundle,
            users: layer.users.map(value::users).transpose()?,
            ca_cert: ca_cert.transpose()?,
            proxy: layer.proxy.map(value::proxy).transpose()?,
            proxy_for: layer.proxy_for.unwrap_or_default(),
            preset,
            daemon: value::daemon(layer.daemon, engine_version.as_ref())?,
            engine_version,
            registries: value::registries(layer.registries)?,
            lock_wait: Duration::from_secs(layer.lock_wait.unwrap_or(LOCK_WAIT)),
            max_index_age: DAY * max_index_age,
            stale: layer.stale.unwrap_or(Stale::by_default(preset)),
            replace: layer.replace.unwrap_or_default(),
            repair: layer.repair.unwrap_or_default(),
            no_start: layer.no_start.unwrap_or_default(),
            first_boot: layer.first_boot.unwrap_or_default(),
            first_boot_jitter: Duration::from_secs(layer.first_boot_jitter.unwrap_or_default()),
            allow_downgrade: layer.allow_downgrade.unwrap_or_default(),
            restore: Restore::Nothing,
            given: Origins::new(),
            warnings: Vec::new(),
        })
    }

    /// The same settings, of which these came by flags and variables.
    pub(crate) fn given(mut self, given: Origins) -> Settings {
        self.given.extend(given);
        self
    }

    /// The same settings, for a run that is to restore this.
    pub(crate) fn restoring(self, restore: Restore) -> Settings {
        Settings { restore, ..self }
    }

    /// The way to the network: these settings over the environment.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the environment names a proxy that cannot be used, or when there
    /// is none to be set up for good.
    pub(crate) fn network(&self) -> Result<Network> {
        let network = Network::from_environment(self.proxy.clone(), self.ca_cert.clone())?;
        if !self.proxy_for.is_empty() && network.http().or(network.https()).is_none() {
            let error = "proxy-for: there is no proxy to be set up; name it: --proxy URL";
            return Err(Failure::Usage(error.to_owned()).into());
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests;
