//! The list of modules in `lib.rs` is a list of floors: each imports only from those above it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::ROOT;
use crate::imports::{Names, library};

/// Files that still import from a module below theirs. The list may only shrink.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// The room whose own modules are floors too, in the order of its list.
const ROOM: &str = "daemon_config";

#[test]
fn no_file_imports_from_a_module_below_its_own() {
    let found = imports_from_below(&Names::new(), 15);
    let listed: BTreeSet<(&str, String)> = EXCEPTIONS
        .iter()
        .map(|(file, module)| (*file, (*module).to_owned()))
        .collect();
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(
        new.is_empty(),
        "these import from a module that comes later in src/lib.rs: {new:#?}"
    );
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(
        gone.is_empty(),
        "these hold the order now; take them out of EXCEPTIONS: {gone:#?}"
    );
}

#[test]
fn within_daemon_config_no_file_imports_from_a_module_below_its_own() {
    let found = imports_from_below(&vec![ROOM.to_owned()], 4);
    assert!(
        found.is_empty(),
        "these import from a module that comes later in src/{ROOM}/mod.rs: {found:#?}"
    );
}

/// The files in a room that import from a module which comes later in its list than their own.
fn imports_from_below(room: &Names, fewest: usize) -> BTreeSet<(&'static str, String)> {
    let library = library();
    let floors = &library.0[room].children;
    assert!(floors.len() > fewest, "{floors:?}");
    let floor = |name: &String| floors.iter().position(|it| it == name);
    let inside = library
        .0
        .iter()
        .filter(|(name, _)| name.starts_with(room) && name.len() > room.len());
    let mut found = BTreeSet::new();
    for (name, module) in inside {
        let own = &name[room.len()];
        for path in library.reached_by(name) {
            // As it is written, and where it stands if that only passes it on.
            for path in [library.home_of(&path), Some(path)].into_iter().flatten() {
                let below = path
                    .strip_prefix(&room[..])
                    .and_then(<[String]>::first)
                    .filter(|it| floor(it) > floor(own));
                if let Some(below) = below {
                    found.insert((module.file.as_str(), below.clone()));
                }
            }
        }
    }
    found
}

/// The page may name what is to come, but nothing in another order.
#[test]
fn the_architecture_page_has_the_modules_in_their_order() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let (_, page) = page.split_once("## The floors").unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let floors = &library().0[&Names::new()].children;
    let known = named
        .iter()
        .filter(|name| floors.iter().any(|it| it == *name));
    let known: Vec<&&str> = known.collect();
    let in_order = floors.iter().filter(|it| named.contains(&it.as_str()));
    assert!(known.iter().map(|it| **it).eq(in_order), "{known:?}");
    assert!(known.len() > 20, "{known:?}");
}
