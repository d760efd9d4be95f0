//! What the file says and what it is to say, judged by the engine that is going to read it.

use anyhow::Result;
use serde_json::{Map, Value};

use super::{DaemonJson, file, host_facts, passwords};
use crate::daemon_config::{
    self, Context, DesiredConfig, Document, Edited, EngineRelease, Finding, HostFacts, Merged,
    PATH, Preset, Severity, is_said_by_flag, split, with_flags,
};
use crate::error::Failure;
use crate::host::Host;
use crate::report::Yours;
use crate::undo::is_sealed;

type Keys = Map<String, Value>;

/// What the file says, and what it is to say.
pub(crate) struct Proposal {
    pub current: Document,
    pub desired: DesiredConfig,
    pub merged: Merged,
    /// What somebody changed since it was set.
    pub edited: Vec<Edited>,
    /// What is known of the result and stops nothing.
    pub warnings: Vec<String>,
}

impl Proposal {
    /// What of that stays.
    pub(super) fn kept(&self) -> Vec<Yours> {
        let after = &self.merged.document;
        let stays = |it: &&Edited| it.is_same_in(&self.current, after);
        let kept = self.edited.iter().filter(stays).map(|it| Yours {
            name: it.name(),
            now: it.to_string(),
        });
        kept.collect()
    }

    /// The change of the file, which may not be there yet.
    pub(super) fn diff(&self, is_there: bool) -> String {
        let old = is_there.then_some(&self.current);
        daemon_config::diff(old, &self.merged.document)
    }
}

impl DaemonJson {
    pub(super) fn propose(&self, host: &Host) -> Result<Proposal> {
        let current = file::read(host)?;
        let facts = host_facts::read(host, &with_flags(&current, &self.unit_flags))?;
        let (errors, warnings) = self.check(&current, &facts);
        if !errors.is_empty() {
            return Err(blocked(&lines(&errors, Finding::to_string)));
        }
        let (restored, theirs) = self.changed_since(&current);
        let desired = self.desired(&current, &facts, &restored, &theirs);
        let merged = desired.merged_into(current.clone());
        passwords::refuse_to_lose(&merged.changes, &self.ours)?;
        let warnings = if merged.changes.is_empty() {
            warnings
        } else {
            let all = with_flags(&merged.document, &self.unit_flags);
            let facts = host_facts::read(host, &all)?;
            let (errors, warnings) = self.check(&merged.document, &facts);
            if !errors.is_empty() {
                return Err(unwanted(&lines(&errors, Finding::without_position)));
            }
            refuse_folders_of_others(&merged, &facts)?;
            warnings
        };
        let mut warnings: Vec<String> = warnings.iter().map(warning).collect();
        warnings.extend(self.lack_of_pools(&merged.document, &facts)?);
        if self.preset == Preset::Hardened {
            let objections = daemon_config::objections(&merged.document).into_iter();
            if !self.can_separate(&current) {
                warnings.push(format!(
                    "{PATH}: icc: CIS 2.2 is left out, for without iptables (and ip6tables, where \
                     there is ipv6) the engine would not start with it"
                ));
            }
            warnings.extend(objections.map(|(key, text)| format!("{PATH}: {key}: {text}")));
        }
        let edited = Edited::all(&current, &theirs);
        let mut proposal = Proposal {
            current,
            desired,
            merged,
            edited,
            warnings,
        };
        proposal
            .warnings
            .extend(file::exposed(host, &proposal.current, &proposal.merged));
        Ok(proposal)
    }

    /// The errors and the warnings.
    fn check(&self, document: &Document, facts: &HostFacts) -> (Vec<Finding>, Vec<Finding>) {
        self.check_by(self.engine, document, facts)
    }

    /// The same by this engine.
    pub(super) fn check_by(
        &self,
        engine: Option<EngineRelease>,
        document: &Document,
        facts: &HostFacts,
    ) -> (Vec<Finding>, Vec<Finding>) {
        let context = Context {
            unit_flags: &self.unit_flags,
            engine,
            host: Some(facts),
        };
        let findings = daemon_config::check_for_any(document, &context).into_iter();
        findings.partition(|finding| finding.severity == Severity::Error)
    }

    /// What somebody changed since it was set: what is to be restored, and what is theirs.
    fn changed_since(&self, current: &Document) -> (Keys, Keys) {
        // A run that was cut short may have changed it as well.
        let all = daemon_config::drifted(current, &self.ours);
        let mut lost = daemon_config::drifted(current, &self.settled);
        lost.retain(|key, _| all.contains_key(key));
        let (mut restored, theirs) = split(lost, |name| self.restore.includes(name));
        // Of a secret, the journal knows only the hash.
        restored.retain(|_, value| !is_sealed(value));
        (restored, theirs)
    }

