//! A plan, for people.

use std::path::PathBuf;

use console::Style;

use super::text::Text;
use super::{line, print};
use crate::plan::{Plan, Planned};
use crate::uninstall::Reversal;

/// Prints what is there and what is going to be done.
pub fn print_plan(plan: &Plan) {
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

/// Prints what is going to be taken back.
pub fn print_reversal(reversal: &Reversal, purge_data: bool) {
    line("To be taken back, newest first:");
    for act in reversal.acts() {
        let mark = Text::plain("  ").and_styled(Style::new().red(), "-");
        print(mark.and(" ").and(&act.text));
    }
    if !reversal.containers.is_empty() {
        line(format!(
            "Running containers are stopped: {}",
            reversal.containers.join(", ")
        ));
    }
    if !reversal.orphans.is_empty() {
        line(format!(
            "Containers run on without the engine, which is started to stop them, if it can be: {}",
            reversal.orphans.join(", ")
        ));
    }
    let paths = |paths: &[PathBuf]| {
        let paths = paths.iter().map(|path| path.display().to_string());
        paths.collect::<Vec<_>>().join(", ")
    };
    let data = &reversal.data;
    if !data.goes.is_empty() {
        let data = paths(&data.goes);
        line(if purge_data {
            format!("Images, containers and volumes are removed as well: {data}")
        } else {
            format!("Images, containers and volumes stay (--purge-data removes them): {data}")
        });
    }
    if purge_data {
        for (folder, mounted) in &data.mounted {
            line(format!(
                "All of {} stays if this still is mounted in it then: {}",
                folder.display(),
                paths(mounted)
            ));
        }
        data.stays.iter().for_each(line);
    }
    if purge_data && reversal.leaves_engine {
        line("No data is removed, for the engine was there before.");
    }
    if purge_data && !reversal.data_from_before.is_empty() {
        line(format!(
            "All that is in {} stays, for something was there before the engine came.",
            paths(&reversal.data_from_before)
        ));
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
