//! The way from this host to the network: through which proxy, trusting which authorities.
//!
//! It is worked out once a run, from the settings and the environment, so that downloads, apt and
//! the engine are told the same. It must not send anything.

mod direct;
mod name;
mod proxy;
mod trusted;

use anyhow::Result;
use reqwest::Url;

use crate::error::Failure;
use direct::Direct;

pub(crate) use name::is_host;
pub(crate) use proxy::Proxy;
pub(crate) use trusted::{CaCert, bundle, certificates};

/// The names of a variable: small letters stand over capitals.
type Names = [&'static str; 2];

const HTTP_PROXY: Names = ["http_proxy", "HTTP_PROXY"];
const HTTPS_PROXY: Names = ["https_proxy", "HTTPS_PROXY"];
const ALL_PROXY: Names = ["all_proxy", "ALL_PROXY"];
const NO_PROXY: Names = ["no_proxy", "NO_PROXY"];

/// The way to the network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Network {
    http: Option<Proxy>,
    https: Option<Proxy>,
    direct: Direct,
    /// The proxy was named by a setting, not by the environment.
    pub is_chosen: bool,
    /// Trusted in addition to the host's store.
    pub ca_cert: Option<CaCert>,
}

impl Network {
    /// As [`Network::new`], with the variables of this process.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub(crate) fn from_environment(
        proxy: Option<Proxy>,
        ca_cert: Option<CaCert>,
    ) -> Result<Network> {
        Network::new(proxy, ca_cert, |name| std::env::var(name).ok())
    }

    /// Takes `proxy` when there is one, or else what the variables name; `variable` reads one.
    ///
    /// Small letters stand over capitals, as with curl; apt reads small ones only.
    ///
    /// # Errors
    /// [`Failure::Usage`] when a variable names something that cannot be used.
    pub(crate) fn new(
        proxy: Option<Proxy>,
        ca_cert: Option<CaCert>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Network> {
        let first = |names| first(names, &variable);
        let named = |names| {
            let found = first(names).or_else(|| first(ALL_PROXY));
            let parsed = found.map(|(name, value)| {
                Proxy::parse(value.trim())
                    .map_err(|why| Failure::Usage(format!("the variable {name} {why}")))
            });
            parsed.transpose()
        };
        let (_, direct) = first(NO_PROXY).unwrap_or_default();
        let direct = Direct::parse(&direct);
        let (http, https) = match &proxy {
            _ if direct.is_everything() => (None, None),
            Some(_) => (proxy.clone(), proxy.clone()),
            None => (named(HTTP_PROXY)?, named(HTTPS_PROXY)?),
        };
        Ok(Network {
            http,
            https,
            direct,
            is_chosen: proxy.is_some(),
            ca_cert,
        })
    }

    /// The same way, trusting these authorities as well.
    pub(crate) fn trusting(&self, added: &CaCert) -> Network {
        let ca_cert = match &self.ca_cert {
            Some(known) => known.with(added),
            None => added.clone(),
        };
        Network {
            ca_cert: Some(ca_cert),
            ..self.clone()
        }
    }

    /// The proxy for addresses that begin with `http:`.
    pub(crate) fn http(&self) -> Option<&Proxy> {
        self.http.as_ref()
    }

    /// The proxy for addresses that begin with `https:`.
    pub(crate) fn https(&self) -> Option<&Proxy> {
        self.https.as_ref()
    }

    /// The hosts that are reached without a proxy, as `NO_PROXY` lists them.
    pub(crate) fn direct(&self) -> &[String] {
        self.direct.entries()
    }

    /// The proxy that stands between this host and `url`.
    pub(crate) fn proxy_for(&self, url: &Url) -> Option<&Proxy> {
        let proxy = match url.scheme() {
            "https" => self.https(),
            _ => self.http(),
        };
        let host = url.host_str().unwrap_or_default();
        proxy.filter(|_| !self.direct.covers(host))
    }
}

/// The variables that the way hangs on, each with its value. A proxy that a setting names stands over
/// all of them but `no_proxy`.
pub(crate) fn variables_in_force(
    is_chosen: bool,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<(&'static str, String)> {
    let found = |names| first(names, &variable);
    let proxies = match (is_chosen, found(HTTP_PROXY), found(HTTPS_PROXY)) {
        (true, ..) => vec![],
        (false, Some(http), Some(https)) => vec![http, https],
        (false, http, https) => [http, https, found(ALL_PROXY)]
            .into_iter()
            .flatten()
            .collect(),
    };
    let stores = trusted::VARIABLES.map(|name| first([name, name], &variable));
    let others = [found(NO_PROXY)].into_iter().chain(stores).flatten();
    proxies.into_iter().chain(others).collect()
}

/// The first of the names whose variable says something, and what it says.
fn first(
    names: Names,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    let set = names
        .iter()
        .filter_map(|name| Some((*name, variable(name)?)));
    set.into_iter().find(|(_, value)| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;

    const URL: &str = "https://download.docker.com/linux";

    fn network(setting: Option<&str>, variables: &[(&str, &str)]) -> Result<Network> {
        let setting = setting.map(|text| Proxy::parse(text).unwrap());
        Network::new(setting, None, |name| {
            let set = variables.iter().find(|(known, _)| *known == name);
            set.map(|(_, value)| (*value).to_owned())
        })
    }

    fn proxy_for(setting: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        let network = network(setting, variables).unwrap();
        let proxy = network.proxy_for(&Url::parse(URL).unwrap());
        proxy.map(ToString::to_string)
    }

    #[test]
    fn a_setting_stands_over_variables_and_small_letters_over_capitals() {
        let variables = [
            ("https_proxy", "http://small"),
            ("HTTPS_PROXY", "http://big"),
        ];
        assert_eq!(proxy_for(None, &variables).as_deref(), Some("http://small"));
        assert_eq!(
            proxy_for(Some("http://setting"), &variables).as_deref(),
            Some("http://setting")
        );
        let all = [("https_proxy", " "), ("ALL_PROXY", "all:3128")];
        assert_eq!(proxy_for(None, &all).as_deref(), Some("http://all:3128"));
        assert_eq!(proxy_for(None, &[("http_proxy", "http://a")]), None);
    }

    #[test]
    fn no_proxy_holds_for_a_proxy_from_anywhere() {
        for direct in ["*", "docker.com", "x, .docker.com", "download.docker.com"] {
            let variables = [("HTTPS_PROXY", "http://proxy"), ("NO_PROXY", direct)];
            assert_eq!(proxy_for(None, &variables), None, "{direct}");
            assert_eq!(proxy_for(Some("http://s"), &variables), None, "{direct}");
        }
    }

    #[test]
    fn fault_13_a_variable_that_is_no_proxy_is_named_without_its_password() {
        let wrong = [("ALL_PROXY", "socks5://me:word@proxy")];
        let error = network(None, &wrong).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        let text = error.to_string();
        assert!(
            text.contains("ALL_PROXY") && !text.contains("word"),
            "{text}"
        );
    }
}
