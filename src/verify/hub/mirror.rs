//! The mirrors that the engine is told to use, and whether they are there.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::host::Host;
use crate::host::http::{FetchError, Http};
use crate::host::network::Network;

/// What is known of the engine's mirrors.
pub(crate) struct Mirrors {
    /// The one that the engine asks first.
    pub first: Option<String>,
    /// The first that does not answer, with the reason.
    pub silent: Option<String>,
}

/// Asks each mirror of the engine, the way that the engine goes. One that answers us and is not
/// believed, or wants a password of a proxy that the engine does not tell, may still serve it.
pub(crate) fn ask(host: &Host) -> Result<Mirrors> {
    let account = host.engine_account()?.context("the engine went away")?;
    let said = |key: &str| account[key].as_str().map(str::to_owned);
    let network = Network::new(None, None, |name| {
        match name.to_ascii_lowercase().as_str() {
            "http_proxy" => said("HttpProxy"),
            "https_proxy" => said("HttpsProxy"),
            "no_proxy" => said("NoProxy"),
            _ => None,
        }
        .filter(|value| !value.is_empty())
    })?;
    let mirrors: Vec<&str> = account["RegistryConfig"]["Mirrors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let reason = |mirror: &str| match Http::new(&network).find_registry(mirror) {
        Err(error) if is_silence(&error) => {
            Some(format!("{mirror}, which is unreachable: {error:#}"))
        }
        _ => None,
    };
    Ok(Mirrors {
        first: mirrors.first().map(ToString::to_string),
        silent: mirrors.iter().find_map(|mirror| reason(mirror)),
    })
}

fn is_silence(error: &anyhow::Error) -> bool {
    let trouble = error.downcast_ref::<FetchError>();
    let is_absent =
        |it: &FetchError| matches!(it.innermost(), FetchError::Status { status: 404, .. });
    trouble.is_some_and(|it| it.is_passing() || is_absent(it))
}
