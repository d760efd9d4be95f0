//! What is set up around the engine: its configuration, service, group and registries. None of it needs
//! the network, except that new registries are asked whether they answer.

use anyhow::Result;

use super::Scope;
use super::preflight;
use crate::daemon_config::Change;
use crate::host::network::Network;
use crate::step::{DaemonJson, DockerGroup, EngineService, InspectedStep, Registries, registries};

/// The configuration, with what the steps that depend on it found.
pub(super) struct EngineSetup {
    configuration: DaemonJson,
    pub daemon_json: InspectedStep,
    pub service: InspectedStep,
    pub docker_group: InspectedStep,
    /// Where there are any.
    pub registries: Option<InspectedStep>,
}

impl EngineSetup {
    /// `is_replaced` says that another engine's own units are moved aside by this run.
    pub(super) fn inspect(
        scope: &Scope<'_>,
        network: &Network,
        is_replaced: bool,
    ) -> Result<EngineSetup> {
        let Scope {
            host,
            facts,
            settings,
            ref owned,
            listener,
        } = *scope;
        let mut configuration = DaemonJson::new(host, facts, settings, network)?;
        if is_replaced {
            configuration.expect_packaged_unit();
        }
        let daemon_json = InspectedStep::of(configuration.clone(), host)?;
        let effective = configuration.effective(host)?;
        preflight::check_engine(host, &effective, configuration.flags(), listener)?;
        let service = service(scope, &configuration)?;
        let docker_group = InspectedStep::of(DockerGroup::new(facts, settings, owned), host)?;
        let changes = configuration.merged(host)?.changes;
        let registries = registries(scope, network, &changes)?;
        Ok(EngineSetup {
            configuration,
            daemon_json,
            service,
            docker_group,
            registries,
        })
    }

    /// Inspects again what depends on the engine's version, once the version to install is known. That
    /// takes the network, so that the first inspection went by the one that is there or asked for.
    pub(super) fn settle_on(&mut self, scope: &Scope<'_>, version: &str) -> Result<()> {
        let host = scope.host;
        self.configuration.check_for(host, version)?;
        let configuration = self.configuration.for_engine(version);
        self.daemon_json = InspectedStep::of(configuration.clone(), host)?;
        self.service = service(scope, &configuration)?;
        Ok(())
    }

    /// Where the engine, and its containerd, are going to keep their data.
    pub(super) fn roots(&self, scope: &Scope<'_>) -> Result<Vec<String>> {
        self.configuration.roots(scope.host)
    }
}

fn service(scope: &Scope<'_>, configuration: &DaemonJson) -> Result<InspectedStep> {
    let service = EngineService::new(configuration.clone(), scope.settings.no_start);
    InspectedStep::of(service.leaving(&scope.owned), scope.host)
}

/// The registries, where there are any; those that are new are asked whether they answer.
fn registries(
    scope: &Scope<'_>,
    network: &Network,
    configuration: &[Change],
) -> Result<Option<InspectedStep>> {
    let settings = scope.settings;
    let mut inspected = InspectedStep::of(Registries::new(&settings.registries), scope.host)?;
    let news = if inspected.finding.satisfied {
        &[][..]
    } else {
        &settings.registries
    };
    if settings.bundle.is_none() {
        // With a bundle there may be no network at all.
        let known = &settings.registries;
        inspected.finding.warnings = registries::silent(network, known, news, configuration);
    }
    let is_of_use = !settings.registries.is_empty() || !inspected.finding.warnings.is_empty();
    Ok(is_of_use.then_some(inspected))
}
