//! The journal: an append-only file of JSON lines that is also the receipt.
//!
//! Its first line names the schema. An act stands in it, on disk, before it is done to the host;
//! a second line says that it is done, a third that it was reverted. So whatever a crash leaves
//! behind can be taken back from the journal alone.

mod configuration;
mod file;
mod line;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;
use rustix::fs::OFlags;

use crate::apt::{KnownArchive, Memory};
use crate::host::files;
use crate::host::{Host, is_forbidden};
use crate::redact::redact;
use crate::undo::{FOLDER, JOURNAL, Undo};
pub(super) use file::remove;
use file::{refuse_unless_begun, trim_torn_line, unreadable};
pub(crate) use file::{remove_empty_folder, remove_freshness};
use line::{Line, SCHEMA, Seen, parse};

pub(crate) use line::{Act, Purpose, Run, VerificationRecord, named};

/// What was done to this host and not reverted since.
#[derive(Debug)]
pub(crate) struct Journal {
    /// That of its newest lines; 0 when there is none.
    schema: u32,
    acts: Vec<Act>,
    /// The numbers of those that were brought to their end.
    done: BTreeSet<u64>,
    /// The numbers of the groups that acts made.
    gids: BTreeMap<u64, u32>,
    last: u64,
    /// The last act when the last run went all the way: what it set up is known to be good.
    proven: u64,
    seen: BTreeMap<String, Seen>,
    /// Runs that have not come to their end, oldest first.
    running: Vec<Run>,
    /// The last install that was not taken back.
    installed: Option<Run>,
    /// The one before it, as long as it may be.
    installed_before: Option<Run>,
    verified: Option<VerificationRecord>,
    /// The stages that did not fail in a finished verification since the engine was last changed.
    verified_stages: BTreeSet<String>,
    /// The packages that stay, of each act whose way back was begun.
    asked_for: BTreeMap<u64, Vec<String>>,
    file: Option<File>,
}

impl Journal {
    /// Reads the host's journal; an empty one when there is none.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it cannot be understood, or may be by others than root: guessing
    /// would risk the host.
    pub(crate) fn read(host: &Host) -> Result<Journal> {
        let mut journal = Journal {
            schema: 0,
            acts: Vec::new(),
            done: BTreeSet::new(),
            gids: BTreeMap::new(),
            last: 0,
            proven: 0,
            seen: BTreeMap::new(),
            running: Vec::new(),
            installed: None,
            installed_before: None,
            verified: None,
            verified_stages: BTreeSet::new(),
            asked_for: BTreeMap::new(),
            file: None,
        };
        let Some(text) = file::read(host)? else {
            return Ok(journal);
        };
        // A line without its end was cut off by a crash before it counted for anything, even if a
        // power cut left zeros of it.
        let (whole, torn) = text.split_at(text.rfind('\n').map_or(0, |end| end + 1));
        if whole.contains('\0') || (whole.is_empty() && torn.contains('\0')) {
            return Err(unreadable(0, &anyhow!("a power cut zeroed it")).into());
        }
        if whole.is_empty() {
            refuse_unless_begun(host, torn).map_err(|error| unreadable(0, &error))?;
        }
        for (number, line) in whole.lines().enumerate() {
            let line = parse(number, line).map_err(|error| unreadable(number, &error))?;
            journal.take(line);
        }
        Ok(journal)
    }

    /// Makes ready to append: creates folder and file where they are missing.
    pub(super) fn open(&mut self, host: &Host) -> Result<()> {
        if self.file.is_some() {
            return Ok(());
        }
        if !host.exists(FOLDER)? {
            files::create_folder(&host.path(FOLDER), 0o700)?;
        }
        let path = host.path(JOURNAL);
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        let new = trim_torn_line(host, &file)? == 0;
        self.file = Some(file);
        // An older dockstrap must not take what follows for lines of its own.
        if new || self.schema < SCHEMA {
            self.write(Line::Journal {
                schema: SCHEMA,
                dockstrap: env!("CARGO_PKG_VERSION").to_owned(),
                created: Timestamp::now(),
            })?;
            files::sync_folder(&host.path(FOLDER)).context("flushing the journal's folder")?;
        }
        Ok(())
    }

