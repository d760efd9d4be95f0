//! Stage `network`: containers find each other by name, the host reaches a published port, and
//! containers reach the outside where the host does.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};

use super::probe::{self, ReachReport};
use super::verifier::Verifier;
use crate::host::http;
use crate::report::Outcome;

/// Somebody outside who is known to answer: a container must reach them when the host does.
const OUTSIDE: &str = "download.docker.com";
const OUTSIDE_PORT: u16 = 443;

const PORT: &str = "8080";

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let server = verifier.name("server");
    let network = verifier.network("network")?;
    let container = verifier
        .container("run")
        .args(["--detach", "--name", &server, "--network", &network])
        .args([
            "--network-alias=server",
            "--publish",
            &format!("127.0.0.1::{PORT}"),
        ]);
    verifier.ask(&verifier.probe(container, &["serve", PORT, &verifier.token])?)?;

    is_published(verifier, &server)?;
    let outside = outside();
    let address = outside.map(|address| address.to_string());
    let mut probe = vec!["reach", "--server", "server:8080"];
    if let Some(address) = &address {
        probe.extend(["--address", address, "--name", OUTSIDE]);
    }
    let container = verifier.container("run").args(["--network", &network]);
    let reach: ReachReport = verifier.report("client", container, &probe)?;
    let answer = reach.answer.context("the probe did not try")?;
    match answer {
        Ok(answer) if answer == verifier.token => {}
        Ok(_) => anyhow::bail!("another server answers to the name of a container"),
        Err(reason) => {
            return Ok(Outcome::Failed(format!(
                "a container does not reach another by its name: {reason}; {}",
                cure(verifier, &reason)?
            )));
        }
    }
    let way_out = match (reach.connection, reach.addresses) {
        (Some(Err(reason)), _) => {
            return Ok(Outcome::Failed(format!(
                "the host reaches the outside, but a container does not: {reason}; {}",
                cure(verifier, &reason)?
            )));
        }
        (_, Some(Err(reason))) => {
            return Ok(Outcome::Failed(format!(
                "containers reach the outside, but cannot look up {OUTSIDE}: {reason}; see which \
                 name servers they are given: /etc/resolv.conf, and dns in /etc/docker/daemon.json"
            )));
        }
        (Some(Ok(())), _) => "and they the outside",
        (None, _) => "the outside was not tried, as the host has no direct way there",
    };
    Ok(Outcome::Passed(format!(
        "containers reach each other by name, the host reaches them, {way_out}"
    )))
}

/// Whether the host reaches the port that the server publishes.
fn is_published(verifier: &Verifier<'_>, server: &str) -> Result<()> {
    let published = verifier.ask(&verifier.docker().args(["port", server, PORT]))?;
    let published = published.lines().next().unwrap_or_default();
    let answer = probe::answer(published)
        .with_context(|| format!("the host does not reach the published port at {published}"))?;
    ensure!(
        answer == verifier.token,
        "somebody else than the container answers on its published port {published}"
    );
    Ok(())
}

/// Where [`OUTSIDE`] is reached from this host, if it is: without a proxy in between, and not on
/// the host itself.
fn outside() -> Option<SocketAddr> {
    let addresses = http::lookup(OUTSIDE).ok()?;
    let address = addresses
        .into_iter()
        .find(|it| it.is_ipv4() && !it.is_loopback())?;
    let address = SocketAddr::new(address, OUTSIDE_PORT);
    probe::connect(address).is_ok().then_some(address)
}

/// What helps when packets do not come through.
fn cure(verifier: &Verifier<'_>, reason: &str) -> Result<&'static str> {
    let forwarding = verifier
        .host
        .read_text("/proc/sys/net/ipv4/ip_forward")?
        .unwrap_or_default();
    Ok(match forwarding.trim() {
        _ if reason.contains("looking up") => {
            "the engine's own name server does not answer: systemctl restart docker"
        }
        "0" => {
            "the host does not forward packets; allow it: sysctl --write net.ipv4.ip_forward=1, \
             and see what turned it off, in /etc/sysctl.d or as ip-forward in \
             /etc/docker/daemon.json"
        }
        _ => {
            "see whether a firewall drops what is forwarded (nft list ruleset), and let the engine \
             make its rules again: systemctl restart docker"
        }
    })
}
