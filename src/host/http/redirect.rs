//! Redirects, followed one by one: a server that fails is told together with the one that sent us
//! there.

use reqwest::blocking::{RequestBuilder, Response};
use reqwest::header::LOCATION;
use reqwest::{StatusCode, Url};

use super::Http;
use super::classify::classify;
use super::fetch_error::{FetchError, host};

/// As many as browsers follow, give or take.
const MOST: usize = 10;

/// An answer that is no redirect.
pub(super) struct FinalResponse {
    pub(super) response: Response,
    /// The host that sent us to another one, if any did.
    pub(super) from: Option<String>,
}

impl Http {
    /// Asks for what is at `url`, and goes where it is sent. The client must not do so itself.
    pub(super) fn follow(
        &self,
        url: &Url,
        request: impl Fn(&Url) -> RequestBuilder,
    ) -> Result<FinalResponse, FetchError> {
        let mut url = url.clone();
        let mut from: Option<String> = None;
        for _ in 0..=MOST {
            let response = request(&url).send().map_err(|error| {
                let proxy = self.network.proxy_for(&url);
                let error = classify(&error.without_url(), &url, proxy, None);
                error.behind(from.as_deref(), &url)
            })?;
            let Some(next) = target(&response) else {
                return Ok(FinalResponse { response, from });
            };
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(FetchError::Downgrade {
                    host: host(&url).to_owned(),
                    to: next.origin().ascii_serialization(),
                });
            }
            if host(&next) != host(&url) {
                from = Some(host(&url).to_owned());
            }
            url = next;
        }
        Err(FetchError::Circles {
            host: host(&url).to_owned(),
        })
    }
}

/// Where an answer sends us, if it does.
fn target(response: &Response) -> Option<Url> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !redirects.contains(&response.status()) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    response.url().join(location).ok()
}
