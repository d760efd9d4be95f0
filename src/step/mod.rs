//! The steps: each owns one thing on the host, says whether it is as it should be, and makes it so.
//!
//! To add one: a file here with a type that implements [`Step`], and its lines in this file, the
//! module and the place in [`inspect_all`].

mod apt_key;
mod apt_proxy;
mod apt_source;
mod by_hand;
mod conflicts;
mod daemon_json;
mod data;
mod docker_group;
mod dpkg;
mod dpkg_rules;
mod exposed;
pub(crate) mod first_boot;
mod ownership;
mod packages;
pub(crate) mod preflight;
mod registries;
pub(crate) mod repository;
mod service;
pub(crate) mod suite;
mod unit;
mod unit_environment;
mod unit_settings;
mod unit_words;

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::apt::{self, Source, Transaction};
use crate::change::{self, Tx};
use crate::daemon_config::{Change, Redacted};
use crate::error::Failure;
use crate::facts::Facts;
use crate::host::Host;
use crate::host::bundle::Bundle;
use crate::host::engine::CONTAINERD_PACKAGE;
use crate::host::http::Http;
use crate::host::network::Network;
use crate::report::{Event, Listener, Yours};
use crate::settings::{ProxyUser, Settings};

use apt_key::AptKey;
use apt_proxy::AptProxy;
use apt_source::AptSource;
use by_hand::ByHand;
use daemon_json::DaemonJson;
pub use daemon_json::{look_around, refuse_unsound};
use docker_group::DockerGroup;
use dpkg::Dpkg;
pub(crate) use exposed::{exposed, unit_files};
use first_boot::FirstBoot;
use ownership::Ownership;
use packages::Packages;
pub use packages::request;
use registries::Registries;
pub use repository::KEYRING;
use repository::Repository;
use service::Service;
pub use service::failure_reason;
pub use unit::flags as unit_flags;
pub use unit_environment::Environment as UnitEnvironment;

/// How long containers, and the engine with them, may take to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(120);

/// One thing on the host that dockstrap sets up.
pub trait Step {
    /// The stable name: the journal's key, and what `--json` says.
    fn id(&self) -> &'static str;
    /// The name for people.
    fn title(&self) -> &'static str;
    /// What is there, and what is to be done about it.
    fn inspect(&self, host: &Host) -> Result<Finding>;
    /// Makes it so.
    fn apply(&self, tx: &mut Tx<'_>) -> Result<()>;
    /// The files that are written, edited or taken away when it is applied now.
    fn writes(&self, _host: &Host) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    /// What apt is going to do, for the step that runs it.
    fn transaction(&self) -> Option<&Transaction> {
        None
    }
}

/// What a step found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Finding {
    /// Whether there is nothing to do.
    pub satisfied: bool,
    /// What is there when satisfied, what is going to be done otherwise.
    pub summary: String,
    /// The same in detail, a line each.
    pub details: Vec<String>,
    /// The keys of a file that change, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Explained>,
    /// How the text of a file changes, as a unified diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// What the user should know, although it stops nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What somebody changed since it was set up, and so is left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Yours>,
}

/// One key of a file before and after, and why; what is absent is `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    pub key: String,
    pub old: Option<Redacted>,
    pub new: Option<Redacted>,
    pub why: String,
}

impl Finding {
    pub fn satisfied(summary: impl Into<String>) -> Finding {
        Finding {
            satisfied: true,
            summary: summary.into(),
            ..Finding::default()
        }
    }

    pub fn pending(summary: impl Into<String>, details: Vec<String>) -> Finding {
        Finding {
            satisfied: false,
            summary: summary.into(),
            details,
            ..Finding::default()
        }
    }

    pub fn with_changes(self, changes: Vec<Explained>) -> Finding {
        Finding { changes, ..self }
    }

    pub fn with_warnings(self, warnings: Vec<String>) -> Finding {
        Finding { warnings, ..self }
    }

    /// Whether its details are about more than what is left.
    pub fn has_more_than_kept(&self) -> bool {
        self.details.len() > self.kept.len()
    }

    /// With what is left, which is told in its details as well.
    pub fn keeping(mut self, kept: Vec<Yours>) -> Finding {
        self.details.extend(kept.iter().map(Yours::to_string));
        self.kept.extend(kept);
        self
    }
}

/// A step with what it found.
pub struct Inspected {
    pub step: Box<dyn Step>,
    pub finding: Finding,
}