    /// Writes down that a run begins.
    pub(super) fn run(&mut self, run: Run) -> Result<()> {
        self.write(Line::Run(run))
    }

    /// Writes down that the run has come to its end.
    pub(super) fn ended(&mut self) -> Result<()> {
        self.write(Line::Ended { took_back: false })
    }

    /// Writes down that the run has come to its end, and that nothing it did stands.
    pub(super) fn ended_as_it_began(&mut self) -> Result<()> {
        self.write(Line::Ended { took_back: true })
    }

    /// The last run, when it was cut short: by a power cut, or by whoever killed it. No other run
    /// is under way.
    pub(crate) fn cut_short(&self) -> Option<&Run> {
        self.running.last()
    }

    /// The last install that was not taken back.
    pub(crate) fn installed(&self) -> Option<&Run> {
        self.installed.as_ref()
    }

    /// What the last verification came to.
    pub(crate) fn verified(&self) -> Option<&VerificationRecord> {
        self.verified.as_ref()
    }

    /// Whether a stage was run in a verification that came to its end, and did not fail, since a run
    /// last changed the engine, its configuration or its unit.
    pub(crate) fn is_verified(&self, stage: &str) -> bool {
        self.verified_stages.contains(stage)
    }

    /// Writes down, on disk, what is about to be done; returns the act's number.
    pub(super) fn begin(&mut self, step: &str, text: &str, undo: Undo) -> Result<u64> {
        undo.check()?; // or the journal could not be read again
        let act = Act {
            act: self.last + 1,
            at: Timestamp::now(),
            step: step.to_owned(),
            text: redact(text).into_owned(),
            undo,
        };
        let number = act.act;
        self.write(Line::Act(act))?;
        Ok(number)
    }

    /// Writes down that an act came to its end; `gid` is the number of the group that it made.
    pub(super) fn done(&mut self, act: u64, gid: Option<u32>) -> Result<()> {
        self.write(Line::Done { act, gid })
    }

    /// The number of the group that an act made, if it is known.
    pub(super) fn gid(&self, act: u64) -> Option<u32> {
        self.gids.get(&act).copied()
    }

    pub(super) fn reverted(&mut self, act: u64) -> Result<()> {
        self.write(Line::Reverted { act })
    }

    /// Writes down which packages of an act stay, before apt begins to take back the rest of it.
    pub(super) fn keep(&mut self, act: u64, packages: Vec<String>) -> Result<()> {
        self.write(Line::AskedFor { act, packages })
    }

    /// What is written down of the packages of an act that stay, if its way back was begun.
    pub(super) fn asked_for(&self, act: u64) -> Option<&[String]> {
        self.asked_for.get(&act).map(Vec::as_slice)
    }

    /// Writes down what a verification came to, on a host that dockstrap has set up or has found
    /// set up.
    ///
    /// The caller holds the lock on runs.
    pub(crate) fn note_verified(mut self, host: &Host, verified: VerificationRecord) -> Result<()> {
        if self.knows_nothing() {
            return Ok(());
        }
        self.open(host)?;
        self.write(Line::Verified(verified))
    }

    /// Whether it tells of no act and no install.
    pub(crate) fn knows_nothing(&self) -> bool {
        self.acts.is_empty() && self.installed.is_none()
    }

    /// Writes down that the verification of an install begins, on such a host.
    ///
    /// The caller holds the lock on runs.
    pub(crate) fn note_proving(mut self, host: &Host) -> Result<()> {
        if self.knows_nothing() {
            return Ok(());
        }
        self.open(host)?;
        self.write(Line::Proving)
    }

    /// What repositories were seen to offer on this host. At first it was kept in the journal.
    pub(crate) fn freshness(&self, host: &Host) -> Result<Memory> {
        let older = self.seen.values().map(Seen::freshness);
        Ok(Memory::read(host)?.with_older(older))
    }

