//! What the user wants: defaults, under the settings file, under variables, under flags.
//!
//! One [`Layer`] describes every setting once: its fields are the keys of the settings file,
//! the flags of `install` and `plan`, and, in capitals behind `DOCKSTRAP_`, the variables.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::error::Failure;
use crate::host::network::{CaCert, Network, Proxy};
use crate::redact::{STARS, redact};
use crate::trust::{DOCKER_KEY_FINGERPRINT, Fingerprint};

/// Where the settings file is looked for when none is named.
pub const PATH: &str = "/etc/dockstrap/config.toml";

const MIRROR: &str = "https://download.docker.com";
const LOCK_WAIT: u64 = 300;

/// One layer of settings: what a file, or the command line with the variables, says.
#[derive(Debug, Default, Clone, clap::Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Layer {
    /// Serve packages and key from URL instead of <https://download.docker.com>
    #[arg(long, value_name = "URL", env = "DOCKSTRAP_MIRROR")]
    pub mirror: Option<String>,

    /// Trust the repository key with this fingerprint instead of Docker's
    #[arg(long, value_name = "FPR", env = "DOCKSTRAP_KEY_FINGERPRINT")]
    pub key_fingerprint: Option<String>,

    /// Take packages of the suite CODENAME instead of this release's own
    #[arg(long, value_name = "CODENAME", env = "DOCKSTRAP_SUITE")]
    pub suite: Option<String>,

    /// Add NAME to group docker, which is the same as giving it root; repeatable
    /// [default: the user behind sudo]
    #[arg(
        long = "user",
        value_name = "NAME",
        env = "DOCKSTRAP_USERS",
        value_delimiter = ','
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
    pub proxy: Option<Secret>,

    /// Set up the proxy of this run for good: for apt, for the engine, or both with
    /// apt,engine; uninstall takes it back
    #[arg(
        long,
        value_name = "WHAT",
        env = "DOCKSTRAP_PROXY_FOR",
        value_delimiter = ','
    )]
    pub proxy_for: Option<Vec<ProxyUser>>,

    /// Wait up to SECONDS for other package managers [default: 300]
    #[arg(long, value_name = "SECONDS", env = "DOCKSTRAP_LOCK_WAIT")]
    pub lock_wait: Option<u64>,

    /// Take packages older than those seen on this host before
    #[arg(long, env = "DOCKSTRAP_ALLOW_DOWNGRADE")]
    #[serde(default)]
    pub allow_downgrade: bool,
}

/// A text that may hold a password, and so is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// Who can be given the proxy for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyUser {
    /// apt, by a file of its own
    Apt,
    /// the engine, by daemon.json
    Engine,
}

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address under which `linux/ubuntu` stands, without a slash at its end.
    pub mirror: String,
    /// The primary key that must sign the repository.
    pub key_fingerprint: Fingerprint,
    /// The suite to take packages of; `None` is the one of the host's release.
    pub suite: Option<String>,
    /// The users to be members of group docker; `None` is whoever called sudo.
    pub users: Option<Vec<String>>,
    /// The authorities to trust beside the host's store.
    pub ca_cert: Option<CaCert>,
    /// The proxy to go through; `None` is what the environment says.
    pub proxy: Option<Proxy>,
    /// Who is given the proxy for good.
    pub proxy_for: Vec<ProxyUser>,
    /// How long to wait for the locks of other package managers.
    pub lock_wait: Duration,
    /// Whether a repository may go back in time.
    pub allow_downgrade: bool,
}

