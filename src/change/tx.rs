//! The only writer: whatever changes the host goes through here, and into the journal first.

mod coalesce;
mod containers;
mod data;
mod file;
mod package;
mod policy_rc_d;

pub(crate) use data::{
    note as note_data, note_folder, note_for_host as note_data_of_host, roots as data_roots,
};
pub(crate) use policy_rc_d::POLICY;
pub(crate) use policy_rc_d::{VERIFICATION, withdraw_verification};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Act, Journal, Purpose, Run, journal, stale_files};
use crate::apt::{self, FRESHNESS, Freshness, Memory};
use crate::error::Failure;
use crate::host::Host;
use crate::host::authority::Authority;
use crate::host::command::{Command, Output};
use crate::host::files;
use crate::report::{Event, Listener};
use crate::undo::{Extent, Left, Overwritten, Revert, Reverted, Undo};
use coalesce::coalesce;

/// The right to change the host, one journaled act at a time.
pub(crate) struct Tx<'a> {
    host: &'a Host,
    authority: Authority<'a>,
    journal: Journal,
    step: &'static str,
    /// Whether packages are kept from starting services.
    no_start: bool,
    lock_wait: Duration,
    listener: Listener<'a>,
    /// Set by a signal: no further act is begun.
    cancelled: Arc<AtomicBool>,
    /// What this run has done to daemon.json.
    overwritten: Option<Overwritten>,
}

