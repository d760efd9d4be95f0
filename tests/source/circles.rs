//! No file needs, by way of others, a file that needs it.
//!
//! A module and those inside it are one room: a table in `mod.rs` names its rows, and the rows use its
//! types. What they need of each other is left out here.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::{Names, library};

/// The imports that still close a circle: each file with the one that it should not need. The list
/// may only shrink.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// The files that each file needs.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn graph() -> Graph {
    let library = library();
    let needed_by = |name: &Names| -> BTreeSet<String> {
        let paths = library.named_by(name).into_iter();
        paths
            .filter_map(|path| library.home_of(&path))
            .filter(|home| !home.starts_with(name) && !name.starts_with(home))
            .map(|home| library.0[&home].file.clone())
            .collect()
    };
    let modules = library.0.iter();
    modules
        .map(|(name, module)| (module.file.clone(), needed_by(name)))
        .collect()
}

/// The way from a file to another, both included.
fn way(graph: &Graph, from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::from([from.to_owned()]);
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last().unwrap();
            if last == to {
                return Some(way);
            }
            for next in &graph[last] {
                if seen.insert(next.clone()) {
                    longer.push([way.clone(), vec![next.clone()]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// The shortest circle there is.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    // What needs no file that may be in a circle is in none.
    let mut left = graph.clone();
    while let Some(file) = left.iter().find_map(|(file, needed)| {
        let is_free = !needed.iter().any(|it| left.contains_key(it));
        is_free.then(|| file.clone())
    }) {
        left.remove(&file);
    }
    let edges = left
        .iter()
        .flat_map(|(file, needed)| needed.iter().map(move |it| (file, it)));
    edges
        .filter_map(|(file, needed)| way(graph, needed, file))
        .min_by_key(Vec::len)
}

#[test]
fn no_files_need_each_other_in_a_circle() {
    let mut without = graph();
    assert!(without.len() > 150, "{}", without.len());
    for (file, needed) in EXCEPTIONS {
        let is_there = without.get_mut(*file).is_some_and(|it| it.remove(*needed));
        assert!(
            is_there,
            "{file} does not need {needed} any more; take it out of EXCEPTIONS"
        );
    }
    if let Some(circle) = circle(&without) {
        panic!("these files need each other: {}", circle.join(" → "));
    }
    // What closes no circle any more needs no exception.
    for (file, needed) in EXCEPTIONS {
        assert!(
            way(&without, needed, file).is_some(),
            "{file} may need {needed} now; take it out of EXCEPTIONS"
        );
    }
}

#[test]
fn a_circle_is_found() {
    let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")];
    let mut graph: Graph =
        BTreeMap::from(["a", "b", "c", "d"].map(|it| (it.to_owned(), BTreeSet::new())));
    for (from, to) in edges {
        graph.get_mut(from).unwrap().insert(to.to_owned());
    }
    assert_eq!(circle(&graph).unwrap().len(), 3);
    graph.get_mut("b").unwrap().clear();
    assert_eq!(circle(&graph), None);
}
