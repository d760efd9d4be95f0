//! The engine's configuration file, with what is wanted merged into what is there.

mod around;
mod file;
mod passwords;
mod validate;

use anyhow::{Result, bail};
use serde_json::{Map, Value};
use similar::TextDiff;

pub use around::look as look_around;

use super::unit::{self, Unit};
use super::{Explained, Finding, Step, data};
use crate::change::{Journal, Tx, Undo, is_sealed};
use crate::daemon_json::{
    self, Change, Context, Document, Engine, Merged, PATH, Preset, Problem, Severity, Surroundings,
    Wishes, is_said_by_flag, other_files, with_flags,
};
use crate::error::Failure;
use crate::facts::{self, Facts};
use crate::host::network::{Network, Proxy};
use crate::host::{Host, is_forbidden};
use crate::settings::{ProxyUser, Settings};

/// The part of the engine that reads the file.
const PACKAGE: &str = "docker-ce";

#[derive(Clone, Default)]
pub struct DaemonJson {
    /// What the unit tells the engine already; saying it twice stops the engine.
    unit_flags: Vec<String>,
    /// The engine that is there; `None` is the newest.
    engine: Option<Engine>,
    preset: Preset,
    settings: Map<String, Value>,
    /// What the engine is to be told of proxies, if anything.
    proxies: Option<Value>,
    /// What earlier runs changed, oldest first.
    ours: Vec<Change>,
}

/// What the file says, and what it is to say.
struct Proposal {
    current: Document,
    wishes: Wishes,
    merged: Merged,
    /// What is known of the result and stops nothing.
    warnings: Vec<String>,
}

impl DaemonJson {
    pub fn new(
        host: &Host,
        facts: &Facts,
        settings: &Settings,
        network: &Network,
    ) -> Result<DaemonJson> {
        let installed = facts.packages.get(PACKAGE);
        let installed = installed.filter(|package| package.is_installed());
        let for_engine = settings.proxy_for.contains(&ProxyUser::Engine);
        Ok(DaemonJson {
            unit_flags: unit::flags(host)?,
            engine: installed.and_then(|package| Engine::of(&package.version)),
            preset: settings.preset,
            settings: settings.daemon.clone(),
            proxies: for_engine.then(|| proxies(network)),
            ours: changes_of_earlier_runs(host)?,
        })
    }

    /// What the file is to say: what is there, with what is wanted merged into it.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the engine would not start with what is there, and
    /// [`Failure::Usage`] when it would not with what is wanted.
    pub fn merged(&self, host: &Host) -> Result<Merged> {
        Ok(self.propose(host)?.merged)
    }

    /// Takes it that the engine's unit is going to be the packages' own.
    pub fn expect_packaged_unit(&mut self) {
        self.unit_flags = unit::PACKAGED_FLAGS
            .iter()
            .map(ToString::to_string)
            .collect();
    }

    /// Where the engine, and its containerd, are going to keep their data.
    pub fn roots(&self, host: &Host) -> Result<Vec<String>> {
        let all = with_flags(&self.merged(host)?.document, &self.unit_flags);
        let roots = data::roots(host, &all)?.into_iter();
        Ok(roots.map(|root| root.display().to_string()).collect())
    }

    /// Refuses what the engine of this version, which is going to be installed, would not take.
    pub fn check_for(&self, host: &Host, version: &str) -> Result<()> {
        let engine = Engine::of(version);
        let same = DaemonJson {
            engine,
            ..self.clone()
        };
        same.propose(host).map(drop)
    }

    /// Has the engine that is installed by now judge its file, where it is not started to find out
    /// whether it takes it.
    pub fn refuse_invalid(&self, host: &Host) -> Result<()> {
        let known = facts::known_packages(host)?;
        let engine = known.get(PACKAGE).and_then(|it| Engine::of(&it.version));
        let current = file::read(host)?;
        match validate::refusal(host, engine, &self.unit_flags, &current)? {
            Some(reason) => bail!("the engine would not start with {PATH}:\n{reason}"),
            None => Ok(()),
        }
    }

