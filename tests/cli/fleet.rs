//! The manual's page on fleets is what `scripts/fleet` reckons from the figures beside it.

use std::path::Path;
use std::process::Command;

#[test]
fn the_tables_of_the_manual_are_those_that_are_reckoned() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let simulate = Command::new(checkout.join("scripts/fleet"))
        .arg("simulate")
        .output()
        .unwrap();
    assert!(simulate.status.success(), "{simulate:?}");
    let page = std::fs::read_to_string(checkout.join("packaging/manual/fleet.md")).unwrap();
    let reckoned = String::from_utf8(simulate.stdout).unwrap();
    assert!(reckoned.lines().count() > 40, "{reckoned}");
    for line in reckoned.lines() {
        assert!(page.contains(line), "not in the page: {line}");
    }
}

/// The figures of one host, as the page tells them.
#[test]
fn the_measured_figures_of_the_manual_are_those_of_the_file() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(checkout.join("packaging/manual").join(name));
    let page = read("fleet.md").unwrap();
    let figures: serde_json::Value = serde_json::from_str(&read("fleet.json").unwrap()).unwrap();
    let seconds = |run: &str, what: &str| figures[run][what].as_f64().unwrap();
    for (run, name) in [
        ("first", "first run, with the verification"),
        ("second", "again, nothing to do"),
    ] {
        let (one, many) = (seconds(run, "one_wall"), seconds(run, "many_wall"));
        let line = format!("| {name} | {one:.1} s | {many:.1} s |");
        assert!(page.contains(&line), "not in the page: {line}");
    }
    let cpu = |run: &str| seconds(run, "controller_cpu_each");
    let line = format!(
        "| CPU time of the controller | {:.2} s | {:.2} s |",
        cpu("first"),
        cpu("second")
    );
    assert!(page.contains(&line), "not in the page: {line}");
}