impl Settings {
    /// Puts `flags` (with the variables, which clap has put under them) over the settings file:
    /// `file` when one is named, which then must be there, or else [`PATH`].
    ///
    /// # Errors
    /// [`Failure::Usage`] for anything that cannot be meant.
    pub fn resolve(flags: Layer, file: Option<&Path>) -> Result<Settings> {
        let below = read_layer(file)?;
        let key_fingerprint = match flags.key_fingerprint.or(below.key_fingerprint) {
            Some(text) => parse_fingerprint(&text)?,
            None => DOCKER_KEY_FINGERPRINT,
        };
        let mirror = flags.mirror.or(below.mirror);
        Ok(Settings {
            mirror: parse_mirror(mirror.as_deref().unwrap_or(MIRROR))?,
            key_fingerprint,
            suite: flags.suite.or(below.suite).map(check_suite).transpose()?,
            users: flags.users.or(below.users).map(check_names).transpose()?,
            ca_cert: flags
                .ca_cert
                .or(below.ca_cert)
                .map(|path| CaCert::read(&path))
                .transpose()?,
            proxy: flags.proxy.or(below.proxy).map(parse_proxy).transpose()?,
            proxy_for: flags.proxy_for.or(below.proxy_for).unwrap_or_default(),
            lock_wait: Duration::from_secs(
                flags.lock_wait.or(below.lock_wait).unwrap_or(LOCK_WAIT),
            ),
            allow_downgrade: flags.allow_downgrade || below.allow_downgrade,
        })
    }
}

