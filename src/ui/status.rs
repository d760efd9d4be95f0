//! What was set up, for people.

use console::style;

use super::line;
use crate::status::{Status, StepStatus};

/// Prints what each step did, and what of it was changed since.
pub fn print_status(status: &Status) {
    for step in &status.steps {
        print_step(step);
    }
}

fn print_step(step: &StepStatus) {
    let mark = match step.drift.is_empty() {
        true => style("=").dim(),
        false => style("!").yellow().bold(),
    };
    let mut id = step.id.as_str();
    for done in &step.done {
        let day = done.at.strftime("%Y-%m-%d");
        line(format!(
            "  {mark} {id:13} {} {}",
            style(day).dim(),
            done.text
        ));
        id = "";
    }
    for drift in &step.drift {
        line(format!("    {:13} {}", "", style(&drift.text).yellow()));
    }
}
