//! A plan, for people.

use console::Style;

use super::print;
use super::text::Text;
use crate::plan::{Plan, Planned};

/// Prints what is there and what is going to be done.
pub(crate) fn print_plan(plan: &Plan) {
    let host = &plan.host;
    let ubuntu = match host.release {
        Some(release) => format!("{} ({})", release.version, release.codename),
        None => format!("({})", host.codename),
    };
    let name = Text::styled(Style::new().bold(), &host.name);
    print(name.and(format!(": Ubuntu {ubuntu}, {}", host.architecture)));
    for planned in &plan.steps {
        print_step(planned);
    }
}

fn print_step(planned: &Planned) {
    let Planned { title, finding, .. } = planned;
    let mark = if finding.satisfied {
        (Style::new().dim(), "=")
    } else {
        (Style::new().green().bold(), "+")
    };
    let mark = Text::plain("  ").and_styled(mark.0, mark.1);
    print(mark.and(format!(" {title:13} {}", finding.summary)));
    let indent = || Text::plain(" ".repeat(20));
    for detail in &finding.details {
        print(indent().and_styled(Style::new().dim(), detail));
    }
    for changed in finding.diff.iter().flat_map(|diff| diff.lines()) {
        let style = match changed.as_bytes().first() {
            Some(b'+') => Style::new().green(),
            Some(b'-') => Style::new().red(),
            Some(b'@') => Style::new().cyan(),
            _ => Style::new(),
        };
        print(indent().and_styled(style, changed));
    }
}