    fn propose(&self, host: &Host) -> Result<Proposal> {
        let current = file::read(host)?;
        let around = around::look(host, &with_flags(&current, &self.unit_flags))?;
        let (errors, warnings) = self.check(&current, &around);
        if !errors.is_empty() {
            return Err(blocked(&lines(&errors, Problem::to_string)));
        }
        let wishes = self.wishes(&current, &around)?;
        let merged = wishes.merged_into(current.clone());
        passwords::refuse_to_lose(&merged.changes, &self.ours)?;
        let warnings = match merged.changes.is_empty() {
            true => warnings,
            false => {
                let all = with_flags(&merged.document, &self.unit_flags);
                let around = around::look(host, &all)?;
                let (errors, warnings) = self.check(&merged.document, &around);
                if !errors.is_empty() {
                    return Err(unwanted(&lines(&errors, Problem::without_position)));
                }
                warnings
            }
        };
        let mut warnings: Vec<String> = warnings.iter().map(warning).collect();
        if self.preset == Preset::Hardened {
            let objections = daemon_json::objections(&merged.document);
            let objections = objections.into_iter();
            if !self.can_separate(&current) {
                warnings.push(format!(
                    "{PATH}: icc: CIS 2.2 is left out, for without iptables (and ip6tables, where \
                     there is ipv6) the engine would not start with it"
                ));
            }
            warnings.extend(objections.map(|(key, text)| format!("{PATH}: {key}: {text}")));
        }
        Ok(Proposal {
            current,
            wishes,
            merged,
            warnings,
        })
    }

    fn check(&self, document: &Document, around: &Surroundings) -> (Vec<Problem>, Vec<Problem>) {
        let context = Context {
            unit_flags: &self.unit_flags,
            engine: self.engine,
            surroundings: Some(around),
        };
        let problems = daemon_json::check(document, &context).into_iter();
        problems.partition(|problem| problem.severity == Severity::Error)
    }

    fn wishes(&self, current: &Document, around: &Surroundings) -> Result<Wishes> {
        let said = |key: &str| is_said_by_flag(key, &self.unit_flags);
        let mut preset = self.preset.entries(around);
        preset.retain(|entry| {
            // The options are those of the driver.
            let of_driver = entry.key == "log-opts" && said("log-driver");
            // A member of a swarm does not start with it.
            let stops_swarm = entry.key == "live-restore" && around.is_swarm_member;
            let stops_engine = entry.key == "icc" && !self.can_separate(current);
            !said(entry.key) && !of_driver && !stops_swarm && !stops_engine
        });
        let mut wishes = Wishes::new(preset, self.settings.clone());
        let mut lost = daemon_json::lost(current, &self.ours);
        lost.retain(|_, value| !is_sealed(value));
        wishes.put_back(&lost);
        wishes.make_room(current, &daemon_json::standing(current, &self.ours));
        if let Some(proxies) = &self.proxies {
            wishes.set("proxies", proxies.clone(), "proxy-for says engine");
        }
        Ok(wishes)
    }

    /// Whether containers can be kept apart with what the file, the unit and the settings say.
    fn can_separate(&self, current: &Document) -> bool {
        let mut all = with_flags(current, &self.unit_flags);
        for (key, value) in &self.settings {
            all.set(key, value);
        }
        daemon_json::can_separate(&all)
    }

    /// Refuses a proposal that cannot be written, or that the engine itself would not take.
    fn refuse_unwritable(&self, host: &Host, proposal: &Proposal) -> Result<()> {
        if let Some(file) = other_files(&self.unit_flags).first() {
            return Err(Failure::Blocked(format!(
                "the unit passes --config-file={file} to the engine, which then does not read \
                 {PATH}; nothing was changed. Remove the flag: systemctl edit docker.service (or \
                 set preset = \"none\")"
            ))
            .into());
        }
        host.refuse_immutable(PATH)?;
        let Proposal {
            current, merged, ..
        } = proposal;
        let refused = |document| validate::refusal(host, self.engine, &self.unit_flags, document);
        match refused(&merged.document)? {
            None => Ok(()),
            Some(reason) => Err(match refused(current)? {
                Some(reason) => blocked(&reason),
                None => unwanted(&reason),
            }),
        }
    }
}

