//! What apt is told, for one run, of the way to the network.
//!
//! A proxy's password goes neither on a command line nor into a file that others can read, and to
//! no command that runs dpkg. What the host's own configuration of apt says of a single server
//! stays in force.

#![expect(
    clippy::disallowed_methods,
    reason = "all is written into a folder of the run"
)]

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::quote::quoted;
use super::run::run;
use crate::host::authority::Authority;
use crate::host::command::Command;
use crate::host::network::{self, Network, Proxy};
use crate::report::Listener;

/// The way to the network, laid out for apt.
#[derive(Debug)]
pub(crate) struct NetworkConfig {
    /// Read after the host's own configuration.
    configuration: PathBuf,
    network: Network,
}

impl NetworkConfig {
    /// Lays out in `folder`, which apt's own user must be able to enter, what apt is to read.
    pub(crate) fn lay_out(folder: &Path, network: &Network) -> Result<NetworkConfig> {
        let mut text = String::new();
        if let Some(bundle) = network::bundle(network)? {
            let path = folder.join("ca.pem");
            fs::write(&path, bundle).context("writing the certificates for apt")?;
            fs::set_permissions(&path, Permissions::from_mode(0o644))?;
            let path = quoted(&path.display().to_string())?;
            text += &format!("Acquire::https::CAInfo {path};\n");
        }
        // What the environment says reaches apt as it would by itself, under the host's own
        // configuration; what the user named for this run stands over it.
        if network.is_chosen {
            text += &proxies(network)?;
            text += "Acquire::http::Proxy-Auto-Detect \"\";\n";
        }
        let configuration = folder.join("network.conf");
        let writing = || "writing apt's configuration for this run";
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&configuration)
            .with_context(writing)?;
        file.write_all(text.as_bytes()).with_context(writing)?;
        Ok(NetworkConfig {
            configuration,
            network: network.clone(),
        })
    }

    /// An apt command that fetches, told of the way. It must not run dpkg: what it starts sees the
    /// proxy's password.
    pub(crate) fn lend<K>(&self, command: Command<K>) -> Command<K> {
        let command = self.configure(command);
        if self.network.is_chosen {
            return with_direct(command, &self.network); // the configuration says the rest
        }
        with_proxies(command, &self.network)
    }

    /// An apt command that runs dpkg, and so scripts of packages, hooks and what they start. Where
    /// there is a proxy, it is not told of it, and all must be fetched before.
    pub(crate) fn lend_to_dpkg(&self, command: Command) -> Command {
        if self.has_proxy() {
            return command;
        }
        self.configure(command)
    }

    /// Whether it leads through a proxy.
    pub(crate) fn has_proxy(&self) -> bool {
        has_proxy(&self.network)
    }

    fn configure<K>(&self, command: Command<K>) -> Command<K> {
        command.arg("--config-file").arg(&self.configuration)
    }
}

/// Downloads what an apt command is going to install, where that takes a proxy. The command itself
/// then needs none.
pub(crate) fn download_by_proxy(
    host: &Authority<'_>,
    install: &Command,
    network: &Network,
    lock_wait: Duration,
    listener: Listener<'_>,
) -> Result<()> {
    if !has_proxy(network) {
        return Ok(());
    }
    let download = with_proxies(install.clone().arg("--download-only"), network);
    run(host, &download, lock_wait, listener).context("downloading the packages")
}

fn has_proxy(network: &Network) -> bool {
    network.http().or(network.https()).is_some()
}

/// The command with the proxies in its environment, for it and its children alone.
fn with_proxies<K>(command: Command<K>, network: &Network) -> Command<K> {
    // apt reads the variables in small letters only.
    let proxies = [
        ("http_proxy", network.http()),
        ("https_proxy", network.https()),
    ];
    let command = proxies
        .into_iter()
        .filter_map(|(name, proxy)| Some((name, proxy?)))
        .fold(command, |command, (name, proxy)| {
            command.env(name, proxy.with_credentials())
        });
    with_direct(command, network)
}

fn with_direct<K>(command: Command<K>, network: &Network) -> Command<K> {
    match network.direct() {
        [] => command,
        direct => command.env("no_proxy", &direct.join(",")),
    }
}

/// The proxy for good: a file that is read after most others, so that it stands over them.
pub(crate) const PROXY: &str = "/etc/apt/apt.conf.d/90dockstrap-proxy";

