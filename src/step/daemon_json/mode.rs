//! The mode of the file: with a secret in it, it is root's alone to read.

use std::os::unix::fs::MetadataExt;

use super::proposal::Proposal;
use crate::daemon_json::{Document, PATH};
use crate::host::Host;

/// The rights of the group and of everybody else.
const OF_OTHERS: u32 = 0o077;

/// What the plan says of the mode, where the change adds a secret and others could read it.
pub(super) fn hiding(host: &Host, proposal: &Proposal) -> Option<String> {
    let Proposal {
        current, merged, ..
    } = proposal;
    if !merged.document.adds_password_to(current) {
        return None;
    }
    let hidden = match mode(host) {
        None => 0o600,
        Some(mode) if mode & OF_OTHERS != 0 => mode & !OF_OTHERS,
        Some(_) => return None,
    };
    let key = merged.changes.iter().find(|change| {
        let alone = |value: &Option<_>| {
            let mut alone = Document::new();
            value.iter().for_each(|value| alone.set(&change.key, value));
            alone
        };
        alone(&change.after).adds_password_to(&alone(&change.before))
    });
    let key = key.map_or("it", |change| &change.key);
    Some(format!(
        "keep {PATH} from other users (mode {hidden:04o}): {key} holds a secret"
    ))
}

/// What is to be said of a secret that was there before, and that others can read. Its owner may
/// want it so, and the mode stays.
pub(super) fn exposed(host: &Host, proposal: &Proposal) -> Option<String> {
    let is_open = mode(host).is_some_and(|mode| mode & 0o004 != 0);
    let is_left = !proposal.merged.document.adds_password_to(&proposal.current);
    (is_open && is_left && proposal.current.holds_password()).then(|| {
        format!(
            "{PATH} holds a secret, and other users can read it; to keep them out: chmod 0600 {PATH}"
        )
    })
}

fn mode(host: &Host) -> Option<u32> {
    let there = std::fs::metadata(host.path(PATH)).ok()?;
    Some(there.mode() & 0o7777)
}
