//! The packages, and the key that their index is verified by.

use anyhow::Result;

use super::Scope;
use super::configuration::EngineSetup;
use super::preflight;
use super::repository::Resolved;
use crate::apt::ENGINE;
use crate::docker::CONTAINERD_PACKAGE;
use crate::step::packages::Needs;
use crate::step::{AptKey, Dpkg, InspectedStep, Packages};

/// What is there and to be done about the key and the packages.
pub(super) struct Chosen {
    pub apt_key: InspectedStep,
    pub packages: InspectedStep,
}

/// Asks apt what it would install, and judges the configuration by the versions that it names.
pub(super) fn choose(
    scope: &Scope<'_>,
    setup: &mut EngineSetup,
    resolved: &mut Resolved,
    dpkg: Option<&Dpkg>,
) -> Result<Chosen> {
    let Scope {
        host,
        facts,
        settings,
        ref owned,
        listener,
    } = *scope;
    let Resolved {
        http, repository, ..
    } = resolved;
    let roots = setup.roots(scope)?;
    let reinstalled = dpkg.map(Dpkg::reinstalled).cloned().unwrap_or_default();
    let needs = Needs {
        roots: &roots,
        reinstalled: &reinstalled,
        restored: owned.restored_packages(),
    };
    let packages = Packages::plan(host, http, facts, settings, repository, needs, listener)?;
    // The index may have told of a newer certificate.
    let apt_key = InspectedStep::of(AptKey::new(repository), host)?;
    if let Some(version) = packages.version_of(ENGINE) {
        setup.settle_on(scope, version)?;
    }
    if let Some(version) = packages.version_of(CONTAINERD_PACKAGE) {
        preflight::check_containerd(host, version)?;
    }
    let mut packages = InspectedStep::of(packages, host)?;
    packages.finding = packages.finding.keeping(owned.packages());
    Ok(Chosen { apt_key, packages })
}
