//! A diagnosis, for people.

use console::Style;

use super::text::Text;
use super::{line, print};
use crate::doctor::{CheckOutcome, Diagnosis, Examined, Level};

/// Prints what was found, the worst first, then what could not be looked at.
pub(crate) fn print_diagnosis(diagnosis: &Diagnosis) {
    let mut counts = Vec::new();
    for (severity, name) in [
        (Level::Error, "error"),
        (Level::Warning, "warning"),
        (Level::Note, "note"),
    ] {
        let found: Vec<&Examined> = diagnosis.found(severity).collect();
        found.iter().for_each(|examined| print_found(examined));
        let plural = if found.len() == 1 { "" } else { "s" };
        counts.push(format!("{} {name}{plural}", found.len()));
    }
    let mut unseen = 0;
    for examined in &diagnosis.checks {
        if let CheckOutcome::Unseen(reason) = &examined.verdict {
            unseen += 1;
            let text = format!(" {} {}: {reason}", examined.id, examined.title);
            print(Text::styled(Style::new().dim(), "?").and(text));
        }
    }
    if unseen > 0 {
        counts.push(format!("{unseen} not checked"));
    }
    line(format!(
        "{} checks: {}",
        diagnosis.checks.len(),
        counts.join(", ")
    ));
}

fn print_found(examined: &Examined) {
    let CheckOutcome::Found(text) = &examined.verdict else {
        return;
    };
    let mark = match examined.severity {
        Level::Error => Text::styled(Style::new().red(), "✗"),
        Level::Warning => Text::styled(Style::new().yellow(), "!"),
        Level::Note => Text::styled(Style::new().cyan(), "i"),
    };
    let mark = mark.and(" ").and_styled(Style::new().bold(), examined.id);
    print(mark.and(" ").and(text));
    if let Some(cure) = examined.cure {
        let mark = Text::plain("    ").and_styled(Style::new().dim(), "fix:");
        print(mark.and(" ").and(cure));
    }
    print(Text::plain("    ").and_styled(Style::new().dim(), examined.link));
}