impl Step for DaemonJson {
    fn id(&self) -> &'static str {
        "daemon-json"
    }

    fn title(&self) -> &'static str {
        "daemon.json"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let proposal = self.propose(host)?;
        let changes = &proposal.merged.changes;
        if changes.is_empty() {
            let finding = Finding::satisfied(format!("{PATH} is as it should be"));
            return Ok(finding.with_warnings(proposal.warnings));
        }
        self.refuse_unwritable(host, &proposal)?;
        let verb = match host.exists(PATH)? {
            true => "merge into",
            false => "write",
        };
        let explained: Vec<Explained> = changes
            .iter()
            .map(|change| Explained {
                key: change.key.clone(),
                old: change.before.clone(),
                new: change.after.clone(),
                why: proposal.wishes.reason(&change.key).to_owned(),
            })
            .collect();
        let details = explained.iter().map(|it| format!("{}: {}", it.key, it.why));
        Ok(Finding {
            diff: Some(diff(&proposal, host.exists(PATH)?)),
            ..Finding::pending(format!("{verb} {PATH}"), details.collect())
        }
        .with_changes(explained)
        .with_warnings(proposal.warnings))
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
            data::note(tx, &all)?;
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
        tx.write_daemon_json(document.text(), &changes)
    }
}

/// The change as a unified diff.
fn diff(proposal: &Proposal, is_there: bool) -> String {
    let old = match is_there {
        true => proposal.current.text(),
        false => "",
    };
    let new = proposal.merged.document.text();
    TextDiff::from_lines(old, new)
        .unified_diff()
        .header(PATH, PATH)
        .to_string()
}

fn warning(problem: &Problem) -> String {
    match problem.key.as_str() {
        "" => format!("{PATH}: {}", problem.message),
        key => format!("{PATH}: {key}: {}", problem.message),
    }
}

fn lines(problems: &[Problem], line: impl Fn(&Problem) -> String) -> String {
    let lines: Vec<String> = problems.iter().map(line).collect();
    lines.join("\n")
}

/// Refuses the file that is there when the engine of this version, once stopped, would not start
/// again with it.
///
/// # Errors
/// [`Failure::Blocked`], with what is wrong with it.
pub fn refuse_unsound(host: &Host, version: &str) -> Result<()> {
    let step = DaemonJson {
        unit_flags: unit::flags(host)?,
        engine: Engine::of(version),
        ..DaemonJson::default()
    };
    let current = file::read(host)?;
    let around = around::look(host, &current)?;
    let (errors, _) = step.check(&current, &around);
    if !errors.is_empty() {
        return Err(blocked(&lines(&errors, Problem::to_string)));
    }
    match validate::refusal(host, step.engine, &step.unit_flags, &current)? {
        Some(reason) => Err(blocked(&reason)),
        None => Ok(()),
    }
}

fn changes_of_earlier_runs(host: &Host) -> Result<Vec<Change>> {
    match Journal::read(host) {
        Ok(journal) => Ok(journal.configuration(&file::read(host)?)),
        // Only root may look; a plan that someone else makes takes what is there for the user's.
        Err(error) if is_forbidden(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn proxies(network: &Network) -> Value {
    let url = |proxy: Option<&Proxy>| proxy.map(|proxy| proxy.with_credentials().to_owned());
    let direct = Some(network.direct().join(",")).filter(|list| !list.is_empty());
    let entries = [
        ("http-proxy", url(network.http())),
        ("https-proxy", url(network.https())),
        ("no-proxy", direct),
    ];
    let entries = entries.into_iter();
    let entries = entries.filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    Value::Object(entries.collect())
}

/// The failure for a file that is there.
fn blocked(problems: &str) -> anyhow::Error {
    Failure::Blocked(format!(
        "the engine would not work on this host with {PATH} as it is; nothing was changed. \
         Mend it and run this again:\n{problems}"
    ))
    .into()
}

/// The failure for what the settings would make of it.
fn unwanted(problems: &str) -> anyhow::Error {
    Failure::Usage(format!(
        "the engine would not work with what the settings want of {PATH}; nothing was changed. \
         Mend the settings' [daemon], or take another preset:\n{problems}"
    ))
    .into()
}

#[cfg(test)]
mod tests;
