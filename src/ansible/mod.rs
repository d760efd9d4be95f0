//! dockstrap as an Ansible module: what a task wants comes in a file of JSON, what came of it goes
//! out as JSON, and nothing else is printed.
//!
//! Ansible copies a binary module to the host and runs it with the path of that file:
//! <https://docs.ansible.com/ansible/latest/dev_guide/developing_program_flow_modules.html#binary-modules>

mod answer;
mod call;

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::change::{Extent, Journal, withdraw_verification};
use crate::cli::{Install, Uninstall};
use crate::error::Failure;
use crate::facts;
use crate::history::tell_of_cut_short;
use crate::host::{Host, is_forbidden, temporary};
use crate::install::{self, NOTHING_TO_DO, Prepared};
use crate::plan::Plan;
use crate::report::{StepReport, Verdict};
use crate::settings::{Origin, Restore, Settings};
use crate::status::status;
use crate::ui;
use crate::uninstall::{self, Reversal};

use answer::{Answer, Happened};
pub use call::Call;
use call::Task;

/// Does what the task says, answers it, and returns the exit code.
pub fn run(call: Call) -> u8 {
    let host = Host::real();
    let happened = Happened::default();
    let mut answer = Answer::new(call.wants_diff);
    let acts = || Journal::read(&host).map_or(0, |journal| journal.acts().len());
    let before = acts();
    let outcome = carry_out(&host, call, &mut answer, &happened);
    // Of what was taken back, but for what cannot be, nothing is left in the journal.
    let changed = acts() != before || happened.has_kept();
    answer.tell(happened);
    let is_failure = outcome.is_err();
    if let Err(error) = outcome {
        answer.fail(&error, changed);
    }
    // Without an answer Ansible shows that there was none.
    let is_lost = ui::json(&answer.visible()).is_err();
    u8::from(is_failure || is_lost)
}

fn carry_out(host: &Host, call: Call, answer: &mut Answer, happened: &Happened) -> Result<()> {
    let check = call.is_check;
    match call.task()? {
        Task::Present(wanted) => present(host, *wanted, check, answer, happened),
        Task::Absent(wanted) => absent(host, &wanted, check, answer, happened),
        Task::Facts => gather(host, answer),
    }
}

fn present(
    host: &Host,
    wanted: Install,
    check: bool,
    answer: &mut Answer,
    happened: &Happened,
) -> Result<()> {
    let show = |event| happened.note(event);
    let file = wanted.settings.config.as_deref();
    let mut given = wanted.settings.given;
    for origin in given.values_mut().filter(|it| **it == Origin::Flag) {
        *origin = Origin::Task;
    }
    let settings = Settings::resolve(wanted.settings.layer, file)?
        .given(given)
        .restoring(Restore::of(wanted.restore.restore));
    if check {
        let plan = Plan::make(host, facts::gather(host)?, &settings, &show)?;
        answer.plan(&plan);
        answer.report(&install::report(host, &plan, None))?;
        answer.set(
            "msg",
            if plan.is_pending() {
                "Nothing was changed; this would be set up"
            } else {
                NOTHING_TO_DO
            },
        );
        return Ok(());
    }
    require_root()?;
    let prepared = Prepared::new(host, &settings, &show)?;
    answer.plan(&prepared.plan);
    if !prepared.plan.is_pending() {
        let settled = prepared.settle(!wanted.no_verify, &show)?;
        let verification = settled.verification.as_ref();
        answer.report(&install::report(host, &prepared.plan, verification))?;
        settled.require()?;
        answer.set("msg", settled.nothing_to_do());
        return Ok(());
    }
    let installed = prepared.carry_out(!wanted.no_verify, &show)?;
    let verification = installed.verification.as_ref();
    answer.report(&install::report(host, &prepared.plan, verification))?;
    installed.require()?;
    answer.set("msg", installed.summary(host)?);
    Ok(())
}

fn absent(
    host: &Host,
    wanted: &Uninstall,
    check: bool,
    answer: &mut Answer,
    happened: &Happened,
) -> Result<()> {
    require_root()?;
    let show = |event| happened.note(event);
    let lock_wait = Duration::from_secs(wanted.lock_wait);
    let _lock = if check {
        None
    } else {
        Some(host.lock_run(lock_wait, &show)?)
    };
    if !check {
        let _ = temporary::sweep(); // nothing is put there
        // What it leaves is among what is taken back now.
        if let Err(error) = withdraw_verification(host, &show) {
            show(uninstall::warning(&error));
        }
    }
    let Some(reversal) = Reversal::plan(host)? else {
        if !check {
            Reversal::clear_journal(host, wanted.purge_data, &show)?;
        }
        answer.report(&uninstall::report(host, Vec::new()))?;
        answer.set("msg", "Nothing to do: dockstrap has set up nothing here");
        return Ok(());
    };
    answer.reversal(&reversal);
    if check {
        let steps = reversal.acts().map(|act| StepReport {
            step: act.step.clone(),
            verdict: Verdict::Reverted,
            text: act.text.clone(),
            details: Vec::new(),
            diff: None,
        });
        answer.report(&uninstall::report(host, steps.collect()))?;
        answer.set("msg", "Nothing was changed; this would be taken back");
        return Ok(());
    }
    tell_of_cut_short(reversal.journal(), &show);
    let extent = Extent {
        purge_data: wanted.purge_data,
        restore_packages: wanted.restore_packages,
    };
    let kept = reversal.carry_out(host, extent, lock_wait, &show)?;
    answer.report(&uninstall::report(host, happened.undone()))?;
    answer.set(
        "msg",
        match kept {
            0 => "Taken back: the host is as it was",
            _ => "Taken back, but for what is told in the warnings as kept",
        },
    );
    Ok(())
}

fn gather(host: &Host, answer: &mut Answer) -> Result<()> {
    let status = match status(host) {
        Err(error) if is_forbidden(&error) => {
            require_root()?;
            return Err(error);
        }
        status => status?,
    };
    let mut facts = serde_json::to_value(&status)?;
    facts["drifted"] = Value::Bool(status.has_drifted());
    facts["version"] = Value::from(env!("CARGO_PKG_VERSION"));
    answer.set("ansible_facts", json!({ "dockstrap": facts }));
    Ok(())
}

fn require_root() -> Result<()> {
    if nix::unistd::geteuid().is_root() {
        Ok(())
    } else {
        Err(Failure::Usage(
            "only root can do this; nothing was changed. Give the task: become: true".to_owned(),
        )
        .into())
    }
}
