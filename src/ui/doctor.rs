//! A diagnosis, for people.

use console::style;

use super::line;
use crate::doctor::{Diagnosis, Examined, Severity, Verdict};

/// Prints what was found, the worst first, then what could not be looked at.
pub fn print_diagnosis(diagnosis: &Diagnosis) {
    let mut counts = Vec::new();
    for (severity, name) in [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ] {
        let found: Vec<&Examined> = diagnosis.found(severity).collect();
        found.iter().for_each(|examined| print_found(examined));
        let plural = if found.len() == 1 { "" } else { "s" };
        counts.push(format!("{} {name}{plural}", found.len()));
    }
    let mut unseen = 0;
    for examined in &diagnosis.checks {
        if let Verdict::Unseen(reason) = &examined.verdict {
            unseen += 1;
            let mark = style("?").dim();
            line(format!(
                "{mark} {} {}: {reason}",
                examined.id, examined.title
            ));
        }
    }
    if unseen > 0 {
        counts.push(format!("{unseen} could not be looked at"));
    }
    line(format!(
        "{} checks: {}",
        diagnosis.checks.len(),
        counts.join(", ")
    ));
}

fn print_found(examined: &Examined) {
    let Verdict::Found(text) = &examined.verdict else {
        return;
    };
    let mark = match examined.severity {
        Severity::Error => style("✗").red(),
        Severity::Warning => style("!").yellow(),
        Severity::Note => style("i").cyan(),
    };
    line(format!("{mark} {} {text}", style(examined.id).bold()));
    if let Some(cure) = examined.cure {
        line(format!("    {} {cure}", style("helps:").dim()));
    }
    line(format!("    {}", style(examined.link).dim()));
}