/// apt's configuration for the proxies, which holds their passwords.
///
/// # Errors
/// [`Failure::Usage`](crate::error::Failure::Usage) for what apt cannot be told.
pub(crate) fn proxies(network: &Network) -> Result<String> {
    let line = |scheme: &str, proxy: &Proxy| {
        let url = quoted(proxy.with_credentials())?;
        Ok(format!("Acquire::{scheme}::Proxy {url};\n"))
    };
    let http = network.http().map(|proxy| line("http", proxy));
    let https = network.https().map(|proxy| line("https", proxy));
    http.into_iter().chain(https).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const SECRET: &str = "s3cret";

    fn reach(
        setting: Option<&str>,
        variables: &[(&str, &str)],
    ) -> (tempfile::TempDir, NetworkConfig) {
        let setting = setting.map(|text| Proxy::parse(text).unwrap());
        let network = Network::new(setting, None, |name| {
            let set = variables.iter().find(|(known, _)| *known == name);
            set.map(|(_, value)| (*value).to_owned())
        });
        let folder = tempfile::tempdir().unwrap();
        let reach = NetworkConfig::lay_out(folder.path(), &network.unwrap()).unwrap();
        (folder, reach)
    }

    #[test]
    fn fault_13_apt_is_told_of_a_chosen_proxy_by_a_file_of_its_own() {
        let (_folder, reach) = reach(Some("http://me:s3cret@proxy:3128"), &[]);
        let text = fs::read_to_string(&reach.configuration).unwrap();
        assert!(
            text.contains("Acquire::https::Proxy \"http://me:s3cret@proxy:3128\";"),
            "{text}"
        );
        let mode = fs::metadata(&reach.configuration)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let command = reach.lend(Command::new("apt-get"));
        assert!(!format!("{command} {command:?} {reach:?}").contains(SECRET));
    }

    #[test]
    fn apt_is_told_of_variables_in_capitals_too() {
        let variables = [("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", "a, b")];
        let (_folder, reach) = reach(None, &variables);
        let text = fs::read_to_string(&reach.configuration).unwrap();
        assert!(!text.contains("Proxy"), "{text}");
        // A program that prints its environment, whatever its arguments are.
        let stub = StubHost::new().program("sh", "env");
        let show = reach.lend(Command::new("sh"));
        let shown = show.run_on(&stub.authority()).unwrap().stdout;
        for line in ["https_proxy=http://proxy:3128", "no_proxy=a,b"] {
            assert!(shown.lines().any(|shown| shown == line), "{shown}");
        }
    }

    #[test]
    fn fault_13_dpkg_and_what_it_runs_are_not_told_of_a_proxy() {
        let proxy = "http://me:s3cret@proxy:3128";
        for (setting, variables) in [(Some(proxy), &[][..]), (None, &[("http_proxy", proxy)][..])] {
            let (_folder, reach) = reach(setting, variables);
            let stub = StubHost::new().program("sh", "env; echo $*");
            let show = reach.lend_to_dpkg(Command::new("sh"));
            let shown = show.run_on(&stub.authority()).unwrap().stdout;
            assert!(!shown.contains("proxy"), "{shown}");
            assert!(!shown.contains("--config-file"), "{shown}");
        }
    }

    #[test]
    fn what_is_behind_a_proxy_is_downloaded_first() {
        let stub = StubHost::new().program("apt-get", "echo $http_proxy >>$STUB/calls");
        let network = |variables: &[(&str, &str)]| {
            let of = |name: &str| {
                let set = variables.iter().find(|(known, _)| *known == name);
                set.map(|(_, value)| (*value).to_owned())
            };
            Network::new(None, None, of).unwrap()
        };
        let install = Command::new("apt-get").args(["install", "pigz"]);
        let download = |network: &Network| {
            download_by_proxy(
                &stub.authority(),
                &install,
                network,
                Duration::ZERO,
                &|_| {},
            )
            .unwrap();
            stub.calls().concat()
        };
        assert_eq!(download(&network(&[])), "");
        let calls = download(&network(&[("http_proxy", "http://me:s3cret@proxy")]));
        assert!(calls.contains("install pigz --download-only"), "{calls}");
        assert!(calls.contains("me:s3cret@proxy"), "{calls}");
    }
}
