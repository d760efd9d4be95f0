//! One [`Layer`] describes every setting once: its fields are the keys of the settings file, the
//! flags of `install` and `plan`, and, in capitals behind `DOCKSTRAP_`, the variables.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::BoolishValueParser;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::daemon_config::{DaemonKeys, Preset};
use crate::host::network::Proxy;
use crate::redact::{STARS, has_password_named};

/// Where the settings file is looked for when none is named.
pub const PATH: &str = "/etc/dockstrap/config.toml";

/// One layer of settings: what a file, or the command line with the variables, says.
#[derive(Debug, Default, Clone, clap::Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Layer {
    /// Take packages and key from the mirror at URL instead of download.docker.com
    #[arg(long, value_name = "URL", env = "DOCKSTRAP_MIRROR")]
    pub mirror: Option<String>,

    /// Trust the repository key with this fingerprint instead of Docker's
    #[arg(long, value_name = "FPR", env = "DOCKSTRAP_KEY_FINGERPRINT")]
    pub key_fingerprint: Option<String>,

    /// Take packages of the suite CODENAME instead of this release's own
    #[arg(long, value_name = "CODENAME", env = "DOCKSTRAP_SUITE")]
    pub suite: Option<String>,

    /// Install this VERSION of the engine, or the newest that it begins: 29, 29.5 or 29.5.3;
    /// one that is installed is brought to it [default: the newest, or what is installed]
    #[arg(long, value_name = "VERSION", env = "DOCKSTRAP_ENGINE_VERSION")]
    pub engine_version: Option<String>,

    /// Take key and packages from the offline bundle in FILE instead of the network;
    /// see dockstrap bundle create
    #[arg(long, value_name = "FILE", env = "DOCKSTRAP_BUNDLE")]
    pub bundle: Option<PathBuf>,

    /// Add NAME to group docker, which is the same as giving it root; repeatable. An
    /// empty NAME adds nobody
    /// [default: the user behind sudo; with --preset hardened nobody]
    #[arg(
        long = "user",
        value_name = "NAME",
        env = "DOCKSTRAP_USERS",
        value_delimiter = ',',
        value_parser = trimmed
    )]
    pub users: Option<Vec<String>>,

    /// Trust the authorities in FILE (PEM) beside the host's store, for the downloads
    /// of this run and its apt; to trust them for good, for apt and the engine as
    /// well, add them to the store: update-ca-certificates
    #[arg(long, value_name = "FILE", env = "DOCKSTRAP_CA_CERT")]
    pub ca_cert: Option<PathBuf>,

    /// Go through the proxy at URL, in the downloads of this run and its apt
    /// [default: what https_proxy, http_proxy and all_proxy say; no_proxy always
    /// holds]. A URL with a password is best given by the variable or the settings
    /// file, since other users see the command line
    #[arg(
        long,
        value_name = "URL",
        env = "DOCKSTRAP_PROXY",
        hide_env_values = true
    )]
    pub proxy: Option<SecretText>,

    /// Set up the proxy of this run for good: for apt, for the engine, or both with
    /// apt,engine; uninstall takes it back
    #[arg(
        long,
        value_name = "WHAT",
        env = "DOCKSTRAP_PROXY_FOR",
        value_delimiter = ','
    )]
    pub proxy_for: Option<Vec<ProxyUser>>,

    /// Merge the configuration PRESET into daemon.json: none, recommended (only where
    /// nothing else is set) or hardened (the same, and items of the CIS benchmark)
    /// [default: recommended]
    #[arg(
        long,
        value_name = "PRESET",
        env = "DOCKSTRAP_PRESET",
        hide_possible_values = true
    )]
    pub preset: Option<Preset>,

    /// Keys for daemon.json, which override the preset and what is there. No flag: in the file,
    /// or a task of Ansible, key by key over the file.
    #[arg(skip)]
    #[serde(default)]
    pub daemon: DaemonKeys,

    /// Private registries, by host or host and port. No flag, as above.
    #[arg(skip)]
    #[serde(default)]
    pub registries: BTreeMap<String, RegistryLayer>,

    /// Wait up to SECONDS for other package managers [default: 300]
    #[arg(long, value_name = "SECONDS", env = "DOCKSTRAP_LOCK_WAIT")]
    pub lock_wait: Option<u64>,

    /// Warn of a repository's index that is older than DAYS, or refuse it, as --stale says
    /// [default: 90]
    #[arg(long, value_name = "DAYS", env = "DOCKSTRAP_MAX_INDEX_AGE")]
    pub max_index_age: Option<NonZeroU32>,

    /// What becomes of an install whose index is older than that: warn or refuse
    /// [default: warn; refuse with --preset hardened]
    #[arg(
        long,
        value_name = "WHAT",
        env = "DOCKSTRAP_STALE",
        hide_possible_values = true
    )]
    pub stale: Option<Stale>,

    /// Remove packages that conflict with Docker's, such as docker.io; containers that
    /// run under them stop, and keep their data
    #[arg(
        long,
        value_name = "BOOL",
        env = "DOCKSTRAP_REPLACE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        hide_possible_values = true
    )]
    pub replace: Option<bool>,

    /// Let dpkg finish what it was cut short at, also with packages of others; apt does
    /// nothing until then
    #[arg(
        long,
        value_name = "BOOL",
        env = "DOCKSTRAP_REPAIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        hide_possible_values = true
    )]
    pub repair: Option<bool>,

    /// Place everything and start nothing, as for an image or in a chroot; the engine
    /// is proven by the install that follows on the booted host
    #[arg(
        long,
        value_name = "BOOL",
        env = "DOCKSTRAP_NO_START",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        hide_possible_values = true
    )]
    pub no_start: Option<bool>,

    /// With --no-start: enable dockstrap-firstboot.service, which runs the install on the
    /// booted host, with tries at growing intervals until it succeeds
    #[arg(
        long,
        value_name = "BOOL",
        env = "DOCKSTRAP_FIRST_BOOT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        hide_possible_values = true
    )]
    pub first_boot: Option<bool>,

    /// Have it wait before the first try, up to SECONDS, at random, so that not all of
    /// a fleet comes at once [default: 0]
    #[arg(long, value_name = "SECONDS", env = "DOCKSTRAP_FIRST_BOOT_JITTER")]
    pub first_boot_jitter: Option<u64>,

    /// Take packages older than those that are installed or that were seen on this host before
    #[arg(
        long,
        value_name = "BOOL",
        env = "DOCKSTRAP_ALLOW_DOWNGRADE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        hide_possible_values = true
    )]
    pub allow_downgrade: Option<bool>,
}

