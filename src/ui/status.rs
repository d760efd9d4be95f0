//! What was set up, for people.

use console::Style;

use super::print;
use super::text::Text;
use crate::change::VerificationRecord;
use crate::settings::Origin;
use crate::status::{HostStatus, StepStatus};

/// Prints what there is, what each step did, and what of it was changed since.
pub(crate) fn print_status(status: &HostStatus) {
    if status.installed.is_some() {
        for (name, text) in summary(status) {
            let name = Text::plain("  ").and_styled(Style::new().bold(), format!("{name:15}"));
            print(name.and(" ").and(text));
        }
    }
    for step in &status.steps {
        print_step(step);
    }
}

/// What there is by now, each with its name.
fn summary(status: &HostStatus) -> Vec<(&'static str, String)> {
    let HostStatus {
        installed, engine, ..
    } = status;
    let mut lines = Vec::new();
    if let Some(run) = installed {
        let given: Vec<String> = run
            .given
            .iter()
            .map(|(key, origin)| match origin {
                Origin::Flag => format!("{key} by a flag"),
                Origin::Task => format!("{key} by a task of Ansible"),
                Origin::Variable => format!("{key} by a variable"),
                Origin::File(path) => format!("{key} by {}", path.display()),
            })
            .collect();
        let meant = if given.is_empty() {
            "by the defaults".to_owned()
        } else {
            given.join(", ")
        };
        let at = run.at.strftime("%F %T");
        lines.push(("last install", format!("{at} UTC, {meant}")));
    }
    let version = |version: &Option<String>| version.clone().unwrap_or("none".to_owned());
    let mut text = version(&engine.installed);
    if engine.newest.is_some() && engine.newest != engine.installed {
        text += &format!(", newest {}", version(&engine.newest));
    }
    if !engine.held.is_empty() {
        text += &format!(", held: {}", engine.held.join(" "));
    }
    lines.push(("docker-ce", text));
    for source in &status.sources {
        lines.push((
            "source",
            format!("{} names {} {}", source.path, source.uri, source.suite),
        ));
        let key = source.fingerprint.as_deref().unwrap_or("no key");
        lines.push(("key", format!("{} holds {key}", source.keyring)));
    }
    let members = match status.members.as_slice() {
        [] => "none".to_owned(),
        members => members.join(" "),
    };
    lines.push(("members", members));
    let keys: Vec<&str> = status.configuration.keys().map(String::as_str).collect();
    if !keys.is_empty() {
        lines.push(("daemon.json", format!("set: {}", keys.join(" "))));
    }
    lines.push(("verified", verified(status.verified.as_ref())));
    lines
}

fn verified(verified: Option<&VerificationRecord>) -> String {
    let Some(VerificationRecord {
        at, passed, failed, ..
    }) = verified
    else {
        return "never".to_owned();
    };
    let at = at.strftime("%F %T");
    match failed.as_slice() {
        [] => format!("{at} UTC: {}", passed.join(" ")),
        failed => format!("{at} UTC, failed: {}", failed.join(" ")),
    }
}

fn print_step(step: &StepStatus) {
    let (same, changed) = (
        (Style::new().dim(), "="),
        (Style::new().yellow().bold(), "!"),
    );
    let mut id = step.id.as_str();
    if step.done.is_empty() {
        for drift in &step.drift {
            let text = Text::plain("  ")
                .and_styled(changed.0.clone(), changed.1)
                .and(format!(" {id:13} "));
            print(text.and_styled(Style::new().yellow(), &drift.text));
            id = "";
        }
        for kept in &step.kept {
            let text = Text::plain("  ").and_styled(same.0.clone(), same.1);
            print(text.and(format!(" {id:13} ")).and(kept));
            id = "";
        }
        return;
    }
    for done in &step.done {
        let mark = if done.stands { &same } else { &changed };
        let day = done.at.strftime("%Y-%m-%d");
        let text = Text::plain("  ")
            .and_styled(mark.0.clone(), mark.1)
            .and(format!(" {id:13} "))
            .and_styled(Style::new().dim(), day)
            .and(" ");
        print(text.and(&done.text).and(if done.finished {
            ""
        } else {
            " (begun, and not known to be done)"
        }));
        id = "";
    }
    for drift in &step.drift {
        print(Text::plain(" ".repeat(18)).and_styled(Style::new().yellow(), &drift.text));
    }
    for kept in &step.kept {
        print(Text::plain(" ".repeat(18)).and(kept));
    }
}