/// Looks at the host with every step; they come in the order in which they are to be applied.
///
/// The configuration and the group stand before the packages: the engine then starts once, with
/// its configuration in force. What needs no network is looked at first, so that a host that
/// cannot be set up is told so without one; the network is used only for what a step will need.
pub fn inspect_all(
    host: &Host,
    facts: &Facts,
    settings: &Settings,
    listener: Listener<'_>,
) -> Result<Vec<Inspected>> {
    let owned = Ownership::of(host, &settings.restore)?;
    let source = suite::source(facts, settings, listener)?;
    let suite_remark = suite::remark(facts, &source);
    conflicts::check(host, facts, settings)?;
    let by_hand = ByHand::of(host, facts)?;
    if let Some(by_hand) = &by_hand {
        by_hand.check(host, settings.replace)?;
    }
    exposed::refuse(host)?;
    preflight::check_units(host, by_hand.is_some(), listener)?;
    conflicts::warn(host, listener)?;
    let dpkg = Dpkg::plan(host, facts, settings.repair)?;
    if !facts.missing_packages().is_empty() {
        apt::check_configuration(host)?;
        dpkg_rules::check(host, listener)?;
    }
    let network = settings.network()?;
    let mut configuration = DaemonJson::new(host, facts, settings, &network)?;
    if by_hand.is_some() {
        configuration.expect_packaged_unit();
    }
    let mut daemon_json = inspect(configuration.clone(), host)?;
    preflight::check_engine(host, &configuration, listener)?;
    let service = Service::new(configuration.clone(), settings.no_start).leaving(&owned);
    let mut service = inspect(service, host)?;
    let docker_group = inspect(DockerGroup::new(facts, settings, &owned), host)?;
    let changes = configuration.merged(host)?.changes;
    let registries = registries(host, settings, &network, &changes)?;

    let http = open_way(settings, &network, facts, &source)?;
    let mut repository = Repository::resolve(host, &http, source, settings, listener)?;
    let source_step = AptSource::new(&repository, suite_remark).leaving(&owned, settings);
    let mut apt_source = inspect(source_step.clone(), host)?;
    if !apt_source.finding.satisfied {
        let allow = settings.allow_downgrade;
        let offer = repository.check_when_unused(host, &http, facts, allow, listener)?;
        apt_source.step = Box::new(source_step.remembering(offer));
    }
    let roots = configuration.roots(host)?;
    let reinstalled = dpkg
        .as_ref()
        .map(Dpkg::reinstalled)
        .cloned()
        .unwrap_or_default();
    let packages = Packages::plan(
        host,
        &http,
        facts,
        settings,
        &mut repository,
        packages::Needs {
            roots: &roots,
            reinstalled: &reinstalled,
            restored: owned.restored_packages(),
        },
        listener,
    )?;
    // The index may have told of a newer certificate.
    let apt_key = inspect(AptKey::new(&repository), host)?;
    if let Some(version) = packages.version_of(repository::ENGINE) {
        configuration.check_for(host, version)?;
        let configuration = configuration.for_engine(version);
        daemon_json = inspect(configuration.clone(), host)?;
        let leaving = Service::new(configuration, settings.no_start).leaving(&owned);
        service = inspect(leaving, host)?;
    }
    if let Some(version) = packages.version_of(CONTAINERD_PACKAGE) {
        preflight::check_containerd(host, version)?;
    }
    let mut packages = inspect(packages, host)?;
    packages.finding = packages.finding.keeping(owned.packages());
    let mut inspected = Vec::new();
    if settings.proxy_for.contains(&ProxyUser::Apt) {
        inspected.push(inspect(AptProxy::new(&network)?, host)?);
    }
    inspected.extend([apt_key, apt_source]);
    if let Some(by_hand) = by_hand {
        inspected.push(inspect(by_hand, host)?);
    }
    inspected.push(daemon_json);
    inspected.extend(registries);
    inspected.push(docker_group);
    if let Some(dpkg) = dpkg {
        inspected.push(inspect(dpkg, host)?);
    }
    inspected.extend([packages, service]);
    if settings.no_start && settings.first_boot {
        inspected.push(inspect(FirstBoot::new(&settings.given)?, host)?);
    }
    if inspected.iter().any(|it| !it.finding.satisfied) {
        host.refuse_immutable(change::PATH)?;
    }
    let warnings = inspected.iter().flat_map(|it| &it.finding.warnings);
    for text in warnings.cloned() {
        listener(Event::Warning { text });
    }
    Ok(inspected)
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

/// The registries, where there are any; those that are new are asked whether they answer.
fn registries(
    host: &Host,
    settings: &Settings,
    network: &Network,
    configuration: &[Change],
) -> Result<Option<Inspected>> {
    let mut inspected = inspect(Registries::new(&settings.registries), host)?;
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

fn inspect(step: impl Step + 'static, host: &Host) -> Result<Inspected> {
    let finding = step.inspect(host).map_err(|error| {
        // A refusal says what it is about.
        if error.chain().any(|cause| cause.is::<Failure>()) {
            error
        } else {
            error.context(format!("looking at the {}", step.title()))
        }
    })?;
    if !finding.satisfied {
        for path in step.writes(host)? {
            host.refuse_unreachable(&path)?;
            host.refuse_immutable(path)?;
        }
    }
    Ok(Inspected {
        step: Box::new(step),
        finding,
    })
}
