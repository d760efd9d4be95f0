//! What dpkg has noted and not merged into its status file: it was cut short.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::host::Host;

/// Where dpkg notes what it does, until it merges that into its status file.
const UPDATES: &str = "/var/lib/dpkg/updates";

/// Whose notes dpkg has not merged.
pub(super) fn interrupted(host: &Host) -> Result<Option<BTreeSet<String>>> {
    let notes = notes(host)?;
    let mut names = BTreeSet::new();
    for note in notes.iter().flat_map(|text| text.split("\n\n")) {
        let field = |name: &str| note.lines().find_map(|line| line.strip_prefix(name));
        let state = field("Status: ").and_then(|status| status.split(' ').next_back());
        let Some(name) = field("Package: ").map(str::to_owned) else {
            continue;
        };
        // The last note of a package counts.
        if state.is_some_and(is_triggered) {
            names.remove(&name)
        } else {
            names.insert(name)
        };
    }
    Ok((!notes.is_empty()).then_some(names))
}

pub(super) fn is_triggered(state: &str) -> bool {
    ["triggers-pending", "triggers-awaited"].contains(&state)
}

/// The notes that dpkg has not merged, oldest first: stanzas as in its status file. It numbers
/// them; what has another name is only half written.
pub(crate) fn notes(host: &Host) -> Result<Vec<String>> {
    let is_note = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    let mut notes = Vec::new();
    for name in host.list(UPDATES)?.into_iter().filter(is_note) {
        notes.extend(host.read_text(format!("{UPDATES}/{name}"))?);
    }
    Ok(notes)
}
