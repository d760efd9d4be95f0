//! What is shipped beside the program, held against what it was made from.

#![allow(clippy::disallowed_methods, reason = "what tests write is their own")]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;
use dockstrap::reference::{AREAS, Cli, completions, daemon_config, settings};

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
    let count = linked("x86_64-unknown-linux-musl").len();
    let page = source("packaging/DEPENDENCIES.md");
    assert!(
        page.contains(&format!("dockstrap links {count} crates")),
        "packaging/DEPENDENCIES.md must say {count}"
    );
}

#[test]
fn the_licence_of_every_linked_crate_is_shipped() {
    let mut crates = linked("x86_64-unknown-linux-musl");
    crates.extend(linked("aarch64-unknown-linux-musl"));
    crates.retain(|it| !it.starts_with("dockstrap "));
    let page = source("packaging/NOTICES.txt");
    let listed = page.lines().filter_map(|line| line.strip_prefix("- "));
    // A licence's text may be a list as well.
    let listed: BTreeSet<String> = listed
        .filter(|it| it.split(' ').nth(1).is_some_and(is_version))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, crates, "write it anew: scripts/notices");
}

fn is_version(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_digit()) && word.contains('.')
}

/// The crates that are linked into a binary for this target, each as its name and version.
fn linked(target: &str) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
        .args(["--target", target, "--no-dedupe", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let listed = String::from_utf8(tree.stdout).unwrap();
    let crates = listed.lines().map(|line| {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let version = words.next().unwrap_or_default();
        format!("{name} {}", version.trim_start_matches('v'))
    });
    crates.collect()
}

/// Runs what `scripts/generate` runs.
fn make_pages(arguments: &[&str]) {
    let mut make = Command::new(env!("CARGO"));
    make.args(["run", "--quiet", "--locked", "--example", "pages", "--"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // What cargo tells a test of its package would have crates built anew.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            make.env_remove(name);
        }
    }
    let made = make.output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn the_generated_pages_are_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    make_pages(&["source", folder.path().to_str().unwrap()]);
    let mut pages = 0;
    let mut folders = vec![folder.path().to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder.path()).unwrap();
            let made = std::fs::read_to_string(&path).unwrap();
            let is_current = made == source(name.to_str().unwrap());
            assert!(is_current, "{name:?} is stale; run: scripts/generate");
            pages += 1;
        }
    }
    assert_eq!(pages, 5);
}

/// The pages are made of the same tables that the program works by, so none of it may be left out.
#[test]
fn there_is_a_manual_page_for_every_command_and_every_table() {
    let folder = tempfile::tempdir().unwrap();
    make_pages(&["package", folder.path().to_str().unwrap(), "1970-01-02"]);
    let page = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join("man").join(name));
        // As it reads: a dash stands for itself.
        text.unwrap_or_else(|error| panic!("{name}: {error}"))
            .replace("\\-", "-")
    };

    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = vec!["dockstrap".to_owned()];
    for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        pages.push(format!("dockstrap-{}", below.get_name()));
        let deeper = below.get_subcommands();
        pages.extend(deeper.map(|it| format!("dockstrap-{}-{}", below.get_name(), it.get_name())));
    }
    for name in &pages {
        let text = page(&format!("{name}.1"));
        assert!(
            text.contains(&format!(".TH {name} 1 1970-01-02 ")),
            "{name}"
        );
        for option in ["help", "output"] {
            assert!(text.contains(&format!("--{option}")), "{name}: --{option}");
        }
    }
    let config = page("dockstrap-config.5");
    for setting in settings::table() {
        assert!(
            config.contains(&format!("\\fB{}\\fR", setting.key)),
            "{}",
            setting.key
        );
        assert!(config.contains(&setting.variable.unwrap_or_default()));
    }
    let keys = page("dockstrap-daemon.json.5");
    for key in daemon_config::keys() {
        assert!(
            keys.contains(&format!(".TP\n\\fB{}\\fR\n", key.name)),
            "{}",
            key.name
        );
    }
    let checks = page("dockstrap-checks.7");
    for check in AREAS.iter().flat_map(|(_, checks)| *checks) {
        assert!(
            checks.contains(&format!("\\fB{}\\fR", check.id)),
            "{}",
            check.id
        );
    }
    for shell in Shell::value_variants() {
        let written = folder.path().join("completions").join(shell.to_string());
        assert_eq!(
            std::fs::read_to_string(written).unwrap(),
            completions::script(*shell)
        );
    }
    what_the_pages_name_is_there(&folder.path().join("man"), page);
}

fn what_the_pages_name_is_there(folder: &std::path::Path, page: impl Fn(&str) -> String) {
    // What they point to is there.
    let written: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in &written {
        let text = page(name).replace("\\fR", "").replace("\\fB", "");
        let words = text.split(|it: char| it.is_whitespace() || it == ',');
        for word in words.filter(|it| it.starts_with("dockstrap-")) {
            let word = word.trim_end_matches(['.', ';']);
            if let Some((other, section)) = word.strip_suffix(')').and_then(|it| it.split_once('('))
            {
                assert!(
                    written.contains(&format!("{other}.{section}")),
                    "{name} names {word}"
                );
            }
        }
    }
}

/// Who reports a vulnerability writes to those who maintain the package.
#[test]
fn the_security_policy_names_the_maintainers_and_what_it_links_to_is_there() {
    let policy = source("SECURITY.md");
    let manifest: toml::Table = source("Cargo.toml").parse().unwrap();
    let maintainer = manifest["package"]["metadata"]["deb"]["maintainer"]
        .as_str()
        .unwrap();
    let (_, address) = maintainer.split_once('<').unwrap();
    assert!(policy.contains(&format!("<{address}")), "{address}");
    assert!(source("README.md").contains("[SECURITY.md](SECURITY.md)"));
    assert!(policy.contains("](packaging/manual/trust.md)"));
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