impl<'a> Tx<'a> {
    /// Opens the journal for writing, and writes down that a run begins.
    pub(crate) fn begin(
        host: &'a Host,
        mut journal: Journal,
        run: impl Into<Run>,
        lock_wait: Duration,
        listener: Listener<'a>,
        cancelled: Arc<AtomicBool>,
    ) -> Result<Tx<'a>> {
        let run = run.into();
        let no_start = run.no_start;
        // Every way back can be walked twice, so that it needs no room on a disk that is full.
        let may_be_untold = run.purpose == Purpose::Uninstall && !journal.acts().is_empty();
        let begun = journal.open(host).and_then(|()| journal.run(run));
        if let Err(error) = begun.or_else(|error| {
            if may_be_untold && is_out_of_room(&error) {
                Ok(())
            } else {
                Err(error)
            }
        }) {
            if journal.acts().is_empty() {
                // What is there of a new one says nothing, and there may be no room to mend it.
                journal::remove(host)?;
            }
            return Err(error.context("nothing was changed, since it could not be written down"));
        }
        Ok(Tx {
            host,
            authority: Authority::of_tx(host),
            journal,
            step: "",
            no_start,
            lock_wait,
            listener,
            cancelled,
            overwritten: None,
        })
    }

    pub(crate) fn host(&self) -> &'a Host {
        self.host
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Says which step the following acts belong to.
    pub(crate) fn enter(&mut self, step: &'static str) {
        self.step = step;
    }

    /// Tells whoever listens what happens.
    pub(crate) fn tell(&self, event: Event) {
        (self.listener)(event);
    }

    /// Runs a command that changes the host.
    pub(crate) fn run(&mut self, text: &str, undo: Undo, command: &Command) -> Result<Output> {
        self.act(text, undo, |tx| command.run_apart(&tx.authority)?.success())
    }

    /// Runs a command that changes users or groups, once nobody else does.
    pub(crate) fn run_for_accounts(
        &mut self,
        text: &str,
        undo: Undo,
        command: &Command,
    ) -> Result<()> {
        self.host.wait_for_accounts(self.lock_wait, self.listener)?;
        self.run(text, undo, command).map(drop)
    }

    /// Creates a group, and writes down its number: another of that name is not the one to remove.
    pub(crate) fn create_group(&mut self, group: &str) -> Result<()> {
        self.host.wait_for_accounts(self.lock_wait, self.listener)?;
        self.check_cancelled()?;
        let undo = Undo::RemoveGroup {
            group: group.to_owned(),
        };
        let text = format!("create group {group}");
        let act = self.journal.begin(self.step, &text, undo)?;
        let create = Command::new("groupadd").args(["--system", group]);
        create.run_apart(&self.authority)?.success()?;
        let gid = self.host.group_number(group)?;
        self.journal.done(act, gid)
    }

    /// Runs a command whose change needs no way back of its own, such as starting a unit that
    /// goes with its package.
    pub(crate) fn run_covered(&mut self, command: &Command) -> Result<Output> {
        self.check_cancelled()?;
        command.run_apart(&self.authority)?.success()
    }

    /// Writes down a way back for what others are going to do on our behalf, such as the data
    /// that the engine makes; unless a run that was cut short has written it down.
    pub(crate) fn note(&mut self, text: &str, undo: Undo) -> Result<()> {
        if self.journal.acts().iter().any(|act| act.undo == undo) {
            return Ok(());
        }
        self.note_anew(text, undo)
    }

    /// The same for what happens in each run anew, so that this run can take back its own part.
    pub(crate) fn note_anew(&mut self, text: &str, undo: Undo) -> Result<()> {
        self.act(text, undo, |_| Ok(()))
    }

    /// Remembers what a repository offers, so that an older offer is noticed later. There is no way
    /// back to knowing less.
    pub(crate) fn remember(&mut self, offer: Freshness) -> Result<()> {
        let memory = self.journal.freshness(self.host)?.with(offer);
        self.write_memory(&memory)
    }

    /// Takes what an older dockstrap has remembered in the journal out of it, before that goes.
    pub(crate) fn keep_memory(&mut self) -> Result<()> {
        let memory = self.journal.freshness(self.host)?;
        self.write_memory(&memory)
    }

    fn write_memory(&self, memory: &Memory) -> Result<()> {
        if *memory == Memory::read(self.host)? {
            return Ok(());
        }
        let text = memory.text()?;
        files::write(&self.host.path(FRESHNESS), text.as_bytes(), Some(0o600))
    }

    /// Removes what other programs were about to write when they were killed along with a run.
    pub(crate) fn remove_stale_files(&mut self) -> Result<()> {
        let Some(first) = self.journal.acts().first().map(|act| act.at) else {
            return Ok(());
        };
        if stale_files::since(self.host, first)?.is_empty() {
            return Ok(());
        }
        self.wait_for_apt()?;
        self.host.wait_for_accounts(self.lock_wait, self.listener)?;
        for path in stale_files::since(self.host, first)? {
            files::remove(&self.host.path(path))?;
        }
        Ok(())
    }

    /// The acts after number `after`; for a rollback, also what runs that were cut short before it did
    /// to daemon.json.
    fn acts_to_undo(&self, after: u64, is_rollback: bool) -> Vec<Act> {
        let of_cut_short = is_rollback.then(|| self.journal.unproven_configuration(after));
        let later = self.journal.acts().iter().filter(|act| act.act > after);
        let mut acts: Vec<Act> = of_cut_short
            .into_iter()
            .flatten()
            .chain(later)
            .cloned()
            .collect();
        coalesce(&mut acts);
        acts
    }

    /// Tells what became of an act that was to be undone; returns how much was left as it is.
    fn tell_undone(&self, act: &Act, left: Vec<Left>, outcome: Reverted) -> usize {
        let (step, text) = (act.step.clone(), act.text.clone());
        let mut kept = left.len();
        for Left { text, reason } in left {
            let step = step.clone();
            self.tell(Event::Kept { step, text, reason });
        }
        self.tell(match outcome {
            Reverted::Done => Event::Reverted { step, text },
            Reverted::Kept(reason) => {
                kept += 1;
                Event::Kept { step, text, reason }
            }
        });
        kept
    }

    /// Undoes every act after number `after`, newest first, and returns how many were left as
    /// they are. When nothing is left in the journal, the journal goes as well.
    ///
    /// With an install that fails goes what runs that were cut short before it did to daemon.json:
    /// the engine may be failing by it, and goes back to what it is known to start with.
    ///
    /// Where the journal cannot be written, on a full disk, undoing goes on: every undo can be done
    /// twice.
    pub(crate) fn revert(mut self, after: u64, extent: Extent) -> Result<usize> {
        let run = self.journal.cut_short();
        let is_rollback = run.is_some_and(|run| run.purpose == Purpose::Install);
        let mut kept = 0;
        let mut written = Ok(());
        let before = self.journal.acts().len();
        let acts = self.acts_to_undo(after, is_rollback);
        let (lock_wait, listener) = (self.lock_wait, self.listener);
        let revert = Revert {
            is_rollback,
            overwritten: self.overwritten.take(),
            gids: self.gids(&acts),
            ..Revert::of(
                &self.authority,
                acts.iter().map(Act::undone),
                extent,
                lock_wait,
                listener,
            )?
        };
        // On a full disk the account tools have no room until files of ours are gone.
        let mut later = Vec::new();
        let mut is_later = false;
        let mut acts_left: Vec<&Act> = acts.iter().collect();
        loop {
            let Some(act) = acts_left.pop() else {
                if later.is_empty() {
                    break;
                }
                acts_left = std::mem::take(&mut later);
                acts_left.reverse();
                is_later = true;
                continue;
            };
            let can_wait = !is_later && act.undo.is_of_accounts();
            if can_wait && !later.is_empty() {
                later.push(act); // a group goes after its members
                continue;
            }
            let asked_for = self.asked_for(act)?;
            let outcome = revert
                .undo(&act.undo, &asked_for)
                .with_context(|| format!("undoing: {}", act.text));
            let outcome = match outcome {
                Err(_) if can_wait => {
                    later.push(act);
                    continue;
                }
                outcome => outcome?,
            };
            written = written.and(self.journal.reverted(act.act));
            kept += self.tell_undone(act, revert.left.take(), outcome);
        }
        if before > acts.len() {
            written.and_then(|()| self.journal.ended_as_it_began())?
        } else {
            journal::remove(self.host)?
        }
        Ok(kept)
    }

    /// The numbers of the groups that these acts made, by name.
    fn gids(&self, acts: &[Act]) -> BTreeMap<String, u32> {
        let made = acts.iter().filter_map(|act| match &act.undo {
            Undo::RemoveGroup { group } => Some((group.clone(), self.journal.gid(act.act)?)),
            _ => None,
        });
        made.collect()
    }

    /// The packages of an act that somebody has asked apt for since. It is written down before apt
    /// begins to remove the others, for it then forgets who was asked for.
    fn asked_for(&mut self, act: &Act) -> Result<Vec<String>> {
        let (Undo::PurgePackages { packages, .. } | Undo::RemovePackages { packages, .. }) =
            &act.undo
        else {
            return Ok(Vec::new());
        };
        if let Some(known) = self.journal.asked_for(act.act) {
            return Ok(known.to_vec());
        }
        let asked_for = apt::asked_for_since(self.host, packages)?;
        // Where it cannot be written, it is lost only when this run is cut short as well.
        let _ = self.journal.keep(act.act, asked_for.clone());
        Ok(asked_for)
    }

    /// Writes down that the run has come to its end.
    pub(crate) fn end(mut self) -> Result<()> {
        self.journal.ended()
    }

    fn act<T>(
        &mut self,
        text: &str,
        undo: Undo,
        change: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.check_cancelled()?;
        let act = self.journal.begin(self.step, text, undo)?;
        let value = change(self)?;
        self.journal.done(act, None)?;
        Ok(value)
    }

    /// Ends the run here when a signal asked for it.
    pub(crate) fn check_cancelled(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Failure::Cancelled("cancelled".to_owned()).into());
        }
        Ok(())
    }
}

/// Whether something failed because the disk is full.
fn is_out_of_room(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<std::io::Error>();
    cause.is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
}

#[cfg(test)]
mod tests;
