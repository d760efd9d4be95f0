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

use crate::change::Journal;
use crate::cli::{InstallArgs, UninstallArgs};
use crate::error::Failure;
use crate::facts;
use crate::host::{Host, is_forbidden};
use crate::install::{self, NOTHING_TO_DO};
use crate::plan::Plan;
use crate::settings::{Origin, Restore, Settings};
use crate::status::status;
use crate::ui;
use crate::undo::Extent;
use crate::uninstall::{self, UninstallPlan};

use answer::{Answer, Happened};
pub(crate) use call::Call;
use call::Task;

/// The answer where there is nothing to undo.
const NOTHING_SET_UP: &str = "Nothing to do: dockstrap has set up nothing here";

/// Does what the task says, answers it, and returns the exit code.
pub(crate) fn run(call: Call) -> u8 {
    let host = Host::real();
    let happened = Happened::default();
    let mut answer = Answer::new(call.wants_diff);
    let acts = || Journal::read(&host).map_or(0, |journal| journal.acts().len());
    let before = acts();
    let outcome = carry_out(&host, call, &mut answer, &happened);
    // Of what was undone, except what cannot be, nothing is left in the journal.
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
    wanted: InstallArgs,
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
    let prepared = install::PreparedInstall::new(host, &settings, &show)?;
    answer.plan(&prepared.plan);
    let installed = prepared.carry_out(!wanted.no_verify, &show)?;
    answer.report(&installed.report())?;
    installed.require()?;
    answer.set("msg", installed.summary()?);
    Ok(())
}

fn absent(
    host: &Host,
    wanted: &UninstallArgs,
    check: bool,
    answer: &mut Answer,
    happened: &Happened,
) -> Result<()> {
    require_root()?;
    if check {
        return foresee(host, answer);
    }
    let show = |event| happened.note(event);
    let extent = Extent {
        purge_data: wanted.purge_data,
        restore_packages: wanted.restore_packages,
    };
    let lock_wait = Duration::from_secs(wanted.lock_wait);
    let prepared = uninstall::PreparedUninstall::new(host, extent, lock_wait, &show)?;
    if let Some(reversal) = &prepared.reversal {
        answer.reversal(reversal);
    }
    let uninstalled = prepared.carry_out(&show)?;
    answer.report(&uninstalled.report())?;
    answer.set(
        "msg",
        match uninstalled.kept {
            None => NOTHING_SET_UP,
            Some(0) => "Undone: the host is as it was",
            Some(_) => "Undone, except what the warnings name as kept",
        },
    );
    Ok(())
}

/// What an uninstall would do.
fn foresee(host: &Host, answer: &mut Answer) -> Result<()> {
    let reversal = UninstallPlan::plan(host)?;
    if let Some(reversal) = &reversal {
        answer.reversal(reversal);
    }
    answer.report(&uninstall::foreseen(host, reversal.as_ref()))?;
    answer.set(
        "msg",
        match reversal {
            None => NOTHING_SET_UP,
            Some(_) => "Nothing was changed; this would be undone",
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
