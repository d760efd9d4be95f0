//! The engine's configuration file, with what is wanted merged into what is there.

mod certificates;
mod file;
mod host_facts;
mod passwords;
mod plugins;
mod proposal;
mod user_namespaces;
mod validation;

use anyhow::Result;
use serde_json::Value;

pub(crate) use host_facts::read as host_facts;
pub(crate) use validation::refuse_unsound;

use super::{Explained, Inspection, Step};
use crate::change::{Journal, Tx, data_roots, note_data};
use crate::daemon_config::{
    Change, DaemonKeys, Document, EngineRelease, Merged, PATH, Preset, Redacted, with_flags,
};
use crate::engine::unit::{self, Unit};
use crate::facts::Facts;
use crate::host::network::{Network, Proxy};
use crate::host::{Host, is_forbidden};
use crate::settings::{EngineVersion, ProxyUser, Restore, Settings};
use crate::undo::Undo;

/// The part of the engine that reads the file.
const PACKAGE: &str = "docker-ce";

#[derive(Clone, Default)]
pub(crate) struct DaemonJson {
    /// What the unit tells the engine already; saying it twice stops the engine.
    unit_flags: Vec<String>,
    /// The engine that is going to read the file; `None` is the newest.
    engine: Option<EngineRelease>,
    /// The engine that is there by now.
    installed: Option<EngineRelease>,
    preset: Preset,
    settings: DaemonKeys,
    /// What the engine is to be told of proxies, if anything.
    proxies: Option<Value>,
    /// What earlier runs changed, oldest first.
    ours: Vec<Change>,
    /// Of that, what runs did that came to their end: what of it no longer holds is somebody's own.
    settled: Vec<Change>,
    /// What of that is to be set again all the same.
    restore: Restore,
}

impl DaemonJson {
    pub(crate) fn new(
        host: &Host,
        facts: &Facts,
        settings: &Settings,
        network: &Network,
    ) -> Result<DaemonJson> {
        let installed = facts
            .packages
            .get(PACKAGE)
            .filter(|package| package.is_installed());
        let asked_for = settings.engine_version.as_ref().filter(|wish| {
            let is_there = installed.is_some_and(|package| wish.includes(&package.version));
            !is_there
        });
        let installed = installed.and_then(|package| EngineRelease::of(&package.version));
        let (ours, settled) = changes_of_earlier_runs(host)?;
        let for_engine = settings.proxy_for.contains(&ProxyUser::Engine);
        Ok(DaemonJson {
            unit_flags: unit::flags(host)?,
            engine: asked_for.map_or(installed, EngineVersion::engine),
            installed,
            preset: settings.preset,
            settings: settings.daemon.clone(),
            proxies: for_engine.then(|| proxies(network)),
            ours,
            // Where somebody removed the engine, all is set up anew.
            settled: installed.map_or(Vec::new(), |_| settled),
            restore: settings.restore.clone(),
        })
    }

    /// What the file is to say: what is there, with what is wanted merged into it.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the engine would not start with what is there, and
    /// [`Failure::Usage`] when it would not with what is wanted.
    pub(crate) fn merged(&self, host: &Host) -> Result<Merged> {
        Ok(self.propose(host)?.merged)
    }

    /// What the engine is going to run with: what the file is to say, and the flags of the unit.
    pub(crate) fn effective(&self, host: &Host) -> Result<Document> {
        Ok(with_flags(&self.merged(host)?.document, &self.unit_flags))
    }

    /// The flags of the unit.
    pub(crate) fn flags(&self) -> &[String] {
        &self.unit_flags
    }

    /// Takes it that the engine's unit is going to be the packages' own.
    pub(crate) fn expect_packaged_unit(&mut self) {
        self.unit_flags = unit::PACKAGED_FLAGS
            .iter()
            .map(ToString::to_string)
            .collect();
    }