    fn desired(
        &self,
        current: &Document,
        facts: &HostFacts,
        restored: &Keys,
        theirs: &Keys,
    ) -> DesiredConfig {
        let said = |key: &str| is_said_by_flag(key, &self.unit_flags);
        let mut preset = self.preset.entries(facts);
        preset.retain(|entry| {
            // The options are those of the driver.
            let of_driver = entry.key == "log-opts" && said("log-driver");
            // A member of a swarm does not start with it.
            let stops_swarm = entry.key == "live-restore" && facts.is_swarm_member;
            let stops_engine = entry.key == "icc" && !self.can_separate(current);
            !said(entry.key) && !of_driver && !stops_swarm && !stops_engine
        });
        let mut desired = DesiredConfig::new(preset, self.settings.exposed().clone());
        desired.leave(theirs);
        desired.restore(restored);
        desired.make_room(current, &daemon_config::unchanged(current, &self.ours));
        if let Some(proxies) = &self.proxies {
            desired.set("proxies", proxies.clone(), "proxy-for says engine");
        }
        desired
    }

    /// What is said of a host whose routes leave the engine's networks no addresses of their own.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the engine would not start.
    fn lack_of_pools(&self, document: &Document, facts: &HostFacts) -> Result<Option<String>> {
        let is_set =
            |key: &str| document.get(key).is_some() || is_said_by_flag(key, &self.unit_flags);
        let key = "default-address-pools";
        let routes = daemon_config::in_the_way(&facts.routes).join(", ");
        if is_set(key) || routes.is_empty() {
            return Ok(None);
        }
        let cure = format!(
            "Choose a range that is of no use to this host, and set {key} and bip under [daemon] in \
             /etc/dockstrap/config.toml"
        );
        let has_bridge = is_set("bip") || is_set("bridge");
        if !has_bridge && daemon_config::leave_no_bridge(&facts.routes) {
            return Err(Failure::Blocked(format!(
                "this host has routes into all addresses that the engine could take for its bridge \
                 ({routes}), so the engine would not start; nothing was changed. {cure}. See what is \
                 taken: ip route show table all"
            ))
            .into());
        }
        Ok(Some(format!(
            "{PATH}: {key} is not set, and no private range is free on this host ({routes}), so the \
             engine soon has no addresses for networks of containers. {cure}"
        )))
    }

    /// Whether containers can be kept apart with what the file, the unit and the settings say.
    fn can_separate(&self, current: &Document) -> bool {
        let mut all = with_flags(current, &self.unit_flags);
        for (key, value) in self.settings.exposed() {
            all.set(key, value);
        }
        daemon_config::can_separate(&all)
    }
}

/// Refuses to put what the engine keeps where others decide what stands there. Where it is so
/// already, that is a warning.
fn refuse_folders_of_others(merged: &Merged, facts: &HostFacts) -> Result<()> {
    let is_new = |key: &str| merged.changes.iter().any(|change| change.key == key);
    let folders = facts.folders_of_others.iter();
    let refused: Vec<String> = folders
        .filter(|(key, _)| is_new(key))
        .map(|(key, fault)| format!("{key}: {}", daemon_config::of_others(fault)))
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Failure::Blocked(format!(
            "the settings name a folder that another user can change; nothing was changed:\n{}",
            refused.join("\n")
        ))
        .into())
    }
}

fn warning(finding: &Finding) -> String {
    match finding.key.as_str() {
        "" => format!("{PATH}: {}", finding.message),
        key => format!("{PATH}: {key}: {}", finding.message),
    }
}

pub(crate) fn lines(findings: &[Finding], line: impl Fn(&Finding) -> String) -> String {
    let lines: Vec<String> = findings.iter().map(line).collect();
    lines.join("\n")
}

/// The failure for a file that is there.
pub(crate) fn blocked(findings: &str) -> anyhow::Error {
    Failure::Blocked(format!(
        "the engine would not work on this host with {PATH} as it is; nothing was changed. \
         Fix it and run this again:\n{findings}"
    ))
    .into()
}

/// The failure for what the settings would make of it.
pub(crate) fn unwanted(findings: &str) -> anyhow::Error {
    Failure::Usage(format!(
        "the engine would not work with what the settings want of {PATH}; nothing was changed. \
         Fix the settings' [daemon], or take another preset:\n{findings}"
    ))
    .into()
}
