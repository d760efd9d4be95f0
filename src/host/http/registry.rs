//! The question whether a registry answers.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{StatusCode, Url};

use super::redirect::FinalResponse;
use super::{FetchError, Http, fetch_error};

/// How long a registry may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);

impl Http {
    /// Asks for a registry at this address, once. One that wants a login answers as well. Nothing
    /// that comes from it is used, so it may also be one without TLS.
    ///
    /// Source: <https://distribution.github.io/distribution/spec/api/#api-version-check>.
    ///
    /// # Errors
    /// A [`FetchError`] that says why none answers.
    pub(crate) fn find_registry(&self, address: &str) -> Result<()> {
        let address = format!("{}/v2/", address.trim_end_matches('/'));
        let url = Url::parse(&address).context("reading an address")?;
        let client = match url.scheme() {
            "http" => super::set_up(&self.network, &self.avoid_ipv6, false)?,
            _ => self.client()?.clone(),
        };
        let request = |url: &Url| client.get(url.clone()).timeout(DEADLINE);
        let FinalResponse { response, from } = self.follow(&url, request)?;
        match response.status() {
            StatusCode::OK | StatusCode::UNAUTHORIZED => Ok(()),
            status => {
                let url = response.url().clone();
                let error = FetchError::Status {
                    host: fetch_error::host(&url).to_owned(),
                    status: status.as_u16(),
                    said: None,
                };
                Err(error.behind(from.as_deref(), &url).into())
            }
        }
    }
}
