//! Who is never given the right to change the host: what only looks names neither `Tx`, which
//! changes it, nor `Authority`, without which nothing is changed.

use std::collections::BTreeSet;

use crate::imports::{Names, library};

/// The names of that right.
const RIGHTS: &[&str] = &["Authority", "Tx"];

/// The modules that only look.
const LOOKING: &[&str] = &[
    "plan",
    "status",
    "doctor",
    "history",
    "bundle",
    "settings",
    "facts",
    "daemon_config",
    "trust",
    "report",
    "ui",
    "cli",
    "command",
];

/// What `doctor --fix` changes is changed by these. The list may only shrink.
const EXCEPTIONS: &[&str] = &[
    "src/command/doctor.rs",
    "src/doctor/apt.rs",
    "src/doctor/mod.rs",
    "src/doctor/service.rs",
];

#[test]
fn what_only_looks_is_given_no_right_to_change_the_host() {
    let library = library();
    let floors = &library.0[&Names::new()].children;
    for name in LOOKING {
        assert!(floors.iter().any(|it| it == name), "there is no {name}");
    }
    let named: BTreeSet<&str> = library
        .0
        .iter()
        .filter(|(name, _)| name.first().is_some_and(|it| LOOKING.contains(&&**it)))
        .filter(|(name, _)| {
            let reached = library.reached_by(name);
            reached.iter().flatten().any(|it| RIGHTS.contains(&&**it))
        })
        .map(|(_, module)| module.file.as_str())
        .collect();
    assert_eq!(named, BTreeSet::from_iter(EXCEPTIONS.iter().copied()));
}