/// What the file says of a private registry.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegistryLayer {
    /// The file (PEM) with the authority that vouches for it.
    pub ca: PathBuf,
}

/// A text that may hold a password, and so is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretText(pub(super) String);

/// Who can be given the proxy for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyUser {
    /// apt, by a file of its own
    Apt,
    /// the engine, by daemon.json
    Engine,
}

/// What becomes of an index that is older than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stale {
    /// It is used, with a warning
    Warn,
    /// Nothing is installed from it
    Refuse,
}

impl Stale {
    /// What holds with a preset where nobody says anything.
    pub(super) fn by_default(preset: Preset) -> Stale {
        match preset {
            Preset::None | Preset::Recommended => Stale::Warn,
            Preset::Hardened => Stale::Refuse,
        }
    }
}

/// A text without the blanks around it, as a list that is written by hand has them.
fn trimmed(text: &str) -> Result<String, Infallible> {
    Ok(text.trim().to_owned())
}

impl Layer {
    /// The same without empty names of users, as flags and variables may have them: with no other,
    /// there are to be none.
    pub(super) fn without_empty_users(mut self) -> Layer {
        self.users
            .iter_mut()
            .for_each(|users| users.retain(|user| !user.is_empty()));
        self
    }

    /// This layer over another: what it does not say, the other says.
    pub(super) fn over(self, below: Layer) -> Layer {
        Layer {
            mirror: self.mirror.or(below.mirror),
            key_fingerprint: self.key_fingerprint.or(below.key_fingerprint),
            suite: self.suite.or(below.suite),
            engine_version: self.engine_version.or(below.engine_version),
            bundle: self.bundle.or(below.bundle),
            users: self.users.or(below.users),
            ca_cert: self.ca_cert.or(below.ca_cert),
            proxy: self.proxy.or(below.proxy),
            proxy_for: self.proxy_for.or(below.proxy_for),
            preset: self.preset.or(below.preset),
            daemon: self.daemon.over(below.daemon),
            registries: below
                .registries
                .into_iter()
                .chain(self.registries)
                .collect(),
            lock_wait: self.lock_wait.or(below.lock_wait),
            max_index_age: self.max_index_age.or(below.max_index_age),
            stale: self.stale.or(below.stale),
            replace: self.replace.or(below.replace),
            repair: self.repair.or(below.repair),
            no_start: self.no_start.or(below.no_start),
            first_boot: self.first_boot.or(below.first_boot),
            first_boot_jitter: self.first_boot_jitter.or(below.first_boot_jitter),
            allow_downgrade: self.allow_downgrade.or(below.allow_downgrade),
        }
    }

    /// The keys of what this layer says.
    pub(super) fn keys_given(&self) -> impl Iterator<Item = String> {
        let is_said = |value: &Value| match value {
            Value::Null => false,
            Value::Object(table) => !table.is_empty(),
            _ => true,
        };
        let values = self.values().into_iter();
        values
            .filter(move |(_, value)| is_said(value))
            .map(|(key, _)| key)
    }

    /// Whether it holds a password, or another secret, so that its file is nobody else's to read.
    pub(super) fn holds_secret(&self) -> bool {
        let proxy = self.proxy.as_ref().map(|SecretText(url)| url);
        proxy.is_some_and(|url| has_password_named("proxy", url)) || self.daemon.holds_password()
    }

    /// The values by their keys, without secrets; `null` for what it does not say.
    pub fn values(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(values)) => values,
            _ => Map::new(),
        }
    }
}

/// The proxy's URL, with stars for its password. One that is written loosely, without a scheme or
/// with a blank in the password, is shown as it is read: only there it is plain what the password is.
impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.contains('@') {
            return serializer.serialize_str(&self.0);
        }
        match Proxy::parse(&self.0) {
            Ok(proxy) => serializer.collect_str(&proxy),
            Err(_) => serializer.serialize_str(STARS),
        }
    }
}

impl FromStr for SecretText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<SecretText, Infallible> {
        Ok(SecretText(text.to_owned()))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(STARS)
    }
}
