//! What is shipped beside the program, held against what it was made from.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest: toml::Table = source("Cargo.toml").parse().unwrap();
    let taken: BTreeSet<&str> = manifest["dependencies"]
        .as_table()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let page = source("packaging/DEPENDENCIES.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    let named: BTreeSet<&str> = rows
        .filter_map(|row| row.split(" | ").next())
        .filter(|name| *name != "crate")
        .collect();
    assert_eq!(named, taken, "packaging/DEPENDENCIES.md and Cargo.toml");
}

#[test]
fn as_many_crates_are_linked_as_the_page_says() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
        .args(["--target", "x86_64-unknown-linux-musl", "--no-dedupe"])
        .args(["--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let listed = String::from_utf8(tree.stdout).unwrap();
    let crates: BTreeSet<&str> = listed
        .lines()
        .map(|line| line.trim_end_matches(" (proc-macro)"))
        .collect();
    let page = source("packaging/DEPENDENCIES.md");
    assert!(
        page.contains(&format!("dockstrap links {} crates", crates.len())),
        "packaging/DEPENDENCIES.md must say {}",
        crates.len()
    );
}

/// Cut short at any byte, install.sh runs nothing at all: each command that it would run leaves a
/// word behind.
#[test]
fn a_script_that_was_cut_short_runs_nothing() {
    let script = source("scripts/install.sh");
    let whole = script.trim_end().len();
    let folder = tempfile::tempdir().unwrap();
    for cut in 0..whole {
        let traced = run_piped(&script.as_bytes()[..cut], folder.path());
        assert_eq!(traced, "", "cut after {cut} of {whole} bytes");
    }
    let traced = run_piped(script.as_bytes(), folder.path());
    assert!(traced.contains("+ set -eu"), "as a whole it runs: {traced}");
}

/// What a shell traces of the script on its standard input.
fn run_piped(script: &[u8], empty: &Path) -> String {
    let mut shell = Command::new("/bin/sh")
        .args(["-x", "-s", "--", "--help"])
        .env_clear()
        .env("PATH", empty)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The shell may be done before it has read all.
    let _ = shell.stdin.take().unwrap().write_all(script);
    let said = shell.wait_with_output().unwrap().stderr;
    let said = String::from_utf8_lossy(&said);
    let traced: Vec<&str> = said.lines().filter(|line| line.starts_with('+')).collect();
    traced.join("\n")
}
