//! An uninstall, for people: what it is going to do, and how it went.

use std::path::PathBuf;

use console::Style;

use super::text::Text;
use super::{line, print};
use crate::uninstall::{UninstallPlan, Uninstalled};

/// Prints what is going to be taken back.
pub(crate) fn print_reversal(reversal: &UninstallPlan, purge_data: bool) {
    line("To be undone, newest first:");
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

/// Prints how it went.
pub(crate) fn print_uninstalled(uninstalled: &Uninstalled<'_>) {
    line(match uninstalled.kept {
        None => "Nothing to do: dockstrap has set up nothing on this host.",
        Some(0) => "Undone: the host is as it was.",
        Some(_) => "Undone, except what is listed above as kept.",
    });
}