    /// Where the engine, and its containerd, are going to keep their data.
    pub(crate) fn roots(&self, host: &Host) -> Result<Vec<String>> {
        let all = with_flags(&self.merged(host)?.document, &self.unit_flags);
        let roots = data_roots(host, &all)?.into_iter();
        Ok(roots.map(|root| root.display().to_string()).collect())
    }
}

impl Step for DaemonJson {
    fn id(&self) -> &'static str {
        "daemon-json"
    }

    fn title(&self) -> &'static str {
        "daemon.json"
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let proposal = self.propose(host)?;
        let changes = &proposal.merged.changes;
        let kept = proposal.kept();
        if changes.is_empty() {
            let finding = Inspection::satisfied(format!("{PATH} is as it should be"));
            return Ok(finding.with_warnings(proposal.warnings).keeping(kept));
        }
        self.refuse_unwritable(host, &proposal)?;
        let verb = if host.exists(PATH)? {
            "merge into"
        } else {
            "write"
        };
        let explained: Vec<Explained> = changes
            .iter()
            .map(|change| Explained {
                key: change.key.clone(),
                old: shown(&change.key, change.before.as_ref()),
                new: shown(&change.key, change.after.as_ref()),
                why: proposal.desired.reason(&change.key).to_owned(),
            })
            .collect();
        let details = explained
            .iter()
            .map(|it| format!("{}: {}", it.key, it.why))
            .chain(file::hiding(host, &proposal.current, &proposal.merged));
        Ok(Inspection {
            diff: Some(proposal.diff(host.exists(PATH)?)),
            ..Inspection::pending(format!("{verb} {PATH}"), details.collect())
        }
        .with_changes(explained)
        .with_warnings(proposal.warnings)
        .keeping(kept))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let proposal = self.propose(tx.host())?;
        if proposal.merged.changes.is_empty() {
            return Ok(());
        }
        self.refuse_unwritable(tx.host(), &proposal)?;
        let changes = &proposal.merged.changes;
        if changes.iter().any(|change| change.key == "data-root") {
            // Written down before the engine's restart: data goes when the engine has left it.
            let all = with_flags(&proposal.merged.document, &self.unit_flags);
            note_data(tx, &all)?;
        }
        if Unit::query(tx.host())?.is_some_and(|unit| unit.active) {
            tx.note_anew(
                "change the configuration of a running engine",
                Undo::RestartEngine {
                    containers: tx.host().running_containers()?,
                },
            )?;
        }
        let Merged { document, changes } = proposal.merged;
        let changes = passwords::without_ours(changes, &self.ours);
        tx.write_daemon_json(document.bytes(), &changes)
    }

    fn writes(&self, _host: &Host) -> Result<Vec<String>> {
        Ok(vec![PATH.to_owned()])
    }
}

fn shown(key: &str, value: Option<&Value>) -> Option<Redacted> {
    value.map(|value| Redacted::of(key, value))
}

/// All that earlier runs changed, and that of those which came to their end.
fn changes_of_earlier_runs(host: &Host) -> Result<(Vec<Change>, Vec<Change>)> {
    let journal = match Journal::read(host) {
        // Only root may look; a plan that someone else makes takes what is there for the user's.
        Err(error) if is_forbidden(&error) => return Ok((Vec::new(), Vec::new())),
        journal => journal?,
    };
    let now = file::read(host)?;
    let settled = journal.settled_configuration(&now);
    Ok((journal.configuration(&now), settled))
}

fn proxies(network: &Network) -> Value {
    let url = |proxy: Option<&Proxy>| proxy.map(|proxy| proxy.with_credentials().to_owned());
    let direct = Some(network.direct().join(",")).filter(|list| !list.is_empty());
    let entries = [
        ("http-proxy", url(network.http())),
        ("https-proxy", url(network.https())),
        ("no-proxy", direct),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    Value::Object(entries.collect())
}

#[cfg(test)]
mod tests;