    /// The same for this host, as far as the caller may read it: what somebody other than root plans is
    /// checked when it is installed.
    pub(crate) fn freshness_of(host: &Host) -> Result<Memory> {
        match Journal::read(host).and_then(|journal| journal.freshness(host)) {
            Err(error) if is_forbidden(&error) => Ok(Memory::default()),
            memory => memory,
        }
    }

    /// What was done and not reverted, oldest first. The last may be half done.
    pub(crate) fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// Whether it says of all these package files what they must be.
    pub(super) fn knows_archives(&self, files: &[KnownArchive]) -> bool {
        let known: Vec<&KnownArchive> = self
            .acts
            .iter()
            .filter_map(|act| match &act.undo {
                Undo::RemoveArchives { files, .. } => Some(files),
                _ => None,
            })
            .flatten()
            .collect();
        files.iter().all(|file| known.contains(&file))
    }

    /// Whether this act was brought to its end.
    pub(crate) fn is_done(&self, act: &Act) -> bool {
        self.done.contains(&act.act)
    }

    /// The number of the last act.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    fn write(&mut self, line: Line) -> Result<()> {
        self.append(&line)?;
        self.take(line);
        Ok(())
    }

    fn append(&mut self, line: &Line) -> Result<()> {
        let mut text = serde_json::to_string(line).context("writing the journal")?;
        text.push('\n');
        let file = self.file.as_mut().context("the journal is not open")?;
        let before = file.metadata().context("looking at the journal")?.len();
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_data());
        if written.is_err() {
            // On a full disk a part of the line may be there; the next one must not run into it.
            let _ = file.set_len(before);
        }
        written.context("writing the journal")
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Act(act) => {
                if act.undo.concerns_engine() {
                    self.verified_stages.clear();
                }
                self.last = act.act;
                self.acts.push(act);
            }
            Line::Reverted { act } => {
                let is_it = |known: &&Act| known.act == act;
                let reverted = self.acts.iter().find(is_it);
                if reverted.is_some_and(|act| act.undo.concerns_engine()) {
                    self.verified_stages.clear();
                }
                self.acts.retain(|known| known.act != act);
            }
            Line::AskedFor { act, packages } => {
                self.asked_for.insert(act, packages);
            }
            Line::Seen(seen) => {
                self.seen.insert(seen.suite.clone(), seen);
            }
            Line::Run(run) => {
                if run.purpose == Purpose::Install {
                    // What is asked for counts anew.
                    self.asked_for.clear();
                    self.installed_before = self.installed.replace(run.clone());
                }
                self.running.push(run);
            }
            Line::Ended { took_back } => self.take_end(took_back),
            // What it would have come to is not known if it is cut short.
            Line::Proving => self.verified_stages.clear(),
            Line::Verified(verified) => {
                let VerificationRecord {
                    passed, skipped, ..
                } = &verified;
                self.verified_stages
                    .extend(passed.iter().chain(skipped).cloned());
                self.verified_stages
                    .retain(|stage| !verified.failed.contains(stage));
                self.verified = Some(verified);
            }
            Line::Done { act, gid } => {
                self.done.insert(act);
                self.gids.extend(gid.map(|gid| (act, gid)));
            }
            Line::Journal { schema, .. } => self.schema = schema,
        }
    }

    /// The last run came to its end; `undone` where it undid what it had done.
    fn take_end(&mut self, undone: bool) {
        if !undone {
            self.proven = self.last;
        }
        let purpose = self.running.pop().map(|run| run.purpose);
        if undone && purpose == Some(Purpose::Install) {
            self.installed = self.installed_before.take();
        }
        // One that goes all the way makes up for those that did not.
        if matches!(purpose, Some(Purpose::Install | Purpose::Uninstall)) {
            self.running.clear();
        }
        // It began by undoing what those that were killed had left.
        if purpose == Some(Purpose::Verify) {
            self.running.retain(|it| it.purpose != Purpose::Verify);
        }
    }
}

#[cfg(test)]
mod tests;