impl Settings {
    /// The way to the network: these settings over the environment.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the environment names a proxy that cannot be used, or when there
    /// is none to be set up for good.
    pub fn network(&self) -> Result<Network> {
        let variable = |name: &str| std::env::var(name).ok();
        let network = Network::new(self.proxy.clone(), self.ca_cert.clone(), variable)?;
        if !self.proxy_for.is_empty() && network.http().or(network.https()).is_none() {
            let error = "proxy-for: there is no proxy to be set up; name it: --proxy URL";
            return Err(Failure::Usage(error.to_owned()).into());
        }
        Ok(network)
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Secret, Infallible> {
        Ok(Secret(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(STARS)
    }
}

fn read_layer(file: Option<&Path>) -> Result<Layer> {
    let path = file.map_or_else(|| PathBuf::from(PATH), Path::to_owned);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => {
            return Ok(Layer::default());
        }
        Err(error) => {
            let cause = format!("cannot read the settings file {}: {error}", path.display());
            return Err(Failure::Usage(cause).into());
        }
    };
    toml::from_str(&text).map_err(|error| {
        let cause = format!("the settings file {} is not right: {error}", path.display());
        Failure::Usage(redact(cause.trim_end()).into_owned()).into()
    })
}

fn parse_mirror(text: &str) -> Result<String> {
    // Checked first, so that no message below can show a password.
    if text.contains('@') {
        let error = "a mirror's URL must not carry a password: other users could read it";
        return Err(Failure::Usage(error.to_owned()).into());
    }
    let refuse = |why: &str| {
        Failure::Usage(format!(
            "mirror `{text}` {why}; give an address like {MIRROR}"
        ))
    };
    let url = reqwest::Url::parse(text).map_err(|error| refuse(&format!("is no URL ({error})")))?;
    if url.scheme() != "https" {
        return Err(refuse("is not served over https").into());
    }
    if url.query().is_some() || url.fragment().is_some() || text.contains(char::is_whitespace) {
        return Err(refuse("has more than a host and a path").into());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn parse_proxy(Secret(text): Secret) -> Result<Proxy> {
    Proxy::parse(&text).map_err(|why| Failure::Usage(format!("proxy {why}")).into())
}

fn parse_fingerprint(text: &str) -> Result<Fingerprint> {
    text.parse()
        .map_err(|error| Failure::Usage(format!("key-fingerprint: {error}")))
        .context("reading the settings")
}

/// A suite goes by the codename of a release, which is one word (and ends up in addresses).
fn check_suite(suite: String) -> Result<String> {
    if (3..=20).contains(&suite.len()) && suite.bytes().all(|c| c.is_ascii_lowercase()) {
        return Ok(suite);
    }
    let cause = format!("suite `{suite}` is no codename of a release; give one like noble");
    Err(Failure::Usage(cause).into())
}

fn check_names(names: Vec<String>) -> Result<Vec<String>> {
    for name in &names {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.-@\\$".contains(c);
        if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) {
            return Err(Failure::Usage(format!("`{name}` is no user name")).into());
        }
        if name == "root" {
            let error = "root needs no membership in group docker; leave it out";
            return Err(Failure::Usage(error.to_owned()).into());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;

    fn with_file(text: &str, flags: Layer) -> Result<Settings> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Settings::resolve(flags, Some(file.path()))
    }

    fn mirror(url: &str) -> Layer {
        Layer {
            mirror: Some(url.to_owned()),
            ..Layer::default()
        }
    }

    #[test]
    fn flags_stand_over_the_file_and_the_file_over_defaults() {
        let settings = with_file(
            "mirror = 'https://file.example/docker'\nlock-wait = 7",
            mirror("https://flag.example/docker/"),
        )
        .unwrap();
        assert_eq!(settings.mirror, "https://flag.example/docker");
        assert_eq!(settings.lock_wait, Duration::from_secs(7));
        assert_eq!(settings.key_fingerprint, DOCKER_KEY_FINGERPRINT);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let error = with_file("miror = 'https://example.com'", Layer::default()).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        assert!(error.to_string().contains("`mirror`"), "{error}");
    }

    #[test]
    fn a_named_file_must_be_there() {
        let error =
            Settings::resolve(Layer::default(), Some(Path::new("/no/such.toml"))).unwrap_err();
        assert_eq!(exit_code(&error), 2);
    }

    #[test]
    fn a_mirror_is_an_https_address_without_a_password() {
        for wrong in [
            "http://example.com",
            "example.com",
            "https://alice:secret@example.com",
            "http://alice:secret@example.com",
            "alice:secret@example.com",
            "https://example.com/a b",
            "https://example.com/?x=1",
        ] {
            let error = with_file("", mirror(wrong)).unwrap_err();
            assert_eq!(exit_code(&error), 2, "{wrong}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn fault_13_no_setting_shows_the_password_of_a_proxy() {
        let flags = Layer {
            proxy: Some("http://me:s3cret@proxy:3128".parse().unwrap()),
            ..Layer::default()
        };
        assert!(!format!("{flags:?}").contains("s3cret"));
        let settings = with_file("", flags).unwrap();
        assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
        assert!(settings.proxy.unwrap().has_credentials());
        for wrong in [
            "proxy = 'http://me:s3cret@proxy/x'",
            "proxy = 'http://me:s3cret@proxy' x",
        ] {
            let error = with_file(wrong, Layer::default()).unwrap_err();
            assert_eq!(exit_code(&error), 2);
            assert!(!format!("{error:#}").contains("s3cret"), "{error:#}");
        }
    }

    #[test]
    fn a_suite_is_a_codename() {
        let suite = |name: &str| Layer {
            suite: Some(name.to_owned()),
            ..Layer::default()
        };
        let settings = with_file("suite = 'jammy'", suite("noble")).unwrap();
        assert_eq!(settings.suite.as_deref(), Some("noble"));
        for wrong in [
            "",
            "24.04",
            "noble/",
            "../x",
            "Noble",
            "noble stable",
            "a\nb",
            "-x",
        ] {
            let error = with_file("", suite(wrong)).unwrap_err();
            assert_eq!(exit_code(&error), 2, "{wrong:?}");
        }
    }

    #[test]
    fn the_proxy_can_be_given_to_apt_and_the_engine() {
        let settings = with_file("proxy-for = ['apt', 'engine']", Layer::default()).unwrap();
        assert_eq!(settings.proxy_for, [ProxyUser::Apt, ProxyUser::Engine]);
    }

    #[test]
    fn names_that_are_options_or_root_are_refused() {
        for wrong in ["-rf", "root", "", "a b", "a\nb"] {
            let flags = Layer {
                users: Some(vec![wrong.to_owned()]),
                ..Layer::default()
            };
            assert_eq!(
                exit_code(&with_file("", flags).unwrap_err()),
                2,
                "{wrong:?}"
            );
        }
    }
}
