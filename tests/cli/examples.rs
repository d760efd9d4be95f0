//! That every example in README and manual is right. Those that a host can run are run in the lab.

use std::path::Path;

use clap::CommandFactory;
use dockstrap::reference::Cli;
use dockstrap::reference::daemon_config::Severity;
use dockstrap::reference::settings::check;
use serde_json::Value;

use crate::fences::{self, commands};

/// Beginnings of command lines that are not dockstrap's: each with what it is checked by instead.
const OF_OTHERS: &[(&str, &str)] = &[
    ("scripts/", "of this project: its script must be there"),
    (
        "curl -fsSL RELEASES/latest/download/install.sh ",
        "run by the lab's test of install.sh, from a server of releases",
    ),
    (
        "wget -qO- RELEASES/latest/download/install.sh ",
        "run by the lab's test of install.sh on a host without curl",
    ),
    (
        "apt install ./dockstrap_",
        "the lab's test of the package installs it",
    ),
    (
        "curl -fsSL RELEASES/apt/dockstrap.",
        "the lab's test of a release puts these files where they go here",
    ),
    ("apt update", "run by the lab's test of a release"),
    (
        "apt install dockstrap",
        "run by the lab's test of a release",
    ),
    ("cp FILE ", "coreutils; FILE is the reader's own"),
    (
        "update-ca-certificates",
        "the lab's base runs it for its own authority",
    ),
    (
        "cloud-init ",
        "run by the lab's test of packaging/cloud-init",
    ),
    (
        "ansible-galaxy collection ",
        "run by the lab's tests of the collection",
    ),
    (
        "ansible-playbook -i INVENTORY dockstrap.docker.",
        "the playbooks are run by the lab's tests of the collection",
    ),
];

/// Languages that nothing here reads, each with what its examples are checked by instead.
const NOT_READ: &[(&str, &str)] = &[(
    "yaml",
    "parts of playbooks and user data, which the lab's tests give to Ansible and cloud-init",
)];

/// Command lines with a placeholder where clap wants a word that there is.
const PLACEHOLDERS: &[(&str, &str)] = &[("dockstrap explain KEY", "dockstrap explain icc")];

#[test]
fn every_example_for_the_shell_is_a_command_line_that_there_is() {
    let mut count = 0;
    for fence in fences::all().iter().filter(|it| it.language == "sh") {
        for words in commands(&fence.text) {
            let words: Vec<&str> = words.into_iter().skip_while(|it| *it == "sudo").collect();
            let line = words.join(" ");
            if words[0] == "dockstrap" {
                is_understood(&line, &fence.place);
                count += 1;
                continue;
            }
            let of_others = OF_OTHERS.iter().any(|(start, _)| line.starts_with(start));
            assert!(of_others, "{}: who checks `{line}`?", fence.place);
            if line.starts_with("scripts/") {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(words[0]);
                assert!(path.exists(), "{}: {line}", fence.place);
            }
        }
    }
    assert!(count > 10, "only {count} examples were found");
}

#[test]
fn every_command_within_the_text_is_a_command_line_that_there_is() {
    let mut count = 0;
    for page in fences::pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        // A heading is a name and no example.
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let text = lines.join("\n");
        let outside_of_fences = text.split("```").step_by(2);
        for part in outside_of_fences {
            for code in part.split('`').skip(1).step_by(2) {
                let words: Vec<&str> = code.split_whitespace().collect();
                let line = words.join(" ");
                let line = line.strip_prefix("sudo ").unwrap_or(&line);
                if line.starts_with("dockstrap ") {
                    is_understood(line, &page.display().to_string());
                    count += 1;
                }
            }
        }
    }
    assert!(count > 5, "only {count} commands were found");
}

#[test]
fn every_example_of_settings_can_be_used() {
    let mut count = 0;
    for fence in fences::all().iter().filter(|it| it.language == "toml") {
        let problems = check(&fence.text);
        let errors: Vec<_> = problems
            .iter()
            .filter(|it| it.severity == Severity::Error)
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", fence.place);
        count += 1;
    }
    assert!(count > 1, "only {count} examples were found");
}

#[test]
fn every_example_of_json_is_json() {
    let mut count = 0;
    for fence in fences::all().iter().filter(|it| it.language == "json") {
        let parsed: Result<Value, _> = serde_json::from_str(&fence.text);
        assert!(parsed.is_ok(), "{}: {parsed:?}", fence.place);
        count += 1;
    }
    assert!(count > 10, "only {count} examples were found");
}

#[test]
fn no_example_is_in_a_language_that_nothing_checks() {
    for fence in fences::all() {
        let is_read = ["sh", "toml", "json"].contains(&fence.language.as_str());
        let is_known = NOT_READ
            .iter()
            .any(|(language, _)| *language == fence.language);
        assert!(is_read || is_known, "{}: `{}`", fence.place, fence.language);
    }
}

#[track_caller]
fn is_understood(line: &str, place: &str) {
    let known = PLACEHOLDERS.iter().find(|(known, _)| *known == line);
    let line = known.map_or(line, |(_, real)| real);
    if let Err(error) = Cli::command().try_get_matches_from(line.split(' ')) {
        let is_help = error.exit_code() == 0;
        assert!(is_help, "{place}: `{line}`: {error}");
    }
}
