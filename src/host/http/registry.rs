//! The question whether a registry answers.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{StatusCode, Url};

use super::{Http, Trouble, classify, trouble};

/// How long a registry may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);

impl Http {
    /// Asks for a registry at this address, once. One that wants a login answers as well. Nothing
    /// that comes from it is used, so it may also be one without TLS.
    ///
    /// Source: <https://distribution.github.io/distribution/spec/api/#api-version-check>.
    ///
    /// # Errors
    /// A [`Trouble`] that says why none answers.
    pub fn find_registry(&self, address: &str) -> Result<()> {
        let address = format!("{}/v2/", address.trim_end_matches('/'));
        let url = Url::parse(&address).context("reading an address")?;
        let client = match url.scheme() {
            "http" => super::set_up(&self.network, &self.avoid_ipv6, false)?,
            _ => self.client()?.clone(),
        };
        let request = client.get(url.clone()).timeout(DEADLINE);
        let response = request.send().map_err(|error| {
            let url = error.url().unwrap_or(&url).clone();
            let proxy = self.network.proxy_for(&url);
            classify::classify(&error.without_url(), &url, proxy, None)
        })?;
        match response.status() {
            StatusCode::OK | StatusCode::UNAUTHORIZED => Ok(()),
            status => Err(Trouble::Status {
                host: trouble::host(response.url()).to_owned(),
                status: status.as_u16(),
            }
            .into()),
        }
    }
}
