//! How an install went, for those who called it to show.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::PreparedInstall;
use crate::error::Failure;
use crate::facts::{self, ENGINE_PACKAGES};
use crate::host::Host;
use crate::host::network::Proxy;
use crate::plan::{Plan, Planned};
use crate::report::{Done, StepReport, Verdict};
use crate::settings::Settings;
use crate::verify::Verification;

/// The summary where there is nothing to do.
pub(crate) const NOTHING_TO_DO: &str = "Nothing to do: Docker Engine is set up and running";

/// How an install went.
pub(crate) struct Installed<'a> {
    pub(super) prepared: &'a PreparedInstall<'a>,
    /// How long it took to set up, without the verification.
    pub(crate) applied: Duration,
    /// Whether the engine runs: it does unless it was not to be started.
    pub(crate) is_running: bool,
    /// `None` when there was nothing to verify.
    pub(crate) verification: Option<Verification>,
}

impl Installed<'_> {
    pub(crate) fn plan(&self) -> &Plan {
        &self.prepared.plan
    }

    /// An error when the engine was verified and does not work.
    pub(crate) fn require(&self) -> Result<(), Failure> {
        self.verification
            .as_ref()
            .map_or(Ok(()), Verification::require)
    }

    /// What was found and done.
    pub(crate) fn report(&self) -> Done {
        report(self.prepared.host, self.plan(), self.verification.as_ref())
    }

    /// How the engine is now, in words.
    pub(crate) fn summary(&self) -> Result<String> {
        let host = self.prepared.host;
        if !self.plan().is_pending() {
            return Ok(self.nothing_to_do().to_owned());
        }
        if !self.is_running {
            let packages = facts::known_packages(host)?;
            let engine = packages.get(ENGINE_PACKAGES[0]);
            let version = engine.map(|it| it.version.as_str()).unwrap_or_default();
            return Ok(format!(
                "docker-ce {version} is in place, and was not started"
            ));
        }
        let version = engine_version(host)?;
        Ok(match self.verification {
            Some(_) => format!("Docker Engine {version} works on this host"),
            None => format!("Docker Engine {version} is set up"),
        })
    }

    fn nothing_to_do(&self) -> &'static str {
        match (&self.verification, self.is_running) {
            (Some(_), _) => "Nothing to set up: Docker Engine works on this host",
            (None, true) => NOTHING_TO_DO,
            (None, false) => "Nothing to do: Docker Engine is set up, and not started",
        }
    }

    /// Whether users came into group docker, who must log in again.
    pub(crate) fn has_new_members(&self) -> bool {
        let adds = |planned: &Planned| {
            planned.id == "docker-group" && planned.finding.has_more_than_kept()
        };
        self.plan().pending().any(adds)
    }

    /// The proxy that this run alone went through.
    pub(crate) fn passing_proxy(&self) -> Result<Option<Proxy>> {
        passing_proxy(self.prepared.settings)
    }
}

/// What was found and done, or is to be.
pub(crate) fn report(host: &Host, plan: &Plan, verification: Option<&Verification>) -> Done {
    let step = |planned: &Planned| StepReport {
        step: planned.id.to_owned(),
        verdict: if planned.finding.satisfied {
            Verdict::Satisfied
        } else {
            Verdict::Changed
        },
        text: planned.finding.summary.clone(),
        details: planned.finding.details.clone(),
        diff: planned.finding.diff.clone(),
    };
    Done {
        schema: 1,
        changed: plan.is_pending(),
        steps: plan.steps.iter().map(step).collect(),
        verification: verification.map(|it| it.stages.clone()),
        engine_version: host.running_version(),
    }
}

/// The proxy of a run with these settings, unless apt or the engine is to keep it.
pub(super) fn passing_proxy(settings: &Settings) -> Result<Option<Proxy>> {
    let network = settings.network()?;
    let proxy = network.https().or(network.http());
    Ok(proxy.filter(|_| settings.proxy_for.is_empty()).cloned())
}

fn engine_version(host: &Host) -> Result<String> {
    let engine = host.engine_info()?;
    ensure!(
        engine.is_some(),
        "the engine went away; see why with: systemctl status docker"
    );
    Ok(engine
        .map(|engine| engine.server_version)
        .unwrap_or_default())
}
