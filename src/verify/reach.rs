//! What a registry that was not to be had makes of a stage: out of reach, or tired of us, is an
//! outcome of its own.

use anyhow::Result;

use super::cure;
use crate::error::Failure;
use crate::host::command::Output;
use crate::report::Outcome;

/// What the engine, and our own deadline, say when a registry cannot be reached at all.
const UNREACHABLE: &[&str] = &[
    "no such host",
    "Temporary failure in name resolution",
    "Name or service not known",
    "server misbehaving",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "no route to host",
    "i/o timeout",
    "TLS handshake timeout",
    "deadline exceeded",
    "Client.Timeout",
    "did not end within",
    "proxyconnect",
    "EOF",
];

/// What it says when the registry answers no more for a while.
const RATE_LIMITED: &[&str] = &["toomanyrequests", "Too Many Requests", "pull rate limit"];

/// What the docker command says when it is the engine that is not there.
const NO_ENGINE: &str = "Cannot connect to the Docker daemon";

/// What a command that talks to a registry came to, unless it did what it should.
///
/// # Errors
/// [`Failure::Cancelled`] when a signal stopped it.
pub(crate) fn trouble(asked: Result<Output>) -> Result<Option<Outcome>> {
    match asked {
        Ok(output) if output.code == 0 => Ok(None),
        Ok(output) => Ok(Some(classify(&output.tail()))),
        Err(error) if is_cancelled(&error) => Err(error),
        Err(error) => Ok(Some(classify(&format!("{error:#}")))),
    }
}

fn is_cancelled(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Failure::Cancelled(_)))
}

/// What it means that this was said.
pub(crate) fn classify(said: &str) -> Outcome {
    let is_any = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
    if is_any(RATE_LIMITED) {
        return Outcome::RateLimited(format!(
            "the engine works, but the registry's rate limit is reached: {said}; wait, or name a \
             mirror as registry-mirrors in /etc/docker/daemon.json"
        ));
    }
    if is_any(UNREACHABLE) && !said.contains(NO_ENGINE) {
        return Outcome::Unreachable(format!(
            "the engine works, but the registry is unreachable: {said}; where a proxy leads there, \
             give it to the engine: sudo dockstrap install --proxy URL --proxy-for engine"
        ));
    }
    Outcome::Failed(format!("{said}; {}", cure::of(said)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_47_an_unreachable_registry_is_an_outcome_of_its_own() {
        let daemon = "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": ";
        for said in [
            "dial tcp: lookup registry-1.docker.io: no such host",
            "dial tcp: lookup registry-1.docker.io: Temporary failure in name resolution",
            "dial tcp: lookup registry-1.docker.io: Name or service not known",
            "proxyconnect tcp: dial tcp 192.0.2.1:3128: connect: no answer",
            "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        ] {
            let said = format!("{daemon}{said}");
            assert!(matches!(classify(&said), Outcome::Unreachable(_)), "{said}");
        }
        let ours = "`docker pull --quiet hello-world` did not end within 120 seconds";
        assert!(matches!(classify(ours), Outcome::Unreachable(_)));
    }

    #[test]
    fn fault_47_so_is_its_rate_limit() {
        let said =
            "Error response from daemon: toomanyrequests: You have reached your pull rate limit.";
        assert!(matches!(classify(said), Outcome::RateLimited(_)));
    }

    #[test]
    fn any_other_refusal_is_a_failure_and_so_is_an_engine_that_is_gone() {
        for said in [
            "Error response from daemon: x509: certificate signed by unknown authority",
            "Cannot connect to the Docker daemon at unix:///run/docker.sock: connection refused",
        ] {
            assert!(matches!(classify(said), Outcome::Failed(_)), "{said}");
        }
    }
}
