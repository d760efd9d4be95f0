//! The install: plan, apply, prove. The command line, Ansible and the first boot all call it.

mod apply;
mod installed;

use std::fs::File;
use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::change::{Journal, named, withdraw_verification};
use crate::facts::{self, Facts};
use crate::history::{remember, tell_of_cut_short};
use crate::host::{Host, temporary};
use crate::plan::{Plan, Planned};
use crate::report::{Event, Listener, warn_of};
use crate::settings::Settings;
use crate::verify::{Choice, STAGES};
use crate::{apt, doctor, verify};

pub(crate) use installed::{Installed, NOTHING_TO_DO, report};

/// An install that is planned, while no other run is at work.
pub(crate) struct PreparedInstall<'a> {
    host: &'a Host,
    settings: &'a Settings,
    pub(crate) plan: Plan,
    journal: Journal,
    /// Held until the install is through.
    _lock: File,
}

impl<'a> PreparedInstall<'a> {
    /// Waits for other runs, and plans.
    pub(crate) fn new(
        host: &'a Host,
        settings: &'a Settings,
        listener: Listener<'_>,
    ) -> Result<PreparedInstall<'a>> {
        let lock = host.lock_run(settings.lock_wait, listener)?;
        temporary::sweep()?;
        withdraw_verification(host, listener)?;
        let journal = Journal::read(host)?;
        tell_of_cut_short(&journal, listener);
        let mut facts = facts::gather(host)?;
        if !facts.unfinished.is_empty() {
            // Another package manager may be in the middle of its work, not cut short.
            apt::wait_to_begin(host, settings.lock_wait, listener)?;
            facts = facts::gather(host)?;
        }
        warn_of_age(&facts, listener);
        let plan = Plan::make(host, facts, settings, listener)?;
        if plan.is_pending() {
            warn_of(doctor::errors_ahead(host, &plan.host), listener);
        }
        Ok(PreparedInstall {
            host,
            settings,
            plan,
            journal,
            _lock: lock,
        })
    }

    /// Applies the plan, and verifies the engine if `verify` says so. Where the plan has nothing
    /// to do, only an engine that was not verified since it was last changed is verified.
    pub(crate) fn carry_out(&self, verify: bool, listener: Listener<'_>) -> Result<Installed<'_>> {
        if self.plan.is_pending() {
            self.set_up(verify, listener)
        } else {
            self.settle(verify, listener)
        }
    }

    fn set_up(&self, verify: bool, listener: Listener<'_>) -> Result<Installed<'_>> {
        let by_hand = verify && self.should_update()?;
        let begun = Instant::now();
        apply::apply(self.host, &self.plan, self.settings, listener)?;
        let installed = thread::scope(|scope| -> Result<Installed<'_>> {
            // It takes no longer than a verification does.
            let by_hand = by_hand.then(|| scope.spawn(|| apt::update_fault(self.host)));
            let installed = self.proven(begun.elapsed(), verify, listener)?;
            let fault = by_hand.map(|it| it.join().unwrap_or_else(|panic| resume_unwind(panic)));
            if let Some(text) = fault.flatten() {
                listener(Event::Warning { text });
            }
            Ok(installed)
        })?;
        if installed.is_running {
            // What works now is to work tomorrow.
            match facts::gather(self.host) {
                Ok(facts) => warn_of(doctor::all_errors(self.host, &facts), listener),
                Err(error) => {
                    let text = format!(
                        "what may keep Docker from working tomorrow was not looked for: {error:#}"
                    );
                    listener(Event::Warning { text });
                }
            }
        }
        Ok(installed)
    }

    /// Whether apt is to get Docker's repository from now on by what was set up here. A proxy that is
    /// for this run alone is told of anyway.
    fn should_update(&self) -> Result<bool> {
        let of_source = |planned: &Planned| matches!(planned.id, "apt-key" | "apt-source");
        let is_ours = self.plan.pending().any(of_source);
        Ok(is_ours
            && self.settings.bundle.is_none()
            && installed::passing_proxy(self.settings)?.is_none())
    }

    /// Where there is nothing to do: closes the run that was cut short, if one was, and verifies an
    /// engine that was not verified since it was last changed.
    fn settle(&self, verify: bool, listener: Listener<'_>) -> Result<Installed<'_>> {
        let (host, settings) = (self.host, self.settings);
        let only_placed = only_placed(&self.journal) && !settings.no_start;
        let verify = verify && (only_placed || owes_verification(&self.journal));
        let runs = !settings.no_start || host.engine_is_active()?;
        // A host that was set up by others: the next install is to know that it was verified.
        let is_adopted = verify && runs && self.journal.knows_nothing();
        // What the settings name is set again at each install: status is to know what that is.
        let last = self
            .journal
            .installed()
            .filter(|run| run.no_start == settings.no_start);
        let is_renamed = last.is_some_and(|run| run.named.as_ref() != Some(&named(settings)));
        if self.journal.cut_short().is_some() || only_placed || is_adopted || is_renamed {
            apply::settle(host, Journal::read(host)?, settings, listener)?;
        }
        self.proven(Duration::ZERO, verify, listener)
    }

    /// Tries to prove the engine, if it runs and that is wanted.
    fn proven(
        &self,
        applied: Duration,
        verify: bool,
        listener: Listener<'_>,
    ) -> Result<Installed<'_>> {
        let is_running = !self.settings.no_start || self.host.engine_is_active()?;
        let mut verification = None;
        if verify && is_running {
            // Where it cannot be written, only a proof that is cut short goes unnoticed.
            let _ = Journal::read(self.host).and_then(|journal| journal.note_proving(self.host));
            let proof = verify::verify(self.host, &Choice::quick(), listener)?;
            remember(self.host, &proof, listener);
            verification = Some(proof);
        }
        let user = self.plan.host.invoking_user.as_ref();
        for text in self.host.odd_plugin_faults(user).unwrap_or_default() {
            listener(Event::Warning { text });
        }
        let installed = Installed {
            prepared: self,
            applied,
            is_running,
            verification,
        };
        if !self.settings.no_start && installed.require().is_ok() {
            apply::end_first_boot(self.host, self.settings, listener)?;
        }
        Ok(installed)
    }
}

/// Whether the last install started nothing, so that nothing could be proven.
fn only_placed(journal: &Journal) -> bool {
    journal.installed().is_some_and(|run| run.no_start)
}

/// Whether a stage that an install runs was not run to its end, or failed, since the engine was last
/// changed.
fn owes_verification(journal: &Journal) -> bool {
    let quick = Choice::quick();
    let mut stages = STAGES.iter().filter(|stage| quick.includes(stage));
    stages.any(|stage| !journal.is_verified(stage.id))
}

fn warn_of_age(facts: &Facts, listener: Listener<'_>) {
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    if let Some(release) = facts.release.filter(|release| release.has_ended(today)) {
        let text = format!(
            "Ubuntu's standard support for {} ended on {}",
            release.version, release.support_ends
        );
        listener(Event::Warning { text });
    }
}
