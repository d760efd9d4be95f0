//! Docker's repository, and the source that names it.

use anyhow::Result;

use super::Scope;
use crate::apt::{Freshness, Repository, Source};
use crate::change::Journal;
use crate::facts::{ENGINE_PACKAGES, Facts};
use crate::host::bundle::Bundle;
use crate::host::http::Http;
use crate::host::network::Network;
use crate::settings::Settings;
use crate::step::{AptSource, InspectedStep};

/// The repository with the way to it.
pub(super) struct Resolved {
    pub http: Http,
    pub repository: Repository,
    pub apt_source: InspectedStep,
}

/// Resolves the repository and inspects its source.
pub(super) fn resolve(scope: &Scope<'_>, source: Source, network: &Network) -> Result<Resolved> {
    let Scope {
        host,
        facts,
        settings,
        ref owned,
        listener,
    } = *scope;
    let remark = super::suite::remark(facts, &source);
    let http = open_way(settings, network, facts, &source)?;
    let mut repository = Repository::resolve(host, &http, source, settings, listener)?;
    let step = AptSource::new(&repository, remark).leaving(owned, settings);
    let mut apt_source = InspectedStep::of(step.clone(), host)?;
    if !apt_source.finding.satisfied && facts.missing_packages().is_empty() {
        let offer = check_unused(scope, &http, &mut repository)?;
        apt_source.step = Box::new(step.remembering(offer));
    }
    Ok(Resolved {
        http,
        repository,
        apt_source,
    })
}

/// The way to all that is to be fetched: the network, or a bundle, which must be for this host.
fn open_way(
    settings: &Settings,
    network: &Network,
    facts: &Facts,
    source: &Source,
) -> Result<Http> {
    let Some(path) = &settings.bundle else {
        return Ok(Http::new(network));
    };
    let bundle = Bundle::open(path)?;
    bundle.require(&facts.codename, &source.suite, &source.architecture)?;
    Ok(Http::offline(bundle, &source.uri))
}

/// Verifies the index when no package is going to be taken from it in this run: a source must not be
/// set up for a suite that is not there. Returns what it offers.
fn check_unused(scope: &Scope<'_>, http: &Http, repository: &mut Repository) -> Result<Freshness> {
    let Scope { host, listener, .. } = *scope;
    let index = repository.index(http, ENGINE_PACKAGES, listener)?;
    let memory = Journal::freshness_of(host)?;
    repository.look_back(host, &index, &memory, scope.settings.allow_downgrade)
}
