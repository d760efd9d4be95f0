//! The plan: what every step found, and so what is going to be done. Making one changes nothing.

mod configuration;
mod packages;
mod preflight;
mod repository;
pub(crate) mod suite;

use anyhow::Result;
use serde::Serialize;

use crate::apt::Transaction;
use crate::change::Ownership;
use crate::facts::Facts;
use crate::host::Host;
use crate::report::{Event, Listener};
use crate::settings::{ProxyUser, Settings};
use crate::step::{AptProxy, FirstBoot, InspectedStep, Inspection, Step};
use configuration::EngineSetup;

/// What is going to be done to a host.
#[derive(Serialize)]
pub(crate) struct Plan {
    /// The version of this structure, for those who read it as JSON.
    pub schema: u32,
    pub host: Facts,
    pub steps: Vec<Planned>,
}

/// One step with what it found.
#[derive(Serialize)]
pub(crate) struct Planned {
    pub id: &'static str,
    pub title: &'static str,
    #[serde(flatten)]
    pub finding: Inspection,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    #[serde(skip)]
    pub(crate) step: Box<dyn Step>,
}

impl Plan {
    /// Looks at the host and says what is to be done for these settings.
    pub(crate) fn make(
        host: &Host,
        facts: Facts,
        settings: &Settings,
        listener: Listener<'_>,
    ) -> Result<Plan> {
        for text in settings.warnings.clone() {
            listener(Event::Warning { text });
        }
        let inspected = inspect_all(&Scope {
            owned: Ownership::of(host, &settings.restore)?,
            host,
            facts: &facts,
            settings,
            listener,
        })?;
        let planned = inspected
            .into_iter()
            .map(|InspectedStep { step, finding }| Planned {
                id: step.id(),
                title: step.title(),
                finding,
                transaction: step.transaction().cloned(),
                step,
            });
        Ok(Plan {
            schema: 1,
            steps: planned.collect(),
            host: facts,
        })
    }

    /// The steps that have something to do.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Planned> {
        self.steps
            .iter()
            .filter(|planned| !planned.finding.satisfied)
    }

    /// Whether there is anything to do.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending().next().is_some()
    }
}

/// What all parts of a plan go by.
struct Scope<'a> {
    host: &'a Host,
    facts: &'a Facts,
    settings: &'a Settings,
    owned: Ownership,
    listener: Listener<'a>,
}

/// Inspects the host with every step; they come in the order in which they are to be applied.
///
/// The configuration and the group stand before the packages: the engine then starts once, with
/// its configuration in force. What needs no network is inspected first, so that a host that
/// cannot be set up is refused without one; the network is used only for what a step will need.
fn inspect_all(scope: &Scope<'_>) -> Result<Vec<InspectedStep>> {
    let Scope {
        host,
        settings,
        listener,
        ..
    } = *scope;
    let passed = preflight::pass(scope)?;
    let network = settings.network()?;
    let mut setup = EngineSetup::inspect(scope, &network, passed.unmanaged_engine.is_some())?;
    let mut resolved = repository::resolve(scope, passed.source, &network)?;
    let dpkg = passed.dpkg.as_ref();
    let chosen = packages::choose(scope, &mut setup, &mut resolved, dpkg)?;

    let apt_proxy = settings.proxy_for.contains(&ProxyUser::Apt);
    let apt_proxy = apt_proxy.then(|| InspectedStep::of(AptProxy::new(&network)?, host));
    let unmanaged_engine = passed
        .unmanaged_engine
        .map(|step| InspectedStep::of(step, host));
    let dpkg = passed.dpkg.map(|step| InspectedStep::of(step, host));
    let first_boot = settings.no_start && settings.first_boot;
    let first_boot = first_boot.then(|| InspectedStep::of(FirstBoot::new(&settings.given)?, host));
    let steps = [
        apt_proxy.transpose()?,
        Some(chosen.apt_key),
        Some(resolved.apt_source),
        unmanaged_engine.transpose()?,
        Some(setup.daemon_json),
        setup.registries,
        Some(setup.docker_group),
        dpkg.transpose()?,
        Some(chosen.packages),
        Some(setup.service),
        first_boot.transpose()?,
    ];
    let inspected: Vec<InspectedStep> = steps.into_iter().flatten().collect();
    if inspected.iter().any(|it| !it.finding.satisfied) {
        host.refuse_immutable(crate::undo::JOURNAL)?;
    }
    let warnings = inspected.iter().flat_map(|it| &it.finding.warnings);
    for text in warnings.cloned() {
        listener(Event::Warning { text });
    }
    Ok(inspected)
}
